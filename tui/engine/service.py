"""The engine on one event loop: login, inventory, operations, journal."""

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tui.engine.clock import Clock, SystemClock
from tui.engine.endpoint import Endpoint
from tui.engine.errors import JournalError
from tui.engine.events import (
    Event,
    HeldInMaintenance,
    JobDurations,
    JournalChanged,
    JournalPruned,
    PriorTargets,
)
from tui.engine.inventory import Inventory
from tui.engine.journal.thread import JournalThread
from tui.engine.operations.context import RunContext
from tui.engine.operations.manager import OperationManager
from tui.engine.options import Options
from tui.engine.password_check import PasswordCheck
from tui.engine.platform import Connect, connecting
from tui.engine.polling.tracker import Tracker
from tui.engine.polling.verifier import Verifier
from tui.engine.session import Session
from tui.model.duration import History, similar
from tui.model.operation import Action
from tui.model.prior import PriorTarget
from tui.model.window import Hold, WindowStatus

if TYPE_CHECKING:
    from tui.engine.journal.reader import StoredOperation
    from tui.engine.journal.writer import JournalWriter

TRACKING_SHARE = 0.9
"""The part of the endpoint's request budget that status requests may take."""


class EngineService:
    """The engine's parts, connected to each other; for one event loop. ``Engine`` runs it on a thread."""

    session: Session
    inventory: Inventory
    """The fleet of the account that is logged in; replaced by a login to another endpoint or account."""
    operations: OperationManager

    def __init__(
        self,
        *,
        journal: "JournalWriter",
        emit: Callable[[Event], None],
        clock: Clock | None = None,
        options: Options | None = None,
        connect: Connect | None = None,
    ) -> None:
        """Create the parts; nothing is connected or opened yet.

        Args:
            journal: Used on a thread of its own from now on, and closed by ``close``.
            emit: Receives every event, on this event loop.
            clock: The system's clock when None.
            options: Limits and pauses.
            connect: Makes the connection to an endpoint; over HTTP when None.
        """
        self._journal = JournalThread(
            journal,
            lambda problem: emit(JournalChanged(problem)),
            lambda text: emit(JournalPruned(text)),
        )
        self._emit = emit
        self._clock = clock or SystemClock()
        self.session = Session(connect or connecting(journal.database.path.parent), self._clock, emit)
        self.inventory = Inventory("", self.session, self._clock, emit)
        self._options = options or Options()
        self.operations = OperationManager(self._journal, self.session, self._clock, self._options, emit)
        self._context: RunContext | None = None
        self._password_check = PasswordCheck(self._clock)

    async def login(self, endpoint: Endpoint, user: str, password: str, account: str = "") -> None:
        """Log in with one attempt; emits LoggedIn or LoginFailed.

        While operations are under way this renews their login: the endpoint and account must stay the same.
        """
        if self.operations.running:
            account = account or self.session.account
            if endpoint.key != self.session.endpoint_key or account.upper() != self.session.account:
                self.session.refuse(
                    f"operations on {self.session.account} are under way; they must end or be stopped first"
                )
                return
        before = (self.session.endpoint_key, self.session.account)
        if not await self.session.login(endpoint, user, password, account):
            return
        self._password_check.accept(password)
        if self._context is not None and (self.session.endpoint_key, self.session.account) == before:
            self._context.tracker.end_pause()
        else:
            self._use(endpoint)

    async def unlock(self, password: str) -> None:
        """Compare a password with the one of the login; emits Unlocked or UnlockRefused. Sends nothing."""
        self._emit(self._password_check.check(password))

    async def holds(self) -> dict[str, Hold]:
        """Return the servers that this account's windows put into maintenance and did not bring back.

        By the journal: whether a server is in maintenance now, only the fleet shows.

        Raises:
            JournalError: the journal cannot be read.
        """
        at, account = self.session.endpoint_key, self.session.account
        return await self._journal.do(lambda journal: journal.history.holds(at, account))

    async def windows(self) -> list[WindowStatus]:
        """Return the windows of this account, the oldest first.

        Raises:
            JournalError: the journal cannot be read.
        """
        at, account = self.session.endpoint_key, self.session.account
        return await self._journal.do(lambda journal: journal.history.statuses(at, account))

    async def release(self, server_ids: Sequence[str]) -> None:
        """Record that servers were read to be out of maintenance; see ``WindowHistory.release``.

        Raises:
            JournalError: the journal cannot be written.
        """
        at, account = self.session.endpoint_key, self.session.account
        await self._journal.do(lambda journal: journal.history.release(at, account, server_ids))

    async def prior_targets(self) -> dict[str, PriorTarget]:
        """Return this account's servers that are under way or whose outcome is not known.

        Raises:
            JournalError: the journal cannot be read.
        """
        at, account = self.session.endpoint_key, self.session.account
        return await self._journal.do(lambda journal: journal.prior_targets(at, account))

    async def job_durations(self) -> History:
        """Return how long earlier jobs took; nothing when the journal cannot be read."""
        return await self._journal.do(lambda journal: journal.all_durations())

    async def emit_prior_targets(self) -> None:
        """Emit HeldInMaintenance, PriorTargets and JobDurations; nothing when the journal cannot be read."""
        with contextlib.suppress(JournalError):  # JournalChanged reports it.
            self._emit(JobDurations(await self.job_durations()))
            holds = await self.holds()
            self._emit(HeldInMaintenance(tuple(holds), holds))
            self._emit(PriorTargets(await self.prior_targets()))

    async def unfinished(self) -> dict[tuple[str, str], int]:
        """Return the number of operations that have not ended, by endpoint key and account.

        Raises:
            JournalError: the journal cannot be read.
        """
        return await self._journal.do(lambda journal: journal.unfinished_everywhere())

    async def to_retry(self, operation_id: str = "") -> "StoredOperation | None":
        """Return an operation to try again; see ``JournalReader.to_retry``.

        Raises:
            JournalError: the journal cannot be read.
        """
        at, account = self.session.endpoint_key, self.session.account
        return await self._journal.do(lambda journal: journal.to_retry(at, account, operation_id))

    async def close(self) -> None:
        """Leave unfinished operations to the journal and close everything.

        Requests in flight have ``Options.close_grace`` seconds to be answered.
        """
        await self.operations.close()
        self.inventory.close()
        await self.session.close()
        self._password_check.forget()
        await self._journal.close()

    def _use(self, endpoint: Endpoint) -> None:
        """Start with an empty inventory at a new endpoint or account."""
        account = self.session.account
        self.inventory.close()
        self.inventory = Inventory(account, self.session, self._clock, self._emit)
        tracker = Tracker(
            lambda job_id: self.session.read(lambda api: api.job_status(account, job_id)),
            clock=self._clock,
            budget=TRACKING_SHARE * endpoint.requests_per_second,
            history=self._durations,
            on_duration=self._record_duration,
        )
        verifier = Verifier(
            read_server=self.inventory.read_server,
            read_data_center=self.inventory.read_data_center,
            data_center_of=self.inventory.data_center_of,
            clock=self._clock,
            backlogged=lambda: tracker.backlogged,
            live=self._options.live,
        )
        self._context = RunContext(
            session=self.session,
            account=account,
            inventory=self.inventory,
            tracker=tracker,
            verifier=verifier,
            journal=self._journal,
            clock=self._clock,
            options=self._options,
            emit=self._emit,
        )
        self.operations.use(self._context)

    async def _durations(self, action: Action, servers: int) -> list[float]:
        return await self._journal.do(lambda journal: journal.durations(action, similar(servers)))

    def _record_duration(self, action: Action, servers: int, seconds: float) -> None:
        self._journal.start(lambda journal: journal.record_duration(action, servers, seconds))
