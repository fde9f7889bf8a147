"""The cursor belongs to a server, not to a row: a changed list never gives a command another server."""

import pytest

from tests.console.conftest import Console, OpenConsole
from tests.console.scripted import CENTER, GROUPS, NOW, fleet_of, server
from tui.console.screens.confirm import ConfirmScreen
from tui.console.screens.servers import ServersScreen
from tui.engine import events


def emit_reading(c: Console, numbers: range) -> None:
    """Emit a reading of exactly these servers."""
    servers = tuple(server(number) for number in numbers)
    c.engine.emit(events.DataCenterRead(CENTER, GROUPS, servers, NOW), events.FleetRead(("WA1",), (), NOW))


async def move_to_server(c: Console, number: int) -> str:
    """Move the cursor to a server; returns its id."""
    target = server(number).id
    for _ in range(20):
        if c.servers.servers.cursor_server is not None and c.servers.servers.cursor_server.id == target:
            return target
        await c.press("down")
    raise AssertionError(f"{target} is not in the list")


async def test_the_new_cursor_place_is_reported_when_its_server_is_removed(console: OpenConsole) -> None:
    async with console(12) as c:
        removed = await move_to_server(c, 5)
        emit_reading(c, range(6, 13))
        await c.until(lambda: any(removed in message for message in c.notifications()))
        assert any(
            f"{removed} is not shown any more: the cursor is on" in message for message in c.notifications()
        )


IGNORED_FOR = "tui.console.actions.chosen.PAINTED_FOR"
"""Seconds for which commands are ignored after the cursor lost its server."""


async def test_a_command_just_after_the_cursor_lost_its_server_is_ignored(
    console: OpenConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IGNORED_FOR, 60.0)
    async with console(12) as c:
        removed = await move_to_server(c, 5)
        emit_reading(c, range(6, 13))
        await c.until(lambda: c.servers.servers.index_of(removed) is None)
        await c.press("s")
        assert isinstance(c.app.screen, ServersScreen)
        assert f"for {removed} is hidden: press again" in c.text().splitlines()[0]
        await c.press("space")
        assert c.marked() == []
        monkeypatch.setattr(IGNORED_FOR, 0.0)
        await c.press("s")
        assert isinstance(c.app.screen, ConfirmScreen)


async def test_a_command_just_after_a_filter_hid_the_server_is_ignored(
    console: OpenConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IGNORED_FOR, 60.0)
    async with console(12) as c:
        await move_to_server(c, 5)
        await c.press("/", *"db", "enter", "s")
        assert isinstance(c.app.screen, ServersScreen)
        monkeypatch.setattr(IGNORED_FOR, 0.0)
        await c.press("s")
        assert isinstance(c.app.screen, ConfirmScreen)


@pytest.mark.parametrize(
    "first", ["", "web", "nothing has this"], ids=["typed-at-once", "other-servers-first", "no-server-first"]
)
async def test_the_cursor_lands_by_the_filter_and_not_by_the_typing_speed(
    console: OpenConsole, first: str
) -> None:
    async with console(12) as c:
        servers = c.servers.servers
        chosen = await move_to_server(c, 8)
        await c.press("/")
        for text in (first, f"id:{chosen}"):
            servers.set_filter(text)
        assert servers.cursor_server is not None
        assert servers.cursor_server.id == chosen
        servers.end_typing()
        servers.set_filter("web")
        servers.end_typing()
        displaced = servers.cursor_server.id
        assert displaced != chosen
        servers.set_filter("")
        assert servers.cursor_server.id == displaced, "the kept filter moved it there"


async def test_servers_inserted_above_leave_the_cursor_on_its_server(console: OpenConsole) -> None:
    async with console(12) as c:
        emit_reading(c, range(6, 13))
        await c.until(lambda: c.servers.servers.line_count() == 7)
        kept = await move_to_server(c, 7)
        emit_reading(c, range(1, 13))
        await c.until(lambda: c.servers.servers.line_count() == 12)
        assert c.servers.servers.cursor_server is not None
        assert c.servers.servers.cursor_server.id == kept
        await c.press("s", "enter", "y")
        assert c.engine.calls_to("run")[0][1] == (kept,)


async def test_during_the_first_reading_no_server_has_the_cursor_until_it_moves(
    console: OpenConsole,
) -> None:
    async with console(0) as c:
        c.engine.auto_answer = False
        c.store.read_at = None
        await c.app.run_action("refresh.now", c.servers)
        c.engine.emit(events.DataCenterRead(CENTER, GROUPS, fleet_of(6), NOW))
        await c.until(lambda: c.servers.servers.line_count() == 6)
        for key in ("s", "enter"):
            await c.press(key)
            assert isinstance(c.app.screen, ServersScreen)
        assert c.servers.servers.cursor_server is None
        await c.press("s")
        assert "the servers are being read" in c.text().splitlines()[0]
        await c.press("down", "s")
        assert isinstance(c.app.screen, ConfirmScreen)


async def test_a_range_ends_with_a_message_when_the_servers_change(console: OpenConsole) -> None:
    async with console(12) as c:
        await c.press("V", "down", "down")
        assert len(c.marked()) == 3
        emit_reading(c, range(1, 20))
        await c.until(lambda: any("the range ended" in message for message in c.notifications()))
        await c.press("down")
        assert len(c.marked()) == 3


async def test_a_range_ends_with_a_message_when_a_filter_hides_its_lines(console: OpenConsole) -> None:
    async with console(12) as c:
        await c.press("V", "down", "/", *"web", "enter")
        assert any("the range ended" in message for message in c.notifications())
        assert len(c.marked()) == 2


async def test_a_span_starts_at_the_last_marked_server_even_if_its_row_changed(console: OpenConsole) -> None:
    async with console(12) as c:
        emit_reading(c, range(6, 13))
        await c.until(lambda: c.servers.servers.line_count() == 7)
        first = await move_to_server(c, 9)
        await c.press("space")
        emit_reading(c, range(1, 13))
        await c.until(lambda: c.servers.servers.line_count() == 12)
        await move_to_server(c, 11)
        await c.press("ctrl+@")
        assert c.marked()[0] == first
        assert c.marked()[-1] == server(11).id
