"""The fleet of one account: data centers, nested groups and servers, a function of alias, seed and size.

A server keeps 64 random bits for everything that its entity shows and no operation depends on (addresses,
disks, operating system), so that 100,000 are made in a second or two.
"""

from __future__ import annotations

import random
from bisect import insort
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, count
from typing import Any, NamedTuple
from zlib import crc32

from tui.contract.views import Snapshot
from tui.sandbox import names
from tui.sandbox.job import Job
from tui.sandbox.seeds import rng

POD_SIZE = 250
"""Groups with more servers than this are divided into pods."""

CELL_SIZE = 999
"""Server names end in two or three digits; the next thousand takes another letter."""

OLDEST_CHANGE = 1_620_000_000.0
CHANGES_WITHIN = 60_000_000
"""When servers were last changed before the sandbox began: within two years from May 2021."""

SPECIAL_KINDS = (
    "archived",
    "template",
    "underConstruction",
    "queuedForRestore",
    "queuedForDelete",
    "queuedForArchive",
    "deleted",
    "queuedForDelete",
    "archived",
    "template",
)
"""The kinds of servers that are not active, in the order in which they are added to the fleet."""


class State(NamedTuple):
    """The part of a server that operations change."""

    power: str
    maintenance: bool
    status: str
    description: str
    modified_at: float
    modified_by: str
    snapshots: tuple[Snapshot, ...] | None = None
    """None as long as they are those from the beginning."""


class Change(NamedTuple):
    """The effect of an operation on one server, from `at` on; reads show it from `shown_at` on."""

    at: float
    shown_at: float
    by: str
    fields: Mapping[str, Any]
    """The fields of `State` that it sets."""
    dated: bool = True
    """Whether it shows in the date of the last modification."""

    def applied(self, state: State) -> State:
        """The state after this change."""
        edit: dict[str, Any] = {"modified_at": self.at, "modified_by": self.by} if self.dated else {}
        return state._replace(**self.fields, **edit)


@dataclass(slots=True, eq=False)
class Group:
    """A node of a data center's tree. `kind` is the platform's type: default, archive or templates."""

    id: str
    name: str
    data_center: str
    kind: str = "default"
    description: str | None = None
    parent: Group | None = None
    groups: list[Group] = field(default_factory=list)
    servers: list[Server] = field(default_factory=list)
    servers_count: int = 0
    """Servers in the subtree, without those queued for restore, as the platform counts them."""

    def with_parents(self) -> Iterator[Group]:
        """The group itself and all above it."""
        group: Group | None = self
        while group is not None:
            yield group
            group = group.parent


@dataclass(slots=True, eq=False)
class Server:
    """One server: its fixed attributes, its initial state, and the changes that jobs made since."""

    id: str
    group: Group
    template: bool
    bits: int
    base: State
    changes: list[Change] | None = None
    job: Job | None = None
    reached: dict[str, int] = field(default_factory=dict)
    """Per operation, how often a POST that was carried out named this server, queued or refused."""
    queued: dict[str, int] = field(default_factory=dict)
    """Per operation, how often it was queued."""

    @property
    def uuid(self) -> str:
        """Another id, of 32 hexadecimal digits."""
        return f"{self.bits:016x}{crc32(self.id.encode()):016x}"

    def at(self, now: float) -> State:
        """The true state at a moment."""
        state = self.base
        for change in self.changes or ():
            if change.at <= now:
                state = change.applied(state)
        return state

    def shown_at(self, now: float) -> State:
        """The state that reads show at a moment."""
        if self.changes is None:
            return self.base
        state = self.base
        for change in self.changes:
            if change.shown_at <= now:
                state = change.applied(state)
        return state

    def add(self, change: Change, now: float) -> None:
        """Add a change in the order of time, and fold past changes into the base: the list stays short."""
        pending = self.changes or []
        while pending and pending[0].at <= now and pending[0].shown_at <= now:
            self.base = pending.pop(0).applied(self.base)
        insort(pending, change, key=lambda one: one.at)
        self.changes = pending


class Move(NamedTuple):
    """A server that changes its group at a moment."""

    at: float
    server: Server
    group: Group


class Fleet:
    """The fleet of one account. Keys are in canonical case: data centers lower, servers upper."""

    def __init__(self, alias: str, size: int, seed: int) -> None:
        self.alias = alias
        self.roots: dict[str, Group] = {}
        self.groups: dict[str, Group] = {}
        self.servers: dict[str, Server] = {}
        self._moves: list[Move] = []
        chance = rng("fleet", alias, seed)
        primary, *others = names.DATA_CENTERS
        chosen = [primary, *chance.sample(others, 2 if size >= 100 else 1)]
        specials = _specials(size)
        for index, code in enumerate(chosen):
            share = _share(size, len(chosen), index)
            maker = _Maker(self, code, rng("fleet", alias, seed, code))
            maker.make(share, specials[index :: len(chosen)][:share])

    def __iter__(self) -> Iterator[Server]:
        return iter(self.servers.values())

    @cached_property
    def by_uuid(self) -> dict[str, Server]:
        """The servers by their other ids."""
        return {server.uuid: server for server in self}

    def server(self, server_id: str) -> Server | None:
        """A server by either id."""
        return self.servers.get(server_id.upper()) or (
            self.by_uuid.get(server_id.lower()) if len(server_id) == 32 else None
        )

    def move(self, move: Move) -> None:
        """Plan a move."""
        self._moves.append(move)

    def carry_out_moves(self, now: float) -> None:
        """Carry out the moves that are due."""
        due = [move for move in self._moves if move.at <= now]
        for _, server, group in sorted(due, key=lambda move: move.at):
            for place, more in ((server.group, -1), (group, 1)):
                for above in place.with_parents():
                    above.servers_count += more
            server.group.servers.remove(server)
            group.servers.append(server)
            server.group = group
        self._moves = [move for move in self._moves if move.at > now]


def servers_under(group: Group) -> Iterator[Server]:
    """Every server of a subtree."""
    yield from group.servers
    for child in group.groups:
        yield from servers_under(child)


def _share(size: int, parts: int, index: int) -> int:
    """The share of the data center `index` in `size`; the shares add up to `size`."""
    bounds = (0, 40, 75, 100) if parts == 3 else (0, 60, 100)
    return size * bounds[index + 1] // 100 - size * bounds[index] // 100


def _specials(size: int) -> list[str]:
    """One server of every kind from 40 servers on, about one in sixteen in larger fleets."""
    count = max(len(SPECIAL_KINDS) if size >= 40 else size // 4, size // 16)
    return [SPECIAL_KINDS[number % len(SPECIAL_KINDS)] for number in range(count)]


class _Maker:
    """Fills one data center."""

    def __init__(self, fleet: Fleet, code: str, chance: random.Random) -> None:
        self.fleet = fleet
        self.code = code
        self.chance = chance
        self.numbers: Counter[str] = Counter()
        self.active_count = count()
        self.root = self._group(f"{code} Hardware", None)
        self.archive = self._group("Archive", self.root, "archive")
        self.templates = self._group("Templates", self.root, "templates")
        self.by_path: dict[tuple[str, ...], Group] = {}
        fleet.roots[code.lower()] = self.root
        self._path(("Default Group",))

    def make(self, size: int, specials: list[str]) -> None:
        """Make `size` servers, of which the last ones are the special kinds given."""
        leaves = [(tier, stage) for tier in names.TIERS for stage in names.STAGES]
        weights = list(accumulate(tier.weight * stage[2] for tier, stage in leaves))
        chosen = self.chance.choices(range(len(leaves)), cum_weights=weights, k=size)
        crowd = Counter(chosen)
        placed: Counter[int] = Counter()
        for number, leaf in enumerate(chosen):
            tier, stage = leaves[leaf]
            path = tier.path if tier.path == ("Default Group",) else (*tier.path, stage[0])
            if crowd[leaf] > POD_SIZE:
                path = (*path, f"Pod {placed[leaf] // POD_SIZE + 1:02d}")
            placed[leaf] += 1
            special = number - (size - len(specials))
            self._server(tier, stage, self._path(path), specials[special] if special >= 0 else "active")

    def _server(self, tier: names.Tier, stage: tuple[str, str, int], group: Group, kind: str) -> None:
        bits = self.chance.getrandbits(64)
        if kind in ("archived", "queuedForRestore"):
            group = self.archive
        elif kind == "template":
            group = self.templates
        roll = (bits >> 32) % 100 if kind == "active" else 90
        power = "started" if roll < 88 else "stopped" if roll < 96 else "paused"
        if kind == "queuedForDelete":
            power = "paused" if bits >> 32 & 1 else "started"
        maintenance = kind == "active" and power != "stopped" and next(self.active_count) % 24 == 7
        pattern = names.DESCRIPTIONS[bits % len(names.DESCRIPTIONS)]
        server = Server(
            id=self._name(tier.code, stage[1]),
            group=group,
            template=kind == "template",
            bits=bits,
            base=State(
                power,
                maintenance,
                status="active" if kind == "template" else kind,
                description=pattern.format(
                    purpose=tier.purpose,
                    stage=stage[0].lower(),
                    number=bits >> 8 & 1023,
                    quarter=(bits >> 18 & 3) + 1,
                ),
                modified_at=OLDEST_CHANGE + (bits >> 20) % CHANGES_WITHIN,
                modified_by=names.PEOPLE[(bits >> 11) % len(names.PEOPLE)],
            ),
        )
        group.servers.append(server)
        self.fleet.servers[server.id] = server
        if kind != "queuedForRestore":
            for above in group.with_parents():
                above.servers_count += 1

    def _name(self, code: str, letter: str) -> str:
        """The next free name: two digits, or three from the hundredth on or where numbering began at 101."""
        prefix = code + letter
        if prefix not in self.numbers:
            self.numbers[prefix] = 100 if self.chance.random() < 0.15 else 0
        cell, number = divmod(self.numbers[prefix], CELL_SIZE)
        self.numbers[prefix] += 1
        if cell:
            prefix = f"{code}{letter or 'P'}{chr(ord('A') + cell - 1)}"
        return f"{self.code}{self.fleet.alias}{prefix}{number + 1:02d}"

    def _path(self, path: tuple[str, ...]) -> Group:
        """The group at a path under the root; missing groups are created."""
        group = self.by_path.get(path)
        if group is None:
            parent = self._path(path[:-1]) if len(path) > 1 else self.root
            group = self.by_path[path] = self._group(path[-1], parent)
        return group

    def _group(self, name: str, parent: Group | None, kind: str = "default") -> Group:
        bits = self.chance.getrandbits(128)
        group = Group(
            id=f"{bits:032x}",
            name=name,
            data_center=self.code,
            kind=kind,
            description=_group_description(name, parent, kind, bits),
            parent=parent,
        )
        if parent is not None:
            parent.groups.append(group)
        self.fleet.groups[group.id] = group
        return group


def _group_description(name: str, parent: Group | None, kind: str, bits: int) -> str | None:
    """The recorded texts of roots, Archive and Templates; one in four of the others has a description."""
    if parent is None:
        return name
    if kind != "default":
        return names.ARCHIVE_DESCRIPTION if kind == "archive" else names.TEMPLATES_DESCRIPTION
    described = bits % 4 == 0
    return names.GROUP_DESCRIPTIONS[(bits >> 2) % len(names.GROUP_DESCRIPTIONS)] if described else None
