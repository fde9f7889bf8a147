"""The operations of this process: begun, taken up after a restart, shown while another console has them."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING

from tui.engine.clock import Clock
from tui.engine.errors import JournalError, NotOurs
from tui.engine.events import (
    EngineFailed,
    Event,
    OperationEnded,
    OperationNotStarted,
    OperationStarted,
    Progress,
)
from tui.engine.journal.owner import HEARTBEAT
from tui.engine.operations.context import RunContext
from tui.engine.operations.creation import create_operation, new_id, new_operation
from tui.engine.operations.recent import Recent
from tui.engine.operations.remainder import Remainder, plan_remainder
from tui.engine.operations.runner import Runner
from tui.engine.options import Options
from tui.engine.session import Session
from tui.model.operation import Operation, Target
from tui.model.plan import Plan

if TYPE_CHECKING:
    from tui.engine.journal.reader import StoredOperation
    from tui.engine.journal.thread import JournalThread
    from tui.engine.journal.writer import JournalWriter

logger = logging.getLogger(__name__)


class OperationManager:
    """All operations that this process carries out or shows."""

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
        self.options = options
        self._emit = emit
        self._context: RunContext | None = None
        self._runs: dict[str, Runner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._claiming = asyncio.Lock()
        """Held from asking the journal for an operation until it is in ``_tasks``: it is taken up once."""
        self._beating: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def recent(self) -> Mapping[str, Operation]:
        """The operations under way and the newest that ended, by id."""
        return self._recent.operations

    @property
    def running(self) -> bool:
        """Whether anything was sent from here that is not settled, or is about to be sent."""
        return bool(self._runs)

    def work_with(self, context: RunContext) -> None:
        """Work at another endpoint or account from now on. Operations elsewhere are shown no longer."""
        for operation_id in self._tasks.keys() - self._runs.keys():
            self._tasks.pop(operation_id).cancel()
        self._context = context

    def on_word(self, job_id: str, word: str) -> None:
        """The platform has a new word for a job."""
        for runner in list(self._runs.values()):
            runner.on_word(job_id, word)

    async def run(
        self,
        plan: Plan,
        *,
        operation_id: str = "",
        window_id: str = "",
        reason: str = "",
        max_failed: int | None = None,
    ) -> None:
        """Carry a plan out to its end.

        Tells OperationStarted, Progress and OperationEnded, or OperationNotStarted.

        Args:
            plan: What to do.
            operation_id: A new id, made up when empty.
            window_id: The window it belongs to, opened when there is none of that id. Without one, the
                open window of the same user and reason, else a new one.
            reason: The reason or ticket.
            max_failed: Send no further wave when more servers than this did not end well.
        """
        operation_id = operation_id or new_id("op", self._clock.now())
        context = self._context
        reason_not_started = self._not_started_reason(plan)
        if reason_not_started or context is None:
            self._emit(OperationNotStarted(operation_id, reason_not_started))
            return
        operation = new_operation(context, plan, operation_id, reason)
        runner = Runner(context, operation, plan, max_failed=max_failed)
        # Whoever waits here may be cancelled; the operation is not.
        begun = self._begin(runner, plan, window_id, max_failed)
        await asyncio.wait([self._start(runner, plan, begun)])

    async def resume(self, *, send_planned: bool = False) -> None:
        """Take up what the journal says is unfinished at this endpoint and account, and follow it to its end.

        What was sent is tracked; a request whose answer was never recorded is settled by reading the servers,
        and never sent again. What was not sent yet goes out only with ``send_planned``, which takes the
        operator's word; else it stays planned. Before it does, all servers are read: those that are as asked
        by now, or under way, are left out. What another living console carries out is shown as it goes.
        """
        context = self._context
        if context is None:
            return
        if send_planned:
            await context.inventory.refresh()
        followed = []
        endpoint, account = self._session.endpoint_key, context.account
        with contextlib.suppress(JournalError):  # The journal itself tells what is wrong with it.
            for operation_id in await self._journal.do(lambda journal: journal.unfinished(endpoint, account)):
                if send_planned and operation_id in self._runs:
                    await asyncio.wait([self._tasks[operation_id]])
                if (task := await self._follow(operation_id, context, send=send_planned)) is not None:
                    followed.append(task)
        if followed:
            await asyncio.wait(followed)

    async def cancel(self, operation_id: str) -> None:
        """Send nothing more of an operation; what was sent is followed to its end."""
        reason = "stopped by the operator before it was sent"
        runner = self._runs.get(operation_id)
        if runner is not None and runner.over:
            await asyncio.wait([self._tasks[operation_id]])
        with contextlib.suppress(JournalError):  # The journal itself tells what is wrong with it.
            if operation_id not in self._runs and (context := self._context) is not None:
                await self._follow(operation_id, context, send=False, watch=False)
            if (runner := self._runs.get(operation_id)) is not None:
                runner.cancel(reason)
            else:
                await self._journal.do(lambda journal: journal.ask_to_stop(operation_id))

    def hold(self, *, finish_wave: bool = False) -> None:
        """Send nothing more for now, or no further wave; what was not sent waits for a resume."""
        for runner in self._runs.values():
            runner.hold(finish_wave=finish_wave)

    async def wind_down(self, *, send_rest: bool) -> None:
        """Wait until everything sent is settled, and leave the rest in the journal for a later resume.

        With ``send_rest`` the waves under way are sent to their end first; waves not yet begun are left.
        Nobody is there any more: where it takes the operator to log in again, everything is left.
        """
        self.hold(finish_wave=send_rest)
        login_needed = asyncio.create_task(self._session.login_needed())
        while self._runs and not login_needed.done():
            under_way = [self._tasks[id_] for id_ in self._runs]
            await asyncio.wait([login_needed, *under_way], return_when=asyncio.FIRST_COMPLETED)
        login_needed.cancel()
        if self._runs:
            await self.close()

    async def close(self) -> None:
        """Leave everything to the journal. Requests in flight get a moment for their answers."""
        self._closing = True
        async with self._claiming:
            pass  # What is being claimed is given back.
        self.hold()
        deadline = self._clock.monotonic() + self.options.close_grace
        while any(runner.in_flight for runner in self._runs.values()) and self._clock.monotonic() < deadline:
            await self._clock.sleep(0.05)
        unfinished = list(self._runs)
        tasks = [*self._tasks.values(), *([self._beating] if self._beating else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for operation_id in unfinished:
            await self._release(operation_id)

    def _not_started_reason(self, plan: Plan) -> str:
        """Why a plan cannot be begun now; empty when it can."""
        if self._context is None:
            return "nothing was sent: log in first"
        if self._closing:
            return "nothing was sent: Pitstop is about to end"
        if not plan.batches:
            return "nothing was sent: no server is eligible"
        return ""

    async def _follow(
        self, operation_id: str, context: RunContext, *, send: bool, watch: bool = True
    ) -> asyncio.Task[None] | None:
        """The task that carries an operation out or shows it; begun, when there is none and there can be."""

        def claim(journal: "JournalWriter") -> "tuple[bool, StoredOperation]":
            while True:
                mine, stored = journal.claim(operation_id), journal.load(operation_id)
                if mine or stored.elsewhere or stored.operation.ended is not None:
                    return mine, stored
                # Its owner has died between the two.

        async with self._claiming:
            task = self._tasks.get(operation_id)
            if task is None or (not watch and operation_id not in self._runs):
                try:
                    mine, stored = await self._journal.do(claim)
                    rest = await plan_remainder(context, stored) if mine and send else Remainder(send=False)
                except BaseException:
                    self._journal.begin(lambda journal: journal.release(operation_id))
                    raise
                if mine and (self._closing or self._context is not context):
                    await self._release(operation_id)
                elif mine:
                    task = self._take_up(stored, context, rest)
                elif stored.elsewhere and watch and not self._closing:
                    task = self._watch(stored)
        return task

    async def _release(self, operation_id: str) -> None:
        await self._journal.do(lambda journal: journal.release(operation_id))

    def _take_up(self, stored: "StoredOperation", context: RunContext, rest: Remainder) -> asyncio.Task[None]:
        runner = Runner(
            context,
            stored.operation,
            stored.plan,
            submitted=stored.submitted,
            ages=stored.ages,
            max_failed=stored.max_failed,
        )
        self._tell_started(stored.operation, resumed=True)
        runner.leave_out(rest.left_out)
        task = self._start(runner, stored.plan, self._carry_out(runner, send=rest.send))
        if rest.not_sent_reason:
            self._emit(
                OperationNotStarted(stored.operation.id, f"the rest was not sent: {rest.not_sent_reason}")
            )
        return task

    def _watch(self, stored: "StoredOperation") -> asyncio.Task[None]:
        self._tell_started(stored.operation, resumed=True, elsewhere=True)
        return self._keep(stored.operation.id, self._show(stored))

    def _tell_started(self, operation: Operation, *, resumed: bool = False, elsewhere: bool = False) -> None:
        self._recent.add(operation)
        self._emit(OperationStarted.of(operation, resumed=resumed, elsewhere=elsewhere))

    def _start(self, runner: Runner, plan: Plan, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        for batch in plan.batches:
            runner.context.inventory.note_places(batch.data_center, batch.server_ids)
        self._runs[runner.operation.id] = runner
        if self._beating is None or self._beating.done():
            self._beating = asyncio.create_task(self._beat())
        return self._keep(runner.operation.id, work)

    def _keep(self, operation_id: str, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
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

    async def _begin(self, runner: Runner, plan: Plan, window_id: str, max_failed: int | None) -> None:
        """Carry out an operation that is not in the journal yet."""
        operation = runner.operation
        try:
            await create_operation(runner.context, operation, plan, window_id, max_failed)
        except JournalError as error:
            del self._runs[operation.id]
            self._emit(OperationNotStarted(operation.id, f"nothing was sent: {error}"))
            return
        except BaseException:
            del self._runs[operation.id]
            raise
        self._tell_started(operation)
        await self._carry_out(runner, send=True)

    async def _carry_out(self, runner: Runner, *, send: bool) -> None:
        operation = runner.operation
        try:
            await runner.run(send=send)
            now = self._clock.now()
            if operation.left_to_send:
                await self._release(operation.id)
            else:
                operation.ended = now
                await self._journal.end(operation.id, now)
        except NotOurs:
            self._runs.pop(operation.id, None)
            stored = await self._journal.do(lambda journal: journal.load(operation.id))
            self._tell_started(stored.operation, resumed=True, elsewhere=True)
            await self._show(stored)
            return
        finally:
            self._runs.pop(operation.id, None)
        self._tell_ended(operation, now)

    async def _show(self, stored: "StoredOperation") -> None:
        """Tell how an operation goes that another console carries out; take it up when that one dies."""
        operation, newest = stored.operation, stored.newest
        while not self._closing:
            await self._clock.sleep(self.options.watch_interval)
            with contextlib.suppress(JournalError):  # Told by the journal; this only shows what it has.
                targets, newest, operation.ended, elsewhere = await self._journal.do(
                    partial(_look, operation.id, newest)
                )
                if targets:
                    operation.restore(targets)
                    self._emit(Progress(operation.id, tuple(targets)))
                if operation.ended is not None:
                    self._tell_ended(operation, operation.ended)
                    return
                if not elsewhere and (context := self._context) is not None:
                    await self._follow(operation.id, context, send=False, watch=False)
                    if operation.id in self._runs:
                        await asyncio.wait([self._tasks[operation.id]])
                        return

    def _tell_ended(self, operation: Operation, at: float) -> None:
        self._emit(OperationEnded(operation.id, at, operation.summary()))

    async def _beat(self) -> None:
        """Give signs of life while anything is under way, and hear what other consoles ask."""
        while self._runs:
            await self._clock.sleep(HEARTBEAT)
            await self._journal.do(lambda journal: journal.beat())
            with contextlib.suppress(JournalError):
                for operation_id in await self._journal.do(lambda journal: journal.stops_asked()):
                    if (runner := self._runs.get(operation_id)) is not None:
                        runner.cancel("stopped from another Pitstop of yours before it was sent")


def _look(
    operation_id: str, newest: int, journal: "JournalWriter"
) -> tuple[list[Target], int, float | None, bool]:
    """What is new of an operation, the newest outcome, when it ended, and whether another console has it."""
    return *journal.changes(operation_id, newest), *journal.standing(operation_id)
