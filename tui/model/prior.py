"""What earlier operations may still do to servers: those under way, and those with an unknown outcome."""

import time
from collections.abc import Iterable

import msgspec

from tui.model.operation import IN_FLIGHT, Action, Operation, State
from tui.model.server import Server

DOUBT_LASTS = 3_600.0
"""Seconds for which an unknown outcome counts: no job takes as long."""

_UNKNOWN_OUTCOME = frozenset({State.UNSURE, State.SUCCEEDED})
"""States of an ended operation in which the server may still change."""


class PriorTarget(msgspec.Struct, frozen=True):
    """One server in an earlier operation. Times are seconds since the epoch."""

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
    """Whether a living process, this one or another, is about to send what is planned in it."""

    @property
    def under_way(self) -> bool:
        """Whether something was sent, or is about to be, whose outcome the operation has not settled."""
        if self.state is State.PLANNED:
            return self.open and self.sending
        return self.open and (self.state in IN_FLIGHT or self.state is State.UNSURE) and not self._is_complete

    @property
    def doubtful(self) -> bool:
        """Whether the operation has ended without it being known whether it reached the server."""
        return not self.open and self.state in _UNKNOWN_OUTCOME and not self._is_complete

    @property
    def _is_complete(self) -> bool:
        return self.state is State.SUCCEEDED and not self.action.leaves_trace

    def with_state(self, state: State, at: float) -> "PriorTarget":
        """Another server of the same operation."""
        return msgspec.structs.replace(self, state=state, at=at)

    def describe(self, now: float) -> str:
        """The operation as a phrase; see ``operation_name``."""
        return operation_name(self.action, self.started, self.reason, now)


def operation_name(action: Action, started: float, reason: str, now: float) -> str:
    """E.g. "start maintenance of 22:04 (CHG-1)", in local time; dated after half a day."""
    form = "%H:%M" if now - started < 43_200 else "%Y-%m-%d %H:%M"
    when = time.strftime(form, time.localtime(started))
    return f"{action.label.lower()} of {when}" + (f" ({reason})" if reason else "")


def prior_targets(operation: Operation) -> list[tuple[str, PriorTarget]]:
    """Server id and state of every target of ``operation``, as ``open_targets`` takes them."""
    prior = PriorTarget(
        operation.id,
        operation.action,
        State.PLANNED,
        0.0,
        operation.started,
        operation.reason,
        open=operation.ended is None,
        sending=True,
    )
    return [(id_, prior.with_state(target.state, target.at)) for id_, target in operation.targets.items()]


def open_targets(targets: Iterable[tuple[str, PriorTarget]], now: float) -> dict[str, PriorTarget]:
    """Server id -> what may still change that server.

    An operation under way comes first, then a doubt less than ``DOUBT_LASTS`` old that no later operation
    has settled. ``targets`` are server ids with their states, the oldest operation first.
    """
    found: dict[str, PriorTarget] = {}
    for server_id, target in targets:
        if (known := found.get(server_id)) is not None and known.under_way:
            continue
        if target.under_way or (target.doubtful and now - target.at < DOUBT_LASTS):
            found[server_id] = target
        elif target.state is State.VERIFIED:
            found.pop(server_id, None)
    return found


def is_in_doubt(prior: PriorTarget, server: Server) -> bool:
    """Whether the outcome of ``prior`` is unknown and ``server`` does not show it either."""
    return prior.doubtful and prior.action.settled(server) is not True


def is_outdated(action: Action, state: State, server: Server, *, ended: bool) -> bool:
    """Whether ``server`` shows that the state it reached in an operation no longer holds.

    That is so where the state is verified and the server differs, or where it is failed or unknown and the
    server is in the requested state. A server that is still followed is never outdated, nor one that was
    refused or not sent. ``ended`` is whether the operation has ended.
    """
    settled = action.settled(server)
    if state is State.VERIFIED:
        return settled is False
    return settled is True and (state is State.FAILED or (ended and state in _UNKNOWN_OUTCOME))
