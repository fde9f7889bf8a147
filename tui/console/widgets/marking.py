"""Marking the lines of a server list: one, ranges, all that is shown."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tui.console.widgets.line_list import LineList

if TYPE_CHECKING:
    from tui.model.listing.view import View
    from tui.model.selection import Selection


class Marking(LineList):
    """The actions that change marks. A range is drawn from where it began to the cursor, and settled once."""

    selection: "Selection"
    shown: "View"

    @property
    def view(self) -> Sequence[int]:
        """The rows of the selection's roster that are shown, in their order."""
        raise NotImplementedError

    def id_at(self, index: int) -> str:
        """The id of the server on a line."""
        raise NotImplementedError

    def index_of(self, server_id: str) -> int | None:
        """The line that a server is on; None where it is not shown."""
        raise NotImplementedError

    _anchor: int | None = None
    """Where the range being drawn began; None while none is."""
    _sticky = False
    """Whether the range goes on with plain movement (V), or only with shift."""
    _before: bytes = b""
    _last_mark: str | None = None
    """The server that was marked last."""
    _extending = False

    @property
    def ranging(self) -> bool:
        """Whether a range is being drawn that plain movement extends."""
        return self._anchor is not None and self._sticky

    def marks_changed(self) -> None:
        """The selection is not what it was: draw the marks that are seen, and the title."""
        self.refresh_gutters(1, 1)
        self._marks_told()

    def mark_ids(
        self, ids: Iterable[str], on: bool = True, *, rule: str = "", missing: tuple[str, ...] = ()
    ) -> int:
        """Mark or unmark servers by id, shown or not; returns how many that changed.

        With a ``rule`` that chose them, it is kept which data centers were ``missing`` to it.
        """
        changed = self.selection.mark(ids, on)
        if rule and on:
            self.selection.by_rule(rule, missing)
        if changed or rule:
            self.marks_changed()
        return changed

    def invert_ids(self, ids: Iterable[str]) -> None:
        """Turn the marks of servers round, shown or not."""
        ids = list(ids)
        marked = [id_ for id_ in ids if id_ in self.selection]
        self.mark_ids(ids)
        self.mark_ids(marked, on=False)

    def toggle(self, index: int) -> None:
        """Turn the mark of one line round."""
        self._end_range()
        row = self.view[index]
        on = not self.selection.flags[row]
        self.selection.mark_rows((row,), on)
        self._last_mark = self.id_at(index) if on else self._last_mark
        self.refresh_cells(index, 1, 1)
        self._marks_told()

    def mark_span(self, index: int) -> None:
        """Mark everything from the last mark, else the cursor, to line ``index``."""
        self._end_range()
        start = None if self._last_mark is None else self.index_of(self._last_mark)
        if start is None:
            start = self.cursor if self.view else index
        low, high = sorted((start, index))
        if self.view:
            self.selection.mark_rows(self.view[low : high + 1])
            self._last_mark = self.id_at(index)
            self.marks_changed()

    def action_mark(self) -> None:
        """Mark or unmark the server under the cursor and go to the next."""
        if self.view:
            self.toggle(self.cursor)
            self.action_cursor_down()

    def action_mark_all(self) -> None:
        """Mark every server that is shown."""
        self._end_range()
        self.selection.mark_rows(self.view)
        self.selection.by_rule(self.shown.rule, self.shown.missing())
        self.marks_changed()

    def action_invert_marks(self) -> None:
        """Mark what is shown and not marked, unmark the rest of it."""
        self._end_range()
        self.selection.invert_rows(self.view)
        if missing := self.shown.missing():
            self.selection.by_rule("inverted", missing)
        self.marks_changed()

    def action_unmark(self) -> None:
        """Take every mark off, also of servers that are not shown."""
        self._end_range()
        self.selection.clear()
        self._last_mark = None
        self.marks_changed()

    def action_undo_marks(self) -> None:
        """Take back the last change of the marks."""
        self._end_range()
        self.selection.undo()
        self.marks_changed()

    def action_mark_span(self) -> None:
        """Mark from the last mark to the cursor."""
        if self.view:
            self.mark_span(self.cursor)

    def action_mark_range(self) -> None:
        """Begin a range at the cursor, or end the one begun."""
        if self._anchor is not None and self._sticky:
            self._end_range()
            self._marks_told()
        elif self.view:
            self._end_range()
            self._begin_range(sticky=True)
            self._draw_range()

    def action_extend_up(self) -> None:
        """Mark the server under the cursor and the one above."""
        self._extend(-1)

    def action_extend_down(self) -> None:
        """Mark the server under the cursor and the one below."""
        self._extend(1)

    def cursor_moved(self) -> None:
        """A range follows the cursor, or is over."""
        if self._anchor is None:
            return
        if self._sticky or self._extending:
            self._draw_range()
        else:
            self._end_range()

    def _extend(self, step: int) -> None:
        if not self.view:
            return
        if self._anchor is None:
            self._begin_range(sticky=False)
        self._extending = True
        if not self.move_cursor(self.cursor + step):
            self._draw_range()
        self._extending = False

    def _begin_range(self, *, sticky: bool) -> None:
        self._anchor, self._sticky, self._before = self.cursor, sticky, self.selection.snapshot()

    def _draw_range(self) -> None:
        """Mark from the anchor to the cursor, on top of what was marked when the range began."""
        if self._anchor is None:
            return
        was = self.selection.snapshot()
        self.selection.restore(self._before)
        low, high = sorted((self._anchor, self.cursor))
        self.selection.draw_rows(self.view[low : high + 1])
        flags = self.selection.flags
        for index in self.seen():
            row = self.view[index]
            if flags[row] != was[row]:
                self.refresh_cells(index, 1, 1)
        self._last_mark = self.id_at(self.cursor)
        self._marks_told()

    def _end_range(self) -> None:
        """Let the range that was drawn count as one change."""
        if self._anchor is not None:
            self.selection.settle(self._before)
        self._anchor, self._before, self._sticky = None, b"", False

    def _marks_told(self) -> None:
        raise NotImplementedError
