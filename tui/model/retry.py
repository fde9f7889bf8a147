"""What of an earlier operation can be tried again."""

from collections.abc import Mapping

import msgspec

from tui.model.operation import Operation, State, Target
from tui.model.plan import Skip, is_in_requested_state
from tui.model.prior import PriorTarget

NOT_DONE = frozenset({State.REFUSED, State.FAILED, State.UNSURE, State.SUCCEEDED, State.CANCELLED})
"""States of an ended operation in which a server may not be as requested. Where the action leaves no trace,
SUCCEEDED is a good end."""


class Retry(msgspec.Struct, frozen=True):
    """The servers of an operation that did not end well."""

    counts: Mapping[str, int]
    """Name of the state -> number of servers."""
    server_ids: tuple[str, ...]
    """Those that can be tried again, in the operation's order."""
    unknown: tuple[str, ...]
    """Of those, the ones whose outcome is not known: reading them decides."""
    left_out: tuple[Skip, ...]


def plan_retry(operation: Operation, later: Mapping[str, PriorTarget], now: float) -> Retry:
    """Sort out which servers of ``operation`` can be tried again.

    A server that a later operation of the same kind has (``later``, by server id) is left out: it is tried
    again from there, if at all. So is one whose outcome is not known where no reading can show it.

    Args:
        operation: Has ended.
        later: Server id -> the newest later operation that has the server.
        now: Seconds since the epoch.
    """
    counts: dict[str, int] = {}
    ids, unknown, left_out = [], [], []
    traced = operation.action.leaves_trace
    for target in operation.targets.values():
        id_ = target.server_id
        if not _is_open(target, traced=traced):
            continue
        counts[target.state.value] = counts.get(target.state.value, 0) + 1
        if (newer := later.get(id_)) is not None:
            where = f"in a later operation: {newer.describe(now)}, {newer.operation_id}"
            left_out.append(Skip(id_, f"already done {where}" if _is_done(operation, newer) else where))
        elif target.state in {State.UNSURE, State.SUCCEEDED} and not traced:
            doubt = f"unsure: a server does not show whether it was {operation.action.result}; look there"
            left_out.append(Skip(id_, doubt, open=True))
        else:
            ids.append(id_)
            if target.state in {State.UNSURE, State.SUCCEEDED}:
                unknown.append(id_)
    return Retry(counts, tuple(ids), tuple(unknown), tuple(left_out))


def _is_done(operation: Operation, newer: PriorTarget) -> bool:
    """Whether a later operation did to a server what ``operation`` was to do."""
    well = State.VERIFIED if operation.action.leaves_trace else State.SUCCEEDED
    return newer.action is operation.action and newer.state is well


def _is_open(target: Target, *, traced: bool) -> bool:
    """Whether a server may not be as requested: not verified, and not left alone because it already was."""
    if target.state is State.SUCCEEDED:
        return traced
    untouched = target.state in {State.REFUSED, State.CANCELLED} and is_in_requested_state(target.message)
    return target.state in NOT_DONE and not untouched
