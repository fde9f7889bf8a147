"""Text that others wrote, made fit to be kept and shown."""

import re

REPLACEMENT = "\ufffd"
"""Stands where a character was that a terminal, or the eye, could be deceived by."""

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
    """``text`` without anything that could act on a terminal or deceive its reader.

    Line breaks and tabs become one space; control characters, bidirectional overrides and isolates,
    invisible format characters and lone surrogates become U+FFFD, so that they are seen to have been
    there. Everything else, combining and wide characters too, stays: how many cells it takes is for
    whoever draws it. Names and descriptions are cleaned when they are decoded, so nothing hostile is
    ever stored. With ``limit``, longer text is cut to that many characters, the last one an ellipsis.
    """
    if limit is not None and len(text) > limit:
        text = text[: max(limit - 1, 0)] + "…"[:limit]
    if text.isprintable():
        return text
    return _HOSTILE.sub(REPLACEMENT, _BREAKS.sub(" ", text))
