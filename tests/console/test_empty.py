"""What a list without servers says."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.console.conftest import OpenConsole
from tests.console.scripted import CENTER, GROUPS, LOGGED_IN, NOW, ScriptedEngine, fleet_of, make_app, until
from tests.console.textual_screen import screen_lines
from tui.console.screens.servers import ServersScreen
from tui.engine import events


@asynccontextmanager
async def not_read_yet() -> AsyncIterator[tuple[ScriptedEngine, Callable[[str], Awaitable[None]]]]:
    """The console of an account whose servers are about to be read, and a wait for what it shows."""
    engine = ScriptedEngine(fleet_of(3), willing=False)
    app = make_app(engine, start=LOGGED_IN)
    async with app.run_test(size=(80, 24)) as pilot:

        async def shown(text: str) -> None:
            def found() -> bool:
                return any(text in strip.text for strip in screen_lines(app))

            await until(pilot, found, text)

        await until(pilot, lambda: engine.asked_for("login"))
        engine.tell(events.LoggedIn("demo", "ACME", ("ServerAdmin",), "sandbox"))
        await until(pilot, lambda: isinstance(app.screen, ServersScreen) and engine.asked_for("refresh"))
        yield engine, shown


FAILED = "api.example.net does not answer"


@pytest.mark.parametrize(
    "happened",
    [
        [events.FleetFailed(FAILED)],
        [
            events.DataCentersListed(("WA1",)),
            events.DataCenterFailed("WA1", FAILED),
            events.FleetRead(("WA1",), ("WA1",), NOW),
        ],
    ],
    ids=["no list of data centers", "no data center"],
)
async def test_a_fleet_that_cannot_be_read_says_why_and_how_to_try_again(
    happened: list[events.Event],
) -> None:
    async with not_read_yet() as (engine, shown):
        engine.tell(*happened)
        await shown("   No server could be read")
        await shown(f"   {FAILED}")
        await shown("   r tries again; it is tried again by itself")
        engine.tell(events.RetryScheduled(NOW + 60))
        await shown("it is tried again by itself at ")
        engine.tell(
            events.DataCenterRead(CENTER, GROUPS, engine.servers, NOW),
            events.FleetRead(("WA1",), (), NOW),
        )
        await shown("WA1ACMEWEB001")


async def test_a_reading_says_how_far_it_is() -> None:
    async with not_read_yet() as (engine, shown):
        await shown("Reading the data centers …")
        engine.tell(events.DataCentersListed(("VA1", "WA1")))
        await shown("Reading 0 of 2 data centers …")
        engine.tell(events.DataCenterRead(CENTER, GROUPS, (), NOW))
        await shown("Reading 1 of 2 data centers …")
        engine.tell(events.FleetRead(("VA1", "WA1"), (), NOW))
        await shown("The account has no servers.")


async def test_a_filter_that_finds_nothing_says_how_to_clear_it(console: OpenConsole) -> None:
    async with console(size=(60, 15)) as c:
        await c.press("slash", *"nosuch")
        await c.until(lambda: "No server matches the filter" in c.text())
        assert "esc there clears it" in " ".join(c.text().split())
        await c.press("escape", "escape")
        await c.until(lambda: "WA1ACMEWEB001" in c.text())
        assert "No server" not in c.text()
