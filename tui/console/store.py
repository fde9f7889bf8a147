"""The state that the screens show, built from the engine's events."""

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping

from tui.console.change import Notice, StoreChange
from tui.engine import events
from tui.engine.endpoint import Endpoint
from tui.model.completeness import failures
from tui.model.duration import History
from tui.model.fleet import Fleet
from tui.model.operation import ENDED, Action, Operation, State, Target
from tui.model.plan import PlanContext, may_operate
from tui.model.prior import PriorTarget, is_outdated, open_targets, prior_targets
from tui.model.window import MAY_HAVE_CHANGED, Hold

KEPT_OPERATIONS = 20
"""How many ended operations are shown; older ones are in the journal."""


class Store:
    """The one state that all screens read. Changed by ``apply`` only; imports no widget."""

    def __init__(self, *, clock: Callable[[], float] = time.time, readonly: bool = False) -> None:
        self.clock = clock
        self.readonly = readonly
        self.endpoint: Endpoint | None = None
        self.session: events.LoggedIn | None = None
        self.fleet = Fleet()
        self.operations: dict[str, Operation] = {}
        """Oldest first."""
        self.held_in_maintenance: dict[str, Hold] = {}
        """Servers that this account's windows put into maintenance and did not bring back."""
        self.held_is_known = False
        """Whether ``held_in_maintenance`` was read from the journal."""
        self._newest: dict[str, str] = {}
        """Server id -> id of the newest operation that it is in."""
        self._prior_targets: Mapping[str, PriorTarget] = {}
        """Earlier targets as last read from the journal, also of operations by other processes."""
        self.job_durations: History = {}
        """How long earlier jobs took, as last read from the journal."""
        self.elsewhere: set[str] = set()
        """Ids of operations that another process carries out and this one only shows."""
        self.link = events.Link.UP
        self.link_message = ""
        self.latency: float | None = None
        self.paused_until = 0.0
        """Until when the endpoint requested a pause, in seconds since the epoch."""
        self.reading = False
        self.read_at: float | None = None
        """When the oldest part of the fleet was read, in seconds since the epoch."""
        self.next_try: float | None = None
        """When the engine retries what could not be read, in seconds since the epoch."""
        self._retrying = False
        self._failed: tuple[str, ...] = ()
        """Data centers that the last attempt could not read."""
        self.trouble = ""
        """Why the newest reading of the fleet failed; empty when it succeeded."""
        self.journal_trouble = ""
        """Why the journal cannot be written; nothing new is sent meanwhile."""

    @property
    def may_operate(self) -> bool:
        """Whether the user's roles allow operations."""
        return self.session is None or may_operate(self.session.roles)

    def running(self) -> list[Operation]:
        """Operations that have not ended, oldest first."""
        return [operation for operation in self.operations.values() if operation.ended is None]

    def interrupted(self) -> list[Operation]:
        """Operations that were interrupted before everything was sent."""
        return [op for op in self.operations.values() if op.ended is not None and op.unsent]

    def unsettled(self) -> int:
        """The number of servers in running operations without a final state."""
        return sum(len(op.targets) - op.count(*ENDED) for op in self.running())

    def still_in_maintenance(self) -> list[str]:
        """Those of ``held_in_maintenance`` that are in maintenance now."""
        servers = self.fleet.servers
        return sorted(id_ for id_ in self.held_in_maintenance if id_ in servers and servers[id_].maintenance)

    def held_unread(self) -> list[str]:
        """Those of ``held_in_maintenance`` that were never read, while some data center is not read."""
        return (
            sorted(self.held_in_maintenance.keys() - self.fleet.servers.keys())
            if self.fleet.missing()
            else []
        )

    def plan_context(self) -> PlanContext:
        """The operations that servers were in before, here and in other processes."""
        now = self.clock()
        steps = [
            (id_, one) for id_, one in self._prior_targets.items() if one.operation_id not in self.operations
        ]
        for operation in self.operations.values():
            steps += prior_targets(operation)
        return PlanContext(
            now, open_targets(steps, now), self.held_in_maintenance.keys() if self.held_is_known else None
        )

    def states(self, change: StoreChange) -> dict[str, Target | None]:
        """The states to show for servers that ``change`` touches, as ``state_of`` gives them."""
        touched = set(change.servers).union(*change.targets.values())
        for id_ in change.ended:
            touched.update(self.operations[id_].targets if id_ in self.operations else ())
        return {id_: self.state_of(id_) for id_ in touched if id_ in self._newest}

    def state_of(self, server_id: str) -> Target | None:
        """A server's state in its newest operation; None without one, or if the server has changed since."""
        operation = self.operations.get(self._newest.get(server_id, ""))
        if operation is None:
            return None
        target, server = operation.targets[server_id], self.fleet.servers.get(server_id)
        ended = operation.ended is not None
        if server is not None and is_outdated(operation.action, target.state, server, ended=ended):
            return None
        return target

    def apply(self, new_events: Iterable[events.Event]) -> StoreChange:
        """Apply events in order, and return what changed. Equal notices become one."""
        change = StoreChange()
        for event in new_events:
            self._apply(event, change)
        change.notices = list({notice.message: notice for notice in change.notices}.values())
        return change

    def _apply(self, event: events.Event, change: StoreChange) -> None:
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
                self._data_center_read(event, change)
            case events.DataCenterFailed():
                self.fleet.fail([event.data_center], event.message)
                change.status = True
            case events.DataCentersListed():
                change.fleet |= self.fleet.expect(event.data_centers)
                change.status = True
            case events.FleetRead():
                self._fleet_read(event, change)
            case events.FleetFailed():
                self._fleet_failed(event, change)
            case events.RetryScheduled():
                self._retry_scheduled(event, change)
            case events.OperationStarted():
                self._operation_started(event, change)
            case events.OperationEnded():
                self._operation_ended(event, change)
            case events.HeldInMaintenance():
                self.held_in_maintenance = {id_: event.holds.get(id_, Hold("")) for id_ in event.server_ids}
                self.held_is_known = True
                change.status = True
            case events.PriorTargets():
                self._prior_targets = event.targets
            case events.JobDurations():
                self.job_durations = event.history
            case events.OperationNotStarted():
                change.notices.append(Notice(event.message[:1].upper() + event.message[1:], "error"))
            case events.LinkChanged():
                self._link_changed(event, change)
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
                self._journal_changed(event, change)
            case events.JournalPruned():
                change.notices.append(Notice(event.message))
            case events.EngineFailed():
                change.engine_failed = event.message
                change.notices.append(Notice(event.message, "error"))
            case _:
                raise AssertionError(f"no screen knows what to do with {type(event).__name__}")

    # -- reading the fleet

    def _data_center_read(self, event: events.DataCenterRead, change: StoreChange) -> None:
        before = (self.fleet.groups, self.fleet.data_centers.get(event.data_center.id))
        changes = self.fleet.replace(event.data_center, event.groups, event.servers, event.at)
        after = (self.fleet.groups, event.data_center)
        change.servers.update(changes.changed)
        change.fleet |= bool(changes.added or changes.removed) or before != after

    def _fleet_read(self, event: events.FleetRead, change: StoreChange) -> None:
        self.reading, self.next_try = False, None
        self._retrying = self._retrying and bool(event.failed)
        new = [id_ for id_ in event.failed if id_ not in self._failed]
        self._failed = event.failed
        change.notices += (Notice(text, "error") for text in failures(self.fleet, new))
        self.read_at = event.at
        self.trouble = ""
        change.status = True
        change.fleet |= self.fleet.expect(event.data_centers)
        change.reread = True

    def _fleet_failed(self, event: events.FleetFailed, change: StoreChange) -> None:
        # One notice until a reading succeeds, and none that repeats the link's own notice.
        if not self.trouble and event.message != self.link_message:
            change.notices.append(Notice(event.message, "error"))
        self.reading, self.next_try = False, None
        self.trouble = event.message
        self.fleet.unlisted = event.message
        change.status = True

    def _retry_scheduled(self, event: events.RetryScheduled, change: StoreChange) -> None:
        if not self._retrying:
            seconds = max(0, round(event.at - self.clock()))
            change.notices.append(Notice(f"What could not be read is tried again in {seconds} s"))
        self.next_try, self._retrying = event.at, True
        change.status = True

    # -- link and journal

    def _link_changed(self, event: events.LinkChanged, change: StoreChange) -> None:
        self.link, self.link_message = event.link, event.message
        up = event.link is events.Link.UP
        if not up:
            self.latency = None  # there are no answers now
        change.status = True
        change.notices.append(Notice(event.message, "information" if up else "warning"))

    def _journal_changed(self, event: events.JournalChanged, change: StoreChange) -> None:
        self.journal_trouble = event.message
        change.status = True
        if event.message:
            change.notices.append(Notice(event.message, "error"))
        else:
            change.notices.append(Notice("The journal can be written again."))

    # -- operations

    def _operation_started(self, event: events.OperationStarted, change: StoreChange) -> None:
        operation = self.operations[event.operation_id] = event.operation()
        self._newest.update(dict.fromkeys(operation.targets, operation.id))
        (self.elsewhere.add if event.elsewhere else self.elsewhere.discard)(operation.id)
        change.started.append(operation.id)
        change.targets.setdefault(operation.id, {}).update((t.server_id, t) for t in event.targets)

    def _progress(self, event: events.Progress, change: StoreChange) -> None:
        operation = self.operations.get(event.operation_id)
        if operation is None:
            return
        seen = change.targets.setdefault(event.operation_id, {})
        for target in event.targets:
            with contextlib.suppress(KeyError):
                # The journal is the authority, so its state replaces this one, whatever it was.
                operation.restore([target])
                self._update_held(operation, target)
                seen.pop(target.server_id, None)
                seen[target.server_id] = target

    def _operation_ended(self, event: events.OperationEnded, change: StoreChange) -> None:
        if (operation := self.operations.get(event.operation_id)) is not None:
            operation.ended = event.at
            change.ended.append(event.operation_id)
            self._forget_old()

    def _update_held(self, operation: Operation, target: Target) -> None:
        """Update ``held_in_maintenance`` by one state; when the operation ends, the journal's replaces it."""
        action = operation.action
        if action is Action.START_MAINTENANCE and target.state in MAY_HAVE_CHANGED:
            hold = Hold(operation.window_id, operation.reason)
            self.held_in_maintenance[target.server_id] = hold
        elif action is Action.STOP_MAINTENANCE and target.state is State.VERIFIED:
            self.held_in_maintenance.pop(target.server_id, None)

    def _forget_old(self) -> None:
        ended = [operation.id for operation in self.operations.values() if operation.ended is not None]
        for id_ in ended[:-KEPT_OPERATIONS]:
            del self.operations[id_]
            self.elsewhere.discard(id_)


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1000:.2g}"
