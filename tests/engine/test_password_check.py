"""The password that unlocks an idle console: never sent, with a growing pause after wrong ones."""

from tests.engine.clock import VirtualClock
from tests.engine.cloud import ENDPOINT, PASSWORD, Cloud
from tests.engine.console import Console
from tui.engine.events import Unlocked, UnlockRefused
from tui.engine.password_check import LONGEST_PAUSE, PasswordCheck


async def test_the_login_password_unlocks_and_nothing_is_sent(console: Console, cloud: Cloud) -> None:
    before = dict(cloud.requests)
    for password in ("wrong", "", PASSWORD + "x", PASSWORD[:-1], "\ud800"):
        await console.service.unlock(password)
    assert not console.emitted(Unlocked)
    assert len(console.emitted(UnlockRefused)) == 5
    await console.clock.sleep(3_600)
    await console.service.unlock(PASSWORD)
    assert len(console.emitted(Unlocked)) == 1
    assert cloud.requests == before


async def test_the_pause_grows_and_holds_for_the_right_password_too(clock: VirtualClock) -> None:
    passwords = PasswordCheck(clock)
    passwords.accept("right")
    waits = []
    for _ in range(12):
        refused = passwords.check("wrong")
        assert isinstance(refused, UnlockRefused)
        waits.append(refused.wait)
        if refused.wait:
            await clock.sleep(refused.wait / 2)
            assert passwords.check("right") == UnlockRefused(refused.wait / 2), "not compared, not counted"
            await clock.sleep(refused.wait / 2)
    assert waits[:6] == [0, 0, 5, 10, 20, 40]
    assert waits[-1] == LONGEST_PAUSE
    assert passwords.check("right") == Unlocked()
    assert passwords.check("wrong") == UnlockRefused(0), "the count starts again"


async def test_a_refused_login_does_not_change_the_password(console: Console, cloud: Cloud) -> None:
    await console.service.login(ENDPOINT, "op", "wrong")
    await console.service.unlock("wrong")
    assert not console.emitted(Unlocked)
    await console.service.unlock(PASSWORD)
    assert console.emitted(Unlocked)


async def test_without_a_login_no_password_unlocks(clock: VirtualClock) -> None:
    passwords = PasswordCheck(clock)
    assert passwords.check("") == UnlockRefused(0)
    passwords.accept("right")
    passwords.forget()
    assert passwords.check("right") == UnlockRefused(0)
    assert "right" not in repr(vars(passwords))
