"""Every server of a plan, and every one that it leaves alone with the reason."""

from collections.abc import Hashable

from rich.segment import Segment

from tui.console.widgets.cells import fit
from tui.console.widgets.line_list import LineList
from tui.model.fleet import Fleet
from tui.model.plan import Plan

ID_WIDTH = 24


class PlanList(LineList):
    """One server a line: first those that would be touched, in the order they are sent."""

    DEFAULT_CSS = "PlanList { margin-top: 1; }"
    most = 8
    """Lines that are seen at once."""

    def __init__(self, plan: Plan, fleet: Fleet, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.plan = plan
        self.fleet = fleet
        self._touched = plan.server_ids
        self.styles.height = min(self.most, self.line_count())

    def line_count(self) -> int:
        """Servers touched and left alone."""
        return len(self._touched) + len(self.plan.skipped)

    def line_key(self, index: int) -> Hashable:
        """A plan does not change."""
        return index

    def draw_body(self, index: int) -> list[Segment]:
        """The id, then where the server is, or why it is left alone."""
        if index < len(self._touched):
            id_ = self._touched[index]
            server = self.fleet.servers.get(id_)
            note, look = f"{server.name}  {self.fleet.path(server)}" if server else "", ""
        else:
            skip = self.plan.skipped[index - len(self._touched)]
            id_, note, look = skip.server_id, f"skipped: {skip.reason}", "line--quiet"
        room = min(max(ID_WIDTH, len(id_)), self.body_width)
        return [Segment(f"{fit(id_, room)} {note}", self.look(look))]
