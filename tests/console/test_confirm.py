"""The confirmation: without an explicit yes nothing is sent."""

import pytest

from tests.console.conftest import OpenConsole
from tests.console.scripted import NOW, server
from tui.console.screens.confirm import ConfirmScreen
from tui.console.screens.servers import ServersScreen
from tui.engine import events
from tui.model.operation import Action, State
from tui.model.prior import PriorTarget
from tui.settings.schema import Settings


async def test_y_confirms_and_sends_only_the_eligible_servers(console: OpenConsole) -> None:
    async with console(6) as c:
        await c.press("a", "s")
        assert isinstance(c.app.screen, ConfirmScreen)
        text = c.text()
        assert "Start maintenance on 4 servers?" in text
        assert "2 servers: 1 already in maintenance, 1 not active (archived)" in text
        assert "1 request: 4 in WA1" in text
        assert "out of live" in text
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
        assert c.text().count("still under way") == 4, "two, in the reasons and in the list"


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
