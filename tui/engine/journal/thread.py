"""Runs the journal on a thread of its own, so that a locked file or a slow disk delays nothing else."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from tui.engine.errors import JournalError

if TYPE_CHECKING:
    from tui.engine.journal.writer import JournalWriter

T = TypeVar("T")


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
        self._ending: deque[tuple[str, float]] = deque()
        """Appended to on the loop, emptied on the thread."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        journal.database.on_problem = partial(self._call, on_problem)
        journal.database.on_note = partial(self._call, on_note)

    def start(self, work: Callable[["JournalWriter"], T]) -> "asyncio.Future[T]":
        """Have ``work`` run; the caller need not wait for it.

        Raises:
            JournalError: the journal is closed.
        """
        if self._closed:
            raise JournalError("the journal is closed")
        self._loop = asyncio.get_running_loop()
        return self._loop.run_in_executor(self._thread, work, self._journal)

    async def do(self, work: Callable[["JournalWriter"], T]) -> T:
        """Have ``work`` run, and return its result.

        Raises:
            JournalError: the journal is closed, or what ``work`` raises.
        """
        return await asyncio.shield(self.start(work))

    async def end(self, operation_id: str, at: float) -> None:
        """Record that an operation ended, at ``at`` seconds since the epoch.

        Operations that end in the meantime share its transaction.
        """
        self._ending.append((operation_id, at))
        await self.do(
            lambda journal: journal.end_all([self._ending.popleft() for _ in range(len(self._ending))])
        )

    async def close(self) -> None:
        """Wait for everything accepted, write what can still be written, and close the file."""
        if self._closed:
            return
        closing = self.start(lambda journal: journal.close())
        self._closed = True
        await asyncio.shield(closing)
        self._thread.shutdown(wait=False)

    def _call(self, listener: Callable[[str], None], text: str) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # The loop has ended, and its listeners with it.
                self._loop.call_soon_threadsafe(listener, text)
