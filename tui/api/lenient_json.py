"""Taking JSON as it comes: any type in any place, keys in any case, and what is barely JSON at all.

Every function gives a value or raises `Malformed` (or `Oversized`), nothing else. All text is cleaned on the
way in (`tui.model.text.clean`).
"""

import json
import re
from typing import Any

import msgspec

from tui.api.errors import Malformed, Oversized
from tui.api.limits import DEFAULT, Limits
from tui.model.text import clean

Body = bytes | bytearray

TEXT_LIMIT = 4096
"""Longest name, description or the like that is kept, in characters."""

_usable_id = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}").fullmatch
_SPACES = bytes.maketrans(bytes(range(0x20)), b" " * 0x20)
_LONE_HIGH = re.compile(rb"\\u(?<!\\\\u)[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})")
_LONE_LOW = re.compile(rb"\\u(?<!\\\\u)(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u)[dD][c-fC-F][0-9a-fA-F]{2}")
_MOST_HALVES = 200_000
_WINDOW = 2**20
_CONTEXT = 16
"""Bytes around a window that the patterns may look at."""
_BOM = b"\xef\xbb\xbf"


def without_mark(body: Body) -> Body:
    """``body`` without a byte order mark."""
    return body[3:] if body.startswith(_BOM) else body


def repair(body: Body) -> bytearray:
    """``body`` with the breaches of JSON undone that say nothing about the rest of it.

    Raw control characters within text, and halves of surrogate pairs, as left by software that cuts
    text to a length. A bytearray is changed itself, bit by bit: a tree is too large for copies.
    """
    if body.count(rb"\ud") + body.count(rb"\uD") > _MOST_HALVES:
        raise Oversized("The answer has too many characters that are none.")
    body = body if isinstance(body, bytearray) else bytearray(body)
    for start in range(0, len(body), _WINDOW):
        before = min(start, _CONTEXT)
        window = bytes(body[start - before : start + _WINDOW + _CONTEXT])
        # Nothing changes its length, so that each byte stays where it is.
        whole = _LONE_LOW.sub(rb"\\ufffd", _LONE_HIGH.sub(rb"\\ufffd", window.translate(_SPACES)))
        body[start : start + _WINDOW] = whole[before : before + min(_WINDOW, len(body) - start)]
    return body


def loose_value(body: Body, limits: Limits = DEFAULT) -> Any:
    """Any JSON value."""
    body = without_mark(body)
    if body.count(b"{") + body.count(b"[") + body.count(b",") > limits.parts:
        raise Oversized(f"The answer has more than {limits.parts:,} parts.")
    try:
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # Slower and more forgiving: control characters in text, lone surrogates, odd encoding.
            return json.loads(body.decode("utf-8", "replace"), strict=False)
    except RecursionError:
        raise Oversized("The answer is nested too deeply.") from None
    except ValueError as error:
        raise Malformed(
            f"The answer is cut short or not JSON ({why(error)}): check the URL, and any proxy on the way."
        ) from None


def why(error: Exception) -> str:
    """What a decoder says is wrong, to be put in brackets."""
    return clean(str(error), 120).rstrip(".")


def fields_of(value: Any) -> dict[str, Any]:
    """An object's fields by key in lower case; none for anything else."""
    return {key.casefold(): item for key, item in value.items()} if isinstance(value, dict) else {}


def items_of(value: Any) -> list[Any]:
    """A list's items; none for anything else."""
    return value if isinstance(value, list) else []


def expect_list(value: Any, what: str) -> list[Any]:
    """The items of a list that has to be one, or null; otherwise the answer is not ``what``."""
    if value is not None and not isinstance(value, list):
        raise Malformed(f"The answer is not {what}.")
    return value or []


def text_of(value: Any) -> str:
    """A scalar as clean text without spaces around; empty for anything else."""
    if isinstance(value, str):
        return clean(value.strip(), TEXT_LIMIT)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return str(value)
        except ValueError:  # an integer of thousands of digits
            return ""
    return ""


def texts_of(value: Any) -> tuple[str, ...]:
    """All text in a list, or in the values of an object, or the text itself."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        value = [value]
    flat: list[Any] = []
    for item in value:
        flat.extend(item if isinstance(item, list) else [item])
    return tuple(text for item in flat if (text := text_of(item)))


def flag_of(value: Any) -> bool | None:
    """A yes or no, spelt in any way; None where it is neither."""
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(value.strip().casefold())
    return bool(value) if isinstance(value, bool) or value in (0, 1) else None


def number_of(value: Any) -> int | None:
    """A count, as a number or as text; None for anything else."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return whole(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def whole(value: int | float | None) -> int | None:
    """A count as an integer; None for what no machine has."""
    if value is None:
        return None
    return int(value) if 0 <= value < 1e15 else None


def link_id(links: Any, rel: str) -> str:
    """The id that the link of this ``rel`` leads to; empty where there is none that is usable.

    Only ever the id: an address in an answer is never followed.
    """
    for item in items_of(links):
        fields = fields_of(item)
        if text_of(fields.get("rel")).casefold() == rel:
            href = text_of(fields.get("href")).partition("?")[0].rstrip("/").rpartition("/")[2]
            for id_ in (text_of(fields.get("id")), href):
                if is_usable_id(id_):
                    return id_
    return ""


def is_usable_id(text: str) -> bool:
    """Whether ``text`` can be an id or alias: nothing that means something else in a path."""
    return _usable_id(text) is not None
