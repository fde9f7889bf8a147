"""Records every change of a server's state in one operation: first applied, then journalled, then emitted."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import partial

from tui.engine.errors import OwnershipLost
from tui.engine.events import Progress
from tui.engine.operations.context import RunContext
from tui.model.operation import Operation, State, Target
from tui.model.plan import Batch


class StateRecorder:
    """The only way in which servers of an operation change their state."""

    def __init__(self, context: RunContext, operation: Operation, on_lost: Callable[[], None]) -> None:
        """Record states of one operation.

        Args:
            context: The journal and where to emit.
            operation: Changed with every state.
            on_lost: Called once when another process has claimed the operation; nothing is emitted then.
        """
        self._context = context
        self._operation = operation
        self._on_lost = on_lost
        self.lost = False
        """Whether another process has claimed the operation; nothing more is recorded here."""
        self._newest: asyncio.Future[Set[str]] | None = None
        """The newest write to the journal; all earlier ones are done before it."""
        self._bug: BaseException | None = None

    def targets(
        self, ids: Iterable[str], state: State, *, job_id: str = "", message: str = ""
    ) -> list[Target]:
        """Return servers in a new state without recording it. An empty ``job_id`` keeps the job they have."""
        now, known = self._context.clock.now(), self._operation.targets
        return [Target(id_, state, now, job_id or known[id_].job_id, message) for id_ in ids]

    def set(self, ids: Iterable[str], state: State, *, message: str = "") -> None:
        """Record that servers are in a state, all with the same message."""
        self.record(self.targets(ids, state, message=message))

    def set_each(self, messages: Mapping[str, str], state: State) -> None:
        """Record that servers are in a state, each with a message of its own."""
        self.record(
            target
            for id_, message in messages.items()
            for target in self.targets((id_,), state, message=message)
        )

    async def record_intent(self, batch: Batch) -> bool:
        """Commit the intent to send a batch; False when another process has claimed the operation.

        When this raises, nothing may be sent and the servers are SUBMITTING: the caller sets their state.

        Raises:
            StopRequested: another console requested that nothing more is sent.
            JournalError: the intent cannot be written.
        """
        targets = self.targets(batch.server_ids, State.SUBMITTING)
        self._apply(targets)
        try:
            await self._context.journal.do(
                lambda journal: journal.record_intent(self._operation.id, batch, targets)
            )
        except OwnershipLost:
            self.lose()
            return False
        except asyncio.CancelledError:
            self.set(batch.server_ids, State.PLANNED)  # The process ends before the batch could be sent.
            raise
        self._emit(targets)
        return True

    def lose(self) -> None:
        """Note that another process has claimed the operation."""
        if not self.lost:
            self.lost = True
            self._on_lost()

    def record(self, targets: Iterable[Target]) -> None:
        """Record servers in their new states, leaving out those that do not change.

        Returns before the journal is written; ``flush`` waits for it.
        """
        new = [target for target in targets if self._is_new(target)]
        if not new or self.lost:
            return
        self._apply(new)
        self._newest = self._context.journal.record(self._operation.id, new)
        self._newest.add_done_callback(partial(self._written, new))

    async def flush(self) -> None:
        """Wait until everything recorded is in the journal and emitted. Raises the bug that prevented it."""
        if self._newest is not None:
            await asyncio.wait([self._newest])
        if self._bug is not None:
            raise self._bug

    def _written(self, targets: Sequence[Target], writing: "asyncio.Future[Set[str]]") -> None:
        error = writing.exception()
        if error is not None:
            self._bug = error
        elif self._operation.id in writing.result():
            self.lose()
        elif not self.lost:
            self._emit(targets)

    def _is_new(self, target: Target) -> bool:
        old = self._operation.targets[target.server_id]
        return (old.state, old.job_id, old.message) != (target.state, target.job_id, target.message)

    def _apply(self, targets: Sequence[Target]) -> None:
        for target in targets:
            self._operation.apply(target)

    def _emit(self, targets: Sequence[Target]) -> None:
        self._context.emit(Progress(self._operation.id, tuple(targets)))
