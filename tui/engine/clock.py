"""Time and sleep, which tests replace."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """The engine's source of time."""

    def now(self) -> float:
        """Wall-clock time in seconds since the epoch. It may jump: only for records and for display."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump back, for intervals and deadlines."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds`` without blocking the event loop."""
        ...


# On Linux only this clock counts the time of a suspended machine. Source: clock_gettime(2).
_BOOT_TIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Wall-clock time in seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Monotonic seconds; on Linux the time of a suspended machine is included."""
        return time.clock_gettime(_BOOT_TIME) if _BOOT_TIME is not None else time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds``."""
        await asyncio.sleep(seconds)
