"""The JSON of what is read beside the inventory: policies, networks, limits, statistics, costs.

Lists of things that no control plane of this contract has are of objects without a shape: they are always
empty.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType, field

from tui.contract.shapes import Link, Policy, Shape

Nothing = list[dict[str, Any]]
"""A list that is always empty."""


class Credentials(Shape, kw_only=True):
    """The administrator of a server."""

    user_name: str
    password: str


class DeployableNetwork(Shape, kw_only=True):
    """A network that a new server can have."""

    name: str
    network_id: str
    type: str
    account_id: str = field(name="accountID")


class Template(Shape, kw_only=True):
    """What a server can be made from."""

    name: str
    os_type: str
    description: str
    storage_size_gb: int = field(name="storageSizeGB")
    capabilities: list[str]
    reserved_drive_paths: list[str]
    drive_path_length: int | UnsetType = UNSET


class DeploymentCapabilities(Shape, kw_only=True):
    """What a data center offers to an account."""

    data_center_enabled: bool
    import_vm_enabled: bool = field(name="importVMEnabled")
    supports_premium_storage: bool
    supports_shared_load_balancer: bool
    supports_bare_metal_servers: bool
    deployable_networks: list[DeployableNetwork]
    templates: list[Template]
    importable_os_types: Nothing = field(name="importableOSTypes")


class Number(Shape, kw_only=True):
    """A number, and whether it comes from above."""

    value: int
    inherited: bool


class Text(Shape, kw_only=True):
    """A text, and whether it comes from above."""

    value: str
    inherited: bool


class ComputeLimits(Shape, kw_only=True):
    """How much all servers of a data center may have; without a key there is no limit."""

    cpu: Number | UnsetType = UNSET
    memory_gb: Number | UnsetType = field(name="memoryGB", default=UNSET)
    storage_gb: Number | UnsetType = field(name="storageGB", default=UNSET)


class NetworkLimits(Shape, kw_only=True):
    """How many networks a data center may have; without the key there is no limit."""

    networks: Number | UnsetType = UNSET


class GroupDefaults(Shape, kw_only=True):
    """What a new server of a group gets, as far as the group says it."""

    cpu: Number | UnsetType = UNSET
    memory_gb: Number | UnsetType = field(name="memoryGB", default=UNSET)
    network_id: Text | UnsetType = UNSET
    primary_dns: Text | UnsetType = UNSET
    secondary_dns: Text | UnsetType = UNSET
    template_name: Text | UnsetType = UNSET


class AlertSettings(Shape, kw_only=True):
    """Who is told."""

    recipients: list[str]


class AlertAction(Shape, kw_only=True):
    """What an alert does: email."""

    action: str
    settings: AlertSettings


class AlertTrigger(Shape, kw_only=True):
    """When an alert fires: `duration` is hh:mm:ss, `threshold` a percentage."""

    metric: str
    duration: str
    threshold: float


class AlertPolicy(Shape, kw_only=True):
    """An alert policy."""

    id: str
    name: str
    actions: list[AlertAction]
    links: list[Link]
    triggers: list[AlertTrigger]


class AlertPolicies(Shape, kw_only=True):
    """The alert policies of an account."""

    items: list[AlertPolicy]
    links: list[Link]


class Range(Shape, kw_only=True):
    """The most and the fewest CPUs."""

    max: int
    min: int


class Window(Shape, kw_only=True):
    """Two times of the day, hh:mm."""

    start: str
    end: str


class AutoscalePolicy(Shape, kw_only=True):
    """A vertical autoscale policy."""

    id: str
    name: str
    resource_type: str
    threshold_period_minutes: int
    scale_up_increment: int
    range: Range
    scale_up_threshold: int
    scale_down_threshold: int
    scale_down_window: Window
    links: list[Link]


class AntiAffinityPolicy(Shape, kw_only=True):
    """An anti-affinity policy of a data center."""

    id: str
    name: str
    location: str
    links: list[Link]


class AntiAffinityPolicies(Shape, kw_only=True):
    """The anti-affinity policies of an account."""

    items: list[AntiAffinityPolicy]
    links: list[Link]


class PolicyMapping(Shape, kw_only=True):
    """The one policy of its kind that a server has; without `id` it has none."""

    id: str | UnsetType = UNSET
    links: list[Link]


class HorizontalAutoscalePolicy(Shape, kw_only=True):
    """The horizontal autoscale policy of a group. Groups have none here: all keys are absent."""

    group_id: str | UnsetType = UNSET
    policy_id: str | UnsetType = UNSET
    location_id: str | UnsetType = UNSET
    links: list[Link] | UnsetType = UNSET


class HorizontalAutoscalePolicies(Shape, kw_only=True):
    """The horizontal autoscale policies of an account. There are none here."""

    items: Nothing
    links: list[Link]


class NetworkAddress(Shape, kw_only=True):
    """An address of a network; one that is claimed names its server."""

    address: str
    claimed: bool
    primary: bool
    server: str | UnsetType = UNSET
    type: str


class Network(Shape, kw_only=True):
    """A network; its addresses are there where the query requests them."""

    id: str
    cidr: str
    description: str
    gateway: str
    name: str
    netmask: str
    type: str
    vlan: int
    ip_addresses: list[NetworkAddress] | UnsetType = UNSET
    links: list[Link]


class Cost(Shape, kw_only=True):
    """What a server costs."""

    template_cost: float
    archive_cost: float
    monthly_estimate: float
    month_to_date: float
    current_hour: float


class Prices(Shape, kw_only=True):
    """What the parts of a server cost per hour: what the vendor's Python SDK reads."""

    cpu: float
    memory_gb: float = field(name="memoryGB")
    storage_gb: float = field(name="storageGB")
    managed_os: float = field(name="managedOS")


class GroupCosts(Shape, kw_only=True):
    """What the own servers of a group cost, by their ids."""

    name: str
    servers: dict[str, Cost]


class Billing(Shape, kw_only=True):
    """What a group costs, and those below it, by their ids."""

    date: str
    groups: dict[str, GroupCosts]


class DiskUsage(Shape, kw_only=True):
    """A disk of a server."""

    id: str
    capacity_mb: int = field(name="capacityMB")


class GuestDiskUsage(Shape, kw_only=True):
    """A file system of a server, and how much of it is used."""

    path: str
    capacity_mb: int = field(name="capacityMB")
    consumed_mb: int = field(name="consumedMB")


class Sample(Shape, kw_only=True):
    """What a server had and used at one moment."""

    timestamp: str
    cpu: float
    cpu_percent: float
    memory_mb: float = field(name="memoryMB")
    memory_percent: float
    network_received_kbps: float = field(name="networkReceivedKBps")
    network_transmitted_kbps: float = field(name="networkTransmittedKBps")
    disk_usage_total_capacity_mb: float = field(name="diskUsageTotalCapacityMB")
    disk_usage: list[DiskUsage]
    guest_disk_usage: list[GuestDiskUsage]


class Statistics(Shape, kw_only=True):
    """The statistics of a server; one that is not measured has no samples."""

    name: str
    stats: list[Sample]


class ServerCapabilities(Shape, kw_only=True):
    """How a server can grow: what the vendor's Python SDK reads. It was never recorded."""

    adding_cpu_requires_reboot: bool
    adding_memory_requires_reboot: bool
    reserved_drive_paths: list[str]


class ServerAlertPolicies(Shape, kw_only=True):
    """The alert policies of a server. The platform's own shape was never recorded."""

    items: list[Policy]
    links: list[Link]


class Port(Shape, kw_only=True):
    """An open port."""

    protocol: str
    port: int


class PublicAddress(Shape, kw_only=True):
    """A public address of a server: what it is mapped to, and what is open."""

    internal_ip_address: str = field(name="internalIPAddress")
    ports: list[Port]
    source_restrictions: Nothing
