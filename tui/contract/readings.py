"""What a control plane may know beside its fleet. All of it is optional: the defaults say nothing."""

from __future__ import annotations

from typing import NamedTuple


class Trigger(NamedTuple):
    """When an alert policy fires: a percentage of the metric, for so many minutes."""

    metric: str
    """cpu, memory or disk."""
    minutes: int
    threshold: float


class AlertPolicy(NamedTuple):
    """Who is told when servers run short of something."""

    id: str
    name: str
    recipients: tuple[str, ...] = ()
    triggers: tuple[Trigger, ...] = ()


class AutoscalePolicy(NamedTuple):
    """When a server gets more CPUs, or fewer."""

    id: str
    name: str
    minutes: int = 5
    """How long the load has to be above or below a threshold."""
    increment: int = 1
    fewest: int = 1
    most: int = 16
    up_above: int = 85
    down_below: int = 15
    down_between: tuple[str, str] = ("00:00", "00:00")
    """When CPUs may be taken away: the times of the day."""


class AntiAffinityPolicy(NamedTuple):
    """Servers that are to be on different machines; `location` is the code of their data center."""

    id: str
    name: str
    location: str


class Policies(NamedTuple):
    """The policies of an account."""

    alert: tuple[AlertPolicy, ...] = ()
    autoscale: tuple[AutoscalePolicy, ...] = ()
    anti_affinity: tuple[AntiAffinityPolicy, ...] = ()


class Template(NamedTuple):
    """What a server can be made from."""

    name: str
    os: str
    """The code of its operating system."""
    description: str
    storage_gb: int
    windows: bool = False
    capabilities: tuple[str, ...] = ()


class Capabilities(NamedTuple):
    """What a data center offers to an account, and how much of it."""

    templates: tuple[Template, ...] = ()
    imports: bool = False
    premium_storage: bool = False
    load_balancers: bool = False
    bare_metal: bool = False
    cpu: int | None = None
    """The most CPUs of all servers together; None where there is no limit."""
    memory_gb: int | None = None
    storage_gb: int | None = None
    networks: int | None = None


class Defaults(NamedTuple):
    """What a new server of a group gets; None where the group says nothing."""

    cpu: int | None = None
    memory_gb: int | None = None
    network_id: str | None = None
    primary_dns: str | None = None
    secondary_dns: str | None = None
    template: str | None = None
    inherited: bool = False
    """Whether they are those of the group above."""


class Usage(NamedTuple):
    """How busy a server is at one moment."""

    cpu_percent: float
    memory_percent: float
    received_kbps: float = 0.0
    transmitted_kbps: float = 0.0
    disk_percent: float = 0.0
    """How full its file systems are."""


class Prices(NamedTuple):
    """What the parts of a server cost per hour: a CPU, a GB of memory or storage, a managed system."""

    cpu: float = 0.0
    memory_gb: float = 0.0
    storage_gb: float = 0.0
    managed_os: float = 0.0


class Cost(NamedTuple):
    """What a server costs."""

    template: float = 0.0
    archive: float = 0.0
    monthly_estimate: float = 0.0
    month_to_date: float = 0.0
    current_hour: float = 0.0
