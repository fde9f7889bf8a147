"""The engine from any thread: it lives on a thread and event loop of its own.

Whatever the screen does, stalls included, delays no poll, no wave and no journal write. Importing this module
loads neither the HTTP library nor SQLite: they come with the thread.
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
    """Commands go in and return at once; what comes of them are events."""

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
        self._core: EngineService | None = None
        self._stopping: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked: set[str] = set()

    def start(self) -> None:
        """Start the thread; commands may be given from now on."""
        self._thread.start()
        self._ready.wait()

    def login(self, endpoint: Endpoint, user: str, password: str, account: str = "") -> None:
        """See ``EngineService.login``."""
        self._do(lambda core: core.login(endpoint, user, password, account))

    def unlock(self, password: str) -> None:
        """See ``EngineService.unlock``."""
        self._do(lambda core: core.unlock(password))

    def refresh(self) -> None:
        """See ``EngineService.keep_reading``."""
        self._do(lambda core: core.keep_reading())

    def details(self, server_id: str) -> None:
        """See ``EngineService.details``."""
        self._do(lambda core: core.details(server_id))

    def run(self, plan: Plan, *, reason: str = "", window_id: str = "", max_failed: int | None = None) -> str:
        """See ``EngineService.run``. Returns the id that the operation will have."""
        operation_id = new_id("op", self._clock.now())

        async def run(core: EngineService) -> None:
            try:
                await core.run(
                    plan, operation_id=operation_id, window_id=window_id, reason=reason, max_failed=max_failed
                )
            finally:
                self._asked.discard(operation_id)

        self._asked.add(operation_id)
        self._do(run)
        return operation_id

    def resume(self, *, send_planned: bool = False) -> None:
        """See ``EngineService.resume``."""
        self._do(lambda core: core.resume(send_planned=send_planned))

    def left(self) -> None:
        """See ``EngineService.tell_left``."""
        self._do(lambda core: core.tell_left())

    def cancel(self, operation_id: str) -> None:
        """See ``EngineService.cancel``."""
        self._do(lambda core: core.cancel(operation_id))

    def wind_down(self, *, send_rest: bool) -> None:
        """See ``EngineService.drain``; ``running`` says when it is done."""
        self._do(lambda core: core.drain(send_rest=send_rest))

    def on_news(self, wake: Callable[[], None]) -> None:
        """Have ``wake`` called, on the engine's thread, when there is news after there was none."""
        self._outbox.on_news = wake

    def drain(self) -> list[Event]:
        """All events since the last time, in order."""
        return self._outbox.fetch()

    def running(self) -> bool:
        """Whether anything was sent that is not settled, or is about to be sent."""
        return bool(self._asked) or (self._core is not None and self._core.running)

    def stop(self, timeout: float = 5.0) -> None:
        """End the thread. What is under way stays in the journal; ``timeout`` is in seconds."""
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
            self._broke(error)
        finally:
            self._ready.set()

    async def _live(self) -> None:
        from tui.engine.journal.writer import JournalWriter

        journal = JournalWriter(self._journal_path, now=self._clock.now)
        core = EngineService(
            journal=journal,
            emit=self._outbox.put,
            clock=self._clock,
            options=self._options,
            connect=self._connect,
        )
        self._loop, self._core, self._stopping = asyncio.get_running_loop(), core, asyncio.Event()
        self._ready.set()
        await self._stopping.wait()
        await core.close()

    def _do(self, command: Callable[[EngineService], Coroutine[Any, Any, None]]) -> None:
        loop = self._loop
        if loop is None:
            raise RuntimeError("start the engine first")
        loop.call_soon_threadsafe(self._begin, command)

    def _begin(self, command: Callable[[EngineService], Coroutine[Any, Any, None]]) -> None:
        if self._core is None or self._stopping is None or self._stopping.is_set():
            return
        task = asyncio.create_task(command(self._core))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broke(error)

    def _broke(self, error: BaseException) -> None:
        logger.error("the engine broke", exc_info=error)
        bug = f"a bug in the engine ({error!r}); the log file has the details"
        self._outbox.put(EngineFailed(str(error) if isinstance(error, JournalError) else bug))
