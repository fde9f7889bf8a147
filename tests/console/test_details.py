"""The panel with the details of one server."""

import msgspec
import pytest

from tests.console.list_host import ListHost, fleet_of, lines, server
from tui.cells import wrap
from tui.console.widgets import details as module
from tui.console.widgets.details import Details
from tui.model.describe import ServerOperation
from tui.model.operation import Action, State, Target
from tui.model.server import ServerDetails


def requested_ids(app: ListHost) -> list[str]:
    return [message.server_id for message in app.messages if isinstance(message, Details.Wanted)]


async def test_details_follow_the_cursor_and_are_requested_once_where_it_rests() -> None:
    servers = [server(number) for number in range(1, 6)]
    app = ListHost(Details(fleet_of(servers)))
    async with app.run_test(size=(60, 30)) as pilot:
        panel = app.query_one(Details)
        panel.show_details(ServerDetails(servers[0]))
        for one in servers:
            panel.show(one)
        assert "number 5" in "\n".join(lines(panel))
        while not requested_ids(app):
            await pilot.pause(0.05)
        assert requested_ids(app) == ["WA1ACMEWEB5"]
        panel.show(servers[-1])
        await pilot.pause(module.REST + 0.1)
        assert requested_ids(app) == ["WA1ACMEWEB5"]
        panel.show_details(
            ServerDetails(servers[-1], host_name="web5.local", alert_policies=("cpu high",), raw=b'{"id": 1}')
        )
        text = "\n".join(lines(panel))
        assert "web5.local" in text
        assert "cpu high" in text
        panel.show(servers[0])
        panel.show(servers[-1])
        assert "web5.local" in "\n".join(lines(panel))
        await pilot.press("j")
        assert '"id": 1' in "\n".join(lines(panel))
        await pilot.press("j")
        assert "web5.local" in "\n".join(lines(panel))


async def test_opening_the_panel_requests_the_details_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REST", 3600.0)
    app = ListHost(Details(fleet_of([server(1), server(2)])))
    async with app.run_test(size=(60, 30)) as pilot:
        panel = app.query_one(Details)
        panel.show(server(1))
        while not requested_ids(app):
            await pilot.pause(0.02)
        panel.show(server(2))
        await pilot.pause(0.1)
        assert requested_ids(app) == ["WA1ACMEWEB1"]


async def test_a_refresh_requests_the_details_again() -> None:
    one = server(1)
    app = ListHost(Details(fleet_of([one])))
    async with app.run_test(size=(60, 30)) as pilot:
        panel = app.query_one(Details)
        panel.show_details(ServerDetails(one))
        panel.show(one)
        panel.reread()
        while not requested_ids(app):
            await pilot.pause(0.05)


async def test_a_failed_reading_is_shown_for_its_own_server_only() -> None:
    one = server(1)
    app = ListHost(Details(fleet_of([one])))
    async with app.run_test(size=(60, 30)):
        panel = app.query_one(Details)
        panel.show(one)
        panel.fail(one.id, "not allowed")
        assert lines(panel)[0] == " Details · not allowed"
        panel.fail("ANOTHER", "whatever")
        assert lines(panel)[0] == " Details · not allowed"


async def test_operations_of_this_console_on_the_server_are_listed() -> None:
    one = server(1)
    app = ListHost(Details(fleet_of([one])))
    async with app.run_test(size=(70, 30)):
        panel = app.query_one(Details)
        panel.show(
            one,
            [
                ServerOperation(
                    Action.START_MAINTENANCE, Target(one.id, State.FAILED, message="[b]no[/b]"), "12:01"
                )
            ],
        )
        assert "✗ failed 12:01 [b]no[/b]" in "\n".join(lines(panel))


async def test_moving_to_another_server_redraws_only_lines_that_differ() -> None:
    one = server(1)
    other = msgspec.structs.replace(one, power="stopped")
    app = ListHost(Details(fleet_of([one])))
    async with app.run_test(size=(60, 30)) as pilot:
        panel = app.query_one(Details)
        panel.show(one)
        await pilot.pause()
        before = panel.lines_drawn
        panel.show(other)
        await pilot.pause()
        assert panel.lines_drawn == before + 1


async def test_long_text_wraps_and_scrolls() -> None:
    one = server(1, description="word " * 60)
    app = ListHost(Details(fleet_of([one])))
    async with app.run_test(size=(40, 8)) as pilot:
        panel = app.query_one(Details)
        panel.show(one)
        assert panel.line_count() > 20
        await pilot.press("end")
        assert panel.first == panel.line_count() - panel.page
        await pilot.press("up", "home")
        assert panel.first == 0
        panel.show(None)
        assert panel.line_count() == 0


def test_text_wraps_by_cells() -> None:
    assert wrap("日本語日本語", 4) == ["日本", "語日", "本語"]
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("", 7) == [""]
