"""The engine for callers on other threads: it runs on a thread and event loop of its own.

A screen that stalls delays no poll, no wave and no journal write. Importing this module loads neither the
HTTP library nor SQLite; the thread does.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from tui.engine.clock import Clock, SystemClock
from tui.engine.endpoint import Endpoint
from tui.engine.errors import JournalError
from tui.engine.events import EngineFailed, Event
from tui.engine.operations.creation import new_id
from tui.engine.options import Options
from tui.engine.outbox import Outbox
from tui.engine.platform import Connect
from tui.engine.service import EngineService
from tui.model.plan import Plan

logger = logging.getLogger(__name__)


class Engine:
    """Takes commands, which return at once, and emits their results as events.

    Methods may be called from any thread. Those that give a command raise RuntimeError before ``start``.
    """

    def __init__(
        self,
        journal_path: Path,
        *,
        clock: Clock | None = None,
        options: Options | None = None,
        connect: Connect | None = None,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    ) -> None:
        self._journal_path = journal_path
        self._clock = clock or SystemClock()
        self._options = options or Options()
        self._connect = connect
        self._loop_factory = loop_factory
        self._outbox = Outbox()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._main, name="engine", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._service: EngineService | None = None
        self._stopping: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._requested: set[str] = set()

    def start(self) -> None:
        """Start the thread and wait until it takes commands."""
        self._thread.start()
        self._ready.wait()

    def login(self, endpoint: Endpoint, user: str, password: str, account: str = "") -> None:
        """See ``EngineService.login``."""
        self._do(lambda service: service.login(endpoint, user, password, account))

    def unlock(self, password: str) -> None:
        """See ``EngineService.unlock``."""
        self._do(lambda service: service.unlock(password))

    def refresh(self) -> None:
        """See ``Inventory.keep_reading``."""
        self._do(lambda service: service.inventory.keep_reading())

    def read_details(self, server_id: str) -> None:
        """See ``Inventory.read_details``."""
        self._do(lambda service: service.inventory.read_details(server_id))

    def read_prior_targets(self) -> None:
        """See ``EngineService.emit_prior_targets``."""
        self._do(lambda service: service.emit_prior_targets())

    def run(self, plan: Plan, *, reason: str = "") -> str:
        """Carry out a plan, see ``OperationManager.run``; returns the id that the operation will have."""
        operation_id = new_id("op", self._clock.now())

        async def run(service: EngineService) -> None:
            try:
                await service.operations.run(plan, operation_id=operation_id, reason=reason)
            finally:
                self._requested.discard(operation_id)

        self._requested.add(operation_id)
        self._do(run)
        return operation_id

    def resume(self, *, send_planned: bool = False) -> None:
        """See ``OperationManager.resume``."""
        self._do(lambda service: service.operations.resume(send_planned=send_planned))

    def cancel(self, operation_id: str) -> None:
        """See ``OperationManager.cancel``."""
        self._do(lambda service: service.operations.cancel(operation_id))

    def wind_down(self, *, send_rest: bool) -> None:
        """See ``OperationManager.wind_down``; ``running`` returns False when it is done."""
        self._do(lambda service: service.operations.wind_down(send_rest=send_rest))

    def on_events(self, wake: Callable[[], None]) -> None:
        """Set ``wake``: called on the engine's thread when an event arrives in the empty queue."""
        self._outbox.on_events = wake

    def fetch_events(self) -> list[Event]:
        """Return all events since the last call, in order."""
        return self._outbox.fetch()

    def running(self) -> bool:
        """Whether any request was sent whose outcome is not settled, or is about to be sent."""
        return bool(self._requested) or (self._service is not None and self._service.operations.running)

    def stop(self, timeout: float = 5.0) -> None:
        """End the thread, waiting ``timeout`` seconds at most. The journal keeps what is under way."""
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None and self._thread.is_alive():
            loop.call_soon_threadsafe(stopping.set)
            self._thread.join(timeout)

    # On the thread

    def _main(self) -> None:
        try:
            with asyncio.Runner(loop_factory=self._loop_factory) as runner:
                runner.run(self._live())
        except Exception as error:
            self._report_bug(error)
        finally:
            self._ready.set()

    async def _live(self) -> None:
        from tui.engine.journal.writer import JournalWriter

        journal = JournalWriter(self._journal_path, now=self._clock.now)
        service = EngineService(
            journal=journal,
            emit=self._outbox.put,
            clock=self._clock,
            options=self._options,
            connect=self._connect,
        )
        self._loop, self._service, self._stopping = asyncio.get_running_loop(), service, asyncio.Event()
        self._ready.set()
        await self._stopping.wait()
        await service.close()

    def _do(self, command: Callable[[EngineService], Coroutine[Any, Any, None]]) -> None:
        loop = self._loop
        if loop is None:
            raise RuntimeError("start the engine first")
        loop.call_soon_threadsafe(self._create_task, command)

    def _create_task(self, command: Callable[[EngineService], Coroutine[Any, Any, None]]) -> None:
        if self._service is None or self._stopping is None or self._stopping.is_set():
            return
        task = asyncio.create_task(command(self._service))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._report_bug(error)

    def _report_bug(self, error: BaseException) -> None:
        logger.error("the engine broke", exc_info=error)
        bug = f"a bug in the engine ({error!r}); the log file has the details"
        self._outbox.put(EngineFailed(str(error) if isinstance(error, JournalError) else bug))
