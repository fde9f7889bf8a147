"""From the engine's events to what the screen knows, and from there to the widgets, once per beat."""

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping

import msgspec

from tui.engine import events
from tui.engine.endpoint import Endpoint
from tui.model.completeness import failures
from tui.model.fleet import Fleet
from tui.model.operation import ENDED, Action, Operation, State, Target
from tui.model.plan import Before, may_operate
from tui.model.server import ServerDetails
from tui.model.standing import Standing, is_outdated, newest, operation_standings
from tui.model.window import MAY_HAVE_CHANGED

KEPT_OPERATIONS = 20
"""Operations that have ended and are still shown; older ones are in the journal."""


class Notice(msgspec.Struct, frozen=True):
    """Something to tell the operator in passing."""

    message: str
    severity: str = "information"


class Change(msgspec.Struct):
    """What a number of events changed: each thing once, however often it changed."""

    fleet: bool = False
    """Servers came or went, or groups changed: the list is to be made anew."""
    reread: bool = False
    """Everything was read: what the filter finds and the order are to be right again."""
    servers: set[str] = msgspec.field(default_factory=set)
    """Servers that are not as they were."""
    targets: dict[str, dict[str, Target]] = msgspec.field(default_factory=dict)
    """Operation id -> server id -> where it stands, in the order of the last change."""
    started: list[str] = msgspec.field(default_factory=list)
    ended: list[str] = msgspec.field(default_factory=list)
    logged_in: events.LoggedIn | None = None
    login_failed: events.LoginFailed | None = None
    login_needed: events.LoginNeeded | None = None
    unlocking: events.Unlocked | events.UnlockRefused | None = None
    details: ServerDetails | None = None
    details_failed: events.DetailsFailed | None = None
    engine_failed: str = ""
    """Why the engine does no more."""
    status: bool = False
    """Link, latency, a pause asked for, time of reading or whether a reading is under way."""
    notices: list[Notice] = msgspec.field(default_factory=list)

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__struct_fields__)


class Store:
    """All that the screens know, fed by the engine's events. Knows no widget."""

    def __init__(self, *, clock: Callable[[], float] = time.time, readonly: bool = False) -> None:
        self.clock = clock
        self.readonly = readonly
        self.endpoint: Endpoint | None = None
        self.session: events.LoggedIn | None = None
        self.fleet = Fleet()
        self.operations: dict[str, Operation] = {}
        """Oldest first."""
        self.left: set[str] = set()
        """What this account's windows put into maintenance and did not bring back, as far as is known."""
        self.left_known = False
        """Whether the journal has told so."""
        self._newest: dict[str, str] = {}
        """Server id -> the newest operation that it is in."""
        self._standings: Mapping[str, Standing] = {}
        """What the journal told last, also of operations that another Pitstop carried out."""
        self.elsewhere: set[str] = set()
        """Operations that another console carries out and this one only shows."""
        self.link = events.Link.UP
        self.link_message = ""
        self.latency: float | None = None
        self.paused_until = 0.0
        """Until when the endpoint asked us to wait."""
        self.reading = False
        self.read_at: float | None = None
        """When the oldest of what is known was read."""
        self.next_try: float | None = None
        """When what could not be read is tried again by itself."""
        self._trying = False
        self._failed: tuple[str, ...] = ()
        """The data centers that could not be read when last tried."""
        self.trouble = ""
        """Why there is no inventory at all, or no newer one."""
        self.journal_trouble = ""
        """Why the journal cannot be written; nothing new is sent meanwhile."""

    @property
    def may_operate(self) -> bool:
        """Whether the user's roles allow operations."""
        return self.session is None or may_operate(self.session.roles)

    def running(self) -> list[Operation]:
        """Operations that have not ended, oldest first."""
        return [operation for operation in self.operations.values() if operation.ended is None]

    def left_to_send(self) -> list[Operation]:
        """Operations that were interrupted before everything was sent."""
        return [op for op in self.operations.values() if op.ended is not None and op.left_to_send]

    def unsettled(self) -> int:
        """How many servers of running operations are on their way."""
        return sum(len(op.targets) - op.count(*ENDED) for op in self.running())

    def left_behind(self) -> list[str]:
        """Those of ``left`` that are in maintenance now."""
        servers = self.fleet.servers
        return sorted(id_ for id_ in self.left if id_ in servers and servers[id_].maintenance)

    def left_unread(self) -> list[str]:
        """Those of ``left`` of which nothing was read yet, while some data center is not read."""
        return sorted(self.left - self.fleet.servers.keys()) if self.fleet.missing() else []

    def before(self) -> Before:
        """What was asked of the servers before, here and in other Pitstops."""
        now = self.clock()
        steps = [
            (id_, one) for id_, one in self._standings.items() if one.operation_id not in self.operations
        ]
        for operation in self.operations.values():
            steps += operation_standings(operation)
        return Before(now, newest(steps, now), self.left if self.left_known else None)

    def states(self, change: Change) -> dict[str, Target | None]:
        """Where servers that ``change`` touches stand in their newest operation; None where none tells."""
        touched = set(change.servers).union(*change.targets.values())
        for id_ in change.ended:
            touched.update(self.operations[id_].targets if id_ in self.operations else ())
        return {id_: self.state_of(id_) for id_ in touched if id_ in self._newest}

    def state_of(self, server_id: str) -> Target | None:
        """Where a server stands in its newest operation; None once the server shows that it is otherwise."""
        operation = self.operations.get(self._newest.get(server_id, ""))
        if operation is None:
            return None
        target, server = operation.targets[server_id], self.fleet.servers.get(server_id)
        ended = operation.ended is not None
        if server is not None and is_outdated(operation.action, target.state, server, ended=ended):
            return None
        return target

    def take(self, happened: Iterable[events.Event]) -> Change:
        """Take in what happened; returns what is different now. What is told twice is one notice."""
        change = Change()
        for event in happened:
            self._take(event, change)
        change.notices = list({notice.message: notice for notice in change.notices}.values())
        return change

    def _take(self, event: events.Event, change: Change) -> None:
        match event:
            case events.Progress():
                self._progress(event, change)
            case events.ServersRead():
                change.servers.update(self.fleet.update(event.servers))
            case events.Latency():
                change.status |= _milliseconds(event.seconds) != _milliseconds(self.latency)
                self.latency = event.seconds
            case events.PauseRequested():
                self.paused_until = event.until
                change.status = True
            case events.DataCenterRead():
                before = (self.fleet.groups, self.fleet.data_centers.get(event.data_center.id))
                changes = self.fleet.replace(event.data_center, event.groups, event.servers, event.at)
                change.servers.update(changes.changed)
                change.fleet |= bool(changes.added or changes.removed) or before != (
                    self.fleet.groups,
                    event.data_center,
                )
            case events.DataCenterFailed():
                self.fleet.fail([event.data_center], event.message)
                change.status = True
            case events.DataCentersListed():
                change.fleet |= self.fleet.expect(event.data_centers)
                change.status = True
            case events.FleetRead():
                self.reading, self.next_try = False, None
                self._trying = self._trying and bool(event.failed)
                new = [id_ for id_ in event.failed if id_ not in self._failed]
                self._failed = event.failed
                change.notices += (Notice(text, "error") for text in failures(self.fleet, new))
                self.read_at = event.at
                self.trouble = ""
                change.status = True
                change.fleet |= self.fleet.expect(event.data_centers)
                change.reread = True
            case events.FleetFailed():
                # Once, until a reading succeeds; and not what the link's own notice has just said.
                if not self.trouble and event.message != self.link_message:
                    change.notices.append(Notice(event.message, "error"))
                self.reading, self.next_try = False, None
                self.trouble = event.message
                self.fleet.unlisted = event.message
                change.status = True
            case events.RetryScheduled():
                if not self._trying:
                    seconds = max(0, round(event.at - self.clock()))
                    change.notices.append(Notice(f"What could not be read is tried again in {seconds} s"))
                self.next_try, self._trying = event.at, True
                change.status = True
            case events.OperationStarted():
                self._started(event, change)
            case events.OperationEnded():
                if (operation := self.operations.get(event.operation_id)) is not None:
                    operation.ended = event.at
                    change.ended.append(event.operation_id)
                    self._forget_old()
            case events.LeftInMaintenance():
                self.left, self.left_known = set(event.server_ids), True
                change.status = True
            case events.Standings():
                self._standings = event.standings
            case events.OperationNotStarted():
                change.notices.append(Notice(event.message[:1].upper() + event.message[1:], "error"))
            case events.LinkChanged():
                self.link, self.link_message = event.link, event.message
                if event.link is not events.Link.UP:
                    self.latency = None  # that of an answer that no longer comes
                change.status = True
                severity = "information" if event.link is events.Link.UP else "warning"
                change.notices.append(Notice(event.message, severity))
            case events.LoggedIn():
                if self.session is None or self.session.account != event.account:
                    self.fleet = Fleet(event.account)
                self.session = change.logged_in = event
                change.status = True
            case events.LoginFailed():
                change.login_failed = event
            case events.LoginNeeded():
                change.login_needed = event
            case events.Unlocked() | events.UnlockRefused():
                change.unlocking = event
            case events.DetailsRead():
                change.details = event.details
                change.servers.update(self.fleet.update([event.details.server]))
            case events.DetailsFailed():
                change.details_failed = event
            case events.JournalChanged():
                self.journal_trouble = event.message
                change.status = True
                good = "The journal can be written again."
                change.notices.append(
                    Notice(event.message or good, "error" if event.message else "information")
                )
            case events.JournalPruned():
                change.notices.append(Notice(event.message))
            case events.EngineFailed():
                change.engine_failed = event.message
                change.notices.append(Notice(event.message, "error"))
            case _:
                raise AssertionError(f"no screen knows what to do with {type(event).__name__}")

    def _started(self, event: events.OperationStarted, change: Change) -> None:
        operation = self.operations[event.operation_id] = event.operation()
        self._newest.update(dict.fromkeys(operation.targets, operation.id))
        (self.elsewhere.add if event.elsewhere else self.elsewhere.discard)(operation.id)
        change.started.append(operation.id)
        change.targets.setdefault(operation.id, {}).update((t.server_id, t) for t in event.targets)

    def _progress(self, event: events.Progress, change: Change) -> None:
        operation = self.operations.get(event.operation_id)
        if operation is None:
            return
        seen = change.targets.setdefault(event.operation_id, {})
        for target in event.targets:
            with contextlib.suppress(KeyError):
                # What the journal holds is what counts, so a state is taken over as it is told.
                operation.restore([target])
                self._reckon(operation.action, target)
                seen.pop(target.server_id, None)
                seen[target.server_id] = target

    def _reckon(self, action: Action, target: Target) -> None:
        """What one step means for ``left``; when the operation ends the journal is asked."""
        if action is Action.START_MAINTENANCE and target.state in MAY_HAVE_CHANGED:
            self.left.add(target.server_id)
        elif action is Action.STOP_MAINTENANCE and target.state is State.VERIFIED:
            self.left.discard(target.server_id)

    def _forget_old(self) -> None:
        ended = [operation.id for operation in self.operations.values() if operation.ended is not None]
        for id_ in ended[:-KEPT_OPERATIONS]:
            del self.operations[id_]
            self.elsewhere.discard(id_)


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1000:.2g}"


def unsent(operation: Operation) -> int:
    """How many servers of ``operation`` nothing has been sent for yet."""
    return operation.count(State.PLANNED)
