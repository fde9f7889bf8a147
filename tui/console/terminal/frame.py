"""The screen, cell by cell: updates are painted here, and only cells that differ are written."""

from collections.abc import Iterable
from typing import NamedTuple

from rich.console import Console
from rich.control import Control
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset
from textual.strip import Strip

from tui.cells import cell_width, character_width
from tui.console.terminal.textual_private import ChopsUpdate, CompositorUpdate, LayoutUpdate

GAP = 8
"""Equal cells between two changes of a line that are written again; moving over fewer costs more bytes."""
MOST_STYLES = 4096
"""Styles whose escape sequences are cached."""


class CellStyle(NamedTuple):
    """The escape sequences before and after cells of one style."""

    before: str = ""
    after: str = ""


PLAIN = CellStyle()
_MARK = "\0"

Cell = tuple[str, CellStyle]
"""A cell's text, empty where a wide character before it covers it, and its style."""

BLANK: Cell = (" ", PLAIN)


class Frame:
    """The screen as it should be, and as it was last written to the terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._width = 0
        self._wanted: list[list[Cell]] = []
        self._shown: list[list[Cell]] = []
        self._cursor: Offset | None = None
        self._cell_styles: dict[Style, CellStyle] = {}

    def paint(self, update: CompositorUpdate) -> None:
        """Paint an update of Textual's compositor."""
        if isinstance(update, LayoutUpdate):
            self._fit(update.region.width, len(update.strips))
            for y, strips in enumerate(update.strips):
                self._wanted[y] = self._line([cell for strip in strips for cell in self._cells(strip)])
        elif isinstance(update, ChopsUpdate):
            self._fit(update.chop_ends[0][-1] if update.chop_ends else 0, len(update.chops))
            for y, left, right in update.spans:
                line = list(self._wanted[y])
                for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=True):
                    if strip is not None and x < right and end > left:
                        _overwrite(line, x, list(self._cells(strip)))
                self._wanted[y] = self._line(line)

    def forget(self) -> None:
        """Write the whole screen next time: the terminal may show anything."""
        self._shown = [[] for _ in self._wanted]
        self._cursor = None

    def difference(self, cursor: Offset) -> list[str]:
        """Return the sequences that make the terminal show the frame; each is complete in itself.

        They count as written from now on.
        """
        written = [
            self._run(y, start, end)
            for y, (old, new) in enumerate(zip(self._shown, self._wanted, strict=True))
            if old is not new
            for start, end in _changes(old, new)
        ]
        self._shown = list(self._wanted)
        if written or cursor != self._cursor:
            self._cursor = cursor
            written.append(_move_to(*cursor))
        return written

    def _fit(self, width: int, height: int) -> None:
        if (width, height) != (self._width, len(self._wanted)):
            self._width = width
            self._wanted = [self._line([]) for _ in range(height)]
            self.forget()

    def _line(self, cells: list[Cell]) -> list[Cell]:
        return (cells + [BLANK] * (self._width - len(cells)))[: self._width]

    def _run(self, y: int, start: int, end: int) -> str:
        written = [_move_to(start, y)]
        style = PLAIN
        for text, wanted in self._wanted[y][start:end]:
            if wanted != style:
                written += style.after, wanted.before
                style = wanted
            written.append(text)
        return "".join([*written, style.after])

    def _cells(self, strip: Strip) -> Iterable[Cell]:
        for text, rich_style, _ in strip:
            style = PLAIN if rich_style is None else self._cell_style(rich_style)
            if text.isascii():
                yield from [(character, style) for character in text]
                continue
            widths = [character_width(character) for character in text]
            length = cell_width(text)
            if 0 in widths or sum(widths) != length:
                yield text, style  # joined characters: in one piece
                yield from [("", style)] * (length - 1)
                continue
            for character, width in zip(text, widths, strict=True):
                yield character, style
                if width == 2:
                    yield "", style

    def _cell_style(self, style: Style) -> CellStyle:
        found = self._cell_styles.get(style)
        if found is None:
            if len(self._cell_styles) >= MOST_STYLES:
                self._cell_styles.clear()
            before, after = Strip([Segment(_MARK, style)]).render(self._console).split(_MARK)
            found = self._cell_styles[style] = CellStyle(before, after)
        return found


def _overwrite(line: list[Cell], x: int, cells: list[Cell]) -> None:
    """Put ``cells`` at ``x``. The other half of a wide character that they split becomes blank."""
    start, end = x, x + len(cells)
    while 0 < start < len(line) and not line[start][0]:
        start -= 1
    while end < len(line) and not line[end][0]:
        end += 1
    torn = [(" ", style) for _, style in line[start:end]]
    line[start:end] = [*torn[: x - start], *cells, *torn[x - start + len(cells) :]]


def _changes(old: list[Cell], new: list[Cell]) -> list[tuple[int, int]]:
    """Return where ``new`` differs, as (start, end). No wide character is split."""
    if not old:
        return [(0, len(new))] if new else []
    changes: list[tuple[int, int]] = []
    for x, (was, cell) in enumerate(zip(old, new, strict=True)):
        if was is cell or was == cell:
            continue
        start, end = x, x + 1
        while start > 0 and not new[start][0]:
            start -= 1
        while end < len(new) and not new[end][0]:
            end += 1
        if changes and start - changes[-1][1] <= GAP:
            start = changes.pop()[0]
        changes.append((start, end))
    return changes


def _move_to(x: int, y: int) -> str:
    return Control.move_to(x, y).segment.text
