"""What changes in the store when events are applied, for the screens to draw."""

import msgspec

from tui.engine import events
from tui.model.operation import Target
from tui.model.server import ServerDetails


class Notice(msgspec.Struct, frozen=True):
    """A message shown to the operator for some seconds."""

    message: str
    severity: str = "information"


class StoreChange(msgspec.Struct):
    """The difference that a number of events made, each thing once."""

    fleet: bool = False
    """Servers came or went, or groups changed: rebuild the list."""
    reread: bool = False
    """Everything was read: filter and sort again."""
    servers: set[str] = msgspec.field(default_factory=set)
    """Ids of servers that changed."""
    targets: dict[str, dict[str, Target]] = msgspec.field(default_factory=dict)
    """Operation id -> server id -> its newest state, in the order of the last change."""
    started: list[str] = msgspec.field(default_factory=list)
    ended: list[str] = msgspec.field(default_factory=list)
    logged_in: events.LoggedIn | None = None
    login_failed: events.LoginFailed | None = None
    login_needed: events.LoginNeeded | None = None
    unlocking: events.Unlocked | events.UnlockRefused | None = None
    details: ServerDetails | None = None
    details_failed: events.DetailsFailed | None = None
    engine_failed: str = ""
    """Why the engine stopped working."""
    status: bool = False
    """Link, latency, a requested pause, the time of reading, or whether a reading is under way."""
    notices: list[Notice] = msgspec.field(default_factory=list)

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__struct_fields__)
