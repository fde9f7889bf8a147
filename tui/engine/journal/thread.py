"""Runs the journal on a thread of its own, so that a locked file or a slow disk delays nothing else."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tui.engine.errors import JournalError
from tui.model.operation import Target

if TYPE_CHECKING:
    from tui.engine.journal.writer import JournalWriter

T = TypeVar("T")
U = TypeVar("U")

TOGETHER = 500
"""Calls that share a transaction at most, so that no other process waits long for the file."""


class _Shared(Generic[T, U]):
    """Calls of the same kind that are run as one. More can join until they run."""

    def __init__(self, work: "Callable[[JournalWriter, list[T]], U]") -> None:
        self.work = work
        self._items: list[T] = []
        self._lock = threading.Lock()
        self._running = False
        self.result: asyncio.Future[U]

    def add(self, item: T) -> bool:
        """Add a call; False when they already run or are too many."""
        with self._lock:
            if self._running or len(self._items) == TOGETHER:
                return False
            self._items.append(item)
            return True

    def run(self, journal: "JournalWriter") -> U:
        """Run all calls as one."""
        with self._lock:
            self._running = True
        return self.work(journal, self._items)


class JournalThread:
    """Runs functions on the journal, one after the other, in the order given.

    For one event loop. A function that was accepted runs, even when nobody waits for it any more.
    """

    def __init__(
        self,
        journal: "JournalWriter",
        on_problem: Callable[[str], None],
        on_note: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Start with nothing to do.

        Args:
            journal: Used on the thread only, from now on.
            on_problem: Called on the loop with why the journal cannot be used; with "" when it can again.
            on_note: Called on the loop with what was pruned, as a sentence.
        """
        self._journal = journal
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._newest: _Shared[Any, Any] | None = None
        """What was accepted last, when further calls may still join it."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        journal.database.on_problem = partial(self._call, on_problem)
        journal.database.on_note = partial(self._call, on_note)

    def start(self, work: Callable[["JournalWriter"], T]) -> "asyncio.Future[T]":
        """Run ``work`` on the thread; the caller need not wait for it.

        Raises:
            JournalError: the journal is closed.
        """
        if self._closed:
            raise JournalError("the journal is closed")
        self._loop = asyncio.get_running_loop()
        self._newest = None
        return self._loop.run_in_executor(self._thread, work, self._journal)

    async def do(self, work: Callable[["JournalWriter"], T]) -> T:
        """Run ``work`` on the thread, and return its result.

        Raises:
            JournalError: the journal is closed, or what ``work`` raises.
        """
        return await asyncio.shield(self.start(work))

    def record(self, operation_id: str, targets: Sequence[Target]) -> "asyncio.Future[Set[str]]":
        """Record transitions of an operation's servers; see ``JournalWriter.record_all``.

        Calls in a row share a transaction. The result holds the ids of those operations among them that
        another process has claimed.

        Raises:
            JournalError: the journal is closed.
        """
        return self._share(_record, (operation_id, targets))

    async def end(self, operation_id: str, at: float) -> None:
        """Record that an operation ended, at ``at`` seconds since the epoch.

        Calls in a row share a transaction.

        Raises:
            JournalError: the journal is closed.
        """
        await asyncio.shield(self._share(_end, (operation_id, at)))

    async def close(self) -> None:
        """Wait for everything accepted, write what can still be written, and close the file."""
        if self._closed:
            return
        closing = self.start(lambda journal: journal.close())
        self._closed = True
        await asyncio.shield(closing)
        self._thread.shutdown(wait=False)

    def _share(self, work: "Callable[[JournalWriter, list[T]], U]", item: T) -> "asyncio.Future[U]":
        shared = self._newest
        if shared is None or shared.work is not work or not shared.add(item):
            shared = _Shared(work)
            shared.add(item)
            shared.result = self.start(shared.run)
            self._newest = shared
        return shared.result

    def _call(self, listener: Callable[[str], None], text: str) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # The loop has ended, and its listeners with it.
                self._loop.call_soon_threadsafe(listener, text)


def _record(journal: "JournalWriter", changes: list[tuple[str, Sequence[Target]]]) -> Set[str]:
    return journal.record_all(changes)


def _end(journal: "JournalWriter", ended: list[tuple[str, float]]) -> None:
    journal.end_all(ended)
