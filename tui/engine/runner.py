"""Carries one operation out: waves, batches, and every server's way to its end.

Rules that hold whatever happens:

- A batch's intent is in the journal before its request leaves, and its servers are never sent again.
- Every transition goes through ``_set``: applied, in the journal, then told.
- Only the servers themselves say what became of them; a job's end is a reason to look.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tui.api.errors import ApiError, BadRequest, NotAllowed, NotFound, RateLimited, TokenExpired, Unreachable
from tui.engine.clock import Clock
from tui.engine.errors import TAKEN_OVER, JournalError, NotOurs
from tui.engine.events import Event, Progress
from tui.engine.options import Options
from tui.engine.session import Session
from tui.model.job import JobOutcome, is_waiting, job_outcome
from tui.model.operation import Operation, State, Target
from tui.model.pacing import backoff, expected, similar
from tui.model.plan import Batch, Plan
from tui.model.server import Server

if TYPE_CHECKING:
    from tui.api.endpoints import Answer
    from tui.engine.inventory import Inventory
    from tui.engine.journal import Journal
    from tui.engine.tracker import Tracker
    from tui.engine.verify import Verifier

REFUSED_SILENTLY = (
    "refused without a reason; the platform does so when a server already is as asked, or may not be changed"
)
UNSEEN = "the server is gone or cannot be read, so nothing is known of it: look there"
_ORDINARY_WORDS = frozenset({"executing", "running"})


class Services(NamedTuple):
    """What a run works with; shared by all runs."""

    session: Session
    account: str
    inventory: "Inventory"
    tracker: "Tracker"
    verifier: "Verifier"
    journal: "Journal"
    clock: Clock
    options: Options
    tell: Callable[[Event], None]


class Runner:
    """One operation under way in this process."""

    def __init__(
        self,
        services: Services,
        operation: Operation,
        plan: Plan,
        *,
        submitted: Mapping[int, float] | None = None,
        ages: Mapping[int, float] | None = None,
        max_failed: int | None = None,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            services: What to work with.
            operation: As the journal has it.
            plan: Its batches.
            submitted: Batch -> when it was sent by an earlier process.
            ages: Batch -> seconds that have passed since then, for certain.
            max_failed: Send no further wave when more servers than this did not end well.
        """
        self.operation = operation
        self.in_flight = 0
        """Batches being sent: neither answered nor given up."""
        self.services = services
        self._plan = plan
        self._submitted = dict(submitted or {})
        self._begun = services.clock.monotonic()
        self._posted = {index: self._begun - age for index, age in (ages or {}).items()}
        self._max_failed = max_failed
        self._posts = asyncio.Semaphore(services.options.posts_at_once)
        self._sending = True
        self._last_wave: int | None = None
        self._stop_reason = ""
        self._halted = asyncio.Event()
        self._jobs: dict[tuple[str, int], list[str]] = {}
        """Job and batch -> the servers waiting for the job's end."""
        self._running: asyncio.Task[None] | None = None
        self._lost = False

    async def run(self, *, send: bool) -> None:
        """Follow what was sent to its end and, with ``send``, send what was not.

        Servers still planned at the end were held back by ``hold``, or by ``send`` being false.

        Raises:
            NotOurs: another console has taken the operation over.
        """
        self._sending = send
        self._running = asyncio.current_task()
        try:
            for wave in range(self._plan.waves):
                batches = [batch for batch in self._plan.batches if batch.wave == wave]
                if self._sending and any(self._unsent(batch) for batch in batches):
                    self._check_failures()
                await _together([self._carry_out(batch) for batch in batches])
        except asyncio.CancelledError:
            if self._lost and self._running is not None:
                self._running.uncancel()
                raise NotOurs(TAKEN_OVER) from None
            raise

    def cancel(self, reason: str) -> None:
        """Send nothing more; what was sent is followed to its end. ``reason`` is told for each server."""
        self._stop_reason = self._stop_reason or reason
        self._halted.set()
        self._set(self.operation.ids(State.PLANNED), State.CANCELLED, message=reason)

    def hold(self, *, finish_wave: bool) -> None:
        """Send nothing more for now: what was not sent stays planned, for a later resume.

        With ``finish_wave`` the wave under way is sent to its end.
        """
        if finish_wave and self._sending:
            sent = [batch.wave for batch in self._plan.batches if not self._unsent(batch)]
            self._last_wave = max(sent, default=-1)
        else:
            self._sending = False
            self._halted.set()

    def on_word(self, job_id: str, word: str) -> None:
        """The platform has a new word for a job."""
        if is_waiting(word) or job_outcome(word) is not None:
            return
        message = "" if word.strip().casefold() in _ORDINARY_WORDS else word.strip()
        ids = [id_ for (job, _), ids in self._jobs.items() if job == job_id for id_ in ids]
        self._set(ids, State.EXECUTING, message=message)

    # A batch

    def _unsent(self, batch: Batch) -> bool:
        return self.operation.targets[batch.server_ids[0]].state is State.PLANNED

    def _may_send(self, batch: Batch) -> bool:
        held = self._last_wave is not None and batch.wave > self._last_wave
        return self._sending and not held and self._unsent(batch)

    async def _carry_out(self, batch: Batch) -> None:
        if not self._unsent(batch):
            await self._take_up(batch)
            return
        async with self._posts:
            if self._may_send(batch):
                await self._unless_halted(self.services.session.valid())
            # Everything may have changed while this one waited.
            if not self._may_send(batch) or not self._intend(batch):
                return
            self.in_flight += 1
            try:
                answers = await self._post(batch)
            finally:
                self.in_flight -= 1
        if answers is not None:
            await self._follow_answers(batch, answers)
        else:
            await self._take_up(batch)

    def _intend(self, batch: Batch) -> bool:
        """The intent to send, on disk; False, and nothing more is sent, when it cannot be written."""
        targets = self._targets(batch.server_ids, State.SUBMITTING)
        try:
            self.services.journal.submit(self.operation.id, batch, targets)
        except NotOurs:
            self._lose()
            return False
        except JournalError as error:
            self.cancel(f"not sent: {error}")
            return False
        self._submitted[batch.index] = self.services.clock.now()
        self._posted[batch.index] = self.services.clock.monotonic()
        self._apply(targets)
        self._tell(targets)
        return True

    async def _post(self, batch: Batch) -> "list[Answer] | None":
        """Send a batch, once. None when there is no answer to go by; the states say why then."""
        session, clock, action = self.services.session, self.services.clock, self.operation.action
        ids, account = batch.server_ids, self.services.account
        pauses = 0
        wait: Coroutine[None, None, object]
        while True:
            try:
                return await session.once(lambda api: api.operate(account, action, ids))
            except TokenExpired:
                # Refused at the door, nothing was carried out: the batch may go once there is a login.
                wait = session.valid()
            except RateLimited as error:
                pauses += 1
                if pauses > self.services.options.pauses:
                    self._set(ids, State.FAILED, message=f"not taken by the endpoint: {error}")
                    return None
                wait = clock.sleep(error.wait if error.wait is not None else backoff(pauses, 0.0))
            except (NotAllowed, BadRequest, NotFound) as error:
                self._set(ids, State.FAILED, message=str(error))
                return None
            except Unreachable as error:
                self._set(ids, State.CANCELLED, message=f"not sent: {error}")
                return None
            except ApiError as error:
                self._set(ids, State.UNSURE, message=str(error))
                return None
            await self._unless_halted(wait)
            if self._halted.is_set():
                reason = self._stop_reason or "not sent: stopped before the endpoint took it"
                self._set(ids, State.CANCELLED, message=reason)
                return None

    async def _unless_halted(self, wait: Coroutine[None, None, object]) -> None:
        """Wait for something, or until nothing more is to be sent."""
        tasks = {asyncio.create_task(wait), asyncio.create_task(self._halted.wait())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    async def _follow_answers(self, batch: Batch, answers: "Sequence[Answer]") -> None:
        jobs: dict[str, list[str]] = {}
        refused: dict[str, list[str]] = {}
        asked = dict.fromkeys(batch.server_ids)
        unnamed = []
        for answer in answers:
            id_ = answer.server_id.upper()
            if id_ not in asked:
                continue
            del asked[id_]
            if not answer.queued:
                refused.setdefault(answer.message or REFUSED_SILENTLY, []).append(id_)
            elif answer.job_id:
                jobs.setdefault(answer.job_id, []).append(id_)
            else:
                unnamed.append(id_)
        changes = [self._targets(ids, State.QUEUED, job_id=job) for job, ids in jobs.items()]
        changes += [self._targets(ids, State.REFUSED, message=message) for message, ids in refused.items()]
        changes.append(self._targets(unnamed, State.UNSURE, message="taken, but no job was named to follow"))
        changes.append(
            self._targets(asked, State.UNSURE, message="the endpoint's answer does not mention it")
        )
        self._record([target for targets in changes for target in targets])
        await _together([self._take_up(batch), self._look_at_refused(refused)])

    async def _take_up(self, batch: Batch) -> None:
        """Follow a batch that was sent, from wherever its servers stand."""
        targets = self.operation.targets
        lost = [id_ for id_ in batch.server_ids if targets[id_].state is State.SUBMITTING]
        self._set(lost, State.UNSURE, message="Pitstop was interrupted before the answer came")
        jobs: dict[str, list[str]] = {}
        unsure, unverified = [], []
        for id_ in batch.server_ids:
            match targets[id_].state:
                case State.QUEUED | State.EXECUTING:
                    jobs.setdefault(targets[id_].job_id, []).append(id_)
                case State.UNSURE:
                    unsure.append(id_)
                case State.SUCCEEDED:
                    unverified.append(id_)
                case _:
                    pass
        following = [self._follow_job(job_id, ids, batch) for job_id, ids in jobs.items()]
        if unsure:
            following.append(self._reconcile(unsure, batch))
        if unverified:
            following.append(self._verify(unverified))
        await _together(following)

    # What becomes of servers

    async def _follow_job(self, job_id: str, ids: list[str], batch: Batch) -> None:
        action = self.operation.action
        since = self._submitted.get(batch.index, self.operation.started)
        self._jobs[job_id, batch.index] = ids
        try:
            outcome = await self.services.tracker.wait(job_id, action, len(ids), since)
        finally:
            del self._jobs[job_id, batch.index]
        match outcome:
            case JobOutcome.SUCCEEDED:
                self._set(ids, State.SUCCEEDED)
                await self._verify(ids)
            case JobOutcome.FAILED if action.leaves_trace:
                self._set(ids, State.EXECUTING, message="the job failed; looking which servers it changed")
                message = "the job failed, but this server changed"
                left = await self._settle(ids, self.services.options.failed_limit, message)
                contrary, unseen = _shown(left)
                self._set(
                    contrary, State.FAILED, message=f"the job failed; the server is not {action.result}"
                )
                self._set(unseen, State.UNSURE, message=f"the job failed; {UNSEEN}")
            case JobOutcome.FAILED:
                self._set(ids, State.FAILED, message="the job failed")
            case _:
                self._set(ids, State.UNSURE, message="the platform does not know what became of the job")
                await self._reconcile(ids, batch)

    async def _verify(self, ids: list[str]) -> None:
        action, limit = self.operation.action, self.services.options.verify_limit
        if not action.leaves_trace:
            self._set(
                ids, State.SUCCEEDED, message="done; a server does not show it, so nothing can verify it"
            )
            return
        left = await self._settle(ids, limit, "")
        contrary, unseen = _shown(left)
        message = f"the job succeeded, but after {limit:.0f} s the server is not {action.result}"
        self._set(contrary, State.SUCCEEDED, message=message)
        self._set(unseen, State.SUCCEEDED, message=f"the job succeeded; {UNSEEN}")

    async def _reconcile(self, ids: list[str], batch: Batch) -> None:
        """Watch servers for as long as the request, had it been carried out, could take to show."""
        action, options = self.operation.action, self.services.options
        if not action.leaves_trace:
            doubt = "it is not known whether it was carried out, and a server does not show it: look there"
            self._set(ids, State.UNSURE, message=doubt)
            return
        longest = max(options.unsure_least, self._longest(len(batch.server_ids)))
        limit = max(longest - self._age(batch), options.failed_limit)
        untouched = f"untouched: the server is not {action.result}, so it may be asked for again"
        why = {id_: self.operation.targets[id_].message for id_ in ids}
        left = await self._settle(ids, limit, f"settled by reading the server: it is {action.result}")
        for shown, end in zip(_shown(left), (untouched, UNSEEN), strict=True):
            reasons = {
                id_: why[id_].removesuffix(f"; {untouched}").removesuffix(f"; {UNSEEN}") for id_ in shown
            }
            self._set_each({id_: f"{reason}; {end}" for id_, reason in reasons.items()}, State.UNSURE)

    async def _look_at_refused(self, refused: Mapping[str, list[str]]) -> None:
        """A refusal often means that there was nothing to do: say so where the servers show it."""
        action = self.operation.action
        reasons = {id_: message for message, ids in refused.items() for id_ in ids}
        if not reasons or not action.leaves_trace:
            return
        already: list[str] = []

        def on_server(server: Server) -> None:
            already.append(server.id)

        await self.services.verifier.settle(action, reasons, limit=0.0, on_server=on_server)
        words = f"already {action.result}, so there was nothing to do"
        self._set_each({id_: f"{words} ({reasons[id_]})" for id_ in already}, State.REFUSED)

    async def _settle(self, ids: Collection[str], limit: float, message: str) -> Mapping[str, bool]:
        """Read servers until they are as asked and call those verified; returns the others (see Verifier)."""
        seen: list[str] = []

        def flush() -> None:
            self._set(seen, State.VERIFIED, message=message)
            seen.clear()

        def on_server(server: Server) -> None:
            # A reading brings many servers at once: one transaction for all of them.
            if not seen:
                asyncio.get_running_loop().call_soon(flush)
            seen.append(server.id)

        left = await self.services.verifier.settle(
            self.operation.action, ids, limit=limit, on_server=on_server
        )
        flush()
        return left

    def _age(self, batch: Batch) -> float:
        """Seconds since a batch was sent, at least. Never by the wall clock: it can be set meanwhile."""
        return self.services.clock.monotonic() - self._posted.get(batch.index, self._begun)

    def _longest(self, servers: int) -> float:
        """The longest that a job of that size is thought to take: what is known of such jobs, three times."""
        action = self.operation.action
        known = self.services.journal.durations(action, similar(servers))
        return 3 * max(known, default=expected(action, servers))

    def _check_failures(self) -> None:
        failed = self.operation.count(State.FAILED, State.REFUSED, State.UNSURE)
        if self.operation.action.leaves_trace:
            failed += self.operation.count(State.SUCCEEDED)
        if self._max_failed is not None and failed > self._max_failed:
            self.cancel(
                f"not sent: {failed} servers before it did not end well, more than {self._max_failed}"
            )

    # Transitions

    def _targets(
        self, ids: Iterable[str], state: State, *, job_id: str = "", message: str = ""
    ) -> list[Target]:
        now, known = self.services.clock.now(), self.operation.targets
        return [Target(id_, state, now, job_id or known[id_].job_id, message) for id_ in ids]

    def _set(self, ids: Iterable[str], state: State, *, message: str = "") -> None:
        """Servers come into a state: what is new of it is applied, in the journal, then told."""
        self._record(self._targets(ids, state, message=message))

    def _set_each(self, messages: Mapping[str, str], state: State) -> None:
        """The same for servers with a message each."""
        self._record(
            target
            for id_, message in messages.items()
            for target in self._targets((id_,), state, message=message)
        )

    def _record(self, targets: Iterable[Target]) -> None:
        new = [target for target in targets if self._is_new(target)]
        if not new or self._lost:
            return
        self._apply(new)
        try:
            self.services.journal.record(self.operation.id, new)
        except NotOurs:
            self._lose()
        else:
            self._tell(new)

    def _lose(self) -> None:
        """Another console took this one for dead: leave everything to that one, at once."""
        self._lost = True
        self._sending = False
        if self._running is not None:
            self._running.cancel()

    def _is_new(self, target: Target) -> bool:
        old = self.operation.targets[target.server_id]
        return (old.state, old.job_id, old.message) != (target.state, target.job_id, target.message)

    def _apply(self, targets: Sequence[Target]) -> None:
        for target in targets:
            self.operation.apply(target)

    def _tell(self, targets: Sequence[Target]) -> None:
        self.services.tell(Progress(self.operation.id, tuple(targets)))


def _shown(left: Mapping[str, bool]) -> tuple[list[str], list[str]]:
    """The servers that were seen not to be as asked, and those of which nothing could be seen."""
    return [id_ for id_ in left if left[id_]], [id_ for id_ in left if not left[id_]]


async def _together(work: Sequence[Coroutine[None, None, None]]) -> None:
    """Do things at once. One that breaks does not break the others; its error comes when all are done."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
