"""The request budget of one user at one endpoint, shared by every Pitstop that keeps its state in one folder.

A small file holds one number: the moment at which the bucket is full again, by the monotonic clock that all
processes share. A process that sends advances it under a lock and learns when its request may leave (the
generic cell rate algorithm). So slots are assigned in the order of the requests, and a process that dies
wastes only its own.
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
from tui.engine.journal.files import prepare_directory
from tui.engine.journal.owner import uptime

PATIENCE = 0.25
"""Seconds to wait for the lock; it is held for microseconds, unless its holder is suspended."""
RETRY_AFTER = 10.0
"""Seconds for which a process uses its own budget only, after the file could not be used."""
LONGEST_HOLD = 300.0
"""Seconds for which an endpoint can pause all processes at most."""

_LAYOUT = struct.Struct("<16sd")

logger = logging.getLogger(__name__)


class SharedBudget:
    """One process's access to the file. Never raises: without the file each process has its own budget."""

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
        """Open nothing yet.

        Args:
            directory: Where the file is.
            name: Endpoint and user.
            rate: Requests per second.
            burst: Requests at once.
            boot: The id of the machine's boot; determined when None.
            monotonic: The clock that all processes share, in seconds.
        """
        self.path = directory / f"budget-{_digest(name).hex()[:16]}"
        self._every = 1 / rate
        self._ahead = (burst - 1) / rate
        self._boot = _digest(uptime()[0] if boot is None else boot)[:16]
        self._monotonic = monotonic
        self._not_before = float("-inf")
        self._warned = False

    async def take(self, number: int) -> list[float]:
        """Take slots for requests; returns in how many seconds each of them may leave."""
        return await self._or_nothing(lambda: self._take(number)) or [0.0] * number

    async def hold(self, seconds: float) -> None:
        """Let no process send for ``seconds``, then at the rate without a burst."""
        await self._or_nothing(lambda: self._hold(min(seconds, LONGEST_HOLD)))

    async def _or_nothing(self, work: Callable[[], list[float]]) -> list[float]:
        if self._monotonic() < self._not_before:
            return []
        try:
            return await asyncio.to_thread(work)  # A disk may stall; the event loop must not.
        except (OSError, JournalError) as error:
            self._not_before = self._monotonic() + RETRY_AFTER
            if not self._warned:
                self._warned = True
                logger.warning("the request budget is not shared with other processes: %s", error)
            return []

    def _take(self, number: int) -> list[float]:
        with self._locked() as file:
            now = self._monotonic()
            full = self._full_at(file, now)
            first = full - self._ahead - now
            self._write(file, full + number * self._every)
        return [max(0.0, round(first + slot * self._every, 6)) for slot in range(number)]

    def _hold(self, seconds: float) -> list[float]:
        with self._locked() as file:
            now = self._monotonic()
            self._write(file, max(self._full_at(file, now), now + seconds + self._ahead))
        return []

    def _full_at(self, file: int, now: float) -> float:
        """When the bucket is full again if nothing more is sent; now when the file is invalid."""
        content = os.pread(file, _LAYOUT.size, 0)
        if len(content) < _LAYOUT.size:
            return now
        boot, full = _LAYOUT.unpack(content)
        # A number written before a reboot, or by another clock, is ignored.
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
            os.close(file)  # Releases the lock, as the death of the process does.


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
