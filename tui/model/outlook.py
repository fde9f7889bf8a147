"""What the operator should know of a plan before confirming it: counts, an estimate, warnings."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from tui.model.duration import Estimate, History, estimate
from tui.model.filter.query import QueryError, select
from tui.model.fleet import Fleet
from tui.model.operation import Action
from tui.model.plan import Plan, PlanContext
from tui.model.prior import is_in_doubt
from tui.model.server import Server
from tui.model.text import MAX_NAMED, clean, named

NO_GROUP = "no known group"
FEW_NAMED = 3
"""Servers or groups that a warning names; all are listed on a key, and in JSON."""


class WarningKind(StrEnum):
    """Why a plan deserves a second thought. JSON uses these names."""

    PROTECTED = "protected"
    """The profile's filter ``protected`` matches the servers."""
    UNSURE = "unsure"
    """Whether an earlier operation reached the servers is not known."""
    NOT_MINE = "not_mine"
    """The servers were put into maintenance by others."""
    GROUP = "group"
    """Half or more of a group's servers in service go at once."""
    PUBLIC_IP = "public_ip"
    """The servers have a public IP address."""

    @property
    def word(self) -> str:
        """What is said of one server, beside its id."""
        return _WORDS[self]


_WORDS: Mapping[WarningKind, str] = {
    WarningKind.PROTECTED: "protected",
    WarningKind.UNSURE: "unsure",
    WarningKind.NOT_MINE: "not yours",
    WarningKind.GROUP: "half of its group",
    WarningKind.PUBLIC_IP: "public IP",
}


class PlanWarning(msgspec.Struct, frozen=True):
    """A warning, and the servers and groups that it is about."""

    kind: WarningKind
    text: str
    server_ids: tuple[str, ...]
    groups: tuple[str, ...] = ()


class Outlook(msgspec.Struct, frozen=True):
    """What carrying out a plan means. The counts are of the servers that would be changed."""

    data_centers: Mapping[str, int] = {}
    groups: Mapping[str, int] = {}
    """The group's path -> its servers, the group with the most first."""
    estimate: Estimate | None = None
    warnings: tuple[PlanWarning, ...] = ()

    @property
    def protected(self) -> tuple[str, ...]:
        """The servers for which the operator must type the count, however few they are."""
        found = (warning.server_ids for warning in self.warnings if warning.kind is WarningKind.PROTECTED)
        return next(found, ())


class Protection(NamedTuple):
    """The filter that matches the servers to be most careful with."""

    filter: str = ""
    """Without one nothing is protected."""
    filters: Mapping[str, str] = {}
    """The filters that ``@name`` in it stands for."""


def look_ahead(
    plan: Plan,
    fleet: Fleet,
    *,
    context: PlanContext = PlanContext(),  # noqa: B008 - immutable
    history: History = {},  # noqa: B006 - never changed
    protection: Protection = Protection(),  # noqa: B008 - immutable
) -> Outlook:
    """Look ahead at carrying out ``plan``, which ``make_plan`` made for ``fleet`` and ``context``."""
    servers = {id_: fleet.servers[id_] for id_ in plan.server_ids if id_ in fleet.servers}
    centers = Counter[str]()
    for batch in plan.batches:
        centers[batch.data_center] += len(batch.server_ids)
    in_groups = Counter(server.group_id for server in servers.values()).most_common()
    label = _labels(fleet, [id_ for id_, _ in in_groups])
    groups = Counter[str]()
    for id_, number in in_groups:
        groups[label[id_]] += number
    found = (
        _protected(servers, fleet, protection),
        _unsure(servers, context),
        _not_mine(plan, servers),
        _half_a_group(plan, servers, fleet, label),
        _public(plan.action, servers),
    )
    warnings = tuple(warning for warning in found if warning is not None)
    return Outlook(dict(centers), dict(groups), estimate(plan, history), warnings)


def group_counts(groups: Mapping[str, int], at_most: int = MAX_NAMED) -> str:
    """E.g. "40 in Web/Prod, 12 in Databases and 6 in 3 more groups"."""
    counts = list(groups.items())
    if len(counts) == at_most + 1:
        at_most += 1
    text = ", ".join(f"{number:,} in {group}" for group, number in counts[:at_most])
    more = counts[at_most:]
    return text + (f" and {sum(number for _, number in more):,} in {len(more):,} more groups" if more else "")


def facts(outlook: Outlook) -> list[tuple[str, str]]:
    """Where the servers are, and how long it takes; each fact after a word."""
    found = []
    if outlook.data_centers:
        centers = ", ".join(f"{number:,} in {center}" for center, number in outlook.data_centers.items())
        found.append(("Where", centers))
        found.append(("Groups", group_counts(outlook.groups)))
    if outlook.estimate is not None:
        found.append(("Takes", str(outlook.estimate)))
    return found


def _labels(fleet: Fleet, group_ids: Collection[str]) -> dict[str, str]:
    """Group id -> its path, with its data center where another one of these groups has the same path."""
    groups = {id_: fleet.groups.get(id_) for id_ in group_ids}
    often = Counter(group.path for group in groups.values() if group)
    return {
        id_: NO_GROUP
        if group is None
        else group.path
        if often[group.path] == 1
        else f"{group.path} ({group.data_center})"
        for id_, group in groups.items()
    }


def _some(ids: Sequence[str], of: Collection[str], at_most: int = MAX_NAMED) -> str:
    """E.g. "2 of these 26 (WA1A, WA1B) are"."""
    return f"{len(ids):,} of these {len(of):,} ({named(ids, at_most)}) {'is' if len(ids) == 1 else 'are'}"


def _protected(servers: Mapping[str, Server], fleet: Fleet, protection: Protection) -> PlanWarning | None:
    if not protection.filter.strip():
        return None
    part = Fleet(fleet.account)
    part.groups, part.servers = fleet.groups, dict(servers)
    try:
        ids = tuple(server.id for server in select(part, protection.filter, protection.filters))
        why = f"protected: {clean(protection.filter, 60)}"
    except QueryError as error:  # A filter that it names was removed.
        ids = tuple(servers)
        why = f"protected: the filter `protected` does not parse ({clean(str(error), 100)})"
    return PlanWarning(WarningKind.PROTECTED, f"{_some(ids, servers, FEW_NAMED)} {why}", ids) if ids else None


def _unsure(servers: Mapping[str, Server], context: PlanContext) -> PlanWarning | None:
    doubts: dict[str, list[str]] = defaultdict(list)
    for id_, server in servers.items():
        prior = context.prior.get(id_)
        if prior is not None and is_in_doubt(prior, server):
            doubts[prior.action.label.lower()].append(id_)
    if not doubts:
        return None
    sentences = [
        f"{_some(ids, servers, FEW_NAMED)} unsure: whether the last {label} reached "
        f"{'it' if len(ids) == 1 else 'them'} is not known"
        for label, ids in doubts.items()
    ]
    all_ids = tuple(id_ for ids in doubts.values() for id_ in ids)
    return PlanWarning(WarningKind.UNSURE, f"{'; '.join(sentences)}; look first", all_ids)


def _not_mine(plan: Plan, servers: Mapping[str, Server]) -> PlanWarning | None:
    if not plan.not_mine:
        return None
    text = f"{_some(plan.not_mine, servers)} not yours: put into maintenance by others, or not from here"
    return PlanWarning(WarningKind.NOT_MINE, text, plan.not_mine)


def _public(action: Action, servers: Mapping[str, Server]) -> PlanWarning | None:
    ids = tuple(id_ for id_, server in servers.items() if server.public_ip)
    if not ids or not action.takes_out_of_service:
        return None
    some = _some(ids, servers, FEW_NAMED).removesuffix(" are").removesuffix(" is")
    text = f"{some} {'has' if len(ids) == 1 else 'have'} a public IP address"
    return PlanWarning(WarningKind.PUBLIC_IP, text, ids)


def _half_a_group(
    plan: Plan, servers: Mapping[str, Server], fleet: Fleet, label: Mapping[str, str]
) -> PlanWarning | None:
    """Warn where half or more of the servers that a group has in service now are out of it at once."""
    if not plan.action.takes_out_of_service:
        return None
    together = _together(plan)
    groups = {servers[id_].group_id for ids in together for id_ in ids if id_ in servers}
    members, serving = Counter[str](), Counter[str]()
    for server in fleet.servers.values():
        if server.group_id in groups and is_active(server):
            members[server.group_id] += 1
            serving[server.group_id] += is_in_service(server)
    worst: dict[str, list[str]] = {}
    for ids in together:
        going: dict[str, list[str]] = defaultdict(list)
        for id_ in ids:
            if id_ in servers and is_in_service(servers[id_]):
                going[servers[id_].group_id].append(id_)
        for group, gone in going.items():
            if 2 * len(gone) >= serving[group] and members[group] > 1:
                worst[group] = max(worst.get(group, []), gone, key=len)
    if not worst:
        return None
    order = sorted(worst, key=lambda group: (-len(worst[group]), label[group]))
    names = tuple(label[group] for group in order)
    counts = [
        f"{name} ({len(worst[group]):,} of {serving[group]:,})"
        for group, name in zip(order, names, strict=True)
    ]
    what = "a group" if len(order) == 1 else f"{len(order):,} groups"
    text = f"half or more of {what} in service goes at once: {named(counts, FEW_NAMED)}"
    return PlanWarning(WarningKind.GROUP, text, tuple(id_ for group in order for id_ in worst[group]), names)


def _together(plan: Plan) -> Iterable[Sequence[str]]:
    """The servers that are out of service at the same time: all that stay out, else those of a wave."""
    if plan.action.stays_out_of_service:
        return [plan.server_ids]
    waves: dict[int, list[str]] = defaultdict(list)
    for batch in plan.batches:
        waves[batch.wave] += batch.server_ids
    return waves.values()


def is_active(server: Server) -> bool:
    """Whether it is a server that can be in service at all."""
    return not server.is_template and server.status.casefold() == "active"


def is_in_service(server: Server) -> bool:
    """Whether it can be in service now: started and not in maintenance, or nothing is known against it."""
    return is_active(server) and not server.maintenance and server.power in {None, "started"}


def warning_words(warnings: Iterable[PlanWarning]) -> dict[str, list[str]]:
    """Server id -> a word for each warning about that server."""
    found: dict[str, list[str]] = defaultdict(list)
    for warning in warnings:
        for id_ in warning.server_ids:
            found[id_].append(warning.kind.word)
    return dict(found)
