"""The operations of this process: started here, resumed after a restart, or watched in another process."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from tui.engine.clock import Clock
from tui.engine.errors import JournalDamaged, JournalError, OwnershipLost
from tui.engine.events import (
    EngineFailed,
    Event,
    OperationEnded,
    OperationNotStarted,
    OperationStarted,
)
from tui.engine.journal.owner import HEARTBEAT
from tui.engine.operations.context import RunContext
from tui.engine.operations.creation import create_operation, new_id, new_operation
from tui.engine.operations.recent import Recent
from tui.engine.operations.remainder import Remainder, plan_remainder
from tui.engine.operations.runner import Runner
from tui.engine.operations.watched import WatchedOperation
from tui.engine.options import Options
from tui.engine.session import Session
from tui.model.operation import Operation
from tui.model.plan import Plan

if TYPE_CHECKING:
    from tui.engine.journal.reader import StoredOperation
    from tui.engine.journal.thread import JournalThread

logger = logging.getLogger(__name__)

CLAIMED_TOGETHER = 200
"""Unfinished operations that are claimed in one transaction."""


class OperationManager:
    """Starts, resumes, watches, cancels and winds down operations."""

    def __init__(
        self,
        journal: "JournalThread",
        session: Session,
        clock: Clock,
        options: Options,
        emit: Callable[[Event], None],
    ) -> None:
        self._recent = Recent()
        self._journal = journal
        self._session = session
        self._clock = clock
        self._options = options
        self._emit = emit
        self._context: RunContext | None = None
        self._runners: dict[str, Runner] = {}
        """Of the operations that this process carries out, by operation id."""
        self._tasks: dict[str, asyncio.Task[None]] = {}
        """Of those, and of the ones that this process watches."""
        self._claiming = asyncio.Lock()
        """Held from the claim of an operation until it is in ``_tasks``, so that it is resumed once."""
        self._heartbeat: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def recent(self) -> Mapping[str, Operation]:
        """The operations under way and the newest that ended, by id."""
        return self._recent.operations

    @property
    def running(self) -> bool:
        """Whether this process carries out any operation that is not settled."""
        return bool(self._runners)

    def use(self, context: RunContext) -> None:
        """Work at another endpoint or account from now on, and stop watching operations elsewhere."""
        for operation_id in self._tasks.keys() - self._runners.keys():
            self._tasks.pop(operation_id).cancel()
        self._context = context

    async def run(
        self,
        plan: Plan,
        *,
        operation_id: str = "",
        window_id: str = "",
        reason: str = "",
        planned_end: float | None = None,
        max_failed: int | None = None,
        retry_of: str = "",
    ) -> None:
        """Carry a plan out until every server is settled.

        Emits OperationStarted, Progress and OperationEnded, or OperationNotStarted. When this call is
        cancelled, the operation goes on.

        Args:
            plan: What to do.
            operation_id: A new id; generated when empty.
            window_id: The window it belongs to, opened when there is none with that id. When empty, the
                open window of the same user and reason, else a new one.
            reason: The reason or ticket.
            planned_end: The window's new planned end, in seconds since the epoch; None leaves it.
            max_failed: Send no further wave after more failures than this.
            retry_of: The id of the operation whose servers are tried again.
        """
        operation_id = operation_id or new_id("op", self._clock.now())
        context = self._context
        reason_not_started = self._not_started_reason(plan)
        if reason_not_started or context is None:
            self._emit(OperationNotStarted(operation_id, reason_not_started))
            return
        operation = new_operation(context, plan, operation_id, reason, retry_of)
        runner = Runner(context, operation, plan, max_failed=max_failed)
        create = partial(
            create_operation,
            context,
            operation,
            plan,
            window_id=window_id,
            planned_end=planned_end,
            max_failed=max_failed,
        )
        work = self._create_and_carry_out(runner, create)
        await asyncio.wait([self._start(runner, plan, work)])  # Cancelled here, it goes on.

    async def resume(self, *, send_planned: bool = False) -> None:
        """Resume the unfinished operations of this endpoint and account, until every server sent is settled.

        Sent servers are tracked. A request without a recorded answer is settled by reading its servers, and
        never sent again. An operation that another running process carries out is watched.

        Args:
            send_planned: Send unsent servers too; the operator must have agreed. The inventory is read first:
                servers already in the requested state, or under way elsewhere, are omitted. Otherwise they
                stay planned.
        """
        context = self._context
        if context is None:
            return
        if send_planned:
            await context.inventory.refresh()
        followed = []
        endpoint, account = self._session.endpoint_key, context.account
        with contextlib.suppress(JournalError):  # JournalChanged reports it.
            ids = await self._journal.do(lambda journal: journal.unfinished(endpoint, account))
            # Before the rest of an operation is sent, the one before it must be under way.
            together = 1 if send_planned else CLAIMED_TOGETHER
            for first in range(0, len(ids), together):
                some = ids[first : first + together]
                if send_planned and (running := [self._tasks[id_] for id_ in some if id_ in self._runners]):
                    await asyncio.wait(running)
                try:
                    followed += await self._follow(some, context, send=send_planned)
                except JournalDamaged:  # One of them is: those before it are resumed all the same.
                    for id_ in some:
                        followed += await self._follow([id_], context, send=send_planned)
        if followed:
            await asyncio.wait(followed)

    async def cancel(self, operation_id: str) -> None:
        """Send nothing more of an operation, whichever process carries it out; what was sent is followed."""
        reason = "stopped by the operator before it was sent"
        runner = self._runners.get(operation_id)
        if runner is not None and runner.over:
            await asyncio.wait([self._tasks[operation_id]])
        with contextlib.suppress(JournalError):  # JournalChanged reports it.
            if operation_id not in self._runners and (context := self._context) is not None:
                await self._follow([operation_id], context, send=False, watch=False)
            if (runner := self._runners.get(operation_id)) is not None:
                runner.cancel(reason)
            else:
                await self._journal.do(lambda journal: journal.request_stop(operation_id))

    def hold(self, *, finish_wave: bool = False) -> None:
        """Send nothing more for now, or no further wave; unsent servers wait for a resume."""
        for runner in self._runners.values():
            runner.hold(finish_wave=finish_wave)

    async def wind_down(self, *, send_rest: bool) -> None:
        """Wait until everything sent is settled; leave the rest in the journal for a later resume.

        With ``send_rest`` the rest of each current wave is sent first. Everything is left when the operator
        would have to log in again: nobody is there to do it.
        """
        self.hold(finish_wave=send_rest)
        refused = asyncio.create_task(self._session.wait_until_refused())
        while self._runners and not refused.done():
            under_way = [self._tasks[id_] for id_ in self._runners]
            await asyncio.wait([refused, *under_way], return_when=asyncio.FIRST_COMPLETED)
        refused.cancel()
        if self._runners:
            await self.close()

    async def close(self) -> None:
        """Leave everything to the journal.

        Requests in flight have ``Options.close_grace`` seconds to be answered.
        """
        self._closing = True
        async with self._claiming:
            pass  # An operation being claimed is released.
        self.hold()
        deadline = self._clock.monotonic() + self._options.close_grace
        while (
            any(runner.in_flight for runner in self._runners.values()) and self._clock.monotonic() < deadline
        ):
            await self._clock.sleep(0.05)
        unfinished = list(self._runners)
        tasks = [*self._tasks.values(), *([self._heartbeat] if self._heartbeat else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if unfinished:
            await self._release(unfinished)

    def _not_started_reason(self, plan: Plan) -> str:
        """Why a plan cannot be started now; empty when it can."""
        if self._context is None:
            return "nothing was sent: log in first"
        if self._closing:
            return "nothing was sent: Pitstop is about to end"
        if not plan.batches:
            return "nothing was sent: no server is eligible"
        return ""

    async def _follow(
        self, operation_ids: Sequence[str], context: RunContext, *, send: bool, watch: bool = True
    ) -> list[asyncio.Task[None]]:
        """Return the tasks that carry operations out or watch them, started if need be."""
        async with self._claiming:
            new = [
                id_
                for id_ in operation_ids
                if id_ not in self._tasks or (not watch and id_ not in self._runners)
            ]
            try:
                claimed = await self._journal.do(lambda journal: journal.claim_all(new))
                rests = [
                    await plan_remainder(context, stored) if mine and send else Remainder(send=False)
                    for mine, stored in claimed
                ]
            except BaseException:
                self._journal.start(lambda journal: journal.release(new))
                raise
            if self._closing or self._context is not context:
                await self._release(new)
                return []
            for (mine, stored), rest in zip(claimed, rests, strict=True):
                if mine:
                    self._resume(stored, context, rest)
                elif stored.elsewhere and watch:
                    self._add(stored.operation, resumed=True, elsewhere=True)
                    self._create_task(stored.operation.id, self._watch(stored))
        return [self._tasks[id_] for id_ in operation_ids if id_ in self._tasks]

    async def _release(self, operation_ids: Sequence[str]) -> None:
        await self._journal.do(lambda journal: journal.release(operation_ids))

    def _resume(self, stored: "StoredOperation", context: RunContext, rest: Remainder) -> None:
        runner = Runner(
            context,
            stored.operation,
            stored.plan,
            submitted=stored.submitted,
            ages=stored.ages,
            max_failed=stored.max_failed,
        )
        self._add(stored.operation, resumed=True)
        runner.leave_out(rest.left_out)
        self._start(runner, stored.plan, self._carry_out(runner, send=rest.send))
        if rest.not_sent_reason:
            self._emit(
                OperationNotStarted(stored.operation.id, f"the rest was not sent: {rest.not_sent_reason}")
            )

    def _add(self, operation: Operation, *, resumed: bool = False, elsewhere: bool = False) -> None:
        self._recent.add(operation)
        self._emit(OperationStarted.of(operation, resumed=resumed, elsewhere=elsewhere))

    def _start(self, runner: Runner, plan: Plan, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        for batch in plan.batches:
            runner.context.inventory.note_data_centers(batch.data_center, batch.server_ids)
        self._runners[runner.operation.id] = runner
        if self._heartbeat is None or self._heartbeat.done():
            self._heartbeat = asyncio.create_task(self._send_heartbeats())
        return self._create_task(runner.operation.id, work)

    def _create_task(self, operation_id: str, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=operation_id)
        self._tasks[operation_id] = task

        def done(task: asyncio.Task[None]) -> None:
            if self._tasks.get(operation_id) is task:
                del self._tasks[operation_id]
                self._recent.end(operation_id)
            if not task.cancelled() and (error := task.exception()) is not None:
                logger.error("operation %s broke", operation_id, exc_info=error)
                self._emit(
                    EngineFailed(f"{operation_id} can no longer be followed here ({error!r}); resume it")
                )

        task.add_done_callback(done)
        return task

    async def _create_and_carry_out(
        self, runner: Runner, create: Callable[[], Coroutine[None, None, None]]
    ) -> None:
        """Carry out an operation after ``create`` has committed it to the journal."""
        operation = runner.operation
        try:
            await create()
        except JournalError as error:
            del self._runners[operation.id]
            self._emit(OperationNotStarted(operation.id, f"nothing was sent: {error}"))
            return
        except BaseException:
            del self._runners[operation.id]
            raise
        self._add(operation)
        await self._carry_out(runner, send=True)

    async def _carry_out(self, runner: Runner, *, send: bool) -> None:
        operation = runner.operation
        try:
            await runner.run(send=send)
            now = self._clock.now()
            if operation.unsent:
                await self._release([operation.id])
            else:
                operation.ended = now
                await self._journal.end(operation.id, now)
        except OwnershipLost:
            self._runners.pop(operation.id, None)
            stored = await self._journal.do(lambda journal: journal.load(operation.id))
            self._add(stored.operation, resumed=True, elsewhere=True)
            await self._watch(stored)
            return
        finally:
            self._runners.pop(operation.id, None)
        self._emit(OperationEnded(operation.id, now, operation.summary()))

    async def _watch(self, stored: "StoredOperation") -> None:
        """Watch an operation that another process carries out; carry it out here when that process dies."""
        watched, operation_id = WatchedOperation(stored, self._journal, self._emit), stored.operation.id
        while not self._closing:
            await self._clock.sleep(self._options.watch_interval)
            with contextlib.suppress(JournalError):  # JournalChanged reports it.
                elsewhere = await watched.update()
                if watched.operation.ended is not None:
                    return
                if not elsewhere and (context := self._context) is not None:
                    await self._follow([operation_id], context, send=False, watch=False)
                    if operation_id in self._runners:
                        await asyncio.wait([self._tasks[operation_id]])
                        return

    async def _send_heartbeats(self) -> None:
        """Renew the heartbeat while anything is under way, and stop what another console requests to stop."""
        while self._runners:
            await self._clock.sleep(HEARTBEAT)
            await self._journal.do(lambda journal: journal.heartbeat())
            with contextlib.suppress(JournalError):
                for operation_id in await self._journal.do(lambda journal: journal.stop_requests()):
                    if (runner := self._runners.get(operation_id)) is not None:
                        runner.cancel("stopped from another Pitstop of yours before it was sent")
