"""The servers that a command acts on."""

import time
from dataclasses import dataclass, field

from textual.screen import Screen

from tui.console.commands import Pane
from tui.console.dialog import PAINTED_FOR
from tui.console.terminal.display import when_shown
from tui.console.terminal.queued_app import input_queue_of
from tui.console.widgets.details import Details
from tui.console.widgets.group_tree import GroupTree
from tui.console.widgets.results import Results
from tui.console.widgets.server_list import ServerList


@dataclass(eq=False, repr=False)
class ChosenServers:
    """The marked servers, shown or not; without any, the one under the cursor of the pane with the focus."""

    screen: Screen[None]
    groups: GroupTree
    servers: ServerList
    details: Details
    results: Results
    _displaced: tuple[ServerList.CursorDisplaced, float] | None = field(default=None, init=False)
    """The last time that the cursor lost its server, and when that was painted (monotonic seconds)."""

    @property
    def pane(self) -> Pane:
        """The part of the screen that the keys act on."""
        if self.groups.has_focus:
            return Pane.GROUPS
        if self.results.has_focus:
            return Pane.RESULTS
        return Pane.DETAILS if self.details.has_focus else Pane.LIST

    @property
    def under_cursor(self) -> str | None:
        """The id of the server under the cursor of the pane with the focus. A group is no server."""
        match self.pane:
            case Pane.GROUPS:
                return None
            case Pane.RESULTS:
                target = self.results.target(self.results.cursor)
                return target.server_id if target else None
            case Pane.DETAILS:
                return self.details.server.id if self.details.server else None
        server = self.servers.cursor_server
        return server.id if server else None

    def __len__(self) -> int:
        return len(self.servers.selection) or int(self.under_cursor is not None)

    def ids(self) -> list[str]:
        """The ids of the chosen servers."""
        under_cursor = self.under_cursor
        return list(self.servers.selection) or ([under_cursor] if under_cursor else [])

    def cursor_displaced(self, event: ServerList.CursorDisplaced) -> None:
        """Note that the cursor's server is hidden or removed; show a notice unless the operator did it."""
        self._displaced = (event, float("inf"))
        when_shown(self.screen, lambda: self._painted(event))
        if not event.by_operator:
            where = f"the cursor is on {event.now} now" if event.now else "no server is shown"
            self.screen.app.notify(
                f"{event.before} is not shown any more: {where}", severity="warning", markup=False
            )

    def _painted(self, event: ServerList.CursorDisplaced) -> None:
        if self._displaced is not None and self._displaced[0] is event:
            self._displaced = (event, time.monotonic())

    def displaced_before_key(self, *, ignore_by_operator: bool = False) -> str:
        """Why the key being handled must not act on the cursor: its server changed too late to be seen.

        Empty where it may act. With ``ignore_by_operator`` a change made by the operator does not count.
        """
        if self._displaced is None or self.servers.selection or self.pane is not Pane.LIST:
            return ""
        event, painted_at = self._displaced
        if event.now != self.under_cursor:
            return ""  # a later filter brought the cursor back
        if input_queue_of(self.screen.app).current.event.time - painted_at >= PAINTED_FOR:
            return ""
        if ignore_by_operator and event.by_operator:
            return ""
        return f"The cursor has just come to {event.now}, for {event.before} is hidden: press again"
