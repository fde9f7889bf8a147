"""The main screen of the console: keys, what they act on, and what is reported."""

import dataclasses
import re

import pytest
from textual.events import Paste
from textual.timer import Timer

from tests.console.conftest import Console, OpenConsole
from tests.console.scripted import (
    CENTER,
    GROUPS,
    LOGGED_IN,
    NOW,
    REAL,
    SANDBOX,
    ScriptedEngine,
    fleet_of,
    make_app,
    server,
    until,
)
from tui.console.screens.confirm import ConfirmScreen
from tui.console.screens.help import HelpScreen
from tui.console.screens.login import EndpointChoice
from tui.console.screens.palette import PaletteScreen
from tui.console.screens.servers import ServersScreen
from tui.console.screens.too_small import TooSmallScreen
from tui.engine import events
from tui.model.group import DataCenter, Group
from tui.model.operation import State
from tui.model.server import ServerDetails
from tui.settings.schema import Profile, Settings


async def test_the_start_reads_the_servers_and_resumes_unfinished_operations(console: OpenConsole) -> None:
    async with console(12) as c:
        assert c.engine.calls_to("refresh") == [()]
        assert c.engine.calls_to("resume") == [(False,)]
        assert "WA1ACMEDB004" in c.text()
        assert "1 in maintenance" in c.text()
        assert "ACME · demo" in c.text()


async def test_space_marks_and_advances_the_cursor(console: OpenConsole) -> None:
    async with console() as c:
        await c.press("space", "space")
        assert c.marked() == ["WA1ACMEDB004", "WA1ACMEDB008"]
        assert c.servers.servers.cursor == 2


async def test_keys_mark_all_invert_and_unmark_all(console: OpenConsole) -> None:
    async with console(12) as c:
        await c.press("a")
        assert len(c.marked()) == 12
        await c.press("space", "i")
        assert len(c.marked()) == 1
        await c.press("u")
        assert c.marked() == []


async def test_a_typed_filter_stays_after_enter_until_it_is_cleared(console: OpenConsole) -> None:
    async with console(12) as c:
        await c.press("slash", *"db")
        await c.until(lambda: c.servers.servers.line_count() == 3)
        assert "3 of 12 shown" in c.text()
        await c.press("enter", "a")
        assert len(c.marked()) == 3
        await c.press("slash", "escape", "escape")
        await c.until(lambda: c.servers.servers.line_count() == 12)
        assert len(c.marked()) == 3
        assert c.app.focused is c.servers.servers


async def test_a_filter_that_does_not_parse_shows_an_error_and_keeps_the_list(console: OpenConsole) -> None:
    async with console(12) as c:
        await c.press("slash", *"web")
        await c.until(lambda: c.servers.servers.line_count() == 9)
        await c.press(*" (db")
        await c.until(lambda: "^" in c.text())
        assert c.servers.servers.line_count() == 9


async def test_command_keys_are_text_while_a_filter_is_typed(console: OpenConsole) -> None:
    async with console() as c:
        await c.press("slash", *"seq?")
        assert isinstance(c.app.screen, ServersScreen)
        assert c.servers.filter.text == "seq?"


async def test_a_group_can_be_chosen_and_marked(console: OpenConsole) -> None:
    async with console(12) as c:
        c.servers.groups.focus()
        await c.press("down", "down", "enter")
        await c.until(lambda: c.servers.servers.line_count() == 3)
        await c.press("space")
        assert len(c.marked()) == 3
        await c.press("space")
        assert c.marked() == []


@pytest.mark.parametrize(("width", "shown"), [(80, False), (100, True), (120, True)])
async def test_the_groups_are_hidden_at_first_in_a_narrow_terminal(
    console: OpenConsole, width: int, shown: bool
) -> None:
    async with console(size=(width, 30)) as c:
        assert c.servers.groups.display is shown
        await c.press("g")
        assert c.servers.groups.display is not shown
        await c.press("g")
        assert c.servers.groups.display is shown


async def test_a_refresh_keeps_marks_and_reports_vanished_servers(console: OpenConsole) -> None:
    async with console(12) as c:
        await c.press("a")
        c.engine.servers = c.engine.servers[:10]
        await c.press("r")
        await c.until(lambda: len(c.marked()) == 10)
        await c.until(c.notifications)
        assert "2 marked servers no longer there" in c.notifications()[0]


async def test_a_changed_server_is_shown_at_once(console: OpenConsole) -> None:
    async with console(12) as c:
        c.engine.emit(events.ServersRead((server(4, maintenance=True),), NOW))
        await c.until(lambda: "2 in maintenance" in c.text())


async def test_enter_requests_the_details_of_the_server_under_the_cursor(console: OpenConsole) -> None:
    async with console() as c:
        await c.press("down", "enter")
        await c.until(lambda: c.engine.calls_to("read_details") == [("WA1ACMEDB008",)])
        details = ServerDetails(c.store.fleet.servers["WA1ACMEDB008"], host_name="db8.acme.example")
        c.engine.emit(events.DetailsRead(details, NOW))
        await c.until(lambda: "db8.acme.example" in c.text())
        await c.press("enter")
        assert "db8.acme.example" not in c.text()


async def test_details_follow_the_cursor_and_list_operations_of_this_console(console: OpenConsole) -> None:
    async with console(6) as c:
        await c.press("s", "enter", "y", "enter")
        await c.until(lambda: "planned" in c.text().split("Results")[0].split("WA1ACMEDB004")[-1])
        await c.press("down")
        assert c.servers.details.server is not None
        assert c.servers.details.server.id == "WA1ACMEWEB001"


async def test_details_that_cannot_be_read_show_the_reason(console: OpenConsole) -> None:
    async with console(6) as c:
        await c.press("enter")
        c.engine.emit(events.DetailsFailed("WA1ACMEDB004", "there is no such server (404)"))
        await c.until(lambda: "no such server (404)" in c.text())


async def test_a_pasted_ticket_is_searched_for_servers(console: OpenConsole) -> None:
    async with console(6) as c:
        c.servers.servers.post_message(Paste("Please: wa1acmeweb001, <WA1ACMEDB004> and WA1ACMEWEB999!"))
        await c.until(lambda: "2 to mark, 1 not known" in c.text())
        await c.press("m")
        assert c.marked() == ["WA1ACMEDB004", "WA1ACMEWEB001"]


async def test_copying_takes_the_marked_ids_or_the_one_under_the_cursor(console: OpenConsole) -> None:
    async with console() as c:
        await c.press("c")
        assert c.app.clipboard == "WA1ACMEDB004"
        await c.press("space", "space", "c")
        assert c.app.clipboard == "WA1ACMEDB004\nWA1ACMEDB008"


async def test_read_only_offers_no_command_that_changes_servers(console: OpenConsole) -> None:
    async with console(start=dataclasses.replace(LOGGED_IN, readonly=True)) as c:
        await c.press("space", "s", "e")
        assert isinstance(c.app.screen, ServersScreen)
        assert "read-only" in c.text()
        assert " start" not in c.text().splitlines()[-1]
        await c.press("ctrl+p", *"power")
        assert isinstance(c.app.screen, PaletteScreen)
        assert "Power off" not in c.text()


async def test_a_viewer_cannot_start_operations_and_sees_why(console: OpenConsole) -> None:
    async with console(roles=("AccountViewer",)) as c:
        await c.press("space", "s")
        assert isinstance(c.app.screen, ServersScreen)
        assert "may only look" in c.text()


async def test_the_palette_runs_a_command(console: OpenConsole) -> None:
    async with console() as c:
        await c.press("space", "ctrl+p", *"reboot", "enter")
        assert isinstance(c.app.screen, ConfirmScreen)
        assert c.app.screen.plan.action.value == "reboot"


async def test_escape_closes_the_palette_and_runs_nothing(console: OpenConsole) -> None:
    async with console() as c:
        await c.press("ctrl+p", "escape")
        assert isinstance(c.app.screen, ServersScreen)
        assert c.marked() == []


async def test_help_lists_keys_filters_and_signs(console: OpenConsole) -> None:
    async with console(size=(100, 140)) as c:
        await c.press("question_mark")
        assert isinstance(c.app.screen, HelpScreen)
        for word in ("space", "Start maintenance", "ctrl+p", "maint:on", "verified", "not sent"):
            assert word in c.text()
        await c.press("escape")
        assert isinstance(c.app.screen, ServersScreen)


async def test_a_keymap_changes_keys_footer_and_help(console: OpenConsole) -> None:
    async with console(settings=Settings(keys={"refresh": "R"}), size=(120, 60)) as c:
        await c.press("r")
        assert len(c.engine.calls_to("refresh")) == 1
        await c.press("R")
        assert len(c.engine.calls_to("refresh")) == 2
        assert "R refresh" in c.text()
        await c.press("question_mark")
        assert re.search(r"^\W*R\s+Refresh", c.text(), re.MULTILINE)


async def test_tab_goes_through_the_panes(console: OpenConsole) -> None:
    async with console() as c:
        seen = []
        for _ in range(3):
            await c.press("tab")
            seen.append(c.app.focused.id if c.app.focused else None)
        assert seen == ["results", "groups", "servers"]


async def test_q_quits_at_once_when_no_operation_runs(console: OpenConsole) -> None:
    async with console() as c:
        await c.press("q")
        assert c.leaving()


async def test_ctrl_c_shows_how_to_quit_and_does_not_quit(console: OpenConsole) -> None:
    async with console() as c:
        await c.press("ctrl+c")
        assert not c.leaving()
        assert "press q" in c.notifications()[0]


async def test_a_terminal_too_small_shows_a_message_until_it_grows(console: OpenConsole) -> None:
    async with console() as c:
        await c.press("space")
        await c.pilot.resize_terminal(50, 12)
        await c.until(lambda: isinstance(c.app.screen, TooSmallScreen))
        assert "too small" in c.text()
        assert "WA1ACME" not in c.text()
        await c.pilot.resize_terminal(120, 40)
        await c.until(lambda: isinstance(c.app.screen, ServersScreen))
        assert len(c.marked()) == 1


async def test_text_of_the_api_is_never_markup(console: OpenConsole) -> None:
    async with console() as c:
        c.engine.emit(events.FleetFailed("[bold]no[/] [link=x]answer"))
        await c.until(lambda: "[bold]no[/] [link=x]answer" in c.text())


async def test_trouble_with_link_or_journal_is_shown_in_the_status_line(console: OpenConsole) -> None:
    async with console() as c:
        c.engine.emit(events.LinkChanged(events.Link.DOWN, "the endpoint does not answer", NOW))
        await c.until(lambda: "no answer" in c.text().splitlines()[0])
        c.engine.emit(events.LinkChanged(events.Link.UP, "the endpoint answers again", NOW))
        await c.until(lambda: "no answer" not in c.text().splitlines()[0])
        c.engine.emit(events.JournalChanged("the disk is full"))
        await c.until(lambda: "journal" in c.text().splitlines()[0])


class NeverFiringTimer(Timer):
    """A Textual timer as on a machine too busy to start it within its interval: it never fires."""

    async def _run_timer(self) -> None:
        return None


async def test_events_are_applied_even_if_timers_never_fire(
    console: OpenConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console() as c:
        monkeypatch.setattr("textual.message_pump.Timer", NeverFiringTimer)
        for link in (events.Link.DOWN, events.Link.UP):
            c.engine.emit(events.LinkChanged(link, f"the link is {link}", NOW))
            await c.until(lambda link=link: c.store.link is link)  # type: ignore[misc]


async def test_filter_and_order_are_updated_when_a_reading_changes_values_only(
    console: OpenConsole,
) -> None:
    async with console(12) as c:
        await c.press("slash", *"maint:on", "enter")
        await c.until(lambda: c.servers.servers.shown_ids() == ["WA1ACMEWEB003"])
        changed = server(4, maintenance=True)
        c.engine.servers = tuple(changed if one.id == changed.id else one for one in c.engine.servers)
        await c.press("r")
        await c.until(lambda: c.servers.servers.shown_ids() == ["WA1ACMEDB004", "WA1ACMEWEB003"])
        assert "•WA1ACMEDB004" in c.text()


async def test_signs_of_change_stay_when_the_reading_ends(console: OpenConsole) -> None:
    async with console(12) as c:
        servers = (server(4, power="stopped"), *c.engine.servers[:3], *c.engine.servers[4:])
        c.engine.emit(events.DataCenterRead(CENTER, GROUPS, servers, NOW))
        await c.until(lambda: "•WA1ACMEDB004" in c.text())
        c.engine.emit(events.FleetRead(("WA1",), (), NOW + 1))
        await c.until(lambda: c.store.read_at == NOW + 1)
        assert "•WA1ACMEDB004" in c.text()


@pytest.mark.parametrize("sort", ["id", "-cpu"])
async def test_the_first_reading_shows_no_signs_and_keeps_the_cursors_server(
    console: OpenConsole, sort: str
) -> None:
    async with console(0, settings=Settings(sort=sort)) as c:
        for name in ("WA1", "CA3", "AB1"):
            center = DataCenter(name, name, f"{name}-0")
            groups = (Group(f"{name}-0", name, name, None, name),)
            one = [
                server(number, id=f"{name}ACMEWEB{number:02}", data_center=name, group_id=f"{name}-0")
                for number in range(1, 4)
            ]
            c.engine.emit(events.DataCenterRead(center, groups, tuple(one), NOW))
            await c.until(lambda: f"{name}ACMEWEB01" in c.text())  # noqa: B023
        c.engine.emit(events.FleetRead(("WA1", "CA3", "AB1"), (), NOW + 1))
        await c.until(lambda: c.store.read_at == NOW + 1)
        lines = [line for line in c.text().splitlines() if "ACMEWEB" in line]
        assert len(lines) == 9
        assert not [line for line in lines if "+" in line]
        assert c.servers.servers.cursor_server is not None
        assert c.servers.servers.cursor_server.id == "WA1ACMEWEB01", "other servers were inserted above it"
        assert c.servers.servers.line_count() == 9


async def test_an_open_range_survives_a_refresh(console: OpenConsole) -> None:
    async with console(12) as c:
        await c.press("V", "down", "r", "down")
        assert len(c.marked()) == 3


async def test_a_read_only_profile_chosen_at_the_login_is_read_only(console: OpenConsole) -> None:
    settings = Settings(profiles={"prod": Profile(url=REAL.url, readonly=True)})
    engine = ScriptedEngine(fleet_of(6))
    app = make_app(engine, endpoints=(SANDBOX, REAL), settings=settings)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.engine)
        app.screen.query_one(EndpointChoice).focus()
        await pilot.press("right", "tab", *"ops", "tab", *"secret", "enter")
        await until(pilot, lambda: isinstance(app.screen, ServersScreen) and app.screen.servers.line_count())
        await pilot.press("s")
        assert isinstance(app.screen, ServersScreen)
        assert app.store is not None
        assert app.store.endpoint is REAL
        assert app.screen.command_context.readonly


async def test_the_focused_choice_is_marked_without_colour(console: OpenConsole) -> None:
    async with console() as c:
        await c.press("s", "enter")
        assert "►n leave them alone" in c.text()
        await c.press("tab")
        assert " n leave them alone" in c.text()
        assert "►y start maintenance" in c.text()


async def test_an_operation_state_disappears_when_the_server_changes_later(console: OpenConsole) -> None:
    async with console(6) as c:
        id_ = "WA1ACMEDB004"
        await c.press("s", "enter", "y")
        await c.until(lambda: c.store.running())
        c.engine.emit(events.ServersRead((server(4, maintenance=True),), NOW))
        c.engine.progress("op-1", State.VERIFIED)
        c.engine.end("op-1")
        await c.until(lambda: not c.store.running())
        assert "verified" in list_line(c, id_)
        c.engine.emit(events.ServersRead((server(4, maintenance=False),), NOW))
        await c.until(lambda: not c.store.fleet.servers[id_].maintenance)
        assert "verified" not in list_line(c, id_)
        await c.press("slash", *"op:verified", "enter")
        assert c.servers.servers.line_count() == 0


def list_line(c: Console, id_: str) -> str:
    """The text of a server's line in the list."""
    return next(line for line in c.text().splitlines() if id_ in line and "started" in line)
