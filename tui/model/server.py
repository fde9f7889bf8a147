"""Servers and their details."""

import msgspec


class Server(msgspec.Struct, frozen=True, gc=False):
    """One server of an account, with the fields that a row of the list can show.

    Ids and data centers are upper case whatever the answer had: the platform answers in lower case, but
    accepts maintenance operations in upper case only. ``maintenance``, ``cpu`` and the like are None where
    the platform leaves ``details`` out, as it does for servers that are not active.

    There are hundreds of thousands of instances. They hold only strings and numbers, so that the garbage
    collector need not track them.
    """

    id: str
    name: str = ""
    group_id: str = ""
    data_center: str = ""
    status: str = ""
    power: str | None = None
    maintenance: bool | None = None
    os: str = ""
    cpu: int | None = None
    memory_mb: int | None = None
    storage_gb: int | None = None
    ip: str = ""
    """Internal and public addresses, separated by single spaces."""
    description: str = ""
    modified: str = ""
    """Time of the last change in UTC, ``YYYY-MM-DDTHH:MM:SSZ``, as the platform answers."""
    modified_by: str = ""
    kind: str = ""
    """standard, hyperscale or bareMetal."""
    is_template: bool = False
    public_ip: bool = False
    """Whether one of its addresses is a public one."""


class IpAddress(msgspec.Struct, frozen=True):
    """An internal address and the public address mapped to it, if any."""

    internal: str = ""
    public: str = ""


class Disk(msgspec.Struct, frozen=True):
    """A disk: its id at the controller (``0:0``), its size in GB, and its mount points."""

    id: str
    size_gb: int
    paths: tuple[str, ...] = ()


class ServerDetails(msgspec.Struct, frozen=True):
    """A server with the fields that only the call for a single server answers."""

    server: Server
    host_name: str = ""
    ips: tuple[IpAddress, ...] = ()
    alert_policies: tuple[str, ...] = ()
    snapshots: tuple[str, ...] = ()
    disks: tuple[Disk, ...] = ()
    custom_fields: tuple[tuple[str, str], ...] = ()
    """Name and value of each, as shown, in the platform's order."""
    raw: bytes = b""
    """The unchanged answer, for the raw view."""
