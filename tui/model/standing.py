"""Where servers stand in what was asked of them before: what is under way, and what is not known."""

import time
from collections.abc import Iterable

import msgspec

from tui.model.operation import IN_FLIGHT, Action, Operation, State
from tui.model.server import Server

DOUBT_LASTS = 3_600.0
"""Seconds for which an outcome that is not known counts: no job takes as long."""

_LATE = frozenset({State.UNSURE, State.SUCCEEDED})
"""How an operation can leave a server of which it is not known whether it will still change."""
_MAINTENANCE = frozenset({Action.START_MAINTENANCE, Action.STOP_MAINTENANCE})


class Standing(msgspec.Struct, frozen=True):
    """One server in one operation. Times are seconds since the epoch."""

    operation_id: str
    action: Action
    state: State
    at: float
    """When it came into that state."""
    started: float
    reason: str = ""
    open: bool = False
    """Whether the operation has not ended."""
    sending: bool = False
    """Whether somebody, here or in another Pitstop, is about to send what is planned in it."""

    @property
    def under_way(self) -> bool:
        """Whether something was or is about to be sent whose outcome the operation has not settled."""
        if self.state is State.PLANNED:
            return self.open and self.sending
        over = self.state is State.SUCCEEDED and not self.action.leaves_trace
        return self.open and (self.state in IN_FLIGHT or self.state is State.UNSURE) and not over

    @property
    def doubtful(self) -> bool:
        """Whether the operation has ended and it is not known whether it reached the server."""
        over = self.state is State.SUCCEEDED and not self.action.leaves_trace
        return not self.open and self.state in _LATE and not over

    def at_state(self, state: State, at: float) -> "Standing":
        """Another server of the same operation."""
        return msgspec.structs.replace(self, state=state, at=at)

    def named(self, now: float) -> str:
        """The operation in words; see ``operation_name``."""
        return operation_name(self.action, self.started, self.reason, now)


def operation_name(action: Action, started: float, reason: str, now: float) -> str:
    """E.g. "start maintenance of 22:04 (CHG-1)", with its day where that is long ago."""
    form = "%H:%M" if now - started < 43_200 else "%Y-%m-%d %H:%M"
    when = time.strftime(form, time.localtime(started))
    return f"{action.label.lower()} of {when}" + (f" ({reason})" if reason else "")


def operation_standings(operation: Operation) -> list[tuple[str, Standing]]:
    """Where every server of an operation that is shown here stands."""
    ended, started = operation.ended is not None, operation.started
    of = Standing(
        operation.id, operation.action, State.PLANNED, 0.0, started, operation.reason, not ended, True
    )
    return [(target.server_id, of.at_state(target.state, target.at)) for target in operation.targets.values()]


def newest(steps: Iterable[tuple[str, Standing]], now: float) -> dict[str, Standing]:
    """What counts of each server: what is under way, else a doubt that nothing newer has settled.

    ``steps`` are server ids and where they stand, the oldest operation first.
    """
    found: dict[str, Standing] = {}
    for server_id, step in steps:
        if (known := found.get(server_id)) is not None and known.under_way:
            continue
        if step.under_way or (step.doubtful and now - step.at < DOUBT_LASTS):
            found[server_id] = step
        elif step.state is State.VERIFIED:
            found.pop(server_id, None)
    return found


def is_in_doubt(standing: Standing, server: Server) -> bool:
    """Whether it is still not known what the operation did: the server does not show it."""
    return standing.doubtful and standing.action.settled(server) is not True


def concern_the_same(one: Action, other: Action) -> bool:
    """Whether two actions change the same of a server: its maintenance mode, or its power."""
    return (one in _MAINTENANCE) == (other in _MAINTENANCE)


def is_outdated(action: Action, state: State, server: Server, *, ended: bool) -> bool:
    """Whether a server shows that the state it came to in an operation is no longer how it is.

    What was verified and is otherwise now; what failed or was not known, and is as asked now. What is still
    being followed never is, nor what says nothing of the server: refused, or not sent.
    """
    settled = action.settled(server)
    if state is State.VERIFIED:
        return settled is False
    return settled is True and (state is State.FAILED or (ended and state in _LATE))
