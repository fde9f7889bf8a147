"""A maintenance window, and the servers that windows hold in maintenance."""

import time
from collections.abc import Iterable, Sequence

import msgspec

from tui.model.operation import IN_FLIGHT, Action, State
from tui.model.text import clean, counted


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


class NoSuchWindow(ValueError):
    """A name leads to no window, or to several; ``str()`` says which there are and what to type."""


def find_window(windows: Sequence[Window], name: str) -> Window:
    """The window that ``name`` means: the newest one for an empty name.

    It is an id, or else a reason, or else a word of a reason, as a ticket is; in any case of letters.

    Raises:
        NoSuchWindow: there is none, or there are several.
    """
    by_age = sorted(windows, key=lambda window: window.opened, reverse=True)
    wanted = clean(name).strip().casefold()
    if not by_age:
        raise NoSuchWindow("the journal has no window yet: the first operation opens one")
    if not wanted:
        return by_age[0]
    for matches in (
        lambda window: window.id.casefold() == wanted,
        lambda window: window.reason.strip().casefold() == wanted,
        lambda window: wanted in (word.strip(_AROUND_WORDS) for word in window.reason.casefold().split()),
    ):
        found = [window for window in by_age if matches(window)]
        if len(found) == 1:
            return found[0]
        if found:
            number = counted(len(found), "window")
            raise NoSuchWindow(f"{number} are named {clean(name, 60)!r}; say the id of one: {_listed(found)}")
    raise NoSuchWindow(f"there is no window {clean(name, 60)!r}; the newest are: {_listed(by_age)}")


_AROUND_WORDS = ".,;:!?()[]{}<>\"'"


def _listed(windows: Sequence[Window], at_most: int = 5) -> str:
    described = []
    for window in windows[:at_most]:
        opened = time.strftime("%Y-%m-%d %H:%M", time.localtime(window.opened))
        reason = f"{clean(window.reason, 40)}, " if window.reason else ""
        described.append(f"{clean(window.id)} ({reason}account {clean(window.account)}, opened {opened})")
    more = len(windows) - at_most
    return ", ".join(described) + (f" and {more:,} older" if more > 0 else "")
