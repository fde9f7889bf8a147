"""What an operation would touch, before anything is sent."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from tui.model.fleet import Fleet
from tui.model.operation import Action
from tui.model.server import Server
from tui.model.standing import Standing, concern_the_same, is_in_doubt

OPERATOR_ROLES = frozenset({"AccountAdmin", "ServerAdmin", "ServerOperator"})
"""Roles that may run maintenance and power operations. Source: the platform's role permissions matrix."""


REMARKED = 6
"""How many servers a remark names; the others are counted."""


class Skip(msgspec.Struct, frozen=True):
    """A server that the operation leaves alone, and why."""

    server_id: str
    reason: str
    open: bool = False
    """Whether it may yet change by what was asked of it before: under way, or not known."""


class Batch(msgspec.Struct, frozen=True):
    """The servers of one POST: all in one data center, so that they become one job."""

    index: int
    wave: int
    data_center: str
    server_ids: tuple[str, ...]


class Plan(msgspec.Struct, frozen=True):
    """An operation as it would be carried out: who is touched, who is not and why, in which POSTs."""

    action: Action
    batches: tuple[Batch, ...]
    skipped: tuple[Skip, ...] = ()
    remarks: tuple[str, ...] = ()
    """What else to know of the servers that would be touched, before saying yes."""

    @property
    def server_ids(self) -> tuple[str, ...]:
        """The servers that would be touched, in the order they are sent."""
        return tuple(id_ for batch in self.batches for id_ in batch.server_ids)

    @property
    def waves(self) -> int:
        """How many waves there are; one when none were asked for, zero when nothing is eligible."""
        return max((batch.wave for batch in self.batches), default=-1) + 1

    def skipped_by_reason(self) -> dict[str, list[str]]:
        """Reason -> ids, the most frequent reason first."""
        grouped: dict[str, list[str]] = {}
        for skip in self.skipped:
            grouped.setdefault(skip.reason, []).append(skip.server_id)
        return dict(sorted(grouped.items(), key=lambda item: -len(item[1])))


def may_operate(roles: Collection[str]) -> bool:
    """Whether one of ``roles`` may run operations. No roles at all means the endpoint tells none: allowed."""
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
            Action.STOP_MAINTENANCE: "not in maintenance",
        }.get(action, f"already {server.power}")
    return None


class Before(msgspec.Struct, frozen=True):
    """What was asked of the servers before, as far as the journal knows."""

    now: float = 0.0
    """Seconds since the epoch."""
    standings: Mapping[str, Standing] = {}
    """See ``standing.newest``."""
    mine: Collection[str] | None = None
    """Servers that this operator's windows put into maintenance; None where that is not known."""


def make_plan(
    action: Action,
    server_ids: Iterable[str],
    fleet: Fleet,
    *,
    roles: Collection[str] = (),
    before: Before = Before(),  # noqa: B008 - immutable
    batch_size: int = 100,
    wave_size: int | None = None,
) -> Plan:
    """Decide what ``action`` on ``server_ids`` would touch, as far as ``fleet`` and ``before`` know.

    Batches are one POST each: one data center, at most ``batch_size`` servers. With ``wave_size``
    the eligible servers are cut into waves of that many, in the order given, and each wave into
    batches of its own.
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
        elif (skip := _still_open(action, server, before)) is not None:
            skipped[id_] = skip
        elif (reason := ineligible_reason(action, server)) is not None:
            skipped[id_] = Skip(id_, reason)
        else:
            eligible[id_] = server
    batches = _batches(list(eligible.values()), batch_size, wave_size)
    return Plan(action, batches, tuple(skipped.values()), tuple(_remarks(action, eligible, before)))


def _still_open(action: Action, server: Server, before: Before) -> Skip | None:
    """Why what was asked of ``server`` before stands in the way of ``action``; None where it does not."""
    standing = before.standings.get(server.id)
    if standing is None:
        return None
    name = standing.named(before.now)
    if standing.under_way:
        return Skip(server.id, f"still under way: {name} has not ended", open=True)
    as_asked = action.settled(server) and concern_the_same(action, standing.action)
    if as_asked and is_in_doubt(standing, server):
        return Skip(server.id, f"unsure: whether {name} reached it is not known", open=True)
    return None


def _remarks(action: Action, servers: Mapping[str, Server], before: Before) -> Iterator[str]:
    doubts: dict[str, list[str]] = {}
    for id_, server in servers.items():
        standing = before.standings.get(id_)
        if standing is not None and is_in_doubt(standing, server):
            doubts.setdefault(standing.action.label.lower(), []).append(id_)
    for label, ids in doubts.items():
        unsure = f"{_some(ids, servers)} unsure: whether the last {label} reached"
        yield f"{unsure} {'it' if len(ids) == 1 else 'them'} is not known"
    if action is Action.STOP_MAINTENANCE and before.mine is not None:
        others = [id_ for id_ in servers if id_ not in before.mine]
        if others:
            yield f"{_some(others, servers)} not yours: put into maintenance by others, or not from here"


def _some(ids: Sequence[str], of: Collection[str]) -> str:
    """E.g. "2 of these 26 (WA1A, WA1B) are"."""
    more = f" and {len(ids) - REMARKED:,} more" if len(ids) > REMARKED else ""
    verb = "is" if len(ids) == 1 else "are"
    return f"{len(ids):,} of these {len(of):,} ({', '.join(ids[:REMARKED])}{more}) {verb}"


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
