"""A maintenance window: who works on which account, why, since when, and what is still in maintenance."""

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


class Step(msgspec.Struct, frozen=True):
    """What one operation of a window did to one server's maintenance mode, as far as is known."""

    window_id: str
    server_id: str
    action: Action
    state: State
    was_in_maintenance: bool | None = None
    """Before the operation; None where the platform did not tell."""


MAY_HAVE_CHANGED = frozenset({*IN_FLIGHT, State.VERIFIED, State.UNSURE})
"""States in which a server may be as the operation asked. Nothing is forgotten, so a doubt counts."""


def left_in_maintenance(steps: Iterable[Step]) -> dict[str, str]:
    """Which servers the windows put into maintenance and have not brought back.

    Servers that were in maintenance before are not theirs to bring back. A server leaves the list only
    when its return is verified, by whichever window. What it says is what was done; whether a server
    is in maintenance at this moment, its own flag says.

    Args:
        steps: Of one account, in the order they were begun.

    Returns:
        Server id -> id of the window that put it into maintenance.
    """
    left: dict[str, str] = {}
    for step in steps:
        if step.action is Action.START_MAINTENANCE:
            if step.state in MAY_HAVE_CHANGED and not step.was_in_maintenance:
                left.setdefault(step.server_id, step.window_id)
        elif step.action is Action.STOP_MAINTENANCE and step.state is State.VERIFIED:
            left.pop(step.server_id, None)
    return left
