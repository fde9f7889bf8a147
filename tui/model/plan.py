"""Plans: which servers an operation would change, in which batches, before anything is sent."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from tui.model.fleet import Fleet
from tui.model.operation import Action
from tui.model.prior import PriorTarget, is_in_doubt
from tui.model.server import Server

OPERATOR_ROLES = frozenset({"AccountAdmin", "ServerAdmin", "ServerOperator"})
"""Roles that may run maintenance and power operations. Source: the platform's role permissions matrix."""


NOT_IN_MAINTENANCE = "not in maintenance"
"""Why the end of maintenance skips a server that is not in it."""


class Skip(msgspec.Struct, frozen=True):
    """A server that the operation does not touch, and why."""

    server_id: str
    reason: str
    open: bool = False
    """Whether an earlier operation may still change the server."""


class Batch(msgspec.Struct, frozen=True):
    """The servers of one POST. All are in one data center, so that they become one job."""

    index: int
    wave: int
    data_center: str
    server_ids: tuple[str, ...]


class Plan(msgspec.Struct, frozen=True):
    """How an operation would be carried out: the batches to send, and the servers that are skipped."""

    action: Action
    batches: tuple[Batch, ...]
    skipped: tuple[Skip, ...] = ()
    not_mine: tuple[str, ...] = ()
    """Servers that would leave maintenance though none of the operator's windows put them there."""

    @property
    def server_ids(self) -> tuple[str, ...]:
        """The servers that would be changed, in the order they are sent."""
        return tuple(id_ for batch in self.batches for id_ in batch.server_ids)

    @property
    def waves(self) -> int:
        """The number of waves: one without a wave size, zero when no server is eligible."""
        return max((batch.wave for batch in self.batches), default=-1) + 1

    def skipped_by_reason(self) -> dict[str, list[str]]:
        """Reason -> ids, the most frequent reason first."""
        grouped: dict[str, list[str]] = {}
        for skip in self.skipped:
            grouped.setdefault(skip.reason, []).append(skip.server_id)
        return dict(sorted(grouped.items(), key=lambda item: -len(item[1])))


def may_operate(roles: Collection[str]) -> bool:
    """Whether one of ``roles`` may run operations. Without any the endpoint names no roles: allowed."""
    return not roles or not OPERATOR_ROLES.isdisjoint(roles)


def ineligible_reason(action: Action, server: Server) -> str | None:
    """Why ``action`` would be pointless or refused on ``server``; None when it is eligible."""
    if server.is_template:
        return "a template"
    if server.status.casefold() != "active":
        return f"not active ({server.status or 'status not known'})"
    if action.settled(server):
        return {
            Action.START_MAINTENANCE: "already in maintenance",
            Action.STOP_MAINTENANCE: NOT_IN_MAINTENANCE,
        }.get(action, f"already {server.power}")
    if action.only_from and server.power is not None and server.power not in action.only_from:
        return f"not {' or '.join(action.only_from)} ({server.power})"
    return None


def is_in_requested_state(reason: str) -> bool:
    """Whether the reason of a skip, or a message, says that the server is in the requested state already."""
    reason = reason.removeprefix("not sent: ")
    return reason.startswith("already ") or reason == NOT_IN_MAINTENANCE


class PlanContext(msgspec.Struct, frozen=True):
    """What the journal knows of earlier operations on the servers."""

    now: float = 0.0
    """Seconds since the epoch."""
    prior: Mapping[str, PriorTarget] = {}
    """Server id -> an earlier operation that may still change it, as ``open_targets`` finds them."""
    mine: Collection[str] | None = None
    """Servers that this operator's windows hold in maintenance; None where that is not known."""


def make_plan(
    action: Action,
    server_ids: Iterable[str],
    fleet: Fleet,
    *,
    roles: Collection[str] = (),
    context: PlanContext = PlanContext(),  # noqa: B008 - immutable
    batch_size: int = 100,
    wave_size: int | None = None,
) -> Plan:
    """Decide which servers ``action`` would change, and which POSTs would do so.

    A batch is one POST: one data center, at most ``batch_size`` servers. With ``wave_size`` the eligible
    servers are cut into waves of that many, in the order given, and each wave into batches of its own.

    Raises:
        ValueError: a size is less than 1.
    """
    if batch_size < 1 or (wave_size is not None and wave_size < 1):
        raise ValueError("batch and wave sizes start at 1")
    eligible: dict[str, Server] = {}
    skipped: dict[str, Skip] = {}
    for wanted in server_ids:
        id_ = wanted.upper()
        if id_ in eligible or id_ in skipped:
            continue
        server = fleet.servers.get(id_)
        if server is None:
            skipped[id_] = Skip(id_, "not found")
        elif not may_operate(roles):
            skipped[id_] = Skip(id_, "not allowed by your role")
        elif (skip := _skip_open(action, server, context)) is not None:
            skipped[id_] = skip
        elif (reason := ineligible_reason(action, server)) is not None:
            skipped[id_] = Skip(id_, reason)
        else:
            eligible[id_] = server
    batches = _batches(list(eligible.values()), batch_size, wave_size)
    not_mine = _not_mine(action, eligible, context)
    return Plan(action, batches, tuple(skipped.values()), not_mine)


def _skip_open(action: Action, server: Server, context: PlanContext) -> Skip | None:
    """Skip ``server`` where an earlier operation on it excludes ``action``; None where none does."""
    prior = context.prior.get(server.id)
    if prior is None:
        return None
    name = prior.describe(context.now)
    if prior.under_way:
        return Skip(server.id, f"still under way: {name} has not ended", open=True)
    same_field = action.is_maintenance is prior.action.is_maintenance
    if same_field and action.settled(server) and is_in_doubt(prior, server):
        return Skip(server.id, f"unsure: whether {name} reached it is not known", open=True)
    return None


def _not_mine(action: Action, servers: Mapping[str, Server], context: PlanContext) -> tuple[str, ...]:
    if action is not Action.STOP_MAINTENANCE or context.mine is None:
        return ()
    return tuple(id_ for id_ in servers if id_ not in context.mine)


def _batches(servers: Sequence[Server], batch_size: int, wave_size: int | None) -> tuple[Batch, ...]:
    batches: list[Batch] = []
    step = wave_size or max(1, len(servers))
    for wave in range(math.ceil(len(servers) / step)):
        by_data_center: dict[str, list[str]] = {}
        for server in servers[wave * step : (wave + 1) * step]:
            by_data_center.setdefault(server.data_center, []).append(server.id)
        for data_center, ids in sorted(by_data_center.items()):
            for first in range(0, len(ids), batch_size):
                chunk = tuple(ids[first : first + batch_size])
                batches.append(Batch(len(batches), wave, data_center, chunk))
    return tuple(batches)
