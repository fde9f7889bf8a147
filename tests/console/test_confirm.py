"""The confirmation: without an explicit yes nothing is sent."""

import pytest

from tests.console.conftest import OpenConsole
from tests.console.scripted import NOW, SANDBOX, server
from tui.console.screens.confirm import ConfirmScreen
from tui.console.screens.plan import PlanScreen
from tui.console.screens.servers import ServersScreen
from tui.engine import events
from tui.model.operation import Action, State
from tui.model.prior import PriorTarget
from tui.settings.schema import Profile, Settings


async def test_y_confirms_and_sends_only_the_eligible_servers(console: OpenConsole) -> None:
    async with console(6) as c:
        await c.press("a", "s")
        assert isinstance(c.app.screen, ConfirmScreen)
        text = c.text()
        assert "Start maintenance on 4 servers?" in text
        assert "2 servers: 1 already in maintenance, 1 not active (archived)" in text
        assert "1 request: 4 in WA1" in text
        assert "out of live traffic" in c.dialog()
        assert "nothing real is touched" in text
        await c.press("enter", "y")
        assert isinstance(c.app.screen, ServersScreen)
        ((action, ids, reason),) = c.engine.calls_to("run")
        assert action == "startMaintenance"
        assert ids == ("WA1ACMEDB004", "WA1ACMEWEB001", "WA1ACMEWEB002", "WA1ACMEWEB006")
        assert reason == ""


@pytest.mark.parametrize(
    "keys",
    [["escape"], ["enter"], ["n"], ["space"], ["tab", "escape"], [*["tab"] * 4, "enter"]],
)
async def test_every_other_key_sends_nothing(console: OpenConsole, keys: list[str]) -> None:
    async with console(6) as c:
        await c.press("a", "s", *keys)
        assert not c.engine.calls_to("run")


async def test_without_marks_the_server_under_the_cursor_is_used(console: OpenConsole) -> None:
    async with console(6) as c:
        await c.press("s", "enter", "y")
        assert c.engine.calls_to("run")[0][1] == ("WA1ACMEDB004",)


async def test_y_typed_into_the_reason_is_text_and_no_answer(console: OpenConsole) -> None:
    async with console(6) as c:
        await c.press("space", "s", *"why", "enter")
        assert isinstance(c.app.screen, ConfirmScreen)
        assert not c.engine.calls_to("run")
        await c.press("y")
        assert c.engine.calls_to("run")[0][2] == "why"


async def test_the_reason_is_offered_again_and_shown_in_the_status_line(console: OpenConsole) -> None:
    async with console(6) as c:
        await c.press("space", "s", *"CHG-4711", "enter", "y")
        await c.until(lambda: "CHG-4711" in c.text().splitlines()[0])
        await c.press("space", "s")
        assert "CHG-4711" in c.text().split("Reason")[1]


async def test_many_servers_need_their_count_typed_before_y(console: OpenConsole) -> None:
    async with console(60, settings=Settings(confirm_above=50)) as c:
        await c.press("a", "s")
        assert "Start maintenance on 58 servers?" in c.text()
        assert "and 52 more" in c.text()
        await c.press("enter", "tab", "y")
        assert isinstance(c.app.screen, ConfirmScreen)
        assert "Type 60 first" in c.text(), "as many as were marked"
        await c.press(*"6", "enter", "y")
        assert isinstance(c.app.screen, ConfirmScreen)
        await c.press(*"0", "enter", "y")
        assert len(c.engine.calls_to("run")[0][1]) == 58


async def test_no_count_is_needed_up_to_the_confirm_above_setting(console: OpenConsole) -> None:
    async with console(6, settings=Settings(confirm_above=6)) as c:
        await c.press("a", "s", "enter", "y")
        assert c.engine.calls_to("run")


async def test_a_drastic_operation_wants_the_count_even_of_one_server(console: OpenConsole) -> None:
    async with console(6) as c:
        await c.press("ctrl+p", *"shut down", "enter", "enter", "tab", "y")
        assert "Shut down on 1 server?" in c.text()
        assert "Type 1 first: Shut down is not for a slip of the hand." in c.text()
        assert not c.engine.calls_to("run")
        await c.press("1", "enter", "y")
        assert c.engine.calls_to("run")


async def test_without_eligible_servers_the_reason_is_shown_and_y_does_nothing(console: OpenConsole) -> None:
    async with console(6) as c:
        await c.press("a", "e", "enter", "y")
        assert isinstance(c.app.screen, ServersScreen), "one of six is in maintenance"
        await c.press("u", "space", "e")
        assert "End maintenance: nothing to send" in c.text()
        assert "1 server: 1 not in maintenance" in c.text()
        await c.press("y")
        assert isinstance(c.app.screen, ConfirmScreen)
        await c.press("enter")
        assert isinstance(c.app.screen, ServersScreen)
        assert len(c.engine.calls_to("run")) == 1


async def test_the_batch_size_setting_decides_the_number_of_requests(console: OpenConsole) -> None:
    async with console(12, settings=Settings(batch_size=4)) as c:
        await c.press("a", "s")
        assert "3 requests: 10 in WA1" in c.text()


async def test_the_confirmation_fits_the_smallest_terminal(console: OpenConsole) -> None:
    async with console(60, size=(60, 15)) as c:
        await c.press("a", "s")
        assert "leave them alone" in c.text()
        assert "58 servers?" in c.text()


async def test_servers_still_under_way_are_skipped_and_their_operation_is_named(console: OpenConsole) -> None:
    async with console(6) as c:
        await c.press("space", "s", *"CHG-1", "enter", "y")
        await c.until(lambda: c.store.running())
        await c.press("e")
        text = c.dialog()
        assert "still under way: start maintenance of " in text
        assert "(CHG-1) has not ended" in text
        assert "not in maintenance" not in text
        await c.press("escape")
        other = PriorTarget("op-9", Action.START_MAINTENANCE, State.QUEUED, NOW, NOW, open=True)
        c.engine.emit(events.PriorTargets({"WA1ACMEWEB002": other}))
        await c.until(lambda: "WA1ACMEWEB002" in c.store.plan_context().prior)
        await c.press("a", "s")
        assert "Start maintenance on 2 servers?" in c.text()
        assert c.text().count("still under way") == 2, "in the reasons"
        await c.press("f2")
        assert c.text().count("skipped: still under way") == 2, "in the list"


async def test_an_unsure_outcome_is_shown_before_the_server_is_sent_again(console: OpenConsole) -> None:
    async with console(6) as c:
        await c.press("space", "s", "enter", "y")
        await c.until(lambda: c.store.running())
        c.engine.progress("op-1", State.UNSURE, after=c.store.clock() - NOW)
        c.engine.end("op-1")
        await c.until(lambda: not c.store.running())
        await c.press("a", "s")
        text = c.dialog()
        assert "1 of these 4 (WA1ACMEDB004) is unsure: whether the last start maintenance reached it" in text
        await c.press("escape", "e")
        assert "1 unsure: whether start maintenance of" in c.dialog()


async def test_ending_maintenance_that_others_started_is_pointed_out(console: OpenConsole) -> None:
    async with console(6) as c:
        c.engine.emit(events.HeldInMaintenance(("WA1ACMEWEB001",)))
        c.engine.emit(events.ServersRead((server(1, maintenance=True),), NOW))
        await c.until(lambda: c.store.still_in_maintenance())
        await c.press("a", "e")
        text = c.dialog()
        assert "1 of these 2 (WA1ACMEWEB003) is not yours: put into maintenance by others" in text


def protecting(protected: str, **settings: object) -> Settings:
    """Settings whose profile for the scripted endpoint protects servers."""
    return Settings(profiles={SANDBOX.name: Profile(url=SANDBOX.url, protected=protected)}, **settings)  # type: ignore[arg-type]


async def test_a_protected_server_needs_the_count_typed_however_few_there_are(console: OpenConsole) -> None:
    async with console(6, settings=protecting("group:*Data*")) as c:
        await c.press("space", "s")
        assert "1 of these 1 (WA1ACMEDB004) is protected: group:*Data*" in c.dialog()
        await c.press("enter", "tab", "y")
        assert "Type 1 first: protected servers are among them" in c.text()
        assert not c.engine.calls_to("run")
        await c.press("1", "enter")
        assert c.app.focused is not None
        assert c.app.focused.id == "no", "the safe answer has the focus"
        await c.press("y")
        assert c.engine.calls_to("run")


async def test_other_servers_of_that_profile_need_no_count(console: OpenConsole) -> None:
    async with console(6, settings=protecting("group:*Data*")) as c:
        await c.press("down", "space", "s", "enter", "y")
        assert c.engine.calls_to("run")


async def test_groups_and_an_estimate_by_the_journal_are_shown(console: OpenConsole) -> None:
    async with console(12) as c:
        history = {(Action.START_MAINTENANCE, 8): (110.0, 120.0, 130.0)}
        c.engine.emit(events.JobDurations(history))
        await c.until(lambda: c.store.job_durations)
        await c.press("a", "s")
        text = c.dialog()
        assert "Groups 7 in Web, 3 in Databases" in text
        assert "Takes about 2 min, by 3 such jobs in the journal" in text
        assert "half or more of 2 groups in service goes at once: Web (7 of 7), Databases (3 of 3)" in text


async def test_every_warning_can_be_read_at_the_usual_size_without_scrolling(console: OpenConsole) -> None:
    async with console(60, size=(80, 24), settings=protecting("group:web")) as c:
        doubt = PriorTarget("op-9", Action.START_MAINTENANCE, State.UNSURE, NOW, NOW)
        seen = tuple(server(number, public_ip=True) for number in range(6, 20))
        c.engine.emit(
            events.PriorTargets({f"WA1ACMEWEB{number:03}": doubt for number in range(9, 12)}),
            events.ServersRead(seen, NOW),
        )
        await c.until(lambda: c.store.plan_context().prior)
        await c.press("a", "s")
        text = c.dialog()
        assert "are protected: group:web" in text
        assert "3 of these 58 (WA1ACMEWEB009, WA1ACMEWEB010, WA1ACMEWEB011) are unsure" in text
        assert "look first" in text
        assert "half or more of 2 groups" in text
        assert "have a public IP address" in text
        assert "out of live traffic (load balancers, autoscale)" in text
        assert "2 servers: 1 already in maintenance, 1 not active" in text
        assert "pgdn, pgup: more of this" in text
        for field in ("Reason", "Type 60", "leave them alone", "start maintenance f2 list"):
            assert field in text
        await c.press("pagedown")
        assert "WA1ACMEDB024 and 52 more" in c.dialog()


async def test_f2_lists_every_server_with_its_warnings_and_escape_goes_back(console: OpenConsole) -> None:
    async with console(12, size=(80, 24), settings=protecting("group:*Data*")) as c:
        await c.press("a", "s", *"CHG-1", "f2")
        assert isinstance(c.app.screen, PlanScreen)
        text = c.text()
        assert "Start maintenance on 10 servers, 2 skipped" in text
        assert "WA1ACMEDB004  ! protected, half of its group  wa1acmedb004  Databases" in text
        assert "WA1ACMEWEB003 skipped: already in maintenance" in text
        assert "WA1ACMEWEB005 skipped: not active (archived)" in text
        await c.press(*"skipped maint")
        assert "WA1ACMEWEB003" in c.text()
        assert "WA1ACMEWEB005" not in c.text()
        await c.press(*"xyz")
        assert "No server has these words." in c.text()
        await c.press("escape")
        assert isinstance(c.app.screen, ConfirmScreen)
        assert "CHG-1" in c.dialog()
        assert not c.engine.calls_to("run")


async def test_the_list_can_be_reached_without_its_key(console: OpenConsole) -> None:
    async with console(6) as c:
        await c.press("space", "s", "enter", "tab", "tab", "enter")
        assert isinstance(c.app.screen, PlanScreen)
        await c.press("escape", "escape")
        assert not c.engine.calls_to("run")


async def test_names_in_the_list_are_text_and_no_markup(console: OpenConsole) -> None:
    async with console(4) as c:
        c.engine.emit(events.ServersRead((server(1, name="[red]x[/red]"),), NOW))
        await c.until(lambda: c.store.fleet.servers["WA1ACMEWEB001"].name.startswith("["))
        await c.press("a", "s", "f2")
        assert "[red]x[/red]" in c.text()
