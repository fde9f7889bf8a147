"""The engine of one console: a test sees every event that it emits, and its journal on disk."""

import asyncio
import contextlib
import itertools
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

from tests.engine.clock import VirtualClock
from tests.engine.cloud import ENDPOINT, PASSWORD, Cloud
from tui.engine.errors import JournalError
from tui.engine.events import Event, OperationStarted, Progress
from tui.engine.journal.owner import Owner
from tui.engine.journal.writer import JournalWriter
from tui.engine.options import Options
from tui.engine.service import EngineService
from tui.model.operation import Action, Operation
from tui.model.plan import Plan, make_plan

E = TypeVar("E", bound=Event)


class Console:
    """One process of one operator: the engine, and the events that it emitted."""

    _pids = itertools.count(1)
    dead: set[int] = set()
    """The process ids of those that were killed."""

    def __init__(
        self, clock: VirtualClock, cloud: Cloud, path: Path, *, options: Options | None = None
    ) -> None:
        self.clock = clock
        self.cloud = cloud
        self.events: list[Event] = []
        self.on_event: Callable[[Event], None] = lambda event: None
        self.pid = next(Console._pids)
        self.journal = JournalWriter(
            path,
            owner=Owner("here", self.pid, "then"),
            alive=lambda owner, age: owner.pid not in Console.dead,
            now=clock.now,
            uptime=lambda: ("boot-1", clock.monotonic()),
        )
        self.service = EngineService(
            journal=self.journal,
            emit=self._emit,
            clock=clock,
            options=options or Options(),
            connect=cloud.connect,
        )
        self.seen: dict[str, Operation] = {}

    def _emit(self, event: Event) -> None:
        self.events.append(event)
        self.on_event(event)

    async def login(self, *, refresh: bool = True) -> "Console":
        await self.service.login(ENDPOINT, "op", PASSWORD)
        if refresh:
            await self.service.inventory.refresh()
        return self

    def plan(
        self,
        ids: Sequence[str] | None = None,
        *,
        action: Action = Action.START_MAINTENANCE,
        batch_size: int = 100,
        wave_size: int | None = None,
    ) -> Plan:
        wanted = list(self.service.inventory.fleet.servers) if ids is None else ids
        return make_plan(
            action, wanted, self.service.inventory.fleet, batch_size=batch_size, wave_size=wave_size
        )

    async def run(
        self, plan: Plan, operation_id: str = "op-1", *, max_failed: int | None = None
    ) -> Operation:
        await self.service.operations.run(
            plan, operation_id=operation_id, reason="CHG-1", max_failed=max_failed
        )
        return self.shown(operation_id)

    def emitted(self, kind: type[E]) -> list[E]:
        """The events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def shown(self, operation_id: str) -> Operation:
        """The operation as a screen updated by the events shows it; every transition must be a legal one."""
        operation: Operation | None = None
        for event in self.events:
            if isinstance(event, OperationStarted) and event.operation_id == operation_id:
                operation = event.operation()
            elif isinstance(event, Progress) and event.operation_id == operation_id:
                assert operation is not None
                for target in event.targets:
                    operation.apply(target)
        assert operation is not None
        return operation

    def count_writes(self) -> Callable[[], int]:
        """Return a function that counts the transactions started since this call."""
        writing = self.journal.database.writing
        count = 0

        def counted(*, patient: bool = True) -> contextlib.AbstractContextManager[sqlite3.Connection]:
            nonlocal count
            count += 1
            return writing(patient=patient)

        self.journal.database.writing = counted  # type: ignore[method-assign, assignment]
        return lambda: count

    def kill(self) -> None:
        """Do as kill -9 does: nothing is written, closed or awaited any more."""
        self._kill_journal()
        current = asyncio.current_task()
        for task in asyncio.all_tasks():
            if task is not current:
                task.cancel()

    def _kill_journal(self) -> None:
        Console.dead.add(self.pid)
        database = self.journal.database
        database.disconnect()

        def refuse() -> NoReturn:
            raise JournalError("a dead process writes nothing")

        database.connect = refuse  # type: ignore[method-assign]

    def kill_at_write(self, number: int, *, committed: bool) -> asyncio.Event:
        """Arrange for kill -9 at that transaction from now, right before or right after its commit.

        Nothing is written from then on. When the event returned is set, the caller has to call ``kill``.
        """
        database, writing = self.journal.database, self.journal.database.writing
        killed, remaining = asyncio.Event(), number

        def die() -> None:
            self._kill_journal()
            killed.set()

        @contextlib.contextmanager
        def counted(*, patient: bool = True) -> Iterator[sqlite3.Connection]:
            nonlocal remaining
            remaining -= 1
            if remaining == 0 and not committed:
                die()
            with writing(patient=patient) as db:
                yield db
            if remaining == 0 and committed:
                die()

        database.writing = counted  # type: ignore[method-assign]
        return killed


def memory_directory() -> "tempfile.TemporaryDirectory[str]":
    """A temporary directory, in memory where the system offers one: syncs take no time there."""
    return tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)


async def until(condition: Callable[[], object], clock: VirtualClock, limit: float = 3_600) -> None:
    """Wait, in virtual time, until a condition holds."""
    end = clock.monotonic() + limit
    while not condition():
        assert clock.monotonic() < end, "the condition never held"
        await clock.sleep(0.01)
