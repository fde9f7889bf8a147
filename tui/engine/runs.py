"""The operations of this process: begun, taken up after a restart, shown while another console has them."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from tui.engine.beginning import new_id, write_down
from tui.engine.clock import Clock
from tui.engine.errors import JournalError, NotOurs
from tui.engine.events import (
    EngineFailed,
    Event,
    JournalChanged,
    OperationEnded,
    OperationNotStarted,
    OperationStarted,
    Progress,
)
from tui.engine.options import Options
from tui.engine.owner import HEARTBEAT
from tui.engine.runner import Runner
from tui.engine.services import Services
from tui.engine.session import Session
from tui.model.operation import Operation
from tui.model.plan import Plan

if TYPE_CHECKING:
    from tui.engine.journal import Journal
    from tui.engine.records import Stored

KEEP_ENDED = 20
"""How many ended operations stay in memory."""

logger = logging.getLogger(__name__)


class Runs:
    """All operations that this process carries out or shows."""

    def __init__(
        self,
        journal: "Journal",
        session: Session,
        clock: Clock,
        options: Options,
        emit: Callable[[Event], None],
    ) -> None:
        self.operations: dict[str, Operation] = {}
        """Those under way, and the newest that ended."""
        self._journal = journal
        self._session = session
        self._clock = clock
        self.options = options
        self._emit = emit
        self._services: Services | None = None
        self._runs: dict[str, Runner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._beating: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def running(self) -> bool:
        """Whether anything was sent from here that is not settled, or is about to be sent."""
        return bool(self._runs)

    def work_with(self, services: Services) -> None:
        """Work at another endpoint or account from now on. Operations elsewhere are shown no longer."""
        for operation_id in self._tasks.keys() - self._runs.keys():
            self._tasks.pop(operation_id).cancel()
        self._services = services

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
        services = self._services
        why_not = self._why_not(plan)
        if why_not or services is None:
            self._emit(OperationNotStarted(operation_id, why_not))
            return
        try:
            operation = write_down(services, plan, operation_id, window_id, reason, max_failed)
        except JournalError as error:
            self._emit(OperationNotStarted(operation_id, f"nothing was sent: {error}"))
            return
        self._tell_started(operation)
        runner = Runner(services, operation, plan, max_failed=max_failed)
        # Whoever waits here may be cancelled; the operation is not.
        await asyncio.wait([self._start(runner, plan, send=True)])

    async def resume(self, *, send_planned: bool = False) -> None:
        """Take up what the journal says is unfinished at this endpoint and account, and follow it to its end.

        What was sent is tracked; a request whose answer was never recorded is settled by reading the servers,
        and never sent again. What was not sent yet goes out only with ``send_planned``, which takes the
        operator's word; else it stays planned. What another living console carries out is shown as it goes.
        """
        services = self._services
        if services is None:
            return
        followed = []
        try:
            for operation_id in self._journal.unfinished(self._session.place, services.account):
                if operation_id in self._tasks:
                    if operation_id not in self._runs or not send_planned:
                        followed.append(self._tasks[operation_id])
                        continue
                    await asyncio.wait([self._tasks[operation_id]])
                mine = self._journal.claim(operation_id)
                stored = self._journal.load(operation_id)
                if mine:
                    followed.append(self._take_up(stored, services, send=send_planned))
                elif stored.elsewhere:
                    followed.append(self._watch(stored))
        except JournalError as error:
            self._tell_problem(error)
        if followed:
            await asyncio.wait(followed)

    def cancel(self, operation_id: str) -> None:
        """Send nothing more of an operation; what was sent is followed to its end."""
        reason = "stopped by the operator before it was sent"
        runner = self._runs.get(operation_id)
        if runner is not None:
            runner.cancel(reason)
            return
        try:
            if self._services is not None and self._journal.claim(operation_id):
                self._take_up(self._journal.load(operation_id), self._services, send=False, cancel=reason)
            else:
                self._journal.ask_to_stop(operation_id)
        except JournalError as error:
            self._tell_problem(error)

    async def drain(self, *, send_rest: bool) -> None:
        """Wait until everything sent is settled, and leave the rest in the journal for a later resume.

        With ``send_rest`` the waves under way are sent to their end first; waves not yet begun are left.
        Nobody is there any more: where it takes the operator to log in again, everything is left.
        """
        for runner in self._runs.values():
            runner.hold(finish_wave=send_rest)
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
        for runner in self._runs.values():
            runner.hold(finish_wave=False)
        deadline = self._clock.monotonic() + self.options.close_grace
        while any(runner.in_flight for runner in self._runs.values()) and self._clock.monotonic() < deadline:
            await self._clock.sleep(0.05)
        unfinished = list(self._runs)
        tasks = [*self._tasks.values(), *([self._beating] if self._beating else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for operation_id in unfinished:
            self._journal.release(operation_id)

    def _why_not(self, plan: Plan) -> str:
        """Why a plan cannot be begun now; empty when it can."""
        if self._services is None:
            return "nothing was sent: log in first"
        if self._closing:
            return "nothing was sent: Pitstop is about to end"
        if not plan.batches:
            return "nothing was sent: no server is eligible"
        return ""

    def _take_up(
        self, stored: "Stored", services: Services, *, send: bool, cancel: str = ""
    ) -> asyncio.Task[None]:
        runner = Runner(
            services,
            stored.operation,
            stored.plan,
            submitted=stored.submitted,
            ages=stored.ages,
            max_failed=stored.max_failed,
        )
        self._tell_started(stored.operation, resumed=True)
        task = self._start(runner, stored.plan, send=send)
        if cancel:
            runner.cancel(cancel)
        return task

    def _watch(self, stored: "Stored") -> asyncio.Task[None]:
        self._tell_started(stored.operation, resumed=True, elsewhere=True)
        return self._keep(stored.operation.id, self._show(stored))

    def _tell_started(self, operation: Operation, *, resumed: bool = False, elsewhere: bool = False) -> None:
        self.operations[operation.id] = operation
        self._emit(
            OperationStarted(
                operation.id,
                operation.action,
                operation.account,
                operation.window_id,
                operation.reason,
                operation.started,
                tuple(operation.targets.values()),
                resumed,
                elsewhere,
            )
        )

    def _start(self, runner: Runner, plan: Plan, *, send: bool) -> asyncio.Task[None]:
        for batch in plan.batches:
            runner.services.inventory.note_places(batch.data_center, batch.server_ids)
        self._runs[runner.operation.id] = runner
        if self._beating is None or self._beating.done():
            self._beating = asyncio.create_task(self._beat())
        return self._keep(runner.operation.id, self._carry_out(runner, send=send))

    def _keep(self, operation_id: str, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=operation_id)
        self._tasks[operation_id] = task

        def done(task: asyncio.Task[None]) -> None:
            if self._tasks.get(operation_id) is task:
                del self._tasks[operation_id]
            if not task.cancelled() and (error := task.exception()) is not None:
                logger.error("operation %s broke", operation_id, exc_info=error)
                self._emit(
                    EngineFailed(f"{operation_id} can no longer be followed here ({error!r}); resume it")
                )

        task.add_done_callback(done)
        return task

    async def _carry_out(self, runner: Runner, *, send: bool) -> None:
        operation = runner.operation
        try:
            await runner.run(send=send)
        except NotOurs:
            self._runs.pop(operation.id, None)
            stored = self._journal.load(operation.id)
            self._tell_started(stored.operation, resumed=True, elsewhere=True)
            await self._show(stored)
            return
        finally:
            self._runs.pop(operation.id, None)
        now = self._clock.now()
        if operation.left_to_send:
            self._journal.release(operation.id)
        else:
            operation.ended = now
            self._journal.end(operation.id, now)
        self._tell_ended(operation, now)

    async def _show(self, stored: "Stored") -> None:
        """Tell how an operation goes that another console carries out; take it up when that one dies."""
        operation, newest = stored.operation, stored.newest
        while not self._closing:
            await self._clock.sleep(self.options.watch_interval)
            try:
                targets, newest = self._journal.changes(operation.id, newest)
                if targets:
                    operation.restore(targets)
                    self._emit(Progress(operation.id, tuple(targets)))
                operation.ended, elsewhere = self._journal.standing(operation.id)
                if operation.ended is not None:
                    self._tell_ended(operation, operation.ended)
                    return
                if not elsewhere:
                    if self._journal.claim(operation.id) and self._services is not None:
                        stored = self._journal.load(operation.id)
                        await self._take_up(stored, self._services, send=False)
                    return
            except JournalError:
                continue  # Told by the journal; this only shows what it has.

    def _tell_ended(self, operation: Operation, at: float) -> None:
        self._emit(OperationEnded(operation.id, at, operation.summary()))
        ended = [id_ for id_ in self.operations if id_ not in self._tasks or id_ == operation.id]
        for operation_id in ended[:-KEEP_ENDED]:
            del self.operations[operation_id]

    async def _beat(self) -> None:
        """Give signs of life while anything is under way, and hear what other consoles ask."""
        while self._runs:
            await self._clock.sleep(HEARTBEAT)
            self._journal.beat()
            for operation_id, runner in list(self._runs.items()):
                try:
                    if self._journal.stop_asked(operation_id):
                        runner.cancel("stopped from another Pitstop of yours before it was sent")
                except JournalError:
                    break

    def _tell_problem(self, error: JournalError) -> None:
        if str(error) != self._journal.database.problem:  # Else it was told when it came up.
            self._emit(JournalChanged(str(error)))
