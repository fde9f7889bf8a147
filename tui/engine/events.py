"""What the engine tells: immutable, so that they may cross threads.

Whoever shows a fleet or an operation keeps its own, and feeds it with these.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from tui.model.group import DataCenter, Group
from tui.model.operation import Action, Operation, Target
from tui.model.server import Server, ServerDetails
from tui.model.standing import Standing


class Event(msgspec.Struct, frozen=True):
    """Anything the engine tells."""


class LoggedIn(Event, frozen=True):
    """A login was accepted."""

    user: str
    account: str
    """The alias worked on: the one asked for, else the user's own."""
    roles: tuple[str, ...]
    endpoint: str


class LoginFailed(Event, frozen=True):
    """A login did not succeed; ``message`` is for the operator.

    With ``refused`` the endpoint itself said no (the attempt counts towards a lock); else the
    endpoint could not be asked.
    """

    message: str
    refused: bool


class LoginNeeded(Event, frozen=True):
    """The token ran out and the credentials in memory are refused: ask the operator, lose nothing."""

    message: str


class Unlocked(Event, frozen=True):
    """The password that was tried is the one of the login."""


class UnlockRefused(Event, frozen=True):
    """It is not, or it came too soon after wrong ones; for ``wait`` seconds no other is looked at."""

    wait: float


class DataCentersListed(Event, frozen=True):
    """The data centers that the account has now; any other is gone. Told before one of them is read."""

    data_centers: tuple[str, ...]


class DataCenterRead(Event, frozen=True):
    """All groups and servers of one data center, as read at ``at``."""

    data_center: DataCenter
    groups: tuple[Group, ...]
    servers: tuple[Server, ...]
    at: float


class DataCenterFailed(Event, frozen=True):
    """One data center could not be read; the others are not hidden by that."""

    data_center: str
    message: str


class FleetRead(Event, frozen=True):
    """A reading of the inventory has ended: of all of it, or of what could not be read before."""

    data_centers: tuple[str, ...]
    """Those the account has now; any other is gone."""
    failed: tuple[str, ...]
    """Those of them that could not be read this time."""
    at: float
    """When the oldest of what is known was read."""


class FleetFailed(Event, frozen=True):
    """Not even the list of data centers could be read."""

    message: str


class ReadingAgain(Event, frozen=True):
    """What could not be read will be tried again by itself at ``at``, unless it is asked for earlier."""

    at: float


class ServersRead(Event, frozen=True):
    """Some servers were read again, one by one or in bulk, e.g. to verify an operation."""

    servers: tuple[Server, ...]
    at: float


class DetailsRead(Event, frozen=True):
    """Everything about one server, on request."""

    details: ServerDetails
    at: float


class DetailsFailed(Event, frozen=True):
    """The details of one server could not be read."""

    server_id: str
    message: str


class OperationStarted(Event, frozen=True):
    """An operation is in the journal and under way; also told for each one taken up again after a restart."""

    operation_id: str
    action: Action
    account: str
    window_id: str
    reason: str
    at: float
    targets: tuple[Target, ...]
    """Every server of the operation, in the order sent, where it stands now."""
    resumed: bool = False
    elsewhere: bool = False
    """Whether another running console of the same user carries it out; this one only shows it."""

    @classmethod
    def of(cls, operation: Operation, *, resumed: bool, elsewhere: bool) -> "OperationStarted":
        """The event for an operation that is in the journal."""
        return cls(
            operation.id,
            operation.action,
            operation.account,
            operation.window_id,
            operation.reason,
            operation.started,
            tuple(operation.targets.values()),
            resumed,
            elsewhere,
        )

    def operation(self) -> Operation:
        """A copy of the operation for whoever shows it; later events change it."""
        operation = Operation(
            self.operation_id,
            self.action,
            [target.server_id for target in self.targets],
            account=self.account,
            window_id=self.window_id,
            reason=self.reason,
            started=self.at,
        )
        operation.restore(self.targets)
        return operation


class Progress(Event, frozen=True):
    """Servers of one operation changed state, job id or message. Told after it is in the journal."""

    operation_id: str
    targets: tuple[Target, ...]


class OperationEnded(Event, frozen=True):
    """Nothing more will happen in this operation by itself.

    Servers may still be planned when it was interrupted: they are sent when somebody resumes it.
    """

    operation_id: str
    at: float
    summary: Mapping[str, int]
    """State name -> number of servers."""


class LeftInMaintenance(Event, frozen=True):
    """Servers that this account's windows put into maintenance and did not bring back, says the journal.

    What they did; whether a server is in maintenance now, only the fleet says.
    """

    server_ids: tuple[str, ...]


class Standings(Event, frozen=True):
    """Which servers are under way, or not known to have changed or not, says the journal.

    Of every Pitstop of the same user at this endpoint and account.
    """

    standings: Mapping[str, Standing]


class OperationNotStarted(Event, frozen=True):
    """An operation was asked for and nothing was sent, e.g. because the journal cannot be written."""

    operation_id: str
    message: str


class Link(StrEnum):
    """How the way to the endpoint is."""

    UP = "up"
    DOWN = "down"
    """No answer comes."""
    FAILING = "failing"
    """Answers come, and they are errors or make no sense."""

    @property
    def trouble(self) -> str:
        """What is wrong, in a few words; empty when all is well."""
        return {"down": "no answer", "failing": "answers with errors"}.get(self, "")


class LinkChanged(Event, frozen=True):
    """The endpoint stopped answering, answers with errors, or as it should again. Told once each way."""

    link: Link
    message: str
    at: float


class JournalChanged(Event, frozen=True):
    """The journal cannot be written, or can be again. Told once each way.

    While it cannot, nothing new is sent; what was sent is followed, and written down later.
    """

    message: str
    """Why not, and what to do; empty when all is well again."""


class JournalPruned(Event, frozen=True):
    """Operations that ended long ago have left the journal."""

    message: str
    """How many, and from when."""


class Latency(Event, frozen=True):
    """How long the newest answer took, in seconds. For the status line; the newest one counts."""

    seconds: float


class PauseAsked(Event, frozen=True):
    """The endpoint asked for a pause: until ``until`` little or nothing is sent. The newest one counts."""

    until: float


class EngineFailed(Event, frozen=True):
    """The engine itself met a bug; the details are in the log file. Sent work is in the journal."""

    message: str
