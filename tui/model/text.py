"""Text: cleaned of characters that could act on a terminal, counted and listed."""

import re
from collections.abc import Sequence

REPLACEMENT = "\ufffd"
"""Replaces a character that could act on a terminal or deceive its reader."""

_BREAKS = re.compile("[\t-\r\x85\u2028\u2029]+")
_HOSTILE = re.compile(
    # Every character of the categories Cc (C0 and C1 controls, escape among them), Cf (bidirectional
    # overrides and isolates, zero-width and other invisible format characters) and Cs (lone surrogates,
    # which no terminal or file can be given). A test holds this against Python's own tables.
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)


def clean(text: str, limit: int | None = None) -> str:
    """Return ``text`` without anything that could act on a terminal or deceive its reader.

    Line breaks and tabs become one space. Control characters, bidirectional overrides and isolates,
    invisible format characters and lone surrogates become U+FFFD. Everything else stays, combining and
    wide characters too. Text of the API is cleaned when it is decoded, so that none is stored otherwise.
    Text longer than ``limit`` characters is cut to that length, and ends with an ellipsis.
    """
    if limit is not None and len(text) > limit:
        text = text[: max(limit - 1, 0)] + "…"[:limit]
    if text.isprintable():
        return text
    return _HOSTILE.sub(REPLACEMENT, _BREAKS.sub(" ", text))


MAX_NAMED = 6
"""A sentence names up to this many servers and counts the others."""


def counted(number: int, noun: str = "server") -> str:
    """A number and its noun: "1 server", "1,204 servers"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def named(ids: Sequence[str], at_most: int = MAX_NAMED) -> str:
    """The first ``at_most`` ids and the number of the others: "WA1A, WA1B and 3 more"."""
    more = len(ids) - at_most
    return ", ".join(ids[:at_most]) + (f" and {more:,} more" if more > 0 else "")
