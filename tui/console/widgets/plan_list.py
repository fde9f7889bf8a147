"""The servers of a plan, and those that it skips with the reason."""

from collections.abc import Hashable

from rich.segment import Segment
from textual.message import Message

from tui.cells import cell_width, fit
from tui.console.widgets.line_list import LineList
from tui.model.fleet import Fleet
from tui.model.plan import Plan

MOST_OF_ID = 24
"""Cells for the ids at most; a longer id is not cut."""


class PlanList(LineList):
    """One server per line: first those of the plan, in the order in which they are sent."""

    DEFAULT_CSS = "PlanList { margin-top: 1; }"

    class CutShort(Message):
        """The cursor moved to another line; its whole text where that is cut, else an empty one."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    most = 8
    """Lines on the screen at most."""

    def __init__(self, plan: Plan, fleet: Fleet, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.plan = plan
        self.fleet = fleet
        self._planned = plan.server_ids
        ids = [*self._planned[:1000], *(skip.server_id for skip in plan.skipped[:1000])]
        self._id_width = min(MOST_OF_ID, max(map(len, ids), default=0))
        self.styles.height = min(self.most, self.line_count())

    def line_count(self) -> int:
        """How many servers are planned or skipped."""
        return len(self._planned) + len(self.plan.skipped)

    def line_key(self, index: int) -> Hashable:
        """The index: a plan does not change."""
        return index

    def draw_body(self, index: int) -> list[Segment]:
        """Draw the id, then name and group, or why the server is skipped."""
        quiet = index >= len(self._planned)
        return [Segment(self._text(index), self.style("line--quiet" if quiet else ""))]

    def cursor_moved(self) -> None:
        """Post the text of the line if it is cut."""
        text = self._text(self.cursor)
        self.post_message(self.CutShort(text if cell_width(text) > self.body_width else ""))

    def _text(self, index: int) -> str:
        if index < len(self._planned):
            id_ = self._planned[index]
            server = self.fleet.servers.get(id_)
            note = f"{server.name}  {self.fleet.path(server)}" if server else ""
        else:
            skip = self.plan.skipped[index - len(self._planned)]
            id_, note = skip.server_id, f"skipped: {skip.reason}"
        return f"{fit(id_, max(self._id_width, len(id_)))} {note}"
