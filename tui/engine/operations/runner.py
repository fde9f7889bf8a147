"""Carries one operation out: wave by wave, batch by batch, each batch sent once.

Invariants:

- The intent of a batch is in the journal before its request leaves; its servers are never sent again.
- Every change of a server's state goes through ``StateRecorder``: applied, journalled, then emitted.
- Only the servers themselves show their outcome: see ``Reconciler``.
"""

import asyncio
from collections.abc import Coroutine, Mapping
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
from tui.engine.errors import TAKEN_OVER, JournalError, OwnershipLost, StopRequested
from tui.engine.operations.context import RunContext
from tui.engine.operations.reconciler import Reconciler, run_all
from tui.engine.operations.recorder import StateRecorder
from tui.engine.polling.schedule import backoff
from tui.model.operation import BAD_OUTCOMES, Operation, State
from tui.model.plan import Batch, Plan

if TYPE_CHECKING:
    from tui.api.endpoints import Answer


FRESH = 1.0
"""Seconds after which the right to send is checked again: no process is declared dead sooner."""


class _Halted(Exception):
    """Sending was stopped before the request was sent."""


class Runner:
    """One operation that this process carries out."""

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
            context: The shared parts of the engine.
            operation: As in the journal.
            plan: Its batches.
            submitted: Batch -> when an earlier process sent it, in seconds since the epoch.
            ages: Batch -> seconds that have passed since then at least.
            max_failed: Send no further wave after more failures than this.
        """
        self.operation = operation
        self.in_flight = 0
        """Batches being sent, from writing the intent until the answer or the end of all attempts."""
        self.over = False
        """Whether ``run`` has ended, so that no state changes any more."""
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
        """Follow what was sent until it is settled and, with ``send``, send the rest.

        Servers still planned at the end were held back by ``hold``, or because ``send`` is False.

        Raises:
            OwnershipLost: another process has claimed the operation.
        """
        self._sending = self._sending and send
        self._running = asyncio.current_task()
        if self._stop_reason:
            self.cancel(self._stop_reason)
        try:
            for wave in range(self._plan.waves):
                batches = [
                    self._without_cancelled(batch) for batch in self._plan.batches if batch.wave == wave
                ]
                if self._sending and any(self._unsent(batch) for batch in batches):
                    self._check_failures()
                await run_all([self._carry_out(batch) for batch in batches])
            await self._recorder.flush()
        except asyncio.CancelledError:
            if self._recorder.lost and self._running is not None:
                self._running.uncancel()
                raise OwnershipLost(TAKEN_OVER) from None
            raise
        finally:
            self.over = True

    def cancel(self, reason: str) -> None:
        """Send nothing more; what was sent is followed. ``reason`` becomes the message of unsent servers."""
        self._stop_reason = self._stop_reason or reason
        self._halted.set()
        if self._running is not None and not self.over:  # Before, it is not in the journal yet.
            self._recorder.set(self.operation.ids(State.PLANNED), State.CANCELLED, message=reason)

    def leave_out(self, reasons: Mapping[str, str]) -> None:
        """Never send these planned servers: server id -> reason."""
        self._recorder.set_each(reasons, State.CANCELLED)

    def hold(self, *, finish_wave: bool) -> None:
        """Send nothing more for now; unsent servers stay planned for a later resume.

        With ``finish_wave`` the rest of the current wave is still sent.
        """
        if finish_wave and self._sending:
            batches = [self._without_cancelled(batch) for batch in self._plan.batches]
            sent = [batch.wave for batch in batches if batch.server_ids and not self._unsent(batch)]
            self._last_wave = max(sent, default=-1)
        else:
            self._sending = False
            self._halted.set()

    # A batch

    def _without_cancelled(self, batch: Batch) -> Batch:
        """The batch without its cancelled servers, which are never sent."""
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
            await self._reconciler.follow(batch)
            return
        async with self._posts:
            if self._may_send(batch):
                await self._unless_halted(self.context.session.wait_until_valid())
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
            await self._reconciler.follow(batch)

    async def _record_intent(self, batch: Batch) -> bool:
        """Commit the intent to send a batch; returns False when it must not be sent."""
        try:
            if not await self._recorder.record_intent(batch):
                return False
        except JournalError as error:
            self._withhold(batch, error)
            return False
        if self._stop_reason:  # Perhaps while the intent was written.
            self._withhold(batch)
            return False
        self._reconciler.sending(batch)
        return True

    async def _send(self, batch: Batch) -> "tuple[Batch, list[Answer] | None]":
        """Send a batch until the endpoint accepts it; returns the part sent last, and its answers.

        A refusal (401, 429) means "not carried out", but a gateway may refuse what was. So the batch is sent
        again a few times only, each time as a new intent and after its servers were read. The answers are
        None when there are none; the states and messages of the servers explain why.
        """
        session, account, action = self.context.session, self.context.account, self.operation.action
        refusal: ApiError
        for sent in range(1, self.context.options.max_posts + 1):
            if not await self._record_intent(batch):
                return batch, None
            ids = batch.server_ids
            may_leave = partial(self._may_leave, self.context.clock.monotonic())
            pause = self.context.options.retry_after
            try:
                return batch, await session.call(
                    lambda api: api.operate(account, action, ids, may_leave)  # noqa: B023 - called at once
                )
            except _Halted:
                self._withhold(batch)
                return batch, None
            except OwnershipLost:
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
            if sent == self.context.options.max_posts:
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
        """Do not send a batch: its servers are cancelled when sending was stopped, else they stay planned.

        When the journal cannot be written they are not cancelled either: they stay planned in the journal.
        """
        reason = f"not sent: {error}" if error is not None else ""
        if isinstance(error, StopRequested):
            self.cancel(reason)
        elif error is not None:
            self.hold(finish_wave=False)
        state = State.CANCELLED if self._stop_reason else State.PLANNED
        self._recorder.set(batch.server_ids, state, message=self._stop_reason or reason)

    async def _may_leave(self, intended: float) -> None:
        """Check just before a request leaves, perhaps minutes after its intent, that it still may.

        ``intended`` is the monotonic time at which the intent was committed; while it is fresh, the journal
        is not read.

        Raises:
            JournalError: another process owns the operation or stopped it, or the journal cannot be read.
            _Halted: sending was stopped here.
        """
        if self.context.clock.monotonic() - intended >= FRESH:
            await self.context.journal.do(lambda journal: journal.check_may_send(self.operation.id))
        if self._halted.is_set():
            raise _Halted

    async def _pause(self, seconds: float) -> None:
        """Wait ``seconds``, and until somebody is logged in."""
        await self.context.clock.sleep(seconds)
        await self.context.session.wait_until_valid()

    async def _unless_halted(self, wait: Coroutine[None, None, object]) -> None:
        """Wait for a coroutine, or until sending is stopped; the coroutine is cancelled then."""
        tasks = {asyncio.create_task(wait), asyncio.create_task(self._halted.wait())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    def _check_failures(self) -> None:
        failed = self.operation.count(*BAD_OUTCOMES)
        if self.operation.action.leaves_trace:
            failed += self.operation.count(State.SUCCEEDED)
        if self._max_failed is not None and failed > self._max_failed:
            self.cancel(
                f"not sent: {failed} servers before it did not end well, more than {self._max_failed}"
            )

    def _lose(self) -> None:
        """Stop at once: another process has claimed the operation."""
        self._sending = False
        if self._running is not None:
            self._running.cancel()
