"""Every server of a plan, and every one that it leaves alone with the reason."""

from collections.abc import Hashable

from rich.segment import Segment
from textual.message import Message

from tui.cells import cell_width, fit
from tui.console.widgets.line_list import LineList
from tui.model.fleet import Fleet
from tui.model.plan import Plan

MOST_OF_ID = 24
"""Cells for the ids at most, unless one is longer."""


class PlanList(LineList):
    """One server a line: first those that would be touched, in the order they are sent."""

    DEFAULT_CSS = "PlanList { margin-top: 1; }"

    class CutShort(Message):
        """The cursor is on another line: all of its text where it has no room for that, else nothing."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    most = 8
    """Lines that are seen at once."""

    def __init__(self, plan: Plan, fleet: Fleet, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.plan = plan
        self.fleet = fleet
        self._touched = plan.server_ids
        ids = [*self._touched[:1000], *(skip.server_id for skip in plan.skipped[:1000])]
        self._id_width = min(MOST_OF_ID, max(map(len, ids), default=0))
        self.styles.height = min(self.most, self.line_count())

    def line_count(self) -> int:
        """Servers touched and left alone."""
        return len(self._touched) + len(self.plan.skipped)

    def line_key(self, index: int) -> Hashable:
        """A plan does not change."""
        return index

    def draw_body(self, index: int) -> list[Segment]:
        """The id, then where the server is, or why it is left alone."""
        quiet = index >= len(self._touched)
        return [Segment(self._text(index), self.style("line--quiet" if quiet else ""))]

    def cursor_moved(self) -> None:
        """Another line is read."""
        text = self._text(self.cursor)
        self.post_message(self.CutShort(text if cell_width(text) > self.body_width else ""))

    def _text(self, index: int) -> str:
        if index < len(self._touched):
            id_ = self._touched[index]
            server = self.fleet.servers.get(id_)
            note = f"{server.name}  {self.fleet.path(server)}" if server else ""
        else:
            skip = self.plan.skipped[index - len(self._touched)]
            id_, note = skip.server_id, f"skipped: {skip.reason}"
        return f"{fit(id_, max(self._id_width, len(id_)))} {note}"
