"""The fleet as the contract shows it: views of servers, groups and data centers at one moment.

Everything of a server that no operation depends on (addresses, disks, operating system) is computed from its
64 random bits, so that a fleet of 100,000 is made in a second or two.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

from tui.contract.views import Address, CustomField, Edit, Hardware, Partition, Policy, Snapshot
from tui.sandbox import names
from tui.sandbox.fleet import Group, Server, State, servers_under
from tui.sandbox.seeds import rng

NOT_BUILT = frozenset({"underConstruction", "deleted"})
"""Statuses of servers that have no hardware yet, or none any more."""

POWERLESS = frozenset({"queuedForRestore", "queuedForArchive", "archived"})
"""Statuses of servers that are always shown as stopped."""


class ServerView:
    """A server at one moment, as reads show it."""

    __slots__ = ("_server", "_state")

    def __init__(self, server: Server, now: float) -> None:
        self._server = server
        self._state = server.shown_at(now)

    @property
    def version(self) -> tuple[State, Group]:
        """What may change in it."""
        return self._state, self._server.group

    @property
    def id(self) -> str:
        """Its id."""
        return self._server.id

    @property
    def uuid(self) -> str:
        """The id that some links use."""
        return self._server.uuid

    @property
    def description(self) -> str:
        """Its description; empty where there is none."""
        return self._state.description

    @property
    def group_id(self) -> str:
        """The id of its group."""
        return self._server.group.id

    @property
    def location(self) -> str:
        """The code of its data center."""
        return self._server.group.data_center

    @property
    def template(self) -> bool:
        """Whether it is a template."""
        return self._server.template

    @property
    def system(self) -> tuple[str, str]:
        """Its operating system: the text and the code."""
        text, code, _ = names.SYSTEMS[self._server.bits % len(names.SYSTEMS)]
        return text, code

    @property
    def managed(self) -> bool:
        """Whether the platform manages its operating system."""
        return self._server.bits >> 40 & 31 == 0

    @property
    def status(self) -> str:
        """Its status."""
        return self._state.status

    @property
    def power(self) -> str:
        """Its power state."""
        return "stopped" if self._state.status in POWERLESS else self._state.power

    @property
    def maintenance(self) -> bool:
        """Whether it is in maintenance mode."""
        return self._state.maintenance

    @property
    def type(self) -> str:
        """standard, hyperscale or bareMetal."""
        roll = self._server.bits >> 24 & 63
        return "bareMetal" if roll == 0 else "hyperscale" if roll < 4 else "standard"

    @property
    def storage_type(self) -> str:
        """standard, premium or hyperscale."""
        if self.type == "hyperscale":
            return "hyperscale"
        return ("standard", "standard", "premium")[self._server.bits % 3]

    @property
    def created(self) -> Edit:
        """Who created it, and when."""
        bits = self._server.bits
        return Edit(
            names.PEOPLE[(bits >> 5) % len(names.PEOPLE)], 1_420_070_400.0 + (bits >> 20) % 60_000_000
        )

    @property
    def modified(self) -> Edit:
        """Who changed it last, and when."""
        return Edit(self._state.modified_by, self._state.modified_at)

    @property
    def hardware(self) -> Hardware | None:
        """What it consists of. Half of those that wait for their deletion show nothing any more."""
        bits, status = self._server.bits, self._state.status
        if status in NOT_BUILT or (status == "queuedForDelete" and bits & 1):
            return None
        disk_count = 3 + (bits >> 14) % 3
        storage = 17 + 16 * (bits >> 18 & 7) + 8 * (disk_count - 2)
        off = status in ("archived", "queuedForDelete")
        windows = names.SYSTEMS[bits % len(names.SYSTEMS)][2]
        bare_metal = self.type == "bareMetal"
        return Hardware(
            cpu=0 if off else 1 << (bits >> 12 & 3),
            memory_mb=0 if off else 2048 << (bits >> 16 & 3),
            storage_gb=0 if status == "queuedForDelete" else storage,
            host_name=_host_name(self._server.id, bits, windows),
            addresses=(Address(_internal(bits), _public(bits), (80, 443)),),
            disks=_disks(disk_count, storage),
            partitions=_partitions(windows, storage),
            snapshots=self._snapshots(),
            alert_policies=()
            if bits >> 47 & 3
            else (names.ALERT_POLICIES[(bits >> 49) % len(names.ALERT_POLICIES)],),
            custom_fields=_custom_fields(bits),
            cpu_autoscale=names.AUTOSCALE_POLICIES[0] if bits >> 58 & 63 == 0 else None,
            anti_affinity=names.ANTI_AFFINITY_POLICIES[0] if bits >> 26 & 127 == 0 else None,
            processor="2 x 10-core Intel Xeon E5-2650 v3, 2.30 GHz" if bare_metal else None,
            storage="4 x 1 TB SATA, RAID 10" if bare_metal else None,
            grows_running=not (windows or bare_metal),
        )

    def _snapshots(self) -> tuple[Snapshot, ...]:
        if self._state.snapshots is not None:
            return self._state.snapshots
        return original_snapshots(self._server.bits)


class GroupView:
    """A group at one moment."""

    __slots__ = ("_group", "_now")

    def __init__(self, group: Group, now: float) -> None:
        self._group = group
        self._now = now

    @property
    def id(self) -> str:
        """Its id."""
        return self._group.id

    @property
    def name(self) -> str:
        """Its name."""
        return self._group.name

    @property
    def description(self) -> str | None:
        """Its description."""
        return self._group.description

    @property
    def location(self) -> str:
        """The code of its data center."""
        return self._group.data_center

    @property
    def type(self) -> str:
        """default, archive or templates."""
        return self._group.kind

    @property
    def parent_id(self) -> str | None:
        """The id of the group above; None for a root."""
        return self._group.parent.id if self._group.parent else None

    @property
    def servers_count(self) -> int:
        """Servers in the subtree, without those queued for restore."""
        return self._group.servers_count

    @property
    def groups(self) -> list[GroupView]:
        """The groups directly below."""
        return [GroupView(group, self._now) for group in self._group.groups]

    @property
    def servers(self) -> list[ServerView]:
        """Its own servers."""
        return [ServerView(server, self._now) for server in self._group.servers]

    @property
    def created(self) -> Edit:
        """Who created it, and when."""
        bits = int(self._group.id[:16], 16)
        return Edit(names.PEOPLE[bits % len(names.PEOPLE)], 1_388_534_400.0 + bits % 40_000_000)

    @property
    def modified(self) -> Edit:
        """Who changed it last, and when."""
        bits = int(self._group.id[:16], 16)
        return Edit(names.PEOPLE[(bits >> 3) % len(names.PEOPLE)], 1_430_000_000.0 + bits % 80_000_000)


class DataCenterView:
    """A data center at one moment."""

    def __init__(self, root: Group, now: float) -> None:
        self._group = root
        self._now = now
        self.code = root.data_center
        self.name = names.DATA_CENTERS[root.data_center]
        self.root = GroupView(root, now)

    @cached_property
    def queued(self) -> int:
        """Servers whose last job has not ended."""
        return sum(
            server.job is not None and server.job.ends > self._now for server in servers_under(self._group)
        )


def original_snapshots(bits: int) -> tuple[Snapshot, ...]:
    """The snapshots that a server has from the beginning."""
    if bits >> 52 & 15:
        return ()
    return (Snapshot(bits >> 8 & 63, 1_640_000_000.0 + (bits >> 20) % 30_000_000),)


def credentials(server: Server) -> tuple[str, str]:
    """An invented administrator of a server."""
    windows = names.SYSTEMS[server.bits % len(names.SYSTEMS)][2]
    return "Administrator" if windows else "root", f"{rng('password', server.id).getrandbits(64):016x}"


def _host_name(server_id: str, bits: int, windows: bool) -> str:
    """The host name; empty for one in eight, as recorded."""
    if bits >> 29 & 7 == 0:
        return ""
    return server_id.lower() + (".acme.example" if windows else "")


def _internal(bits: int) -> str:
    return f"10.{bits >> 48 & 127}.{bits >> 32 & 255}.{(bits >> 56) % 250 + 4}"


def _public(bits: int) -> str | None:
    return None if bits >> 44 & 7 else f"203.0.113.{(bits >> 36) % 250 + 4}"


@lru_cache(maxsize=1024)
def _disks(count: int, storage_gb: int) -> tuple[int, ...]:
    return (1, 2, max(1, storage_gb - 3 - 8 * (count - 3)), 8, 8)[:count]


@lru_cache(maxsize=1024)
def _partitions(windows: bool, storage_gb: int) -> tuple[Partition, ...]:
    if windows:
        return (Partition(max(1, storage_gb - 8) - 0.345, "C:\\"), Partition(7.905, "D:\\"))
    return (
        Partition(0.0, "(swap)"),
        Partition(max(1, storage_gb - 8) - 0.345, "/"),
        Partition(0.482, "/boot"),
        Partition(7.905, "/data"),
    )


def _alert_policies(bits: int) -> tuple[Policy, ...]:
    if bits >> 47 & 3:
        return ()
    return (names.ALERT_POLICIES[(bits >> 49) % len(names.ALERT_POLICIES)],)


def _custom_fields(bits: int) -> tuple[CustomField, ...]:
    if bits >> 54 & 7:
        return ()
    field, pattern = names.CUSTOM_FIELDS[(bits >> 57) % len(names.CUSTOM_FIELDS)]
    return (field._replace(value=pattern.format(number=(bits >> 10) % 24)),)
