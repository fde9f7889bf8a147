"""Follows jobs to their end by requesting the status of each, at intervals that depend on its age."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from tui.api.errors import ApiError, BadRequest, Malformed, NotAllowed, NotFound, ServerFault
from tui.engine.clock import Clock
from tui.engine.polling.job import TrackedJob
from tui.engine.polling.queue import StatusQueue
from tui.engine.polling.schedule import LifeTable, backoff
from tui.model.duration import similar
from tui.model.job import JobOutcome, job_outcome
from tui.model.operation import Action

History = Callable[[Action, int], Awaitable[Sequence[float]]]

PATIENCE = 300.0
"""Seconds for which the endpoint may deny that a job exists, or answer with errors, before it is given up."""
HISTORY_WAIT = 1.0
"""Seconds that the first job of a kind waits for the durations of earlier ones."""


class Tracker:
    """Follows jobs to their end. One per account; for the engine's event loop only.

    Usage::

        tracker = Tracker(lambda job_id: api.job_status(account, job_id), clock=clock,
                          budget=0.75 * endpoint.requests_per_second,
                          history=durations, on_duration=journal.record_duration)
        outcome = await tracker.wait(job_id, Action.START_MAINTENANCE, servers=100, since=posted)

    There is nothing to start or close: it works while somebody waits, and drops a job whose last waiter
    is cancelled.
    """

    def __init__(
        self,
        status: Callable[[str], Awaitable[str]],
        *,
        clock: Clock,
        budget: float = 20.0,
        connections: int = 12,
        history: History | None = None,
        on_duration: Callable[[Action, int, float], None] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Create a tracker without jobs.

        Args:
            status: Reads a job's status. Every ``ApiError`` that it raises is handled here.
            clock: The engine's clock.
            budget: Status requests per second at most. Leave some of the endpoint's budget to others.
            connections: Status requests in flight at most. Fewer than the client has in all.
            history: ``history(action, servers)`` returns the durations, in seconds, of earlier jobs of
                the same action with a similar number of servers (the range ``similar(servers)``).
                Called once per action and range, and waited for ``HISTORY_WAIT`` seconds at most; what
                comes later is used later.
            on_duration: Called with ``(action, servers, seconds)`` for each job whose end was witnessed
                (not for one that had ended before it was tracked, or during an outage): what ``history``
                returns next time.
            jitter: Returns random numbers from 0 up to 1; replaced in tests.
        """
        self._status = status
        self._clock = clock
        self._history = history
        self._on_duration = on_duration
        self._jitter = jitter
        self._tables: dict[tuple[Action, int], LifeTable] = {}
        self._recalling: dict[tuple[Action, int], asyncio.Task[None]] = {}
        self._jobs: dict[str, TrackedJob] = {}
        self._queue = StatusQueue(
            self._request_status, clock=clock, budget=budget, connections=connections, jitter=jitter
        )

    async def wait(
        self,
        job_id: str,
        action: Action,
        servers: int,
        since: float,
        *,
        on_status: Callable[[str], None] | None = None,
    ) -> JobOutcome:
        """Wait until a job ends.

        Any number of callers may wait for the same job; its status is requested once for all. A failing
        network, an expired token and a pause requested by the endpoint are never raised: the requests go
        on, backed off with jitter, for as long as it takes.

        Args:
            job_id: The platform's id of the job.
            action: What the job does.
            servers: How many servers it does it to.
            since: ``clock.now()`` when it was POSTed. May be long ago when an operation is resumed.
            on_status: Called with each new status as the platform spells it, the last one included.

        Returns:
            How it ended. ``UNKNOWN`` also when it does not end within the bound (20 times what such a job
            takes, and at least an hour, tracked by this process), or when the platform answers for
            ``PATIENCE`` seconds without a status: the servers themselves must be read then.
        """
        table = await self._table(action, servers)
        job = self._jobs.get(job_id) or self._track(job_id, action, servers, since, table)
        job.waiters.append(on_status)
        try:
            return await asyncio.shield(job.done)
        finally:
            job.waiters.remove(on_status)
            if not job.waiters:
                self._drop(job)

    @property
    def backlogged(self) -> bool:
        """Whether status requests are overdue only because there are so many jobs."""
        return self._queue.backlogged

    def confirm(self, job_id: str) -> None:
        """Note that all servers of a job were read in the requested state.

        Its status is requested now or, in a backlog, the job counts as succeeded without a request.
        """
        job = self._jobs.get(job_id)
        if job is None or len(job.waiters) > 1 or job.task is not None:
            return
        now = self._clock.monotonic()
        job.changed()
        if self.backlogged:
            self._report_duration(job, job.assumed_end(now))
            self._end(job, JobOutcome.SUCCEEDED)
        else:
            self._queue.put(job, now)
        self._queue.pump()

    def end_pause(self) -> None:
        """Request at once what a pause holds back, e.g. after the operator logged in again."""
        self._queue.end_pause()

    async def _table(self, action: Action, servers: int) -> LifeTable:
        kind = (action, similar(servers).start)
        table = self._tables.get(kind)
        if table is None:
            table = self._tables[kind] = LifeTable(action, servers)
            if self._history is not None:
                recall = self._recall(self._history, table, action, servers)
                self._recalling[kind] = asyncio.create_task(recall)
        if (recalling := self._recalling.get(kind)) is not None:
            await asyncio.wait([recalling], timeout=HISTORY_WAIT)
        return table

    async def _recall(self, history: History, table: LifeTable, action: Action, servers: int) -> None:
        table.recall(await history(action, servers))

    def _track(self, job_id: str, action: Action, servers: int, since: float, table: LifeTable) -> TrackedJob:
        age, now = self._clock.now() - since, self._clock.monotonic()
        job = self._jobs[job_id] = TrackedJob(job_id, action, servers, table, now, age)
        # One of an earlier process may have ended long ago.
        self._queue.put(job, now + job.interval(now) if job.witnessed else now)
        self._queue.pump()
        return job

    def _drop(self, job: TrackedJob) -> None:
        if self._jobs.get(job.id) is not job:
            return
        del self._jobs[job.id]
        job.entry = 0
        if job.task is not None and job.task is not asyncio.current_task():
            job.task.cancel()
        if not self._jobs:
            self._queue.clear()

    def _end(self, job: TrackedJob, outcome: JobOutcome) -> None:
        if not job.done.done():
            job.done.set_result(outcome)
        self._drop(job)

    async def _request_status(self, job: TrackedJob) -> None:
        sent = self._clock.monotonic()
        try:
            status = await self._status(job.id)
        except ApiError as error:
            self._failed(job, sent, error)
        else:
            self._answered(job, sent, status)

    def _answered(self, job: TrackedJob, sent: float, status: str) -> None:
        self._queue.answered(sent)
        job.answered(status)
        now = self._clock.monotonic()
        outcome = job_outcome(status)
        if outcome is not None:
            # When the platform loses sight of a job, that is not when the job ends.
            if outcome is not JobOutcome.UNKNOWN:
                self._report_duration(job, job.ended(now, self._queue.paused_until))
            self._end(job, outcome)
            return
        job.still_running(sent)
        if job.is_overdue(now):
            self._end(job, JobOutcome.UNKNOWN)
        else:
            self._queue.put(job, now + job.interval(now))

    def _report_duration(self, job: TrackedJob, seconds: float | None) -> None:
        if seconds is not None and self._on_duration is not None:
            self._on_duration(job.action, job.servers, seconds)

    def _failed(self, job: TrackedJob, sent: float, error: ApiError) -> None:
        now = self._clock.monotonic()
        job.failures += 1
        again = now + backoff(job.failures, self._jitter())
        denied = isinstance(error, NotFound | NotAllowed | BadRequest)
        if denied or isinstance(error, ServerFault | Malformed):
            job.unknown_since = now if job.unknown_since is None else job.unknown_since
            if now - job.unknown_since >= PATIENCE:
                self._end(job, JobOutcome.UNKNOWN)
                return
        else:
            job.unknown_since = None
        if denied:
            self._queue.answered(sent)
        else:
            again = self._queue.failed(sent, again, error)
        self._queue.put(job, again)
