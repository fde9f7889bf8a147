"""The engine on one event loop: login, inventory, operations, windows."""

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.engine.clock import Clock, SystemClock
from tui.engine.endpoint import Endpoint, place
from tui.engine.errors import JournalError
from tui.engine.events import Event, JournalChanged, JournalPruned, LeftInMaintenance, Standings
from tui.engine.inventory import Inventory
from tui.engine.journal.thread import JournalThread
from tui.engine.operations.context import RunContext
from tui.engine.operations.manager import OperationManager
from tui.engine.options import Options
from tui.engine.password_check import PasswordCheck
from tui.engine.platform import Connect, connecting
from tui.engine.polling.schedule import similar
from tui.engine.polling.tracker import Tracker
from tui.engine.polling.verifier import Verifier
from tui.engine.session import Session
from tui.model.fleet import Fleet
from tui.model.operation import Action, Operation
from tui.model.plan import Plan
from tui.model.standing import Standing
from tui.model.window import left_in_maintenance

if TYPE_CHECKING:
    from tui.engine.journal.writer import JournalWriter

TRACKING_SHARE = 0.9
"""The part of the endpoint's request budget that asking for the status of jobs may take."""


class EngineService:
    """Everything the engine does. One event loop's; see ``Engine`` for the same from any thread."""

    def __init__(
        self,
        *,
        journal: "JournalWriter",
        emit: Callable[[Event], None],
        clock: Clock | None = None,
        options: Options | None = None,
        connect: Connect | None = None,
    ) -> None:
        self._journal = JournalThread(
            journal,
            lambda problem: emit(JournalChanged(problem)),
            lambda text: emit(JournalPruned(text)),
        )
        self._emit = emit
        self._clock = clock or SystemClock()
        self.session = Session(connect or connecting(journal.database.path.parent), self._clock, emit)
        self._inventory = Inventory("", self.session, self._clock, emit)
        self._runs = OperationManager(self._journal, self.session, self._clock, options or Options(), emit)
        self._context: RunContext | None = None
        self._lock = PasswordCheck(self._clock)

    @property
    def fleet(self) -> Fleet:
        """The servers of the account, as last read."""
        return self._inventory.fleet

    @property
    def operations(self) -> dict[str, Operation]:
        """The operations under way, and the newest that ended."""
        return self._runs.operations

    @property
    def running(self) -> bool:
        """Whether anything was sent from here that is not settled, or is about to be sent."""
        return self._runs.running

    async def login(self, endpoint: Endpoint, user: str, password: str, account: str = "") -> None:
        """Log in once; tells LoggedIn or LoginFailed.

        While operations are under way it renews their login: the account stays, unless another is named.
        """
        if self.running:
            account = account or self.session.account
            if place(endpoint) != self.session.place or account.upper() != self.session.account:
                self.session.refuse(
                    f"operations on {self.session.account} are under way; they must end or be stopped first"
                )
                return
        before = (self.session.place, self.session.account)
        if not await self.session.login(endpoint, user, password, account):
            return
        self._lock.take(password)
        if self._context is not None and (self.session.place, self.session.account) == before:
            self._context.tracker.nudge()
        else:
            self._move_in(endpoint)

    async def unlock(self, password: str) -> None:
        """Compare a password with the one of the login; tells Unlocked or UnlockRefused. Nothing is sent."""
        self._emit(self._lock.open(password))

    async def refresh(self) -> None:
        """Read the whole inventory again: 1 + (number of data centers) requests."""
        await self._inventory.refresh()

    async def keep_reading(self) -> None:
        """The same, and try what could not be read again by itself; see ``Inventory.keep_reading``."""
        await self._inventory.keep_reading()

    async def details(self, server_id: str) -> None:
        """Read everything about one server; tells DetailsRead or DetailsFailed."""
        await self._inventory.details(server_id)

    async def run(
        self,
        plan: Plan,
        *,
        operation_id: str = "",
        window_id: str = "",
        reason: str = "",
        max_failed: int | None = None,
    ) -> None:
        """Carry a plan out to its end; see ``OperationManager.run``."""
        await self._runs.run(
            plan, operation_id=operation_id, window_id=window_id, reason=reason, max_failed=max_failed
        )

    async def resume(self, *, send_planned: bool = False) -> None:
        """Take up what the journal says is unfinished here; see ``OperationManager.resume``."""
        await self._runs.resume(send_planned=send_planned)

    async def cancel(self, operation_id: str) -> None:
        """Send nothing more of an operation; what was sent is followed to its end."""
        await self._runs.cancel(operation_id)

    def hold(self) -> None:
        """Send nothing more for now; what was not sent waits for a resume, the rest is followed."""
        self._runs.hold()

    async def drain(self, *, send_rest: bool) -> None:
        """Wait until everything sent is settled; see ``OperationManager.drain``."""
        await self._runs.drain(send_rest=send_rest)

    async def left_in_maintenance(self, window_id: str = "") -> list[str]:
        """Servers that the windows of this account put into maintenance and did not bring back.

        Of one window, or of all. What they did is told; whether a server is in maintenance now, only
        the fleet says.

        Raises:
            JournalError: the journal cannot be read.
        """
        at, account = self.session.place, self.session.account
        left = left_in_maintenance(await self._journal.do(lambda journal: journal.held(at, account)))
        return [id_ for id_, window in left.items() if not window_id or window == window_id]

    async def standings(self) -> dict[str, Standing]:
        """What is under way on servers of this account, or what became of which is not known.

        Raises:
            JournalError: the journal cannot be read.
        """
        at, account = self.session.place, self.session.account
        return await self._journal.do(lambda journal: journal.standings(at, account))

    async def tell_left(self) -> None:
        """Tell LeftInMaintenance and Standings; nothing where the journal, which says so, cannot be read."""
        with contextlib.suppress(JournalError):
            self._emit(LeftInMaintenance(tuple(await self.left_in_maintenance())))
            self._emit(Standings(await self.standings()))

    async def unfinished(self) -> dict[tuple[str, str], int]:
        """Endpoint and account -> how many operations have not ended there, for all that have any.

        Raises:
            JournalError: the journal cannot be read.
        """
        return await self._journal.do(lambda journal: journal.unfinished_everywhere())

    async def close(self) -> None:
        """Leave. Requests in flight get a moment for their answers; everything else is in the journal."""
        await self._runs.close()
        self._inventory.close()
        await self.session.close()
        self._lock.forget()
        await self._journal.close()

    def _move_in(self, endpoint: Endpoint) -> None:
        """A new endpoint or account: everything that was read of the old one is forgotten."""
        account = self.session.account
        self._inventory.close()
        self._inventory = Inventory(account, self.session, self._clock, self._emit)
        tracker = Tracker(
            lambda job_id: self.session.read(lambda api: api.job_status(account, job_id)),
            clock=self._clock,
            budget=TRACKING_SHARE * endpoint.requests_per_second,
            history=self._durations,
            on_word=self._runs.on_word,
            on_duration=self._note_duration,
        )
        verifier = Verifier(
            read_server=self._inventory.read_server,
            read_data_center=self._inventory.read_data_center,
            data_center_of=self._inventory.place_of,
            clock=self._clock,
            crowded=lambda: tracker.crowded,
        )
        self._context = RunContext(
            session=self.session,
            account=account,
            inventory=self._inventory,
            tracker=tracker,
            verifier=verifier,
            journal=self._journal,
            clock=self._clock,
            options=self._runs.options,
            tell=self._emit,
        )
        self._runs.work_with(self._context)

    async def _durations(self, action: Action, servers: int) -> list[float]:
        return await self._journal.do(lambda journal: journal.durations(action, similar(servers)))

    def _note_duration(self, action: Action, servers: int, seconds: float) -> None:
        self._journal.begin(lambda journal: journal.record_duration(action, servers, seconds))
