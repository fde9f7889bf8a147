"""An operation that another process carries out, followed in the journal."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.engine.events import Event, OperationEnded, Progress
from tui.model.operation import Operation, Target

if TYPE_CHECKING:
    from tui.engine.journal.reader import StoredOperation
    from tui.engine.journal.thread import JournalThread
    from tui.engine.journal.writer import JournalWriter


class WatchedOperation:
    """Emits what another process records of one operation."""

    def __init__(
        self, stored: "StoredOperation", journal: "JournalThread", emit: Callable[[Event], None]
    ) -> None:
        self.operation: Operation = stored.operation
        self._newest = stored.newest
        self._journal = journal
        self._emit = emit

    async def update(self) -> bool:
        """Emit what was recorded since the last call; returns whether its process still runs.

        Sets ``operation.ended``, and emits OperationEnded, when it has ended.

        Raises:
            JournalError: the journal cannot be read.
        """
        operation = self.operation
        targets, self._newest, operation.ended, elsewhere = await self._journal.do(self._read)
        if targets:
            operation.restore(targets)
            self._emit(Progress(operation.id, tuple(targets)))
        if operation.ended is not None:
            self._emit(OperationEnded(operation.id, operation.ended, operation.summary()))
        return elsewhere

    def _read(self, journal: "JournalWriter") -> tuple[list[Target], int, float | None, bool]:
        id_ = self.operation.id
        return *journal.changes(id_, self._newest), *journal.liveness(id_)
