"""The virtual time that the engine's tests run in."""

import asyncio
import threading
import time

import pytest

from tests.engine.clock import EPOCH, VirtualClock, VirtualLoop, run
from tui.engine.clock import SystemClock


async def test_hours_of_virtual_time_pass_at_once_and_in_order(clock: VirtualClock) -> None:
    started = time.monotonic()
    seen: list[tuple[str, float]] = []

    async def walk(name: str, step: float) -> None:
        for _ in range(3):
            await clock.sleep(step)
            seen.append((name, clock.monotonic()))

    await asyncio.gather(walk("slow", 7_200), walk("fast", 3_000))
    assert seen == [
        ("fast", 3_000),
        ("fast", 6_000),
        ("slow", 7_200),
        ("fast", 9_000),
        ("slow", 14_400),
        ("slow", 21_600),
    ]
    assert clock.now() == EPOCH + 21_600
    assert time.monotonic() - started < clock.monotonic(), "less real time than virtual time"


async def test_a_jump_of_the_wall_clock_leaves_intervals_alone(clock: VirtualClock) -> None:
    before = clock.monotonic()
    clock.jump(-3_600)
    await clock.sleep(1)
    assert clock.monotonic() - before == 1
    assert clock.now() == EPOCH - 3_600 + 1


def test_a_deadlock_is_reported_instead_of_hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VirtualLoop, "patience", 0.01)

    async def stuck(_: VirtualClock) -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="every task waits"):
        run(stuck)


def test_another_thread_wakes_the_loop() -> None:
    async def main(_: VirtualClock) -> str:
        loop = asyncio.get_running_loop()
        result: asyncio.Future[str] = loop.create_future()
        threading.Thread(target=lambda: loop.call_soon_threadsafe(result.set_result, "woken")).start()
        return await result

    assert run(main) == "woken"


async def test_virtual_time_stops_while_a_thread_works(clock: VirtualClock) -> None:
    async with asyncio.timeout(5):
        await asyncio.to_thread(time.sleep, 0.05)
    assert clock.monotonic() == 0


def test_the_system_clock_counts_the_time_of_a_suspend(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    before, read, boot_time = clock.monotonic(), time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", None)
    monkeypatch.setattr(
        time, "clock_gettime", lambda which: read(which) + (3_600 if which == boot_time else 0)
    )
    assert (clock.monotonic() - before >= 3_600) is (boot_time is not None)
