"""The engine's events: immutable, so that they may cross threads.

A console keeps its own copy of the fleet and the operations, and updates it with these.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from tui.model.duration import History
from tui.model.group import DataCenter, Group
from tui.model.operation import Action, Operation, Target
from tui.model.prior import PriorTarget
from tui.model.server import Server, ServerDetails
from tui.model.window import Hold


class Event(msgspec.Struct, frozen=True):
    """Base of all events."""


class LoggedIn(Event, frozen=True):
    """A login was accepted."""

    user: str
    account: str
    """The account alias in use: the requested one, else the user's own."""
    roles: tuple[str, ...]
    endpoint: str


class LoginFailed(Event, frozen=True):
    """A login did not succeed; ``message`` is for the operator.

    With ``refused`` the endpoint rejected it (the attempt counts towards a lock); else the endpoint did not
    answer, or no request was sent.
    """

    message: str
    refused: bool


class LoginNeeded(Event, frozen=True):
    """The token has expired and the credentials in memory are refused: the operator must log in again."""

    message: str


class Unlocked(Event, frozen=True):
    """The password is the one of the login."""


class UnlockRefused(Event, frozen=True):
    """The password is wrong, or came too soon after wrong ones; all are refused for ``wait`` seconds."""

    wait: float


class DataCentersListed(Event, frozen=True):
    """The account's data centers; any other no longer exists. Emitted before one of them is read."""

    data_centers: tuple[str, ...]


class DataCenterRead(Event, frozen=True):
    """All groups and servers of one data center, read at ``at`` (seconds since the epoch)."""

    data_center: DataCenter
    groups: tuple[Group, ...]
    servers: tuple[Server, ...]
    at: float


class DataCenterFailed(Event, frozen=True):
    """One data center could not be read; the others are read all the same."""

    data_center: str
    message: str


class FleetRead(Event, frozen=True):
    """A reading has ended: of the whole inventory, or of the data centers that failed before."""

    data_centers: tuple[str, ...]
    """The account's data centers; any other no longer exists."""
    failed: tuple[str, ...]
    """Those of them that could not be read this time."""
    at: float
    """When the oldest part of the fleet was read, in seconds since the epoch."""


class FleetFailed(Event, frozen=True):
    """The list of data centers could not be read."""

    message: str


class RetryScheduled(Event, frozen=True):
    """What could not be read is retried at ``at`` (seconds since the epoch), unless requested earlier."""

    at: float


class ServersRead(Event, frozen=True):
    """Single servers were read, e.g. to verify an operation."""

    servers: tuple[Server, ...]
    at: float


class DetailsRead(Event, frozen=True):
    """Everything about one server was read."""

    details: ServerDetails
    at: float


class DetailsFailed(Event, frozen=True):
    """The details of one server could not be read."""

    server_id: str
    message: str


class OperationStarted(Event, frozen=True):
    """An operation is in the journal and under way; also emitted for each one that is resumed."""

    operation_id: str
    action: Action
    account: str
    window_id: str
    reason: str
    at: float
    targets: tuple[Target, ...]
    """Every server of the operation in its current state, in the order sent."""
    resumed: bool = False
    elsewhere: bool = False
    """Whether another running console of the same user carries it out; this one only shows it."""
    retry_of: str = ""
    """The id of the operation whose servers it tries again; empty for most."""

    @classmethod
    def of(cls, operation: Operation, *, resumed: bool, elsewhere: bool) -> "OperationStarted":
        """Return the event for an operation that is in the journal."""
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
            operation.retry_of,
        )

    def operation(self) -> Operation:
        """Return a copy of the operation, to be updated by later events."""
        operation = Operation(
            self.operation_id,
            self.action,
            [target.server_id for target in self.targets],
            account=self.account,
            window_id=self.window_id,
            reason=self.reason,
            started=self.at,
            retry_of=self.retry_of,
        )
        operation.restore(self.targets)
        return operation


class Progress(Event, frozen=True):
    """Servers of one operation changed state, job id or message. Emitted once it is in the journal."""

    operation_id: str
    targets: tuple[Target, ...]


class OperationEnded(Event, frozen=True):
    """Nothing more happens in this operation by itself.

    When it was interrupted, servers may still be planned: they can be sent by resuming it.
    """

    operation_id: str
    at: float
    summary: Mapping[str, int]
    """State name -> number of servers."""


class HeldInMaintenance(Event, frozen=True):
    """Servers that this account's windows put into maintenance and did not bring back, by the journal.

    Whether a server is in maintenance now, only the fleet shows.
    """

    server_ids: tuple[str, ...]
    holds: Mapping[str, Hold] = {}
    """Server id -> the window that holds it."""


class JobDurations(Event, frozen=True):
    """How long earlier jobs took, by the journal."""

    history: History


class PriorTargets(Event, frozen=True):
    """Servers that are under way or whose outcome is not known, by the journal.

    Covers every process of the same user at this endpoint and account.
    """

    targets: Mapping[str, PriorTarget]


class OperationNotStarted(Event, frozen=True):
    """An operation was requested and nothing was sent, e.g. because the journal cannot be written."""

    operation_id: str
    message: str


class Link(StrEnum):
    """Whether the endpoint can be reached."""

    UP = "up"
    DOWN = "down"
    """No answers."""
    FAILING = "failing"
    """The answers are errors or malformed."""

    @property
    def trouble(self) -> str:
        """What is wrong, in a few words; empty for UP."""
        return {"down": "no answer", "failing": "answers with errors"}.get(self, "")


class LinkChanged(Event, frozen=True):
    """The link to the endpoint changed. Emitted once per change."""

    link: Link
    message: str
    at: float


class JournalChanged(Event, frozen=True):
    """The journal cannot be written, or can be again. Emitted once per change.

    While it cannot, nothing new is sent; what was sent is followed, and recorded later.
    """

    message: str
    """Why not, and what to do; empty when it can be written again."""


class JournalPruned(Event, frozen=True):
    """Operations that ended long ago were deleted from the journal."""

    message: str
    """How many, and when they ended."""


class Latency(Event, frozen=True):
    """How long the newest answer took, in seconds."""

    seconds: float


class PauseRequested(Event, frozen=True):
    """The endpoint requested a pause until ``until`` (seconds since the epoch). The newest one counts."""

    until: float


class EngineFailed(Event, frozen=True):
    """The engine met a bug; the log file has the details. The journal keeps what was sent."""

    message: str
