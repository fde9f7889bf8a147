"""Lenient JSON: any type in any place, keys in any case, and slightly broken syntax.

The functions ``to_…`` convert any decoded value and never fail. All text is cleaned when it is read
(`tui.model.text.clean`).
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

_valid_id = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}").fullmatch
_SPACES = bytes.maketrans(bytes(range(0x20)), b" " * 0x20)
_LONE_HIGH = re.compile(rb"\\u(?<!\\\\u)[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})")
_LONE_LOW = re.compile(rb"\\u(?<!\\\\u)(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u)[dD][c-fC-F][0-9a-fA-F]{2}")
_MAX_SURROGATES = 200_000
_WINDOW = 2**20
_CONTEXT = 16
"""Bytes around a window that the patterns may read."""
_BOM = b"\xef\xbb\xbf"


def strip_bom(body: Body) -> Body:
    """Remove a byte order mark."""
    return body[3:] if body.startswith(_BOM) else body


def repair_json(body: Body) -> bytearray:
    """Replace raw control characters and lone surrogates, as in text that software cut to a length.

    A bytearray is changed in place, window by window: a tree is too large for copies.

    Raises:
        Oversized: there are too many surrogates.
    """
    if body.count(rb"\ud") + body.count(rb"\uD") > _MAX_SURROGATES:
        raise Oversized("The answer has too many characters that are none.")
    body = body if isinstance(body, bytearray) else bytearray(body)
    for start in range(0, len(body), _WINDOW):
        before = min(start, _CONTEXT)
        window = bytes(body[start - before : start + _WINDOW + _CONTEXT])
        # No replacement changes the length, so each byte keeps its position.
        repaired = _LONE_LOW.sub(rb"\\ufffd", _LONE_HIGH.sub(rb"\\ufffd", window.translate(_SPACES)))
        body[start : start + _WINDOW] = repaired[before : before + min(_WINDOW, len(body) - start)]
    return body


def decode_json(body: Body, limits: Limits = DEFAULT) -> Any:
    """Decode any JSON value; fall back to a slower, more forgiving decoder.

    Raises:
        Malformed: it is not JSON.
        Oversized: it has too many parts, or is nested too deeply.
    """
    body = strip_bom(body)
    if body.count(b"{") + body.count(b"[") + body.count(b",") > limits.parts:
        raise Oversized(f"The answer has more than {limits.parts:,} parts.")
    try:
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # It accepts control characters in text, lone surrogates and other encodings.
            return json.loads(body.decode("utf-8", "replace"), strict=False)
    except RecursionError:
        raise Oversized("The answer is nested too deeply.") from None
    except ValueError as error:
        raise Malformed(
            f"The answer is cut short or not JSON ({decoder_message(error)}): "
            "check the URL, and any proxy on the way."
        ) from None


def decoder_message(error: Exception) -> str:
    """The message of a decoder, short and clean, to be put in brackets."""
    return clean(str(error), 120).rstrip(".")


def object_fields(value: Any) -> dict[str, Any]:
    """The fields of an object by key in lower case; empty for anything else."""
    return {key.casefold(): item for key, item in value.items()} if isinstance(value, dict) else {}


def list_items(value: Any) -> list[Any]:
    """The items of a list; empty for anything else."""
    return value if isinstance(value, list) else []


def expect_list(value: Any, what: str) -> list[Any]:
    """The items of a list, or of null.

    Raises:
        Malformed: the value is anything else, so the answer is not ``what``.
    """
    if value is not None and not isinstance(value, list):
        raise Malformed(f"The answer is not {what}.")
    return value or []


def to_text(value: Any) -> str:
    """A string or number as clean, stripped text; empty for anything else."""
    if isinstance(value, str):
        return clean(value.strip(), TEXT_LIMIT)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return str(value)
        except ValueError:  # an integer of thousands of digits
            return ""
    return ""


def to_texts(value: Any) -> tuple[str, ...]:
    """All texts in a list (and in lists within it), in an object's values, or the text itself."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        value = [value]
    flat: list[Any] = []
    for item in value:
        flat.extend(item if isinstance(item, list) else [item])
    return tuple(text for item in flat if (text := to_text(item)))


def to_bool(value: Any) -> bool | None:
    """A boolean, also as 0 and 1 or as text; None for anything else."""
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(value.strip().casefold())
    return bool(value) if isinstance(value, bool) or value in (0, 1) else None


def to_count(value: Any) -> int | None:
    """A count from a number or from text; None for anything else."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return to_integer(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def to_integer(value: int | float | None) -> int | None:
    """A count as an integer; None for negative numbers and those that no machine reaches."""
    if value is None:
        return None
    return int(value) if 0 <= value < 1e15 else None


def linked_id(links: Any, rel: str) -> str:
    """The id that the link with this ``rel`` refers to; empty where there is no valid one.

    An address in an answer is never followed.
    """
    for item in list_items(links):
        fields = object_fields(item)
        if to_text(fields.get("rel")).casefold() == rel:
            href = to_text(fields.get("href")).partition("?")[0].rstrip("/").rpartition("/")[2]
            for id_ in (to_text(fields.get("id")), href):
                if is_valid_id(id_):
                    return id_
    return ""


def is_valid_id(text: str) -> bool:
    """Whether ``text`` can be an id or alias: it has no character with a meaning of its own in a path."""
    return _valid_id(text) is not None
