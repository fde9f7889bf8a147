"""Marking the lines of a server list: one, a span, a range that follows the cursor, all that is shown."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from tui.model.listing.view import View
from tui.model.selection import Selection

MARK = (1, 1)
"""The cells of a line that show its mark: the first of them, and how many."""


class MarkableList(Protocol):
    """The part of a list that marking uses."""

    cursor: int
    shown: View

    @property
    def view(self) -> Sequence[int]:
        """The rows of the selection's roster that are shown, in their order."""

    def id_at(self, index: int) -> str:
        """The id of the server on a line."""

    def index_of(self, server_id: str) -> int | None:
        """The line of a server; None where it is not shown."""

    def seen(self) -> Iterable[int]:
        """The lines that are on the screen."""

    def move_cursor(self, index: int) -> bool:
        """Put the cursor on a line; returns whether it moved."""

    def refresh_cells(self, index: int, x: int, width: int) -> None:
        """Draw ``width`` cells of one line again from ``x``."""

    def refresh_gutters(self, x: int, width: int) -> None:
        """Draw ``width`` cells of all lines on the screen again from ``x``."""


class _Range(NamedTuple):
    """A range that is being drawn, from its anchor to the cursor."""

    anchor: int
    follows: bool
    """Whether plain movement extends it (V), or only movement with shift."""
    before: bytes
    """The marks when it began."""


class Marking:
    """Changes the marks of a list. A range counts as one change, made when it ends.

    ``changed`` is called after each change, once the marks that differ are to be drawn.
    """

    def __init__(self, lines: MarkableList, selection: Selection, changed: Callable[[], None]) -> None:
        self._list = lines
        self._selection = selection
        self._changed = changed
        self._range: _Range | None = None
        self._last: str | None = None
        """The server that was marked last."""
        self._extending = False
        """Whether the cursor moves because the range is extended."""

    @property
    def range_follows_cursor(self) -> bool:
        """Whether a range is being drawn that plain movement extends."""
        return self._range is not None and self._range.follows

    # -- servers by id, shown or not

    def mark_ids(
        self, ids: Iterable[str], on: bool = True, *, rule: str = "", missing: tuple[str, ...] = ()
    ) -> int:
        """Mark or unmark servers; returns how many changed.

        With a ``rule`` that chose them, the selection keeps which data centers were ``missing`` then.
        """
        changed = self._selection.mark(ids, on)
        if rule and on:
            self._selection.by_rule(rule, missing)
        if changed or rule:
            self._refresh()
        return changed

    def invert_ids(self, ids: Iterable[str]) -> None:
        """Mark those of the servers that are not marked, unmark the others."""
        ids = list(ids)
        marked = [id_ for id_ in ids if id_ in self._selection]
        self.mark_ids(ids)
        self.mark_ids(marked, on=False)

    # -- lines

    def toggle(self, index: int) -> None:
        """Mark or unmark one line."""
        self.end_range()
        row = self._list.view[index]
        on = not self._selection.flags[row]
        self._selection.mark_rows((row,), on)
        if on:
            self._last = self._list.id_at(index)
        self._list.refresh_cells(index, *MARK)
        self._changed()

    def mark_to(self, index: int) -> None:
        """Mark from the last mark, or else the cursor, to line ``index``."""
        self.end_range()
        if not self._list.view:
            return
        start = None if self._last is None else self._list.index_of(self._last)
        low, high = sorted((self._list.cursor if start is None else start, index))
        self._selection.mark_rows(self._list.view[low : high + 1])
        self._last = self._list.id_at(index)
        self._refresh()

    # -- actions of keys

    def toggle_at_cursor(self) -> None:
        """Mark or unmark the server under the cursor and go to the next."""
        if self._list.view:
            self.toggle(self._list.cursor)
            self._list.move_cursor(self._list.cursor + 1)

    def mark_to_cursor(self) -> None:
        """Mark from the last mark to the cursor."""
        if self._list.view:
            self.mark_to(self._list.cursor)

    def mark_all(self) -> None:
        """Mark every server that is shown."""
        self.end_range()
        shown = self._list.shown
        self._selection.mark_rows(shown.rows)
        self._selection.by_rule(shown.rule, shown.missing())
        self._refresh()

    def invert(self) -> None:
        """Mark what is shown and not marked, unmark the rest of it."""
        self.end_range()
        self._selection.invert_rows(self._list.view)
        if missing := self._list.shown.missing():
            self._selection.by_rule("inverted", missing)
        self._refresh()

    def unmark_all(self) -> None:
        """Unmark every server, also those that are not shown."""
        self.end_range()
        self._selection.clear()
        self._last = None
        self._refresh()

    def undo(self) -> None:
        """Undo the last change of the marks."""
        self.end_range()
        self._selection.undo()
        self._refresh()

    # -- ranges

    def toggle_range(self) -> None:
        """Begin a range that follows the cursor, or end it."""
        if self.range_follows_cursor:
            self.end_range()
            self._changed()
        elif self._list.view:
            self.end_range()
            self._begin_range(follows=True)
            self._draw_range()

    def extend(self, step: int) -> None:
        """Move the cursor by ``step`` lines and extend the range to it; begins one where there is none."""
        if not self._list.view:
            return
        if self._range is None:
            self._begin_range(follows=False)
        self._extending = True
        if not self._list.move_cursor(self._list.cursor + step):
            self._draw_range()
        self._extending = False

    def cursor_moved(self) -> None:
        """Extend a range that follows the cursor; end one that does not."""
        if self._range is None:
            return
        if self._range.follows or self._extending:
            self._draw_range()
        else:
            self.end_range()

    def end_range(self) -> None:
        """End the range, if there is one; it counts as one change from here on."""
        if self._range is not None:
            self._selection.settle(self._range.before)
            self._range = None

    def _begin_range(self, *, follows: bool) -> None:
        self._range = _Range(self._list.cursor, follows, self._selection.snapshot())

    def _draw_range(self) -> None:
        """Mark from the anchor to the cursor, on top of what was marked when the range began."""
        if self._range is None:
            return
        was = self._selection.snapshot()
        self._selection.restore(self._range.before)
        low, high = sorted((self._range.anchor, self._list.cursor))
        self._selection.draw_rows(self._list.view[low : high + 1])
        for index in self._list.seen():
            row = self._list.view[index]
            if self._selection.flags[row] != was[row]:
                self._list.refresh_cells(index, *MARK)
        self._last = self._list.id_at(self._list.cursor)
        self._changed()

    def _refresh(self) -> None:
        self._list.refresh_gutters(*MARK)
        self._changed()
