"""Follow operations to their end, or until a signal."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Iterator
from typing import Any

from tui.engine.events import Event, OperationEnded, OperationNotStarted, OperationStarted, Progress
from tui.headless.engine import HeadlessEngine
from tui.headless.exits import Exit, Stop
from tui.model.operation import IN_FLIGHT, Operation, State
from tui.model.text import clean, counted


class Follower:
    """Keeps a copy of the operations from the engine's events, and handles signals.

    While anything is being sent, the first Ctrl-C stops that, and what was sent is followed to its end. The
    second, or the first where nothing is sent from here, leaves at once; `pitstop resume` goes on.
    """

    def __init__(self, engine: HeadlessEngine, *, wait: bool = True) -> None:
        self.operations: dict[str, Operation] = {}
        self._elsewhere: set[str] = set()
        self._sending = False
        self._engine = engine
        self._narrator = engine.narrator
        self._wait = wait
        self._not_started = ""
        self._winding_down: asyncio.Task[None] | None = None
        engine.listener = self._handle

    async def follow(self, work: Coroutine[Any, Any, None], *, sending: bool) -> None:
        """Run ``work`` of the engine to its end, or until the operator leaves.

        Raises:
            Stop: no operation was started.
        """
        self._sending = sending
        with self._signals():
            await self._engine.run(work, self._redraw)
        if self._not_started:
            raise Stop(Exit.FAILED, self._not_started)
        held_back = any(operation.unsent for operation in self.operations.values())
        if self._winding_down is not None and held_back and self._engine.early_exit is None:
            self._engine.early_exit = Exit.HUNG_UP

    def _handle(self, event: Event) -> None:
        match event:
            case OperationStarted():
                operation = self.operations[event.operation_id] = event.operation()
                (self._elsewhere.add if event.elsewhere else self._elsewhere.discard)(event.operation_id)
                self._narrator.begin(operation, resumed=event.resumed)
            case Progress(operation_id=id_, targets=targets):
                operation = self.operations[id_]
                operation.restore(targets)
                self._narrator.targets(operation, targets)
                if not self._wait and not operation.count(State.PLANNED, State.SUBMITTING):
                    self._engine.leave.set()
            case OperationEnded(operation_id=id_, at=at):
                operation = self.operations[id_]
                operation.ended = at
                self._narrator.end(operation)
            case OperationNotStarted(operation_id=id_, message=message):
                if id_ in self.operations:  # a resumed operation: the rest of it
                    self._narrator.say(clean(message))
                else:
                    self._not_started = message

    def _redraw(self) -> None:
        for operation in self.operations.values():
            if operation.ended is None:
                self._narrator.progress(operation)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupted)
        loop.add_signal_handler(signal.SIGTERM, self._depart, Exit.TERMINATED)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # else nohup: all of it is to go on
            loop.add_signal_handler(signal.SIGHUP, self._hung_up)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(number)

    def _interrupted(self) -> None:
        if not self._sending:
            self._depart(Exit.INTERRUPTED)
            return
        self._sending = False
        self._engine.early_exit = Exit.INTERRUPTED
        mine = [operation for id_, operation in self.operations.items() if id_ not in self._elsewhere]
        running = [operation for operation in mine if operation.ended is None]
        unsent = sum(operation.unsent for operation in running)
        sent = sum(operation.count(*IN_FLIGHT, State.UNSURE) for operation in running)
        self._engine.service.operations.hold()
        self._narrator.say(
            f"stopped: {counted(unsent, 'server')} not sent; "
            f"following the {sent:,} that were sent; Ctrl-C once more leaves now"
        )

    def _hung_up(self) -> None:
        """Handle SIGHUP: leave at once, or finish what was started without starting another wave."""
        if self._engine.config.settings.on_hangup == "pause":
            self._depart(Exit.HUNG_UP)
        else:
            self._winding_down = asyncio.create_task(
                self._engine.service.operations.wind_down(send_rest=True)
            )

    def _depart(self, exit_code: Exit) -> None:
        self._engine.early_exit = exit_code
        self._engine.leave.set()
