"""Text in terminal cells: a character takes none, one or two of them, as Rich counts."""

import textwrap

from rich.cells import cell_len, get_character_cell_size, set_cell_size

from tui.model.text import clean

_EMOJI_STYLE = "\ufe0f"
"""Requests the wide form of the sign before it; terminals do not agree on how wide that is."""


def cell_width(text: str) -> int:
    """How many cells ``text`` takes."""
    if text.isascii() or text.replace("…", "").isascii():
        return len(text)
    return cell_len(text)


def character_width(character: str) -> int:
    """How many cells one character takes by itself: 0 where it joins the one before it."""
    return get_character_cell_size(character)


def printable(text: str) -> str:
    """``text`` without characters that act on terminals, or whose width differs between terminals."""
    if not text.isprintable():
        text = clean(text)
    return text if text.isascii() else text.replace(_EMOJI_STYLE, "")


def fit(text: str, width: int, *, right: bool = False) -> str:
    """``text`` in exactly ``width`` cells: padded, or cut with an ellipsis."""
    text = printable(text)
    if text.isascii():
        length = len(text)
        if length > width:
            return text[: width - 1] + "…" if width > 1 else text[:width]
    else:
        length = cell_len(text)
        if length > width:
            return set_cell_size(text, width - 1) + "…" if width > 1 else set_cell_size(text, width)
    return " " * (width - length) + text if right else text + " " * (width - length)


def wrap(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` cells, broken at spaces where there are any."""
    text = printable(text)
    if cell_width(text) == len(text):
        return textwrap.wrap(text, width, break_on_hyphens=False) or [""]
    lines, line = [], ""
    for char in text:
        if cell_width(line + char) > width:
            lines.append(line)
            line = ""
        line += char
    return [*lines, line]
