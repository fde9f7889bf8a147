"""One poller for all jobs: asks for the status of each distinct job when it is worth asking.

The maths of when that is are in ``tui.engine.polling.schedule``; here are the requests and the waiting.
"""

import asyncio
import heapq
import itertools
import math
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from tui.api.errors import (
    ApiError,
    BadRequest,
    Malformed,
    NotAllowed,
    NotFound,
    RateLimited,
    ServerFault,
    TokenExpired,
    Unreachable,
)
from tui.engine.clock import Clock
from tui.engine.polling.schedule import LONGEST_INTERVAL, LifeTable, backoff, bound, similar
from tui.model.job import JobOutcome, job_outcome
from tui.model.operation import Action

History = Callable[[Action, int], Awaitable[Sequence[float]]]

OLDEST = 86_400.0
"""Seconds: no job is taken to be older, whatever the wall clock says."""
PATIENCE = 300.0
"""Seconds for which the endpoint may deny that there is such a job, or fail to tell how it stands."""
ANSWERS = 10
"""A job is not given up before it was seen going on so many times: with very many jobs an hour is short."""
SHORTEST_NAP = 0.001
LATE = 3.0
"""Seconds by which a job is asked for late at most, before there is a crowd."""
RECALLING = 1.0
"""Seconds that the first job of a kind waits for what is known of such jobs."""
TROUBLES = 3
"""So many requests failing in a row are taken for a failing endpoint rather than a failing job."""


class _Job:
    """A job that somebody waits for. Times are the clock's monotonic seconds."""

    def __init__(
        self, job_id: str, action: Action, servers: int, table: LifeTable, now: float, age: float
    ) -> None:
        self.id = job_id
        self.action = action
        self.servers = servers
        self.table = table
        self.begun = now - age
        self.taken_up = now
        self.asked = now
        """Up to when it is known to have gone on."""
        self.witnessed = age < 1.0
        """Whether it was known to be going on at ``asked``: only then does its end tell how long it took."""
        self.word = ""
        self.answers = 0
        self.failures = 0
        self.untold: float | None = None
        """Since when the endpoint answers without telling how the job stands."""
        self.waiters = 0
        self.turn = 0
        """Its entry in the heap that counts; others are stale."""
        self.done: asyncio.Future[JobOutcome] = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[None] | None = None


class Tracker:
    """Follows jobs to their end. One per session; used from the engine's event loop only.

    Usage::

        tracker = Tracker(lambda job_id: api.job_status(account, job_id), clock=clock,
                          budget=0.75 * endpoint.requests_per_second,
                          history=durations, on_duration=journal.record_duration,
                          on_word=...)
        outcome = await tracker.wait(job_id, Action.START_MAINTENANCE, servers=100, since=posted)

    There is nothing to start and nothing to close: it works while somebody waits, and a job whose
    last waiter is cancelled is dropped.
    """

    def __init__(
        self,
        status: Callable[[str], Awaitable[str]],
        *,
        clock: Clock,
        budget: float = 20.0,
        connections: int = 12,
        history: History | None = None,
        on_word: Callable[[str, str], None] | None = None,
        on_duration: Callable[[Action, int, float], None] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Make a tracker.

        Args:
            status: Reads the platform's word for a job. Any ``ApiError`` it raises is dealt with here.
            clock: The engine's clock.
            budget: Status requests a second at most. Leave some of the endpoint's budget to others.
            connections: Status requests in flight at once at most. Fewer than the client has in all.
            history: ``history(action, servers)`` gives the durations, in seconds, of earlier jobs of
                the same action with a similar number of servers (``pacing.similar(servers)`` says
                from how many to how many that is). Asked once per action and such range, and waited
                for no longer than ``RECALLING``; what comes later is taken in later.
            on_word: Told ``(job_id, word)`` when a job's word changes, the last word included; with
                the platform's spelling.
            on_duration: Told ``(action, servers, seconds)`` for each job whose end was witnessed (not
                for one that had ended before it was taken up, or during an outage): what ``history``
                is to give next time.
            jitter: Random numbers from 0 up to 1, replaced in tests.
        """
        self._status = status
        self._clock = clock
        self._budget = budget
        self._connections = connections
        self._history = history
        self._on_word = on_word
        self._on_duration = on_duration
        self._jitter = jitter
        self._tables: dict[tuple[Action, int], LifeTable] = {}
        self._recalling: dict[tuple[Action, int], asyncio.Task[None]] = {}
        self._jobs: dict[str, _Job] = {}
        self._due: list[tuple[float, int, _Job]] = []
        """Heap of when to ask; an entry is stale whose job is no longer in ``_jobs`` or has a later one."""
        self._order = itertools.count()
        self._flying = 0
        self._next_slot = -math.inf
        """When the next request would leave if all left evenly; they may run ahead by ``connections``."""
        self._troubles = 0
        """Failures in a row of the endpoint or the way there, counted once per pause."""
        self._probing = False
        """Whether one request at a time finds out if the endpoint answers again."""
        self._paused_at = self._paused_until = -math.inf
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = 0.0

    async def wait(self, job_id: str, action: Action, servers: int, since: float) -> JobOutcome:
        """Wait until the job ends.

        Any number of callers may wait for the same job; it is asked for once. A link that is down, a
        token that expired or a pause asked for is never raised: it goes on, backed off with jitter, for as
        long as it takes.

        Args:
            job_id: The platform's id of the job.
            action: What the job does.
            servers: How many servers it does it to.
            since: ``clock.now()`` when it was POSTed. May lie far back when a run is resumed.

        Returns:
            How it ended. ``UNKNOWN`` also when it does not end within the bound (20 times what such a job
            takes, and at least an hour, watched by this process) or the platform answers for some
            minutes without telling how it stands: the servers themselves are to be read then.
        """
        table = await self._table(action, servers)
        job = self._jobs.get(job_id) or self._take_up(job_id, action, servers, since, table)
        job.waiters += 1
        try:
            return await asyncio.shield(job.done)
        finally:
            job.waiters -= 1
            if not job.waiters:
                self._drop(job)

    @property
    def crowded(self) -> bool:
        """Whether jobs wait for long to be asked for, only because there are so many."""
        now = self._clock.monotonic()
        return bool(self._due) and now >= self._paused_until and now - self._due[0][0] > LATE

    def seen(self, job_id: str) -> None:
        """The servers of a job are all as asked: ask for it now or, in a crowd, take that for its end."""
        job = self._jobs.get(job_id)
        if job is None or job.waiters > 1 or job.task is not None:
            return
        now = self._clock.monotonic()
        if self.crowded:
            self._learn(job, now)
            self._end(job, JobOutcome.SUCCEEDED)
        else:
            self._schedule(job, now)
        self._pump()

    def nudge(self) -> None:
        """Ask again at once instead of sitting out a pause, e.g. after the operator logged in again."""
        self._paused_until = 0.0
        self._pump()

    async def _table(self, action: Action, servers: int) -> LifeTable:
        kind = (action, similar(servers).start)
        table = self._tables.get(kind)
        if table is None:
            table = self._tables[kind] = LifeTable(action, servers)
            if self._history is not None:
                recall = self._recall(self._history, table, action, servers)
                self._recalling[kind] = asyncio.create_task(recall)
        if (recalling := self._recalling.get(kind)) is not None:
            await asyncio.wait([recalling], timeout=RECALLING)
        return table

    async def _recall(self, history: History, table: LifeTable, action: Action, servers: int) -> None:
        table.recall(await history(action, servers))

    def _take_up(self, job_id: str, action: Action, servers: int, since: float, table: LifeTable) -> _Job:
        # The wall clock may have jumped either way since the POST.
        age = min(max(0.0, self._clock.now() - since), OLDEST)
        now = self._clock.monotonic()
        job = self._jobs[job_id] = _Job(job_id, action, servers, table, now, age)
        if job.witnessed:
            self._plan(job, now)
        else:  # It may have ended long ago.
            self._schedule(job, now)
        self._pump()
        return job

    def _drop(self, job: _Job) -> None:
        if self._jobs.get(job.id) is not job:
            return
        del self._jobs[job.id]
        if job.task is not None and job.task is not asyncio.current_task():
            job.task.cancel()
        if not self._jobs:
            self._due.clear()
            self._set_alarm(None)

    def _end(self, job: _Job, outcome: JobOutcome) -> None:
        if not job.done.done():
            job.done.set_result(outcome)
        self._drop(job)

    # When to ask.

    def _plan(self, job: _Job, now: float) -> None:
        """Ask again after the interval that the job is worth, or as soon as the budget allows after that."""
        self._schedule(job, now + job.table.interval(now - job.begun))

    def _schedule(self, job: _Job, at: float) -> None:
        job.turn = next(self._order)
        heapq.heappush(self._due, (at, job.turn, job))

    def _pump(self) -> None:
        """Send what is due and may be sent now; set the alarm for what comes next."""
        now = self._clock.monotonic()
        lanes = 1 if self._probing else self._connections
        while self._due and self._flying < lanes:
            due, turn, job = self._due[0]
            if self._jobs.get(job.id) is not job or job.turn != turn:
                heapq.heappop(self._due)
                continue
            ahead = (self._connections - 1) / self._budget
            at = max(due, self._next_slot - ahead, self._paused_until)
            if at > now:
                self._set_alarm(at)
                return
            heapq.heappop(self._due)
            self._next_slot = max(self._next_slot, now) + 1 / self._budget
            self._flying += 1
            job.task = asyncio.create_task(self._ask(job))
            job.task.add_done_callback(partial(self._landed, job))

    def _set_alarm(self, at: float | None) -> None:
        if self._alarm is not None:
            if at is not None and self._alarm_at <= at:
                return
            self._alarm.cancel()
            self._alarm = None
        if at is not None:
            self._alarm_at = at
            self._alarm = asyncio.create_task(self._ring(max(SHORTEST_NAP, at - self._clock.monotonic())))

    async def _ring(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._alarm = None
        self._pump()

    # Asking.

    async def _ask(self, job: _Job) -> None:
        sent = self._clock.monotonic()
        try:
            word = await self._status(job.id)
        except ApiError as error:
            self._failed(job, sent, error)
        else:
            self._answered(job, sent, word)

    def _landed(self, job: _Job, task: asyncio.Task[None]) -> None:
        self._flying -= 1
        job.task = None
        if not task.cancelled() and (bug := task.exception()) and not job.done.done():
            job.done.set_exception(bug)
        self._pump()

    def _answered(self, job: _Job, sent: float, word: str) -> None:
        self._reached(sent)
        job.answers += 1
        job.failures = 0
        job.untold = None
        if word != job.word:
            job.word = word
            if self._on_word:
                self._on_word(job.id, word)
        now = self._clock.monotonic()
        outcome = job_outcome(word)
        if outcome is not None:
            # The platform losing sight of a job says nothing of when the job ends.
            if outcome is not JobOutcome.UNKNOWN:
                self._learn(job, now)
            self._end(job, outcome)
            return
        job.table.survived(job.asked - job.begun, sent - job.begun)
        job.asked = sent
        job.witnessed = True
        if now - job.taken_up > bound(job.table.typical) and job.answers >= ANSWERS:
            self._end(job, JobOutcome.UNKNOWN)
            return
        self._plan(job, now)

    def _reached(self, sent: float) -> None:
        if sent >= self._paused_at:
            self._troubles = 0
            self._probing = False

    def _learn(self, job: _Job, now: float) -> None:
        asked, ended = job.asked - job.begun, now - job.begun
        # After an outage or a laptop's sleep nobody knows when in between it ended.
        known = self._paused_until <= job.asked and ended - asked <= asked + LONGEST_INTERVAL
        if job.witnessed and known:
            seconds = job.table.ended(asked, ended)
            if self._on_duration:
                self._on_duration(job.action, job.servers, seconds)

    def _failed(self, job: _Job, sent: float, error: ApiError) -> None:
        now = self._clock.monotonic()
        job.failures += 1
        again = now + backoff(job.failures, self._jitter())
        denied = isinstance(error, NotFound | NotAllowed | BadRequest)
        if denied or isinstance(error, ServerFault | Malformed):
            job.untold = now if job.untold is None else job.untold
            if now - job.untold >= PATIENCE:
                self._end(job, JobOutcome.UNKNOWN)
                return
        else:
            job.untold = None
        if denied:
            self._reached(sent)
        elif sent >= self._paused_at:  # One that left before the pause says nothing new.
            self._troubles += 1
            again = self._pause(now, again, error)
        self._schedule(job, again)

    def _pause(self, now: float, again: float, error: ApiError) -> float:
        """Stop asking for anything if the failure is not this job's own; returns when to ask for it again."""
        if isinstance(error, RateLimited) and error.wait is not None:
            wait = error.wait
        elif isinstance(error, RateLimited | Unreachable | TokenExpired) or self._troubles >= TROUBLES:
            wait = backoff(self._troubles, self._jitter())
        else:
            return again
        self._probing = True
        self._paused_at = now
        self._paused_until = max(self._paused_until, now + wait)
        return now
