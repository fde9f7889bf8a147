"""The journal on a thread of its own: a lock held by another process, or a slow disk, delays nothing else."""

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
    """Does what it is asked with the journal, one thing after the other, in the order asked for.

    Used from one event loop. What was asked for is done, also when nobody waits for it any more.
    """

    def __init__(
        self,
        journal: "JournalWriter",
        on_problem: Callable[[str], None],
        on_note: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Both are told on the loop: that the journal cannot be used, or can be again; what it forgot."""
        self._journal = journal
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._ending: deque[tuple[str, float]] = deque()
        """Put in by the loop, taken out by the thread."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        journal.database.on_problem = partial(self._tell, on_problem)
        journal.database.on_note = partial(self._tell, on_note)

    def begin(self, work: Callable[["JournalWriter"], T]) -> "asyncio.Future[T]":
        """Have ``work`` done; nobody need wait for it. Raises JournalError after ``close``."""
        if self._closed:
            raise JournalError("the journal is closed")
        self._loop = asyncio.get_running_loop()
        return self._loop.run_in_executor(self._thread, work, self._journal)

    async def do(self, work: Callable[["JournalWriter"], T]) -> T:
        """Have ``work`` done and wait for it. Raises what it raises."""
        return await asyncio.shield(self.begin(work))

    async def end(self, operation_id: str, at: float) -> None:
        """Write down that an operation ended; those that end meanwhile go with it, in one transaction."""
        self._ending.append((operation_id, at))
        await self.do(
            lambda journal: journal.end_all([self._ending.popleft() for _ in range(len(self._ending))])
        )

    async def close(self) -> None:
        """Wait for everything asked for, write what can still be written, and close the file."""
        if self._closed:
            return
        closing = self.begin(lambda journal: journal.close())
        self._closed = True
        await asyncio.shield(closing)
        self._thread.shutdown(wait=False)

    def _tell(self, listener: Callable[[str], None], text: str) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # The loop has ended, and whoever listened with it.
                self._loop.call_soon_threadsafe(listener, text)
