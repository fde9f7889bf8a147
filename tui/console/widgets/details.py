"""The panel with all details of one server."""

import asyncio
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.binding import Binding
from textual.cache import LRUCache
from textual.message import Message

from tui.cells import fit, printable, wrap
from tui.console.later import later
from tui.console.widgets.line_list import LineList
from tui.console.widgets.times import wall_time
from tui.model.describe import Fact, ServerOperation, describe, raw_lines
from tui.model.fleet import Fleet
from tui.model.operation import STATE_STYLES
from tui.model.server import Server, ServerDetails

if TYPE_CHECKING:
    from tui.console.store import Store

REST = 0.4
"""Seconds that the cursor rests on a server before its details are requested."""
LABEL = 13
"""Cells of the labels before the values."""


class Details(LineList):
    """Shows the fleet's data about a server at once; requests the rest when the cursor rests on it.

    Scrolls by line and has no cursor. ``action_raw`` switches between the fields and the raw answer.
    """

    class Wanted(Message):
        """The details of this server are needed: they were not read, or the server has changed since."""

        def __init__(self, server_id: str) -> None:
            super().__init__()
            self.server_id = server_id

    BINDINGS = [Binding("j", "raw", "Raw answer", show=False)]

    heading = 1
    gutter_width = 1

    def __init__(self, fleet: Fleet, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.fleet = fleet
        self.server: Server | None = None
        self.raw = False
        self._operations: tuple[ServerOperation, ...] = ()
        self._fetched: LRUCache[str, ServerDetails] = LRUCache(64)
        self._problem = ""
        self._requested = ""
        self._timer: asyncio.TimerHandle | None = None
        self.lines: list[tuple[str, str]] = []
        """Each line: its text, and the name of its style."""

    def show(self, server: Server | None, operations: Sequence[ServerOperation] = ()) -> None:
        """Show a server, or nothing; ``operations`` are those on it in this console, newest first."""
        other = server is None or self.server is None or server.id != self.server.id
        rest = REST if self.server is not None else 0.0  # just opened: request them at once
        self.server, self._operations = server, tuple(operations)
        if other:
            self._problem, self.raw, self._requested = "", False, ""
            if self.is_mounted:
                self.scroll_to(y=0, animate=False, force=True)
        self._lay_out()
        self._request_soon(rest)

    def show_details(self, details: ServerDetails) -> None:
        """Show the details that were read for a server."""
        id_ = details.server.id
        self._fetched[id_] = details
        if self.server is not None and self.server.id == id_:
            self._requested, self._problem = "", ""
            self._lay_out()

    def fail(self, server_id: str, message: str) -> None:
        """Show why the details of a server could not be read."""
        if self.server is not None and self.server.id == server_id:
            self._problem = message
            self._lay_out()

    def reread(self) -> None:
        """Forget the details that were read, and request those of the server shown."""
        self._fetched.clear()
        self._requested = ""
        self._request_soon()

    def action_raw(self) -> None:
        """Switch between the raw answer and its fields."""
        if self._details() is not None:
            self.raw = not self.raw
            self.scroll_to(y=0, animate=False, force=True)
            self._lay_out()

    def action_cursor_up(self) -> None:
        """Scroll one line up."""
        self.show_line(self.first - 1)

    def action_cursor_down(self) -> None:
        """Scroll one line down."""
        self.show_line(self.first + 1)

    def action_page_up(self) -> None:
        """Scroll one page up."""
        self.show_line(self.first - self.page)

    def action_page_down(self) -> None:
        """Scroll one page down."""
        self.show_line(self.first + self.page)

    def action_first(self) -> None:
        """Scroll to the top."""
        self.show_line(0)

    def action_last(self) -> None:
        """Scroll to the end."""
        self.show_line(self.line_count())

    def on_resize(self) -> None:
        """Textual: wrap the lines for the new width."""
        super().on_resize()
        self._lay_out()

    def on_unmount(self) -> None:
        """Textual: cancel the timer."""
        if self._timer is not None:
            self._timer.cancel()

    # -- drawing

    def line_count(self) -> int:
        """How many lines there are."""
        return len(self.lines)

    @property
    def has_cursor(self) -> bool:
        """False: keys scroll."""
        return False

    def line_key(self, index: int) -> Hashable:
        """Equal texts in equal styles are one line."""
        return self.lines[index]

    def draw_gutter(self, index: int) -> list[Segment]:
        """Draw a margin."""
        return [Segment(" " * self.gutter_width, self.base_style)]

    def draw_body(self, index: int) -> list[Segment]:
        """Draw the text."""
        text, style = self.lines[index]
        return [Segment(fit(text, self.body_width), self.style(style))]

    def draw_heading(self, y: int) -> list[Segment]:
        """Draw the title, with a problem or what is still being read."""
        if self.server is None:
            text = "Details"
        elif self._problem:
            text = f"Details · {self._problem}"
        elif self._details() is None:
            text = "Details · reading the rest …" if self._requested else "Details"
        else:
            text = "Raw answer · j fields" if self.raw else "Details · j raw answer"
        return [Segment(" " + fit(text, self.width - 1), self.title_style)]

    # -- within

    def _details(self) -> ServerDetails | None:
        return self._fetched.get(self.server.id) if self.server is not None else None

    def _request_soon(self, rest: float = REST) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.server is not None and self._details() is None and self._requested != self.server.id:
            if rest:
                self._timer = later(self, rest, self._request)
            else:
                self.call_later(self._request)

    def _request(self) -> None:
        if self.server is not None and self.display and self._requested != self.server.id:
            self._requested = self.server.id
            self.refresh_heading(0)
            self.post_message(self.Wanted(self.server.id))

    def _lay_out(self) -> None:
        """Make the lines again, and draw those that changed."""
        before, self.lines = self.lines, self._make_lines()
        if not self.is_mounted:
            return
        self.refresh_heading(0)
        if len(before) != len(self.lines):
            self.lines_changed()
            return
        for index, (old, new) in enumerate(zip(before, self.lines, strict=True)):
            if old != new:
                self.refresh_line_at(index)

    def _make_lines(self) -> list[tuple[str, str]]:
        if self.server is None:
            return []
        details = self._details()
        if self.raw and details is not None:
            return [(printable(line), "") for line in raw_lines(details)]
        paths = {self.server.group_id: self.fleet.path(self.server)}
        lines: list[tuple[str, str]] = []
        for fact in describe(self.server, paths, details, self._operations):
            lines += self._lines_of(fact)
        return lines

    def _lines_of(self, fact: Fact) -> list[tuple[str, str]]:
        if not fact.value:
            return [(fact.label, "line--heading")]
        style = "state--maintenance" if fact.maintenance else ""
        style = f"state--{STATE_STYLES[fact.state].colour}" if fact.state is not None else style
        indent = LABEL if fact.label else 1
        label = fit(fact.label, LABEL - 1) + " " if fact.label else " "
        return [
            ((label if index == 0 else " " * indent) + part, style)
            for index, part in enumerate(wrap(fact.value, max(8, self.body_width - indent)))
        ]


def operations_on(server_id: str, store: "Store") -> list[ServerOperation]:
    """The operations on a server in this console, newest first."""
    return [
        ServerOperation(
            operation.action, operation.targets[server_id], wall_time(operation.targets[server_id].at)
        )
        for operation in reversed(store.operations.values())
        if server_id in operation.targets
    ]
