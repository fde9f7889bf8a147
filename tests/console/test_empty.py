"""What a list without servers shows."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.console.conftest import OpenConsole
from tests.console.scripted import CENTER, GROUPS, LOGGED_IN, NOW, ScriptedEngine, fleet_of, make_app, until
from tests.console.textual_screen import screen_lines
from tui.console.screens.servers import ServersScreen
from tui.engine import events


@asynccontextmanager
async def console_before_the_reading() -> AsyncIterator[
    tuple[ScriptedEngine, Callable[[str], Awaitable[None]]]
]:
    """A console before its servers are read: the engine, and a wait for a text on the screen."""
    engine = ScriptedEngine(fleet_of(3), auto_answer=False)
    app = make_app(engine, start=LOGGED_IN)
    async with app.run_test(size=(80, 24)) as pilot:

        async def wait_for(text: str) -> None:
            def is_shown() -> bool:
                return any(text in strip.text for strip in screen_lines(app))

            await until(pilot, is_shown, text)

        await until(pilot, lambda: engine.calls_to("login"))
        engine.emit(events.LoggedIn("demo", "ACME", ("ServerAdmin",), "sandbox"))
        await until(pilot, lambda: isinstance(app.screen, ServersScreen) and engine.calls_to("refresh"))
        yield engine, wait_for


FAILED = "api.example.net does not answer"


@pytest.mark.parametrize(
    "failure",
    [
        [events.FleetFailed(FAILED)],
        [
            events.DataCentersListed(("WA1",)),
            events.DataCenterFailed("WA1", FAILED),
            events.FleetRead(("WA1",), ("WA1",), NOW),
        ],
    ],
    ids=["data-centers-not-listed", "no-data-center-read"],
)
async def test_a_fleet_that_cannot_be_read_shows_the_reason_and_how_to_retry(
    failure: list[events.Event],
) -> None:
    async with console_before_the_reading() as (engine, wait_for):
        engine.emit(*failure)
        await wait_for("   No server could be read")
        await wait_for(f"   {FAILED}")
        await wait_for("   r tries again; it is tried again by itself")
        engine.emit(events.RetryScheduled(NOW + 60))
        await wait_for("it is tried again by itself at ")
        engine.emit(
            events.DataCenterRead(CENTER, GROUPS, engine.servers, NOW),
            events.FleetRead(("WA1",), (), NOW),
        )
        await wait_for("WA1ACMEWEB001")


async def test_a_reading_shows_its_progress() -> None:
    async with console_before_the_reading() as (engine, wait_for):
        await wait_for("Reading the data centers …")
        engine.emit(events.DataCentersListed(("VA1", "WA1")))
        await wait_for("Reading 0 of 2 data centers …")
        engine.emit(events.DataCenterRead(CENTER, GROUPS, (), NOW))
        await wait_for("Reading 1 of 2 data centers …")
        engine.emit(events.FleetRead(("VA1", "WA1"), (), NOW))
        await wait_for("The account has no servers.")


async def test_a_filter_without_matches_shows_how_to_clear_it(console: OpenConsole) -> None:
    async with console(size=(60, 15)) as c:
        await c.press("slash", *"nosuch")
        await c.until(lambda: "No server matches the filter" in c.text())
        assert "esc there clears it" in " ".join(c.text().split())
        await c.press("escape", "escape")
        await c.until(lambda: "WA1ACMEWEB001" in c.text())
        assert "No server" not in c.text()
