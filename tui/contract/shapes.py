"""The JSON of the contract as types: answers are encoded from them, and the OpenAPI document is made of them.

The order of the fields is the recorded order of the keys. A key that may be absent has `UnsetType` among its
types.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType, field


class Shape(msgspec.Struct, rename="camel"):
    """A JSON object of the contract."""


class Link(Shape, kw_only=True):
    """A reference to something related; without `verbs` it can be read only."""

    rel: str
    href: str
    id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    verbs: list[str] | UnsetType = UNSET


class LoginRequest(Shape, kw_only=True):
    """The body of a login: JSON or a form, with keys in any case."""

    username: str
    password: str


class LoginAnswer(Shape, kw_only=True):
    """Who has logged in, and the token for all other calls."""

    user_name: str
    account_alias: str
    location_alias: str
    roles: tuple[str, ...]
    bearer_token: str


class Totals(Shape, kw_only=True):
    """The sums of a data center."""

    servers: int = 0
    cpus: int = 0
    memory_gb: int = field(name="memoryGB", default=0)
    storage_gb: int = field(name="storageGB", default=0)
    queue: int = 0


class DataCenter(Shape, kw_only=True):
    """A data center; `links` name its root group where the query requests it."""

    id: str
    name: str
    links: list[Link]
    totals: Totals | UnsetType = UNSET


class ChangeInfo(Shape, kw_only=True):
    """Who made and who last changed something; times in UTC."""

    created_by: str
    created_date: str
    modified_by: str
    modified_date: str


class Address(Shape, kw_only=True):
    """An internal address, and the public one that is mapped to it."""

    public: str | UnsetType = UNSET
    internal: str


class Policy(Shape, kw_only=True):
    """A policy that is attached to a server."""

    id: str
    name: str | UnsetType = UNSET
    links: list[Link]


class Disk(Shape, kw_only=True):
    """A disk of a server."""

    id: str
    size_gb: int = field(name="sizeGB")
    partition_paths: list[str]


class Partition(Shape, kw_only=True):
    """A file system of a server."""

    size_gb: float = field(name="sizeGB")
    path: str


class Snapshot(Shape, kw_only=True):
    """A snapshot of a server; its name is the time when it was taken."""

    name: str
    links: list[Link]


class CustomFieldValue(Shape, kw_only=True):
    """The value of a custom field of a server."""

    id: str
    name: str
    value: str
    display_value: str


class Details(Shape, kw_only=True):
    """What a server consists of; one that is not active lacks most of it, or all."""

    ip_addresses: list[Address] | UnsetType = UNSET
    secondary_ip_addresses: list[Address] | UnsetType = field(name="secondaryIPAddresses", default=UNSET)
    alert_policies: list[Policy] | UnsetType = UNSET
    cpu_autoscale_policy: Policy | UnsetType = UNSET
    anti_affinity_policy: Policy | UnsetType = UNSET
    cpu: int | UnsetType = UNSET
    disk_count: int | UnsetType = UNSET
    host_name: str | UnsetType = UNSET
    in_maintenance_mode: bool | UnsetType = UNSET
    memory_mb: int | UnsetType = field(name="memoryMB", default=UNSET)
    power_state: str
    storage_gb: int = field(name="storageGB")
    disks: list[Disk] | UnsetType = UNSET
    partitions: list[Partition] | UnsetType = UNSET
    snapshots: list[Snapshot] | UnsetType = UNSET
    custom_fields: list[CustomFieldValue] | UnsetType = UNSET
    processor_description: str | UnsetType = UNSET
    storage_description: str | UnsetType = UNSET


class Server(Shape, kw_only=True):
    """A server: its id in lower case, its name in upper case."""

    id: str
    name: str
    description: str
    group_id: str
    is_template: bool
    location_id: str
    os_type: str
    os: str
    is_managed_os: bool | UnsetType = field(name="isManagedOS", default=UNSET)
    status: str
    details: Details | UnsetType = UNSET
    type: str
    storage_type: str
    change_info: ChangeInfo
    links: list[Link]


class Group(Shape, kw_only=True):
    """A group with all groups below it; its servers are listed, or linked by `server`."""

    id: str
    name: str
    description: str | UnsetType = UNSET
    location_id: str
    type: str
    status: str
    servers_count: int
    servers: list[Server] | UnsetType = UNSET
    groups: list[Group]
    links: list[Link]
    change_info: ChangeInfo
    custom_fields: list[CustomFieldValue]


class Account(Shape, kw_only=True):
    """An account."""

    account_alias: str
    parent_alias: str
    business_name: str
    address_line1: str
    address_line2: str
    city: str
    state_province: str
    postal_code: str
    country: str
    telephone: str
    fax: str
    time_zone: str
    status: str
    primary_data_center: str
    is_managed: bool
    links: list[Link]


class Option(Shape, kw_only=True):
    """A choice of a custom field."""

    name: str
    value: str


class CustomField(Shape, kw_only=True):
    """A custom field of an account."""

    id: str
    name: str
    is_required: bool
    type: str
    options: list[Option]


class Outcome(Shape, kw_only=True):
    """The result of an operation for one server; a refusal may come without a message."""

    server: str
    is_queued: bool
    links: list[Link] | UnsetType = UNSET
    error_message: str | UnsetType = UNSET


class JobStatus(Shape, kw_only=True):
    """How far a job is: notStarted, executing, succeeded, failed, resumed or unknown."""

    status: str


class Problem(Shape, kw_only=True):
    """An error; `modelState` names the parts of the body that are at fault."""

    message: str
    model_state: dict[str, list[str]] | UnsetType = UNSET


class MaintenanceSwitch(Shape, kw_only=True):
    """A server and its requested maintenance mode: a boolean, or its word as in the platform's documents."""

    id: str
    in_maintenance_mode: bool | str


class SetMaintenance(Shape, kw_only=True):
    """The body of setMaintenance."""

    servers: list[MaintenanceSwitch]


class CreateSnapshot(Shape, kw_only=True):
    """The body of createSnapshot; the snapshots are kept for 1 to 10 days."""

    server_ids: list[str]
    snapshot_expiration_days: int


class Package(Shape, kw_only=True):
    """A package with its own parameters."""

    package_id: str
    parameters: dict[str, str] = {}


class ExecutePackage(Shape, kw_only=True):
    """The body of executePackage."""

    servers: list[str]
    package: Package


class Restore(Shape, kw_only=True):
    """The body of a restore: where the server goes."""

    target_group_id: str


class PatchOperation(Shape, kw_only=True):
    """A change of a server: `op` is set, `member` is description or groupId."""

    op: str
    member: str
    value: str
