"""Servers that the operator's own windows left in maintenance: shown, mentioned on quitting, brought back."""

import pytest

from tests.console.conftest import Console, OpenConsole
from tests.console.scripted import NOW, REAL, SANDBOX, server
from tui.console.screens.confirm import ConfirmScreen
from tui.console.screens.quit import QuitScreen, maintenance_reminder
from tui.console.screens.servers import ServersScreen
from tui.engine import events
from tui.engine.endpoint import Endpoint
from tui.model.operation import State

OTHERS = "WA1ACMEWEB003"
"""A server that others put into maintenance before the console started."""


async def hold_two_servers(c: Console) -> list[str]:
    """Let the journal name four servers, of which two are still in maintenance; returns those two."""
    held = ["WA1ACMEWEB001", "WA1ACMEWEB002"]
    c.engine.emit(
        events.HeldInMaintenance((*held, "WA1ACMEWEB006", "WA1ACMEWEB999")),
        events.ServersRead((server(1, maintenance=True), server(2, maintenance=True)), NOW),
    )
    await c.until(lambda: c.store.still_in_maintenance() == held)
    return held


async def test_prior_targets_are_read_at_the_start(console: OpenConsole) -> None:
    async with console() as c:
        assert c.engine.calls_to("read_prior_targets") == [()]


async def test_the_status_line_counts_the_operators_own_servers_in_maintenance(console: OpenConsole) -> None:
    async with console() as c:
        assert "1 in maintenance" in c.text()
        assert "of yours" not in c.text()
        await hold_two_servers(c)
        assert "3 in maintenance, 2 of yours" in c.text().splitlines()[0]


async def test_bring_back_ends_maintenance_of_the_operators_own_servers_only(console: OpenConsole) -> None:
    async with console() as c:
        await c.press("b")
        assert c.app.screen is c.servers, "there is nothing to bring back"
        held = await hold_two_servers(c)
        await c.press("a", "b")
        assert isinstance(c.app.screen, ConfirmScreen)
        await c.press("enter")
        assert c.engine.calls_to("run") == []
        await c.press("b", "enter", "y")
        assert [call[:2] for call in c.engine.calls_to("run")] == [("stopMaintenance", tuple(held))]


async def test_quitting_asks_for_confirmation_and_staying_is_the_default(console: OpenConsole) -> None:
    async with console() as c:
        await hold_two_servers(c)
        for key in ("enter", "escape", "n"):
            await c.press("q")
            assert isinstance(c.app.screen, QuitScreen)
            assert "2 servers of yours still in maintenance" in c.text()
            assert "WA1ACMEWEB001, WA1ACMEWEB002" in c.text()
            assert OTHERS not in c.text().split("Leave with")[1].split("stay")[0]
            await c.press(key)
            assert isinstance(c.app.screen, ServersScreen)
        assert not c.leaving()


async def test_bringing_back_from_the_quit_dialog_needs_the_confirmation(console: OpenConsole) -> None:
    async with console() as c:
        held = await hold_two_servers(c)
        await c.press("q", "b")
        await c.until(lambda: isinstance(c.app.screen, ConfirmScreen))
        await c.press("enter", "y")
        assert c.engine.calls_to("run")[0][1] == tuple(held)
        assert not c.leaving()


async def test_quitting_with_servers_in_maintenance_leaves_a_reminder(console: OpenConsole) -> None:
    async with console(endpoints=(REAL,)) as c:
        await hold_two_servers(c)
        await c.press("q", "y")
        assert c.leaving()
        assert maintenance_reminder(c.store).startswith(
            "2 servers of yours are still in maintenance: WA1ACMEWEB001, WA1ACMEWEB002."
        )


async def test_quitting_names_own_servers_that_could_not_be_read(console: OpenConsole) -> None:
    async with console(endpoints=(REAL,)) as c:
        c.engine.emit(events.HeldInMaintenance(("UC1ACMEWEB001",)))
        c.engine.emit(events.DataCentersListed(("WA1", "UC1")))
        c.engine.emit(events.DataCenterFailed("UC1", "the endpoint failed (500)"))
        await c.until(lambda: c.store.held_in_maintenance and c.store.fleet.problems)
        await c.press("q")
        assert c.question() == "Leave with 1 server of yours perhaps still in maintenance?"
        assert "You put into maintenance, with UC1 not read: UC1ACMEWEB001." in c.dialog()
        await c.press("y")
        assert maintenance_reminder(c.store).startswith(
            "1 server of yours is perhaps still in maintenance, and could not be read: UC1ACMEWEB001."
        )


async def test_a_viewer_is_asked_on_quitting_but_cannot_bring_back(console: OpenConsole) -> None:
    async with console(roles=("AccountViewer",)) as c:
        await hold_two_servers(c)
        await c.press("q")
        assert "bring them back" not in c.text()
        await c.press("b")
        assert isinstance(c.app.screen, QuitScreen)


async def test_a_server_counts_as_own_until_its_end_of_maintenance_is_verified(
    console: OpenConsole,
) -> None:
    async with console() as c:
        await c.press("s", "enter", "y")
        await c.until(lambda: c.engine.operations)
        c.engine.progress("op-1", State.SUBMITTING)
        c.engine.emit(events.ServersRead((server(4, maintenance=True),), NOW))
        c.engine.progress("op-1", State.VERIFIED)
        await c.until(lambda: "1 of yours" in c.text())
        c.engine.end("op-1")
        await c.until(lambda: len(c.engine.calls_to("read_prior_targets")) == 3)
        await c.press("b", "enter", "y")
        await c.until(lambda: "op-2" in c.engine.operations)
        c.engine.emit(events.ServersRead((server(4),), NOW))
        c.engine.progress("op-2", State.VERIFIED)
        await c.until(lambda: "of yours" not in c.text())
        assert not c.store.held_in_maintenance


@pytest.mark.parametrize("endpoint", [REAL, SANDBOX])
async def test_the_quit_dialog_shows_what_happens_to_sent_requests(
    console: OpenConsole, endpoint: Endpoint
) -> None:
    async with console(endpoints=(endpoint,)) as c:
        await c.press("s", "enter", "y")
        await c.until(lambda: c.store.running())
        c.engine.progress("op-1", State.QUEUED)
        await c.until(lambda: c.store.unsettled() == 1)
        await c.press("q")
        text = c.dialog()
        ends_here = endpoint.sandbox
        assert ("The sandbox ends with pitstop, and their jobs with it." in text) is ends_here
        assert ("The platform carries on without pitstop." in text) is not ends_here
        assert ("takes it up" in text) is not ends_here
