"""Data for stdout: aligned on a terminal, tab-separated in a pipe, CSV or JSON when asked for."""

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


class Cell(NamedTuple):
    """One value of a table, with the colour of its meaning if it has one."""

    text: str
    colour: str = ""


def write_json(value: Any) -> None:
    """One JSON value on one line, UTF-8 whatever the locale."""
    _write(msgspec.json.encode(value) + b"\n")


def write_text(text: str) -> None:
    """Text as it is, UTF-8 whatever the locale: it is for a file."""
    _write(text.encode())


def write_rows(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Aligned columns with a header on a terminal; in a pipe tab-separated values and nothing else."""
    table = [[cell._replace(text=clean(cell.text)) for cell in row] for row in rows]
    if sys.stdout.isatty():
        colours = not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in {"", "dumb"}
        width = columns(sys.stdout)
        lines = _aligned([[Cell(title, "dim") for title in header], *table], width, colours)
    else:
        lines = ["\t".join(cell.text for cell in row) for row in table]
    encoding = sys.stdout.encoding or "utf-8"
    _write("".join(f"{line}\n" for line in lines).encode(encoding, "replace"))


def columns(terminal: TextIO) -> int:
    """How wide a terminal is, whatever COLUMNS says; 80 where it does not tell."""
    try:
        return os.get_terminal_size(terminal.fileno()).columns or 80
    except OSError:
        return 80


def sign(look: StateStyle, stream: TextIO) -> str:
    """The sign of a state, in ASCII where ``stream`` knows no better."""
    try:
        "".join(one.sign for one in STATE_STYLES.values()).encode(stream.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return look.ascii
    return look.sign


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
    """What of ``text`` fits into ``width`` cells, with a sign where there was more."""
    if _cells(text) <= width:
        return text
    used = 0
    for index, char in enumerate(text):
        used += _cells(char)
        if used > width - 1:
            return text[:index] + (_more() if width else "")
    return text


def _more() -> str:
    """The sign for what was cut off, in ASCII where stdout knows no better."""
    try:
        "…".encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return "~"
    return "…"


def _write(data: bytes) -> None:
    """Write to stdout. Whoever read it may have gone: then the rest is not wanted, and that is no error.

    Raises Stop when it cannot be written for another reason, e.g. a full disk.
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
