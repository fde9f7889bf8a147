"""The servers of a plan, and those that it skips with the reason."""

from collections.abc import Hashable, Mapping, Sequence

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

    class CutShort(Message):
        """The cursor moved to another line; its whole text where that is cut, else an empty one."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(
        self,
        plan: Plan,
        fleet: Fleet,
        words: Mapping[str, Sequence[str]] = {},
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """``words`` is server id -> what the operator is warned of about that server."""
        super().__init__(id=id)
        self.plan = plan
        self.fleet = fleet
        self._words = words
        self._planned = plan.server_ids
        ids = [*self._planned[:1000], *(skip.server_id for skip in plan.skipped[:1000])]
        self._id_width = min(MOST_OF_ID, max(map(len, ids), default=0))
        self._found: Sequence[int] = range(len(self._planned) + len(plan.skipped))
        """The servers listed, counted through the plan's and then the skipped ones."""

    def find(self, text: str) -> None:
        """List only the servers whose line has every word of ``text``, whatever the case."""
        words = text.casefold().split()
        every = range(len(self._planned) + len(self.plan.skipped))
        self._found = (
            [one for one in every if all(word in self._text_of(one).casefold() for word in words)]
            if words
            else every
        )
        self.cursor = 0
        self.lines_changed()
        self.show_line(0)
        self.cursor_moved()

    def line_count(self) -> int:
        """How many servers are listed."""
        return len(self._found)

    def line_key(self, index: int) -> Hashable:
        """The server: a plan does not change."""
        return self._found[index]

    def draw_body(self, index: int) -> list[Segment]:
        """Draw the id, then warnings, another name and group, or why the server is skipped."""
        quiet = self._found[index] >= len(self._planned)
        return [Segment(self._text(index), self.style("line--quiet" if quiet else ""))]

    def cursor_moved(self) -> None:
        """Post the text of the line if it is cut."""
        text = self._text(self.cursor) if self._found else ""
        self.post_message(self.CutShort(text if cell_width(text) > self.body_width else ""))

    def _text(self, index: int) -> str:
        return self._text_of(self._found[index])

    def _text_of(self, one: int) -> str:
        if one < len(self._planned):
            id_ = self._planned[one]
            server = self.fleet.servers.get(id_)
            warned = f"! {', '.join(self._words[id_])}" if id_ in self._words else ""
            other_name = server.name if server and server.name != id_ else ""
            parts = (warned, other_name, self.fleet.path(server)) if server else (warned,)
            note = "  ".join(filter(None, parts))
        else:
            skip = self.plan.skipped[one - len(self._planned)]
            id_, note = skip.server_id, f"skipped: {skip.reason}"
        return f"{fit(id_, max(self._id_width, len(id_)))} {note}"
