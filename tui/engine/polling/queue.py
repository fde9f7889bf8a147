"""Status requests that wait for their time: due times, the request budget and pauses."""

import asyncio
import heapq
import itertools
import math
from collections.abc import Callable, Coroutine
from functools import partial

from tui.api.errors import ApiError, RateLimited, TokenExpired, Unreachable
from tui.engine.clock import Clock
from tui.engine.polling.job import TrackedJob
from tui.engine.polling.schedule import backoff

BACKLOG_AFTER = 3.0
"""Seconds by which a status request may be late before the queue counts as backlogged."""
SHORTEST_SLEEP = 0.001
"""Seconds."""
FAILING_AFTER = 3
"""So many failures in a row are put down to the endpoint rather than to a job."""


class StatusQueue:
    """Starts the status request of each job when it is due and the budget allows it.

    After a failure that is not a single job's own, all requests pause; then one request at a time probes
    whether the endpoint answers again. Times are the clock's monotonic seconds.
    """

    def __init__(
        self,
        request_status: Callable[[TrackedJob], Coroutine[None, None, None]],
        *,
        clock: Clock,
        budget: float,
        connections: int,
        jitter: Callable[[], float],
    ) -> None:
        """Create an empty queue.

        Args:
            request_status: Makes one status request and applies its answer. Runs as the job's ``task``;
                what it raises becomes the result of the job's ``done``.
            clock: The engine's clock.
            budget: Requests per second at most.
            connections: Requests in flight at most.
            jitter: Returns random numbers from 0 up to 1.
        """
        self._request_status = request_status
        self._clock = clock
        self._budget = budget
        self._connections = connections
        self._jitter = jitter
        self._due: list[tuple[float, int, TrackedJob]] = []
        """Heap by due time; an entry is stale unless its number is the job's ``entry``."""
        self._numbers = itertools.count(1)
        self._in_flight = 0
        self._next_slot = -math.inf
        """When the next request would leave at even intervals; a burst of ``connections`` may run ahead."""
        self._failures = 0
        """Failures in a row of the endpoint or the network, counted once per pause."""
        self._probing = False
        self._paused_at = -math.inf
        self.paused_until = -math.inf
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = 0.0

    @property
    def backlogged(self) -> bool:
        """Whether requests are overdue only because there are so many jobs."""
        now = self._clock.monotonic()
        return bool(self._due) and now >= self.paused_until and now - self._due[0][0] > BACKLOG_AFTER

    def put(self, job: TrackedJob, at: float) -> None:
        """Set when the job's next request is due, in place of an earlier time."""
        job.entry = next(self._numbers)
        heapq.heappush(self._due, (at, job.entry, job))

    def clear(self) -> None:
        """Forget everything that is due."""
        self._due.clear()
        self._set_alarm(None)

    def end_pause(self) -> None:
        """Send at once what a pause holds back."""
        self.paused_until = 0.0
        self.pump()

    def answered(self, sent: float) -> None:
        """Note that the endpoint answered a request sent at ``sent``."""
        if sent >= self._paused_at:
            self._failures = 0
            self._probing = False

    def failed(self, sent: float, again: float, error: ApiError) -> float:
        """Note a failure of a request sent at ``sent``; pause all when it is not this job's own.

        Returns when the job's next request is due: at ``again``, or right after the pause.
        """
        if sent < self._paused_at:  # Sent before the pause: it shows nothing new.
            return again
        self._failures += 1
        if isinstance(error, RateLimited) and error.wait is not None:
            pause = error.wait
        elif isinstance(error, RateLimited | Unreachable | TokenExpired) or self._failures >= FAILING_AFTER:
            pause = backoff(self._failures, self._jitter())
        else:
            return again
        now = self._clock.monotonic()
        self._probing = True
        self._paused_at = now
        self.paused_until = max(self.paused_until, now + pause)
        return now

    def pump(self) -> None:
        """Start the requests that may leave now, and set the alarm for the next one."""
        now = self._clock.monotonic()
        limit = 1 if self._probing else self._connections
        while self._due and self._in_flight < limit:
            due, number, job = self._due[0]
            if job.entry != number:
                heapq.heappop(self._due)
                continue
            ahead = (self._connections - 1) / self._budget
            at = max(due, self._next_slot - ahead, self.paused_until)
            if at > now:
                self._set_alarm(at)
                return
            heapq.heappop(self._due)
            self._next_slot = max(self._next_slot, now) + 1 / self._budget
            self._in_flight += 1
            job.task = asyncio.create_task(self._request_status(job))
            job.task.add_done_callback(partial(self._completed, job))

    def _completed(self, job: TrackedJob, task: asyncio.Task[None]) -> None:
        self._in_flight -= 1
        job.task = None
        if not task.cancelled() and (bug := task.exception()) and not job.done.done():
            job.done.set_exception(bug)
        self.pump()

    def _set_alarm(self, at: float | None) -> None:
        if self._alarm is not None:
            if at is not None and self._alarm_at <= at:
                return
            self._alarm.cancel()
            self._alarm = None
        if at is not None:
            self._alarm_at = at
            self._alarm = asyncio.create_task(self._ring(max(SHORTEST_SLEEP, at - self._clock.monotonic())))

    async def _ring(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._alarm = None
        self.pump()
