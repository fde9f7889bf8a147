"""The idle lock: what it hides, what it swallows, what goes on below it, and how it is opened."""

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
    """Stands still unless told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@asynccontextmanager
async def left_alone(console: OpenConsole, clock: Clock) -> AsyncIterator[Console]:
    """A console whose operator has been away for long enough, with a server marked."""
    async with console(settings=SETTINGS, monotonic=clock) as shown:
        await shown.press("space")
        clock.now += 60 * MINUTES
        shown.app.idle.check()
        await shown.until(lambda: isinstance(shown.app.screen, LockScreen))
        yield shown


def is_link(shown: Console, link: events.Link) -> bool:
    return shown.store.link is link


def says(shown: Console) -> str:
    return str(shown.app.screen.query_one("#message").render())


async def test_it_hides_everything_until_the_password_is_given(console: OpenConsole, clock: Clock) -> None:
    async with left_alone(console, clock) as shown:
        assert "WA1ACME" not in shown.text()
        assert "Locked" in shown.text()
        await shown.press("x")
        await shown.press(*"secret", "enter")
        assert shown.engine.asked_for("unlock") == [("secret",)], "the key that woke it is no part of it"
        assert shown.app.screen.query_one("#password", LineInput).value == ""
        shown.engine.tell(events.Unlocked())
        await shown.until(lambda: shown.app.screen is shown.servers)
        assert "WA1ACME" in shown.text()
        assert len(shown.marked()) == 1
        assert "secret" not in shown.text()


@pytest.mark.parametrize(
    "key", ["s", "space", "a", "q", "ctrl+q", "ctrl+p", "question_mark", "escape", "enter"]
)
async def test_no_key_acts_neither_the_one_that_wakes_it_nor_the_next(
    console: OpenConsole, clock: Clock, key: str
) -> None:
    async with left_alone(console, clock) as shown:
        marked = shown.marked()
        await shown.press(key)
        await shown.press(key)
        await shown.press("ctrl+q", "ctrl+p", "f1", "escape", "ctrl+c")
        assert isinstance(shown.app.screen, LockScreen)
        assert shown.app.is_running
        assert shown.marked() == marked
        assert not shown.engine.asked_for("run")


async def test_a_key_that_comes_before_the_lock_could_show_itself_does_not_act(
    console: OpenConsole, clock: Clock
) -> None:
    async with console(settings=SETTINGS, monotonic=clock) as shown:
        await shown.press("s")
        assert isinstance(shown.app.screen, ConfirmScreen)
        clock.now += 60 * MINUTES
        await shown.press("y")
        await shown.until(lambda: isinstance(shown.app.screen, LockScreen))
        assert not shown.engine.asked_for("run")
        await shown.until(lambda: not shown.app.screen.query_one("#password", LineInput).disabled)
        await shown.press(*"secret", "enter")
        shown.engine.tell(events.Unlocked())
        await shown.until(lambda: isinstance(shown.app.screen, ConfirmScreen))


async def test_whoever_is_there_is_not_asked(console: OpenConsole, clock: Clock) -> None:
    async with console(settings=SETTINGS, monotonic=clock) as shown:
        for _ in range(5):
            clock.now += 60 * MINUTES - 1
            shown.app.idle.check()
            await shown.press("down")
        assert shown.app.screen is shown.servers


async def test_by_itself_it_is_off(console: OpenConsole, clock: Clock) -> None:
    async with console(monotonic=clock) as shown:
        clock.now += 7 * 86400
        await shown.press("space")
        assert len(shown.marked()) == 1


async def test_before_the_login_there_is_nothing_to_lock(clock: Clock) -> None:
    app = make_app(ScriptedEngine(), endpoints=(REAL,), settings=SETTINGS, monotonic=clock)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.engine)
        clock.now += 60 * MINUTES
        await pilot.press("x")
        assert isinstance(app.screen, LoginScreen)
        assert app.screen.query_one("#user", LineInput).value == "x"


async def test_a_wrong_password_is_told_with_the_pause(console: OpenConsole, clock: Clock) -> None:
    async with left_alone(console, clock) as shown:
        await shown.press("x", *"wrong", "enter")
        shown.engine.tell(events.UnlockRefused(0.0))
        await shown.until(lambda: says(shown) == "That is not the password.")
        await shown.press(*"wrong", "enter")
        shown.engine.tell(events.UnlockRefused(5.0))
        await shown.until(lambda: "For 5 s no password is checked" in says(shown))
        assert len(shown.engine.asked_for("unlock")) == 2
        assert not shown.engine.asked_for("login")[1:], "the endpoint is not asked"


async def test_what_happens_meanwhile_is_there_afterwards(console: OpenConsole, clock: Clock) -> None:
    async with console(settings=SETTINGS, monotonic=clock) as shown:
        await shown.press("s", "enter", "y")
        await shown.until(lambda: shown.app.screen is shown.servers and shown.engine.asked_for("run"))
        clock.now += 60 * MINUTES
        shown.app.idle.check()
        await shown.until(lambda: isinstance(shown.app.screen, LockScreen))
        shown.engine.progress("op-1", State.QUEUED)
        shown.engine.progress("op-1", State.FAILED, message="WA1ACME is no name to be seen")
        shown.engine.end("op-1")
        shown.engine.tell(events.LoginNeeded("The password was changed."))
        await shown.until(lambda: not shown.servers.store.running())
        assert isinstance(shown.app.screen, LockScreen)
        assert "WA1ACME" not in shown.text()
        assert "failed" not in shown.text()
        shown.engine.tell(events.Unlocked())
        await shown.until(lambda: isinstance(shown.app.screen, ReloginScreen))
        assert any("1 failed" in told for told in shown.told())


@pytest.mark.parametrize("small_first", [True, False])
async def test_a_terminal_too_small_meanwhile(
    console: OpenConsole, clock: Clock, *, small_first: bool
) -> None:
    async with console(settings=SETTINGS, monotonic=clock) as shown:
        clock.now += 60 * MINUTES
        if not small_first:
            shown.app.idle.check()
            await shown.until(lambda: isinstance(shown.app.screen, LockScreen))
        await shown.pilot.resize_terminal(40, 10)
        await shown.until(lambda: isinstance(shown.app.screen, TooSmallScreen))
        if small_first:
            shown.app.idle.check()
            await shown.until(lambda: isinstance(shown.app.screen, LockScreen))
        await shown.pilot.resize_terminal(120, 40)
        await shown.until(lambda: isinstance(shown.app.screen, LockScreen))
        shown.engine.tell(events.Unlocked())
        await shown.until(lambda: shown.app.screen is shown.servers)


async def test_what_goes_wrong_again_and_again_meanwhile_is_told_once(
    console: OpenConsole, clock: Clock
) -> None:
    async with left_alone(console, clock) as shown:
        for number in range(60):
            link = events.Link.UP if number % 2 else events.Link.DOWN
            shown.engine.tell(events.LinkChanged(link, f"the link is {link}", NOW))
            shown.engine.tell(events.FleetFailed(f"no answer for {number} s"))
            await shown.until(partial(is_link, shown, link))
        shown.engine.tell(events.Unlocked())
        await shown.until(lambda: shown.app.screen is shown.servers)
        assert sorted(shown.told()) == ["no answer for 0 s", "the link is down", "the link is up"]
