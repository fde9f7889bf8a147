"""Data on stdout: aligned on a terminal, tab-separated in a pipe, CSV or JSON on request."""

import errno
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TextIO

import msgspec

from tui.headless.exits import Exit, Stop
from tui.model.operation import STATE_STYLES, StateStyle
from tui.model.text import clean

_COLOURS = {"dim": "2", "blue": "34", "green": "32", "red": "31", "magenta": "35", "amber": "33"}

_SIGNS = "".join(style.sign for style in STATE_STYLES.values())


class Cell(NamedTuple):
    """One value of a table. ``colour`` is a role, as in ``StateStyle``, or empty."""

    text: str
    colour: str = ""


def write_json(value: Any) -> None:
    """Write one JSON value on one line, in UTF-8 whatever the locale.

    Raises:
        Stop: stdout cannot be written.
    """
    write_bytes(msgspec.json.encode(value) + b"\n")


def write_text(text: str) -> None:
    """Write text as it is, in UTF-8 whatever the locale.

    Raises:
        Stop: stdout cannot be written.
    """
    write_bytes(text.encode())


def write_rows(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write aligned columns with a header on a terminal; in a pipe tab-separated values without one.

    Raises:
        Stop: stdout cannot be written.
    """
    table = [[cell._replace(text=clean(cell.text)) for cell in row] for row in rows]
    if sys.stdout.isatty():
        colours = not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in {"", "dumb"}
        width = columns(sys.stdout)
        lines = _aligned([[Cell(title, "dim") for title in header], *table], width, colours)
    else:
        lines = ["\t".join(cell.text for cell in row) for row in table]
    encoding = sys.stdout.encoding or "utf-8"
    write_bytes("".join(f"{line}\n" for line in lines).encode(encoding, "replace"))


def columns(terminal: TextIO) -> int:
    """The width of a terminal in cells, whatever COLUMNS says; 80 where it is unknown."""
    try:
        return os.get_terminal_size(terminal.fileno()).columns or 80
    except OSError:
        return 80


def sign(style: StateStyle, stream: TextIO) -> str:
    """The sign of a state, in ASCII where ``stream`` cannot encode every sign."""
    return style.sign if _can_encode(_SIGNS, stream) else style.ascii


def _can_encode(text: str, stream: TextIO) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def _aligned(rows: list[list[Cell]], width: int, colours: bool) -> list[str]:
    widths = [
        max(map(_cells, column))
        for column in zip(*([cell.text for cell in row] for row in rows), strict=True)
    ]
    lines = []
    for row in rows:
        parts, used = [], 0
        for cell, room in zip(row, widths, strict=True):
            text = _cut(cell.text, max(0, width - used))
            used += room + 2
            shown = (
                f"\x1b[{_COLOURS[cell.colour]}m{text}\x1b[0m" if colours and cell.colour and text else text
            )
            parts.append(shown + " " * (room - _cells(text)))
        lines.append("  ".join(parts).rstrip())
    return lines


def _cells(text: str) -> int:
    """How many cells of a terminal ``text`` takes; loads the tables of Unicode only where they are needed."""
    if text.isascii():
        return len(text)
    from tui.cells import cell_width

    return cell_width(text)


def _cut(text: str, width: int) -> str:
    """The part of ``text`` that fits into ``width`` cells, with a sign for the rest."""
    if _cells(text) <= width:
        return text
    used = 0
    for index, char in enumerate(text):
        used += _cells(char)
        if used > width - 1:
            more = "…" if _can_encode("…", sys.stdout) else "~"
            return text[:index] + (more if width else "")
    return text


def write_bytes(data: bytes) -> None:
    """Write to stdout. A closed pipe or terminal is no error.

    Raises:
        Stop: it cannot be written for another reason, e.g. a full disk.
    """
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())  # the interpreter's last flush goes nowhere instead of failing
        os.close(null)
        if error.errno not in {errno.EPIPE, errno.EIO}:
            raise Stop(Exit.FAILED, f"standard output cannot be written: {error.strerror}") from None
