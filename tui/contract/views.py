"""The views that a control plane gives of its fleet. A view shows one moment.

Ids of servers and codes of data centers are in upper case; moments are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple, Protocol


class Edit(NamedTuple):
    """Who made a change, and when."""

    by: str
    at: float


class Address(NamedTuple):
    """An internal address, and the public one that is mapped to it."""

    internal: str
    public: str | None = None
    ports: tuple[int, ...] = ()
    """The TCP ports that are open on the public one."""


class Policy(NamedTuple):
    """A policy that is attached to a server."""

    id: str
    name: str


class Snapshot(NamedTuple):
    """A snapshot of a server."""

    number: int
    taken: float


class CustomField(NamedTuple):
    """A custom field of the account, with its value where a server has one."""

    id: str
    name: str
    value: str = ""


class Partition(NamedTuple):
    """A file system of a server."""

    size_gb: float
    path: str


class Hardware(NamedTuple):
    """What a server consists of."""

    cpu: int
    memory_mb: int
    storage_gb: int
    host_name: str = ""
    addresses: tuple[Address, ...] = ()
    disks: tuple[int, ...] = ()
    """Sizes in GB."""
    partitions: tuple[Partition, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    alert_policies: tuple[Policy, ...] = ()
    custom_fields: tuple[CustomField, ...] = ()
    cpu_autoscale: Policy | None = None
    anti_affinity: Policy | None = None
    processor: str | None = None
    """The description of a bare metal server's processors; None for a virtual server."""
    storage: str | None = None
    grows_running: bool = False
    """Whether it gets CPUs and memory without a reboot."""


class ServerView(Protocol):
    """A server at one moment."""

    @property
    def version(self) -> Hashable:
        """A value that differs whenever anything else here does: what was encoded once is used again."""

    @property
    def id(self) -> str:
        """Its id, which is its name too."""

    @property
    def uuid(self) -> str:
        """Another id, of 32 hexadecimal digits, that some links use."""

    @property
    def description(self) -> str:
        """What it is for."""

    @property
    def group_id(self) -> str:
        """The id of its group."""

    @property
    def location(self) -> str:
        """The code of its data center."""

    @property
    def template(self) -> bool:
        """Whether it is a template."""

    @property
    def system(self) -> tuple[str, str]:
        """Its operating system: the text and the code."""

    @property
    def managed(self) -> bool:
        """Whether the operating system is managed by the platform."""

    @property
    def status(self) -> str:
        """Its status, as the platform spells it: active, archived, underConstruction and others."""

    @property
    def power(self) -> str:
        """Its power state: started, stopped or paused."""

    @property
    def maintenance(self) -> bool:
        """Whether it is in maintenance mode."""

    @property
    def type(self) -> str:
        """standard, hyperscale or bareMetal."""

    @property
    def storage_type(self) -> str:
        """standard, premium or hyperscale."""

    @property
    def created(self) -> Edit:
        """Who created it, and when."""

    @property
    def modified(self) -> Edit:
        """Who changed it last, and when."""

    @property
    def hardware(self) -> Hardware | None:
        """What it consists of; None where it is not built yet or not there any more."""


class GroupView(Protocol):
    """A group at one moment."""

    @property
    def id(self) -> str:
        """Its id: 32 hexadecimal digits in lower case."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def description(self) -> str | None:
        """What it is for."""

    @property
    def location(self) -> str:
        """The code of its data center."""

    @property
    def type(self) -> str:
        """The platform's type: default, archive or templates."""

    @property
    def parent_id(self) -> str | None:
        """The id of its parent; None for the root of a data center."""

    @property
    def servers_count(self) -> int:
        """Servers in the subtree, without those queued for restore."""

    @property
    def groups(self) -> Sequence[GroupView]:
        """The groups directly below."""

    @property
    def servers(self) -> Sequence[ServerView]:
        """Its own servers."""

    @property
    def created(self) -> Edit:
        """Who created it, and when."""

    @property
    def modified(self) -> Edit:
        """Who changed it last, and when."""


class DataCenterView(Protocol):
    """A data center at one moment."""

    @property
    def code(self) -> str:
        """Its code, for example WA1."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def root(self) -> GroupView:
        """Its root group."""

    @property
    def queued(self) -> int:
        """Servers whose last job has not ended."""
