"""Every change of a server's state in one operation: applied, in the journal, then told."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from tui.engine.errors import NotOurs
from tui.engine.events import Progress
from tui.engine.operations.context import RunContext
from tui.model.operation import Operation, State, Target
from tui.model.plan import Batch


class StateRecorder:
    """The only way in which servers of an operation change their state."""

    def __init__(self, context: RunContext, operation: Operation, on_lost: Callable[[], None]) -> None:
        """``on_lost`` is called once another console has taken the operation over; nothing is told then."""
        self._context = context
        self._operation = operation
        self._on_lost = on_lost
        self.lost = False
        """Whether another console took this one for dead: everything is left to that one."""
        self._newest: asyncio.Future[None] | None = None
        """The newest thing that is to be in the journal; what came before it is there first."""
        self._bug: BaseException | None = None

    def targets(
        self, ids: Iterable[str], state: State, *, job_id: str = "", message: str = ""
    ) -> list[Target]:
        """Servers as they are to be from now on; nothing happens to them yet."""
        now, known = self._context.clock.now(), self._operation.targets
        return [Target(id_, state, now, job_id or known[id_].job_id, message) for id_ in ids]

    def set(self, ids: Iterable[str], state: State, *, message: str = "") -> None:
        """Servers come into a state: what is new of it is applied, in the journal, then told."""
        self.record(self.targets(ids, state, message=message))

    def set_each(self, messages: Mapping[str, str], state: State) -> None:
        """The same for servers with a message each."""
        self.record(
            target
            for id_, message in messages.items()
            for target in self.targets((id_,), state, message=message)
        )

    async def intend(self, batch: Batch) -> bool:
        """The intent to send a batch, on disk; False when the operation is no longer ours.

        Nothing may be sent when this raises; then the servers are still to be told what became of them.

        Raises:
            StopAsked: another console asked that nothing more is sent.
            JournalError: it cannot be written.
        """
        targets = self.targets(batch.server_ids, State.SUBMITTING)
        self._apply(targets)
        try:
            await self._context.journal.do(lambda journal: journal.submit(self._operation.id, batch, targets))
        except NotOurs:
            self.lose()
            return False
        except asyncio.CancelledError:
            self.set(batch.server_ids, State.PLANNED)  # Pitstop ends before it could be sent.
            raise
        self._tell(targets)
        return True

    def lose(self) -> None:
        """Another console has taken the operation over."""
        if not self.lost:
            self.lost = True
            self._on_lost()

    def record(self, targets: Iterable[Target]) -> None:
        """Servers come into states; what is no news is left out. Nobody need wait for the journal here."""
        new = [target for target in targets if self._is_new(target)]
        if not new or self.lost:
            return
        self._apply(new)
        self._newest = self._context.journal.begin(lambda journal: journal.record(self._operation.id, new))
        self._newest.add_done_callback(partial(self._written, new))

    async def settled(self) -> None:
        """Wait until everything is in the journal and told. Raises what went wrong with it."""
        if self._newest is not None:
            await asyncio.wait([self._newest])
        if self._bug is not None:
            raise self._bug

    def _written(self, targets: Sequence[Target], writing: "asyncio.Future[None]") -> None:
        error = writing.exception()
        if isinstance(error, NotOurs):
            self.lose()
        elif error is not None:
            self._bug = error
        elif not self.lost:
            self._tell(targets)

    def _is_new(self, target: Target) -> bool:
        old = self._operation.targets[target.server_id]
        return (old.state, old.job_id, old.message) != (target.state, target.job_id, target.message)

    def _apply(self, targets: Sequence[Target]) -> None:
        for target in targets:
            self._operation.apply(target)

    def _tell(self, targets: Sequence[Target]) -> None:
        self._context.tell(Progress(self._operation.id, tuple(targets)))
