"""A maintenance window, and the servers that windows hold in maintenance."""

from collections.abc import Iterable

import msgspec

from tui.model.operation import IN_FLIGHT, Action, State


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
