"""A job that is tracked: what its answers have shown so far."""

import asyncio
import math
from collections.abc import Callable

from tui.engine.polling.schedule import LONGEST_INTERVAL, LifeTable, bound
from tui.model.job import JobOutcome
from tui.model.operation import Action

OLDEST = 86_400.0
"""Seconds: no job is taken to be older, whatever the wall clock shows."""
CHANGED_AT = 0.9
"""The share of a job's time at which its last server changes: recorded 35 s after the POST, of 39 s."""
NEAR_END = 0.03
"""From then on the status is requested again after this share of the job's age at the latest."""
MIN_ANSWERS = 10
"""A job is not given up before so many answers: with very many jobs an hour brings only a few."""


class TrackedJob:
    """The state of one job. Times are the clock's monotonic seconds, ages are seconds since its POST."""

    def __init__(
        self, job_id: str, action: Action, servers: int, table: LifeTable, now: float, age: float
    ) -> None:
        age = min(max(0.0, age), OLDEST)  # The wall clock may have jumped either way since the POST.
        self.id = job_id
        self.action = action
        self.servers = servers
        self.table = table
        self.waiters: list[Callable[[str], None] | None] = []
        """One entry per caller that waits, to call with each new status."""
        self.done: asyncio.Future[JobOutcome] = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[None] | None = None
        """The status request in flight."""
        self.entry = 0
        """The number of its valid entry in the queue; others are stale."""
        self.failures = 0
        """Requests in a row without an answer."""
        self.unknown_since: float | None = None
        """Since when the endpoint answers without a status."""
        self.status = ""
        self._posted = now - age
        self._tracked_since = now
        self._running_at = now
        """Up to when it is known to have been running."""
        self.witnessed = age < 1.0
        """Whether it was known to be running at ``_running_at``: only then does its end show its duration."""
        self._answers = 0
        self._changed = False
        """Whether all its servers were read in the requested state."""

    def interval(self, now: float) -> float:
        """How long to wait before the next request, in seconds."""
        age = now - self._posted
        longest = max(1.0, NEAR_END * age) if self._changed else math.inf
        return min(longest, self.table.interval(age))

    def changed(self) -> None:
        """Note that all its servers were read in the requested state: it will end soon."""
        self._changed = True

    def assumed_end(self, now: float) -> float | None:
        """Note that it counts as ended because its servers have changed; returns its assumed duration."""
        running, age = self._running_at - self._posted, (now - self._posted) / CHANGED_AT
        self.table.survived(running, age)
        self.table.ended(age, age)
        return age if self.witnessed else None

    def answered(self, status: str) -> None:
        """Apply an answer; the waiters get each status once, the last included."""
        self._answers += 1
        self.failures = 0
        self.unknown_since = None
        if status != self.status:
            self.status = status
            for on_status in self.waiters:
                if on_status is not None:
                    on_status(status)

    def still_running(self, sent: float) -> None:
        """Note that it was running when a request was sent."""
        self.table.survived(self._running_at - self._posted, sent - self._posted)
        self._running_at = sent
        self.witnessed = True

    def is_overdue(self, now: float) -> bool:
        """Whether it has been running for so long that it counts as one that never ends."""
        return now - self._tracked_since > bound(self.table.typical) and self._answers >= MIN_ANSWERS

    def ended(self, now: float, paused_until: float) -> float | None:
        """Note that it has ended; returns its duration in seconds, None when that is not known."""
        running, ended = self._running_at - self._posted, now - self._posted
        # After an outage or a suspended machine nobody knows when in between it ended.
        known = paused_until <= self._running_at and ended - running <= running + LONGEST_INTERVAL
        return self.table.ended(running, ended) if self.witnessed and known else None
