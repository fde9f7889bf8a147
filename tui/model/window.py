"""A maintenance window: when it is resumed, when it ends, and which servers it holds in maintenance."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from tui.model.operation import IN_FLIGHT, Action, State
from tui.model.server import Server
from tui.model.text import clean, counted, named

QUIET = 6 * 3_600.0
"""Seconds without an operation after which a window without a reason and a planned end is not resumed.

A night's pause between two waves is shorter, and the time between the runs of two days is longer.
"""


class Window(msgspec.Struct, frozen=True):
    """One maintenance window. Operations belong to it. Times are seconds since the epoch."""

    id: str
    endpoint: str
    account: str
    user: str
    opened: float
    reason: str = ""
    """The reason or ticket that the operator gave."""
    planned_end: float | None = None
    closed: float | None = None

    @property
    def name(self) -> str:
        """What it is called: its reason, else its id."""
        return self.reason or self.id


class MaintenanceStep(msgspec.Struct, frozen=True):
    """What one operation of a window did to the maintenance mode of one server, as far as is known."""

    window_id: str
    server_id: str
    action: Action
    state: State
    was_in_maintenance: bool | None = None
    """Before the operation; None where the platform left it out."""


MAY_HAVE_CHANGED = frozenset({*IN_FLIGHT, State.VERIFIED, State.UNSURE})
"""States in which a server may be in the requested state. A doubt counts, so that no server is forgotten."""


def held_in_maintenance(steps: Iterable[MaintenanceStep]) -> dict[str, str]:
    """Server id -> id of the window that put the server into maintenance and has not brought it back.

    ``steps`` are those of one account, in the order they began. Servers that were in maintenance before are
    omitted. A server is dropped only when a window has verified that it is out of maintenance. The
    result is what the windows did; ``Server.maintenance`` says whether a server is in maintenance now.
    """
    held: dict[str, str] = {}
    for step in steps:
        if step.action is Action.START_MAINTENANCE:
            if step.state in MAY_HAVE_CHANGED and not step.was_in_maintenance:
                held.setdefault(step.server_id, step.window_id)
        elif step.action is Action.STOP_MAINTENANCE and step.state is State.VERIFIED:
            held.pop(step.server_id, None)
    return held


class Hold(msgspec.Struct, frozen=True):
    """What holds a server in maintenance: a window of this journal."""

    window_id: str
    reason: str = ""


def is_mine(server: Server, holds: Mapping[str, Hold]) -> bool:
    """Whether ``server`` is in maintenance by one of the windows, as far as is known."""
    return server.id in holds and server.maintenance is not False


class NoteKind(StrEnum):
    """What a line in a window's log is about."""

    NOTE = "note"
    """A text of the operator."""
    LEFT = "left"
    """The window was closed while it held servers: which, and the operator's reason."""
    GONE = "gone"
    """Servers that the window held were found out of maintenance, by another hand."""


class Note(msgspec.Struct, frozen=True):
    """A line in a window's log."""

    at: float
    """Seconds since the epoch."""
    kind: NoteKind
    text: str = ""
    servers: tuple[str, ...] = ()


def note_text(note: Note, at_most: int) -> str:
    """A line of a window's log as a sentence, with the names of so many servers at most."""
    match note.kind:
        case NoteKind.LEFT:
            left = f"left in maintenance: {named(note.servers, at_most)}" if note.servers else "closed"
            return f"{left}: {note.text}"
        case NoteKind.GONE:
            return f"found out of maintenance, by another hand: {named(note.servers, at_most)}"
    return note.text


class OperationSummary(msgspec.Struct, frozen=True):
    """One operation of a window, without its servers. Times are seconds since the epoch."""

    id: str
    action: Action
    reason: str
    started: float
    ended: float | None
    counts: Mapping[State, int]
    """How many servers are in each state."""


class WindowStatus(msgspec.Struct, frozen=True):
    """A window, and how far it is. Times are seconds since the epoch."""

    window: Window
    held: tuple[str, ...] = ()
    """Servers that it put into maintenance and that were not brought back, by the journal."""
    operations: int = 0
    unfinished: int = 0
    """How many of them have not ended."""
    newest: float = 0.0
    """When the newest thing happened in it."""

    def is_resumed(self, now: float) -> bool:
        """Whether the next operation with the same reason belongs to it; it may come days later."""
        if self.closed_at(now) is not None:
            return False
        window = self.window
        return bool(window.reason) or now < max(window.planned_end or 0.0, self.newest + QUIET)

    def closed_at(self, now: float) -> float | None:
        """When it was closed, or has ended by itself; None while it is open.

        It ends by itself at its planned end, or later with what was brought back last. Without a reason and
        a planned end nobody will come back to it: it ends with its newest operation. Without a planned end
        a window with a reason stays open until it is closed.
        """
        window = self.window
        if window.closed is not None or self.held or self.unfinished:
            return window.closed
        if window.planned_end is not None:
            end = max(window.planned_end, self.newest)
            return end if end <= now else None
        return self.newest if not window.reason and self.newest + QUIET <= now else None

    def is_overdue(self, now: float) -> bool:
        """Whether it is open past its planned end and still holds servers."""
        end, closed = self.window.planned_end, self.window.closed
        return bool(self.held) and closed is None and end is not None and end <= now


class WindowNameError(ValueError):
    """A name leads to no window, or to several; ``str()`` says which there are and what to type."""


def find_window(
    windows: Sequence[Window],
    name: str,
    is_open: Callable[[Window], bool] = lambda window: window.closed is None,
) -> Window:
    """The window that ``name`` means.

    It is an id, or else a reason, or else a word of a reason, as a ticket is; in any case of letters. An open
    window goes before closed ones of the same reason: a reason may come back every week.

    Raises:
        WindowNameError: there is none, or there are several.
    """
    wanted, shown = clean(name).strip().casefold(), repr(clean(name.strip(), 60))
    by_age = sorted(windows, key=lambda window: window.opened, reverse=True)
    if not by_age:
        raise WindowNameError("the journal has no window yet: the first operation opens one")
    for matches in (
        lambda window: window.id.casefold() == wanted,
        lambda window: window.reason.strip().casefold() == wanted,
        lambda window: wanted in (word.strip(_AROUND_WORDS) for word in window.reason.casefold().split()),
    ):
        found = [window for window in by_age if wanted and matches(window)]
        found = [window for window in found if is_open(window)] or found
        if len(found) == 1:
            return found[0]
        if found:
            number = counted(len(found), "window")
            raise WindowNameError(f"{number} are named {shown}; say the id of one: {_listed(found)}")
    raise WindowNameError(f"there is no window {shown}; the newest are: {_listed(by_age)}")


def find_status(statuses: Iterable[WindowStatus], name: str, now: float) -> WindowStatus:
    """The same among windows whose progress is known.

    Raises:
        WindowNameError: there is none, or there are several.
    """
    by_id = {status.window.id: status for status in statuses}
    windows = [status.window for status in by_id.values()]
    return by_id[find_window(windows, name, lambda one: by_id[one.id].closed_at(now) is None).id]


_AROUND_WORDS = ".,;:!?()[]{}<>\"'"


def _listed(windows: Sequence[Window], at_most: int = 5) -> str:
    described = []
    for window in windows[:at_most]:
        opened = time.strftime("%Y-%m-%d %H:%M", time.localtime(window.opened))
        reason = f"{clean(window.reason, 40)}, " if window.reason else ""
        described.append(f"{clean(window.id)} ({reason}account {clean(window.account)}, opened {opened})")
    more = len(windows) - at_most
    return ", ".join(described) + (f" and {more:,} older" if more > 0 else "")
