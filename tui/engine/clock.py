"""Time and sleep, so that tests can replace both."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Where the engine gets its time from."""

    def now(self) -> float:
        """Wall-clock time, seconds since the epoch. May jump; only for records and people."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump back. For intervals and deadlines."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait, letting the rest of the loop go on."""
        ...


# Linux counts the time of a suspended machine here only: what was sent before a lid was closed has aged.
_BOOT_TIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Wall-clock time, seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment; on Linux with those in which the machine was suspended."""
        return time.clock_gettime(_BOOT_TIME) if _BOOT_TIME is not None else time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds``."""
        await asyncio.sleep(seconds)
