"""Carry an operation out, or take up what is unfinished, until it is over or the operator has had enough."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Iterator
from typing import Any

from tui.engine.events import Event, OperationEnded, OperationNotStarted, OperationStarted, Progress
from tui.headless.exits import Exit, Stop
from tui.headless.session import Session
from tui.model.operation import IN_FLIGHT, Operation, State
from tui.model.text import clean, counted


class Follower:
    """Follows operations by the engine's events, and the operator's signals.

    While anything is being sent, the first Ctrl-C stops that, and what was sent is followed to its end. The
    second, or the first where nothing is sent from here, leaves at once; the journal knows how to go on.
    """

    def __init__(self, session: Session, *, wait: bool = True) -> None:
        self.operations: dict[str, Operation] = {}
        self._elsewhere: set[str] = set()
        self._sending = False
        self._session = session
        self._narrator = session.narrator
        self._wait = wait
        self._not_started = ""
        self._winding_down: asyncio.Task[None] | None = None
        session.listener = self._told

    async def follow(self, work: Coroutine[Any, Any, None], *, sending: bool) -> None:
        """Run ``work`` of the engine to its end, or until it is left. Raises Stop when nothing was begun."""
        self._sending = sending
        with self._signals():
            await self._session.until_left(work, self._redraw)
        if self._not_started:
            raise Stop(Exit.FAILED, self._not_started)
        held_back = any(operation.unsent for operation in self.operations.values())
        if self._winding_down is not None and held_back and self._session.why is None:
            self._session.why = Exit.HUNG_UP

    def _told(self, event: Event) -> None:
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
                    self._session.leave.set()
            case OperationEnded(operation_id=id_, at=at):
                operation = self.operations[id_]
                operation.ended = at
                self._narrator.end(operation)
            case OperationNotStarted(operation_id=id_, message=message):
                if id_ in self.operations:  # of what was taken up again, the rest
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
        self._session.why = Exit.INTERRUPTED
        mine = [operation for id_, operation in self.operations.items() if id_ not in self._elsewhere]
        running = [operation for operation in mine if operation.ended is None]
        unsent = sum(operation.unsent for operation in running)
        sent = sum(operation.count(*IN_FLIGHT, State.UNSURE) for operation in running)
        self._session.core.operations.hold()
        self._narrator.say(
            f"stopped: {counted(unsent, 'server')} not sent; "
            f"following the {sent:,} that were sent; Ctrl-C once more leaves now"
        )

    def _hung_up(self) -> None:
        """The terminal has gone. ``finish``: what was begun goes on to its end, unheard; no wave is begun."""
        if self._session.work.settings.on_hangup == "pause":
            self._depart(Exit.HUNG_UP)
        else:
            self._winding_down = asyncio.create_task(self._session.core.operations.wind_down(send_rest=True))

    def _depart(self, why: Exit) -> None:
        self._session.why = why
        self._session.leave.set()
