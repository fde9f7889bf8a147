"""The cursor is a server, not a row: what comes and goes under it puts no other server under a command."""

import pytest

from tests.console.conftest import Console, OpenConsole
from tests.console.scripted import CENTER, GROUPS, NOW, fleet_of, server
from tui.console.screens.confirm import ConfirmScreen
from tui.console.screens.servers import ServersScreen
from tui.engine import events


def read(c: Console, numbers: range) -> None:
    """The engine read just these servers."""
    servers = tuple(server(number) for number in numbers)
    c.engine.tell(events.DataCenterRead(CENTER, GROUPS, servers, NOW), events.FleetRead(("WA1",), (), NOW))


async def on_a_server(c: Console, number: int) -> str:
    """Put the cursor on a server; its id."""
    wanted = server(number).id
    for _ in range(20):
        if c.servers.servers.cursor_server is not None and c.servers.servers.cursor_server.id == wanted:
            return wanted
        await c.press("down")
    raise AssertionError(f"{wanted} is not in the list")


async def test_where_its_server_is_gone_the_cursor_says_where_it_is_now(console: OpenConsole) -> None:
    async with console(12) as c:
        gone = await on_a_server(c, 5)
        read(c, range(6, 13))
        await c.until(lambda: any(gone in message for message in c.told()))
        assert any(f"{gone} is not shown any more: the cursor is on" in message for message in c.told())


MOMENT = "tui.console.actions.chosen.PAINTED_FOR"


async def test_a_command_pressed_in_the_moment_the_cursor_lost_its_server_asks_nothing(
    console: OpenConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MOMENT, 60.0)
    async with console(12) as c:
        gone = await on_a_server(c, 5)
        read(c, range(6, 13))
        await c.until(lambda: c.servers.servers.index_of(gone) is None)
        await c.press("s")
        assert isinstance(c.app.screen, ServersScreen)
        assert f"for {gone} is hidden: press again" in c.text().splitlines()[0]
        await c.press("space")
        assert c.marked() == []
        monkeypatch.setattr(MOMENT, 0.0)
        await c.press("s")
        assert isinstance(c.app.screen, ConfirmScreen)


async def test_a_filter_that_hides_its_server_is_such_a_moment_too(
    console: OpenConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MOMENT, 60.0)
    async with console(12) as c:
        await on_a_server(c, 5)
        await c.press("/", *"db", "enter", "s")
        assert isinstance(c.app.screen, ServersScreen)
        monkeypatch.setattr(MOMENT, 0.0)
        await c.press("s")
        assert isinstance(c.app.screen, ConfirmScreen)


@pytest.mark.parametrize(
    "first", ["", "web", "nothing has this"], ids=["at once", "another view first", "none first"]
)
async def test_where_the_cursor_lands_depends_on_the_filter_and_not_on_how_fast_it_is_typed(
    console: OpenConsole, first: str
) -> None:
    async with console(12) as c:
        servers = c.servers.servers
        meant = await on_a_server(c, 8)
        await c.press("/")
        for text in (first, f"id:{meant}"):
            servers.set_filter(text)
        assert servers.cursor_server is not None
        assert servers.cursor_server.id == meant
        servers.end_typing()
        servers.set_filter("web")
        servers.end_typing()
        displaced = servers.cursor_server.id
        assert displaced != meant
        servers.set_filter("")
        assert servers.cursor_server.id == displaced, "a filter that was kept put it there"


async def test_servers_that_come_above_it_leave_the_cursor_on_its_server(console: OpenConsole) -> None:
    async with console(12) as c:
        read(c, range(6, 13))
        await c.until(lambda: c.servers.servers.line_count() == 7)
        kept = await on_a_server(c, 7)
        read(c, range(1, 13))
        await c.until(lambda: c.servers.servers.line_count() == 12)
        assert c.servers.servers.cursor_server is not None
        assert c.servers.servers.cursor_server.id == kept
        await c.press("s", "enter", "y")
        assert c.engine.asked_for("run")[0][1] == (kept,)


async def test_while_servers_come_in_for_the_first_time_there_is_no_cursor_until_it_is_moved(
    console: OpenConsole,
) -> None:
    async with console(0) as c:
        c.engine.willing = False
        c.store.read_at = None
        await c.app.run_action("refresh.now", c.servers)
        c.engine.tell(events.DataCenterRead(CENTER, GROUPS, fleet_of(6), NOW))
        await c.until(lambda: c.servers.servers.line_count() == 6)
        for key in ("s", "enter"):
            await c.press(key)
            assert isinstance(c.app.screen, ServersScreen)
        assert c.servers.servers.cursor_server is None
        await c.press("s")
        assert "the servers are being read" in c.text().splitlines()[0]
        await c.press("down", "s")
        assert isinstance(c.app.screen, ConfirmScreen)


async def test_a_range_ends_aloud_when_the_servers_change_under_it(console: OpenConsole) -> None:
    async with console(12) as c:
        await c.press("V", "down", "down")
        assert len(c.marked()) == 3
        read(c, range(1, 20))
        await c.until(lambda: any("the range ended" in message for message in c.told()))
        await c.press("down")
        assert len(c.marked()) == 3


async def test_a_range_ends_aloud_when_a_filter_takes_its_lines(console: OpenConsole) -> None:
    async with console(12) as c:
        await c.press("V", "down", "/", *"web", "enter")
        assert any("the range ended" in message for message in c.told())
        assert len(c.marked()) == 2


async def test_a_span_begins_at_the_server_marked_last_whatever_its_row(console: OpenConsole) -> None:
    async with console(12) as c:
        read(c, range(6, 13))
        await c.until(lambda: c.servers.servers.line_count() == 7)
        first = await on_a_server(c, 9)
        await c.press("space")
        read(c, range(1, 13))
        await c.until(lambda: c.servers.servers.line_count() == 12)
        await on_a_server(c, 11)
        await c.press("ctrl+@")
        assert c.marked()[0] == first
        assert c.marked()[-1] == server(11).id
