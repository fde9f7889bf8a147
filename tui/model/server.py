"""A server as the console knows it."""

import msgspec


class Server(msgspec.Struct, frozen=True, gc=False):
    """One server of an account: every field that a row of the list can show.

    Ids and data centers are upper case here whatever the wire said: the platform answers in lower
    case but accepts maintenance operations in upper case only. ``maintenance``, ``cpu`` and the
    like are None where the platform leaves ``details`` out (servers that are not active).

    Instances number in the hundreds of thousands, so they hold strings and numbers only, and the
    garbage collector does not track them.
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
    """Last change, UTC, ``YYYY-MM-DDTHH:MM:SSZ`` as the platform gives it."""
    modified_by: str = ""
    kind: str = ""
    """standard, hyperscale or bareMetal."""
    is_template: bool = False


class IpAddress(msgspec.Struct, frozen=True):
    """An internal address and the public one mapped to it, if any."""

    internal: str = ""
    public: str = ""


class Disk(msgspec.Struct, frozen=True):
    """One disk: the controller's id (``0:0``), its size in GB, and where it is mounted."""

    id: str
    size_gb: int
    paths: tuple[str, ...] = ()


class ServerDetails(msgspec.Struct, frozen=True):
    """What only the single-server call is asked for, beside the server itself."""

    server: Server
    host_name: str = ""
    ips: tuple[IpAddress, ...] = ()
    alert_policies: tuple[str, ...] = ()
    snapshots: tuple[str, ...] = ()
    disks: tuple[Disk, ...] = ()
    custom_fields: tuple[tuple[str, str], ...] = ()
    """(name, value as shown) in the platform's order."""
    raw: bytes = b""
    """The answer as it came, for the raw view."""
