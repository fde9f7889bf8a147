"""The idle lock: what it hides, which keys it drops, what continues behind it, and how it is unlocked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from tests.console.conftest import Console, OpenConsole
from tests.console.scripted import NOW, REAL, ScriptedEngine, make_app, until
from tui.console.screens.confirm import ConfirmScreen
from tui.console.screens.lock import LockScreen
from tui.console.screens.login import LoginScreen
from tui.console.screens.relogin import ReloginScreen
from tui.console.screens.too_small import TooSmallScreen
from tui.console.widgets.line_input import LineInput
from tui.engine import events
from tui.model.operation import State
from tui.settings.schema import Settings

MINUTES = 5
SETTINGS = Settings(lock_after=MINUTES)


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@asynccontextmanager
async def locked_console(console: OpenConsole, clock: Clock) -> AsyncIterator[Console]:
    """A console with a marked server, locked because its operator was idle."""
    async with console(settings=SETTINGS, monotonic=clock) as c:
        await c.press("space")
        clock.now += 60 * MINUTES
        c.app.idle.check()
        await c.until(lambda: isinstance(c.app.screen, LockScreen))
        yield c


def is_link(c: Console, link: events.Link) -> bool:
    return c.store.link is link


def message_on(c: Console) -> str:
    return str(c.app.screen.query_one("#message").render())


async def test_the_lock_hides_everything_until_the_password_is_given(
    console: OpenConsole, clock: Clock
) -> None:
    async with locked_console(console, clock) as c:
        assert "WA1ACME" not in c.text()
        assert "Locked" in c.text()
        await c.press("x")
        await c.press(*"secret", "enter")
        assert c.engine.calls_to("unlock") == [("secret",)], (
            "the key that wakes the screen is no part of the password"
        )
        assert c.app.screen.query_one("#password", LineInput).value == ""
        c.engine.emit(events.Unlocked())
        await c.until(lambda: c.app.screen is c.servers)
        assert "WA1ACME" in c.text()
        assert len(c.marked()) == 1
        assert "secret" not in c.text()


@pytest.mark.parametrize(
    "key", ["s", "space", "a", "q", "ctrl+q", "ctrl+p", "question_mark", "escape", "enter"]
)
async def test_no_key_acts_while_the_console_is_locked(console: OpenConsole, clock: Clock, key: str) -> None:
    async with locked_console(console, clock) as c:
        marked = c.marked()
        await c.press(key)
        await c.press(key)
        await c.press("ctrl+q", "ctrl+p", "f1", "escape", "ctrl+c")
        assert isinstance(c.app.screen, LockScreen)
        assert c.app.is_running
        assert c.marked() == marked
        assert not c.engine.calls_to("run")


async def test_a_key_pressed_after_the_idle_limit_locks_and_does_not_act(
    console: OpenConsole, clock: Clock
) -> None:
    async with console(settings=SETTINGS, monotonic=clock) as c:
        await c.press("s")
        assert isinstance(c.app.screen, ConfirmScreen)
        clock.now += 60 * MINUTES
        await c.press("y")
        await c.until(lambda: isinstance(c.app.screen, LockScreen))
        assert not c.engine.calls_to("run")
        await c.until(lambda: not c.app.screen.query_one("#password", LineInput).disabled)
        await c.press(*"secret", "enter")
        c.engine.emit(events.Unlocked())
        await c.until(lambda: isinstance(c.app.screen, ConfirmScreen))


async def test_an_active_operator_is_not_locked_out(console: OpenConsole, clock: Clock) -> None:
    async with console(settings=SETTINGS, monotonic=clock) as c:
        for _ in range(5):
            clock.now += 60 * MINUTES - 1
            c.app.idle.check()
            await c.press("down")
        assert c.app.screen is c.servers


async def test_the_lock_is_off_by_default(console: OpenConsole, clock: Clock) -> None:
    async with console(monotonic=clock) as c:
        clock.now += 7 * 86400
        await c.press("space")
        assert len(c.marked()) == 1


async def test_the_login_screen_is_never_locked(clock: Clock) -> None:
    app = make_app(ScriptedEngine(), endpoints=(REAL,), settings=SETTINGS, monotonic=clock)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.engine)
        clock.now += 60 * MINUTES
        await pilot.press("x")
        assert isinstance(app.screen, LoginScreen)
        assert app.screen.query_one("#user", LineInput).value == "x"


async def test_a_wrong_password_is_reported_with_the_pause_before_the_next_try(
    console: OpenConsole, clock: Clock
) -> None:
    async with locked_console(console, clock) as c:
        await c.press("x", *"wrong", "enter")
        c.engine.emit(events.UnlockRefused(0.0))
        await c.until(lambda: message_on(c) == "That is not the password.")
        await c.press(*"wrong", "enter")
        c.engine.emit(events.UnlockRefused(5.0))
        await c.until(lambda: "For 5 s no password is checked" in message_on(c))
        assert len(c.engine.calls_to("unlock")) == 2
        assert not c.engine.calls_to("login")[1:], "no login is sent to the endpoint"


async def test_events_during_the_lock_are_shown_after_unlocking(console: OpenConsole, clock: Clock) -> None:
    async with console(settings=SETTINGS, monotonic=clock) as c:
        await c.press("s", "enter", "y")
        await c.until(lambda: c.app.screen is c.servers and c.engine.calls_to("run"))
        clock.now += 60 * MINUTES
        c.app.idle.check()
        await c.until(lambda: isinstance(c.app.screen, LockScreen))
        c.engine.progress("op-1", State.QUEUED)
        c.engine.progress("op-1", State.FAILED, message="WA1ACME is no name to be seen")
        c.engine.end("op-1")
        c.engine.emit(events.LoginNeeded("The password was changed."))
        await c.until(lambda: not c.servers.store.running())
        assert isinstance(c.app.screen, LockScreen)
        assert "WA1ACME" not in c.text()
        assert "failed" not in c.text()
        c.engine.emit(events.Unlocked())
        await c.until(lambda: isinstance(c.app.screen, ReloginScreen))
        assert any("1 failed" in message for message in c.notifications())


@pytest.mark.parametrize("small_first", [True, False])
async def test_the_lock_stays_through_a_terminal_that_is_too_small(
    console: OpenConsole, clock: Clock, *, small_first: bool
) -> None:
    async with console(settings=SETTINGS, monotonic=clock) as c:
        clock.now += 60 * MINUTES
        if not small_first:
            c.app.idle.check()
            await c.until(lambda: isinstance(c.app.screen, LockScreen))
        await c.pilot.resize_terminal(40, 10)
        await c.until(lambda: isinstance(c.app.screen, TooSmallScreen))
        if small_first:
            c.app.idle.check()
            await c.until(lambda: isinstance(c.app.screen, LockScreen))
        await c.pilot.resize_terminal(120, 40)
        await c.until(lambda: isinstance(c.app.screen, LockScreen))
        c.engine.emit(events.Unlocked())
        await c.until(lambda: c.app.screen is c.servers)


async def test_a_problem_repeated_during_the_lock_is_reported_once(
    console: OpenConsole, clock: Clock
) -> None:
    async with locked_console(console, clock) as c:
        for number in range(60):
            link = events.Link.UP if number % 2 else events.Link.DOWN
            c.engine.emit(events.LinkChanged(link, f"the link is {link}", NOW))
            c.engine.emit(events.FleetFailed(f"no answer for {number} s"))
            await c.until(partial(is_link, c, link))
        c.engine.emit(events.Unlocked())
        await c.until(lambda: c.app.screen is c.servers)
        assert sorted(c.notifications()) == ["no answer for 0 s", "the link is down", "the link is up"]
