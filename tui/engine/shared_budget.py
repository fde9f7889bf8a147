"""The request budget of one user at one endpoint, shared by every Pitstop that keeps its state in one folder.

A small file holds one number: the moment at which the bucket is full again, by the clock that all processes
of this boot share. Whoever wants to send moves it on under a lock and learns when it may leave (GCRA), so
places are given out in the order asked for, and a process that dies takes with it only those it had.
"""

import asyncio
import fcntl
import hashlib
import logging
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tui.engine.errors import JournalError
from tui.engine.journal.database import prepare_directory
from tui.engine.journal.owner import uptime

PATIENCE = 0.25
"""Seconds to wait for the lock; it is held for microseconds, unless its holder was stopped."""
RETRY_AFTER = 10.0
"""Seconds for which each process keeps its own budget only, once the file could not be used."""
LONGEST_HOLD = 300.0
"""Seconds that an endpoint can have everybody wait."""

_LAYOUT = struct.Struct("<16sd")

logger = logging.getLogger(__name__)


class SharedBudget:
    """One process's way to the file. Never raises: without it, each process has its own budget only."""

    def __init__(
        self,
        directory: Path,
        name: str,
        rate: float,
        burst: int,
        *,
        boot: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``name`` tells endpoint and user; ``rate`` is requests a second, ``burst`` so many at once."""
        self.path = directory / f"budget-{_digest(name).hex()[:16]}"
        self._every = 1 / rate
        self._ahead = (burst - 1) / rate
        self._boot = _digest(uptime()[0] if boot is None else boot)[:16]
        self._monotonic = monotonic
        self._not_before = float("-inf")
        self._told = False

    async def take(self, number: int) -> list[float]:
        """Take places for requests: in how many seconds each of them may leave."""
        return await self._unless_broken(lambda: self._take(number)) or [0.0] * number

    async def hold(self, seconds: float) -> None:
        """Let nobody send for ``seconds``, then at the rate without a burst."""
        await self._unless_broken(lambda: self._hold(min(seconds, LONGEST_HOLD)))

    async def _unless_broken(self, work: Callable[[], list[float]]) -> list[float]:
        if self._monotonic() < self._not_before:
            return []
        try:
            return await asyncio.to_thread(work)  # A disk may stand still; the event loop may not.
        except (OSError, JournalError) as error:
            self._not_before = self._monotonic() + RETRY_AFTER
            if not self._told:
                self._told = True
                logger.warning("the request budget is not shared with other processes: %s", error)
            return []

    def _take(self, number: int) -> list[float]:
        with self._locked() as file:
            now = self._monotonic()
            full = self._full_at(file, now)
            first = full - self._ahead - now
            self._write(file, full + number * self._every)
        return [max(0.0, round(first + place * self._every, 6)) for place in range(number)]

    def _hold(self, seconds: float) -> list[float]:
        with self._locked() as file:
            now = self._monotonic()
            self._write(file, max(self._full_at(file, now), now + seconds + self._ahead))
        return []

    def _full_at(self, file: int, now: float) -> float:
        """When the bucket is full again, if nothing more is sent; now, where the file makes no sense."""
        content = os.pread(file, _LAYOUT.size, 0)
        if len(content) < _LAYOUT.size:
            return now
        boot, full = _LAYOUT.unpack(content)
        # What was written before a reboot, or by a clock that counts otherwise, says nothing.
        sane = boot == self._boot and full < now + 2 * LONGEST_HOLD + self._ahead + 100 * self._every
        return max(full, now) if sane else now

    def _write(self, file: int, full: float) -> None:
        os.pwrite(file, _LAYOUT.pack(self._boot, full), 0)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        prepare_directory(self.path.parent)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.001)
            yield file
        finally:
            os.close(file)  # Gives the lock back, as the death of a process does.


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
