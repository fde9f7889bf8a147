"""The fleet: data centers, groups and servers of one account, as last read."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import msgspec

from tui.model.group import DataCenter, Group
from tui.model.server import Server


class Changes(msgspec.Struct, frozen=True):
    """The ids of servers that a refresh added, removed or changed."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


class Fleet:
    """Data centers, groups and servers of an account.

    Engine and console have an instance each. The entities in it are immutable, so both share them.
    """

    def __init__(self, account: str = "") -> None:
        self.account = account
        self.data_centers: dict[str, DataCenter] = {}
        self.groups: dict[str, Group] = {}
        self.servers: dict[str, Server] = {}
        self.read_at: dict[str, float] = {}
        """Data center id -> when its servers were last read, in seconds since the epoch."""
        self.problems: dict[str, str] = {}
        """Data center id -> why its last reading failed; its servers are as of ``read_at`` then."""
        self.expected: tuple[str, ...] = ()
        """Ids of the account's data centers, as last listed. They are known before their servers are."""
        self.unlisted = ""
        """Why the last listing of the data centers failed; empty when it succeeded."""

    def expect(self, data_centers: Iterable[str]) -> bool:
        """Set the data centers of the account and drop all others. Returns whether a read one was dropped."""
        self.expected, self.unlisted = tuple(data_centers), ""
        dropped = self.data_centers.keys() - self.expected
        for id_ in dropped:
            self.replace(self.data_centers[id_], (), (), 0.0)
            del self.data_centers[id_], self.read_at[id_]
        for id_ in self.problems.keys() - self.expected:
            del self.problems[id_]
        return bool(dropped)

    def fail(self, data_centers: Iterable[str], reason: str) -> None:
        """Note that data centers could not be read. Their servers stay as they were."""
        self.problems.update(dict.fromkeys(data_centers, reason))

    def missing(self, group_id: str | None = None) -> tuple[str, ...]:
        """Ids of the data centers that are not read yet, or whose last reading failed.

        With ``group_id``, only the data center of that group counts.
        """
        group = self.groups.get(group_id) if group_id is not None else None
        known = dict.fromkeys((*self.expected, *self.problems))
        return tuple(
            id_
            for id_ in known
            if (self.unlisted or id_ in self.problems or id_ not in self.read_at)
            and (group is None or group.data_center == id_)
        )

    def replace(
        self, data_center: DataCenter, groups: Iterable[Group], servers: Sequence[Server], at: float
    ) -> Changes:
        """Replace a data center, its groups and servers as read at ``at``, in seconds since the epoch."""
        key = data_center.id
        before = {id_: server for id_, server in self.servers.items() if server.data_center == key}
        self.data_centers[key] = data_center
        self.groups = {id_: group for id_, group in self.groups.items() if group.data_center != key}
        self.groups.update((group.id, group) for group in groups)
        self.read_at[key] = at
        self.problems.pop(key, None)
        added, changed = [], []
        for server in servers:
            old = before.pop(server.id, None)
            if old is None:
                added.append(server.id)
            elif old != server:
                changed.append(server.id)
            else:
                continue
            self.servers[server.id] = server
        for id_ in before:
            del self.servers[id_]
        return Changes(tuple(added), tuple(before), tuple(changed))

    def update(self, servers: Iterable[Server]) -> tuple[str, ...]:
        """Set servers that were read one by one. Returns the ids of those that changed."""
        changed = []
        for server in servers:
            if self.servers.get(server.id) != server:
                self.servers[server.id] = server
                changed.append(server.id)
        return tuple(changed)

    def path(self, server: Server) -> str:
        """The path of the server's group; empty where the group is unknown."""
        group = self.groups.get(server.group_id)
        return group.path if group else ""

    def children(self, parent_id: str | None) -> list[Group]:
        """The groups directly below ``parent_id``, by name; None stands for the roots."""
        found = [group for group in self.groups.values() if group.parent_id == parent_id]
        return sorted(found, key=lambda group: (group.data_center, group.name.casefold()))

    def subtree(self, group_id: str) -> frozenset[str]:
        """Ids of the group ``group_id`` and of every group below it."""
        below: dict[str | None, list[str]] = {}
        for group in self.groups.values():
            below.setdefault(group.parent_id, []).append(group.id)
        found = {group_id}
        waiting = [group_id]
        while waiting:
            for child in below.get(waiting.pop(), ()):
                if child not in found:
                    found.add(child)
                    waiting.append(child)
        return frozenset(found)

    def resolve(self, names: Iterable[str]) -> tuple[list[Server], list[str]]:
        """Find servers by id, in any case. Returns each server once, and the unknown names."""
        found: dict[str, Server] = {}
        unknown: dict[str, str] = {}
        for name in names:
            server = self.servers.get(name.strip().upper())
            if server is not None:
                found[server.id] = server
            elif name.strip():
                unknown.setdefault(name.strip().upper(), name.strip())
        return list(found.values()), list(unknown.values())

    def counts(self) -> tuple[Counter[str], Counter[str]]:
        """Group id -> its servers, and group id -> its servers in maintenance; without subgroups."""
        total: Counter[str] = Counter()
        maintenance: Counter[str] = Counter()
        for server in self.servers.values():
            total[server.group_id] += 1
            if server.maintenance:
                maintenance[server.group_id] += 1
        return total, maintenance

    def in_maintenance(self, ids: Collection[str] | None = None) -> int:
        """The number of servers in maintenance, among ``ids`` or among all."""
        if ids is None:
            return sum(1 for server in self.servers.values() if server.maintenance)
        return sum(1 for id_ in ids if (server := self.servers.get(id_)) and server.maintenance)
