"""A small application around the widgets of the list, for their tests."""

from collections.abc import Iterable
from typing import TypeVar

from textual import on
from textual.app import App, ComposeResult
from textual.message import Message
from textual.widget import Widget

from tui.console.theme import THEME
from tui.console.widgets.details import Details
from tui.console.widgets.filter_bar import FilterBar
from tui.console.widgets.group_tree import GroupTree
from tui.console.widgets.server_list import ServerList
from tui.model.fleet import Fleet
from tui.model.group import DataCenter, Group
from tui.model.selection import Selection
from tui.model.server import Server

AnyMessage = TypeVar("AnyMessage", bound=Message)


def server(number: int, **fields: object) -> Server:
    """A server with a predictable id; every third is in maintenance."""
    values: dict[str, object] = {
        "name": f"web{number}", "group_id": f"g{number % 4}", "data_center": "WA1", "status": "active",
        "power": "started", "maintenance": number % 3 == 0, "os": "redHat6", "cpu": 2, "memory_mb": 4096,
        "ip": f"10.0.0.{number}", "description": f"number {number}",
    }  # fmt: skip
    return Server(id=f"WA1ACMEWEB{number}", **(values | fields))  # type: ignore[arg-type]


GROUPS = (
    Group("root", "WA1 Hardware", "WA1", None, "WA1 Hardware"),
    Group("g0", "Web", "WA1", "root", "Web"),
    Group("g1", "Prod", "WA1", "g0", "Web/Prod"),
    Group("g2", "Test", "WA1", "g0", "Web/Test"),
    Group("g3", "Mail", "WA1", "root", "Mail"),
)


def fleet_of(servers: Iterable[Server]) -> Fleet:
    """A fleet with these servers in one data center."""
    fleet = Fleet("ACME")
    replace(fleet, servers)
    return fleet


def replace(fleet: Fleet, servers: Iterable[Server]) -> None:
    """Replace the servers of a fleet, as a refresh does."""
    fleet.replace(DataCenter("WA1"), GROUPS, list(servers), at=1.0)


class ListHost(App[None]):
    """Shows widgets, and records the messages that they post."""

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        self.register_theme(THEME)
        self.theme = THEME.name
        self._shown = widgets
        self.messages: list[Message] = []

    def compose(self) -> ComposeResult:
        """Show the widgets."""
        yield from self._shown

    @on(ServerList.CursorDisplaced)
    @on(ServerList.CursorMoved)
    @on(ServerList.MarksChanged)
    @on(ServerList.Opened)
    @on(ServerList.Pasted)
    @on(ServerList.ViewChanged)
    @on(GroupTree.Chosen)
    @on(GroupTree.Marked)
    @on(FilterBar.Changed)
    @on(FilterBar.Closed)
    @on(Details.Wanted)
    def record(self, message: Message) -> None:
        """Record a message."""
        self.messages.append(message)

    def last(self, kind: type[AnyMessage]) -> AnyMessage:
        """The newest message of a kind; the test fails if there is none."""
        found = [message for message in self.messages if isinstance(message, kind)]
        assert found, f"no {kind.__name__} was posted"
        return found[-1]


def server_list(count: int = 30) -> ServerList:
    """A list of ``count`` servers, from WA1ACMEWEB1 on."""
    return ServerList(fleet_of(server(number) for number in range(1, count + 1)), Selection())


def lines(widget: Widget) -> list[str]:
    """The text of a widget, line by line."""
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]
