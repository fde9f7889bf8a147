"""Carries one operation out: waves and batches, each sent once.

Rules that hold whatever happens:

- A batch's intent is in the journal before its request leaves, and its servers are never sent again.
- Every change of a server's state goes through ``StateRecorder``: applied, in the journal, then told.
- Only the servers themselves say what became of them: see ``Reconciler``.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from tui.api.errors import (
    ApiError,
    BadRequest,
    NotAllowed,
    NotFound,
    RateLimited,
    TokenExpired,
    TokenRenewed,
    Unreachable,
)
from tui.engine.errors import TAKEN_OVER, JournalError, NotOurs, StopAsked
from tui.engine.operations.context import RunContext
from tui.engine.operations.reconciler import Reconciler, together
from tui.engine.operations.recorder import StateRecorder
from tui.engine.platform import Platform
from tui.engine.polling.schedule import backoff
from tui.model.operation import Operation, State
from tui.model.plan import Batch, Plan

if TYPE_CHECKING:
    from tui.api.endpoints import Answer


FRESH = 1.0
"""Seconds for which an intent needs no second look: nobody is taken for dead that soon."""


class _Halted(Exception):
    """Nothing more is to be sent."""


class Runner:
    """One operation under way in this process."""

    def __init__(
        self,
        context: RunContext,
        operation: Operation,
        plan: Plan,
        *,
        submitted: Mapping[int, float] | None = None,
        ages: Mapping[int, float] | None = None,
        max_failed: int | None = None,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            context: What to work with.
            operation: As the journal has it.
            plan: Its batches, as planned.
            submitted: Batch -> when it was sent by an earlier process.
            ages: Batch -> seconds that have passed since then, for certain.
            max_failed: Send no further wave when more servers than this did not end well.
        """
        self.operation = operation
        self.in_flight = 0
        """Batches being sent, the writing of the intent included: neither answered nor given up."""
        self.over = False
        """Whether ``run`` has come to its end: nothing is to be changed any more."""
        self.context = context
        self._plan = plan
        self._max_failed = max_failed
        self._posts = asyncio.Semaphore(context.options.posts_at_once)
        self._sending = True
        self._last_wave: int | None = None
        self._stop_reason = ""
        self._halted = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._recorder = StateRecorder(context, operation, self._lose)
        self._reconciler = Reconciler(
            context, operation, self._recorder, submitted=submitted or {}, ages=ages or {}
        )

    async def run(self, *, send: bool) -> None:
        """Follow what was sent to its end and, with ``send``, send what was not.

        Servers still planned at the end were held back by ``hold``, or by ``send`` being false.

        Raises:
            NotOurs: another console has taken the operation over.
        """
        self._sending = self._sending and send
        self._running = asyncio.current_task()
        if self._stop_reason:
            self.cancel(self._stop_reason)
        try:
            for wave in range(self._plan.waves):
                batches = [self._kept(batch) for batch in self._plan.batches if batch.wave == wave]
                if self._sending and any(self._unsent(batch) for batch in batches):
                    self._check_failures()
                await together([self._carry_out(batch) for batch in batches])
            await self._recorder.settled()
        except asyncio.CancelledError:
            if self._recorder.lost and self._running is not None:
                self._running.uncancel()
                raise NotOurs(TAKEN_OVER) from None
            raise
        finally:
            self.over = True

    def cancel(self, reason: str) -> None:
        """Send nothing more; what was sent is followed to its end. ``reason`` is told for each server."""
        self._stop_reason = self._stop_reason or reason
        self._halted.set()
        if self._running is not None and not self.over:  # Before that it is not in the journal yet.
            self._recorder.set(self.operation.ids(State.PLANNED), State.CANCELLED, message=reason)

    def leave_out(self, reasons: Mapping[str, str]) -> None:
        """Never send these servers, though they were planned: server id -> why."""
        self._recorder.set_each(reasons, State.CANCELLED)

    def hold(self, *, finish_wave: bool) -> None:
        """Send nothing more for now: what was not sent stays planned, for a later resume.

        With ``finish_wave`` the wave under way is sent to its end.
        """
        if finish_wave and self._sending:
            kept = [self._kept(batch) for batch in self._plan.batches]
            sent = [batch.wave for batch in kept if batch.server_ids and not self._unsent(batch)]
            self._last_wave = max(sent, default=-1)
        else:
            self._sending = False
            self._halted.set()

    def on_word(self, job_id: str, word: str) -> None:
        """The platform has a new word for a job."""
        self._reconciler.on_word(job_id, word)

    # A batch

    def _kept(self, batch: Batch) -> Batch:
        """A batch without the servers that are never sent."""
        targets = self.operation.targets
        ids = tuple(id_ for id_ in batch.server_ids if targets[id_].state is not State.CANCELLED)
        return batch if len(ids) == len(batch.server_ids) else msgspec.structs.replace(batch, server_ids=ids)

    def _unsent(self, batch: Batch) -> bool:
        return any(self.operation.targets[id_].state is State.PLANNED for id_ in batch.server_ids)

    def _may_send(self, batch: Batch) -> bool:
        held = self._last_wave is not None and batch.wave > self._last_wave
        return self._sending and not held and self._unsent(batch)

    async def _carry_out(self, batch: Batch) -> None:
        if not self._unsent(batch):
            await self._reconciler.take_up(batch)
            return
        async with self._posts:
            if self._may_send(batch):
                await self._unless_halted(self.context.session.valid())
            # Everything may have changed while this one waited.
            if not self._may_send(batch):
                return
            self.in_flight += 1
            try:
                sent, answers = await self._send(batch)
            finally:
                self.in_flight -= 1
        if answers is not None:
            await self._reconciler.follow_answers(sent, answers)
        else:
            await self._reconciler.take_up(batch)

    async def _intend(self, batch: Batch) -> bool:
        """The intent to send, on disk; False, and nothing more is sent, when it cannot be written."""
        try:
            if not await self._recorder.intend(batch):
                return False
        except JournalError as error:
            self._withhold(batch, error)
            return False
        if self._stop_reason:  # Perhaps while the journal was waited for.
            self._withhold(batch)
            return False
        self._reconciler.sent(batch)
        return True

    async def _send(self, batch: Batch) -> "tuple[Batch, list[Answer] | None]":
        """Send a batch until the endpoint takes it: what was sent last, and the answers.

        A refusal at the door says "not carried out", but a gateway may say so of what was. So it is sent
        again a few times only, each time after a look at its servers and as a new intent. There are no
        answers where there is nothing to go by: the states say why then.
        """
        session = self.context.session
        refusal: ApiError
        for sent in range(1, self.context.options.posts + 1):
            if not await self._intend(batch):
                return batch, None
            intended, ids = self.context.clock.monotonic(), batch.server_ids
            pause = self.context.options.look_after
            try:
                return batch, await session.once(partial(self._post, ids, intended))
            except _Halted:
                self._withhold(batch)
                return batch, None
            except NotOurs:
                self._recorder.lose()
                return batch, None
            except JournalError as error:
                self._withhold(batch, error)
                return batch, None
            except (TokenExpired, TokenRenewed) as error:
                refusal = error
            except RateLimited as error:
                refusal, pause = error, max(pause, backoff(sent, 0.0) if error.wait is None else error.wait)
            except (NotAllowed, BadRequest, NotFound) as error:
                self._reconciler.refused(ids, str(error))
                return batch, None
            except Unreachable as error:
                self._recorder.set(ids, State.CANCELLED, message=f"not sent: {error}")
                return batch, None
            except ApiError as error:
                self._recorder.set(ids, State.UNSURE, message=str(error))
                return batch, None
            if sent == self.context.options.posts:
                break
            await self._unless_halted(self._pause(pause))
            if self._halted.is_set():
                self._withhold(batch)
                return batch, None
            batch = await self._reconciler.untouched(batch, str(refusal))
            if not batch.server_ids:
                return batch, None
        self._reconciler.refused(batch.server_ids, f"not taken by the endpoint: {refusal}")
        return batch, None

    def _withhold(self, batch: Batch, error: JournalError | None = None) -> None:
        """What was about to leave does not: cancelled where somebody said so, else left for a resume.

        What cannot be written down cannot be cancelled either: it would be planned in the journal.
        """
        reason = f"not sent: {error}" if error is not None else ""
        if isinstance(error, StopAsked):
            self.cancel(reason)
        elif error is not None:
            self.hold(finish_wave=False)
        state = State.CANCELLED if self._stop_reason else State.PLANNED
        self._recorder.set(batch.server_ids, state, message=self._stop_reason or reason)

    async def _may_leave(self, intended: float) -> None:
        """Asked just before a request leaves, perhaps minutes after its intent: raises what is against it.

        ``intended`` is when the intent was on disk. A moment later it is as good as new, and the journal
        may have much to write.
        """
        if self.context.clock.monotonic() - intended >= FRESH:
            await self.context.journal.do(lambda journal: journal.check_right(self.operation.id))
        if self._halted.is_set():
            raise _Halted

    async def _pause(self, seconds: float) -> None:
        """Wait so long, and until somebody is logged in."""
        await self.context.clock.sleep(seconds)
        await self.context.session.valid()

    async def _post(self, ids: Sequence[str], intended: float, api: Platform) -> "list[Answer]":
        may_leave = partial(self._may_leave, intended)
        return await api.operate(self.context.account, self.operation.action, ids, may_leave)

    async def _unless_halted(self, wait: Coroutine[None, None, object]) -> None:
        """Wait for something, or until nothing more is to be sent."""
        tasks = {asyncio.create_task(wait), asyncio.create_task(self._halted.wait())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    def _check_failures(self) -> None:
        failed = self.operation.count(State.FAILED, State.REFUSED, State.UNSURE)
        if self.operation.action.leaves_trace:
            failed += self.operation.count(State.SUCCEEDED)
        if self._max_failed is not None and failed > self._max_failed:
            self.cancel(
                f"not sent: {failed} servers before it did not end well, more than {self._max_failed}"
            )

    def _lose(self) -> None:
        """Another console took this one for dead: leave everything to that one, at once."""
        self._sending = False
        if self._running is not None:
            self._running.cancel()
