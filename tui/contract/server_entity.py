"""The JSON of a server, made quickly: a large fleet has 100,000 of them."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, datetime
from functools import lru_cache
from typing import cast

from msgspec import UNSET, Raw, UnsetType

from tui.contract import shapes
from tui.contract.accounts import User
from tui.contract.shapes import Link
from tui.contract.views import CustomField, Hardware, Partition, Policy, ServerView, Snapshot
from tui.contract.wire import change_info, encode, link

ONLY_POWER_AND_STORAGE = frozenset({"queuedForRestore", "queuedForArchive"})
"""Statuses whose `details` hold nothing else; those of an archived server do so in the tree of a group."""

MOST_KEPT = 5_000
"""Servers whose JSON is kept, 2 kB each: a huge fleet must not fill the memory."""

_ID = b"<id>"
_UUID = b"<uuid>"


def server_entity(server: ServerView, alias: str, user: User, *, listed: bool = False) -> shapes.Server:
    """The entity of a server; one that is not active lacks those `details` that the platform leaves out.

    `listed` is for group trees, where an archived server has fewer details than on its own.
    """
    server_id, group_id, status, hardware = server.id, server.group_id, server.status, server.hardware
    lower = server_id.lower()
    os_type, system = server.system
    shared = _shared_links(alias, group_id, status, user.may_operate, user.may_see_credentials)
    links = shared.replace(_ID, lower.encode()).replace(_UUID, server.uuid.encode())
    details: shapes.Details | UnsetType = UNSET
    if hardware is not None:
        details = _details(server, hardware, alias, user.may_operate, listed)
        if public := [address.public for address in hardware.addresses if address.public]:
            links = _with_public(links, public, f"/v2/servers/{alias.lower()}/{lower}", user.may_operate)
    return shapes.Server(
        id=lower,
        name=server_id,
        description=server.description,
        group_id=group_id,
        is_template=server.template,
        location_id=server.location,
        os_type=os_type,
        os=system,
        is_managed_os=True if server.managed else UNSET,
        status=status,
        details=details,
        type=server.type,
        storage_type=server.storage_type,
        change_info=change_info(server.created, server.modified),
        links=cast("list[Link]", Raw(links)),
    )


class KeptServers:
    """Keeps the JSON of servers in trees of groups: at the next read most of it is the same."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, bool, bool], tuple[Hashable, bytes]] = {}

    def encode(self, server: ServerView, alias: str, user: User) -> bytes:
        """The JSON of a server as it is listed in its group."""
        key = (alias, server.id, user.may_operate, user.may_see_credentials)
        version = server.version
        kept = self._kept.get(key)
        if kept is None or kept[0] != version:
            kept = (version, encode(server_entity(server, alias, user, listed=True)))
            if key in self._kept or len(self._kept) < MOST_KEPT:
                self._kept[key] = kept
        return kept[1]


def _details(
    server: ServerView, hardware: Hardware, alias: str, writable: bool, listed: bool
) -> shapes.Details:
    if server.status in ONLY_POWER_AND_STORAGE or (server.status == "archived" and listed):
        return shapes.Details(power_state=server.power, storage_gb=hardware.storage_gb)
    return shapes.Details(
        ip_addresses=[
            shapes.Address(public=address.public or UNSET, internal=address.internal)
            for address in hardware.addresses
        ],
        secondary_ip_addresses=[],
        alert_policies=[policy_entity(policy, alias, "alertPolicies") for policy in hardware.alert_policies],
        cpu_autoscale_policy=_optional(hardware.cpu_autoscale, alias, "autoscalePolicies", named=False),
        anti_affinity_policy=_optional(hardware.anti_affinity, alias, "antiAffinityPolicies", named=True),
        cpu=hardware.cpu,
        disk_count=len(hardware.disks),
        host_name=hardware.host_name,
        in_maintenance_mode=server.maintenance,
        memory_mb=hardware.memory_mb,
        power_state=server.power,
        storage_gb=hardware.storage_gb,
        disks=_disks(hardware.disks),
        partitions=_partitions(hardware.partitions),
        snapshots=[snapshot_entity(snapshot, server, alias, writable) for snapshot in hardware.snapshots],
        custom_fields=[_custom_field(field) for field in hardware.custom_fields],
        processor_description=UNSET if hardware.processor is None else hardware.processor,
        storage_description=UNSET if hardware.storage is None else hardware.storage,
    )


def policy_entity(policy: Policy, alias: str, kind: str) -> shapes.Policy:
    """The entity of a policy that a server has."""
    href = f"/v2/{kind}/{alias.lower()}/{policy.id}"
    return shapes.Policy(id=policy.id, name=policy.name, links=[Link(rel="self", href=href)])


def _optional(policy: Policy | None, alias: str, kind: str, *, named: bool) -> shapes.Policy | UnsetType:
    """The entity of a policy of which a server has at most one; autoscale policies come without a name."""
    if policy is None:
        return UNSET
    entity = policy_entity(policy, alias, kind)
    if not named:
        entity.name = UNSET
    return entity


@lru_cache(maxsize=1024)
def _disks(sizes: tuple[int, ...]) -> list[shapes.Disk]:
    return [
        shapes.Disk(id=f"0:{number}", size_gb=size, partition_paths=[]) for number, size in enumerate(sizes)
    ]


@lru_cache(maxsize=1024)
def _partitions(partitions: tuple[Partition, ...]) -> list[shapes.Partition]:
    return [shapes.Partition(size_gb=part.size_gb, path=part.path) for part in partitions]


def snapshot_entity(snapshot: Snapshot, server: ServerView, alias: str, writable: bool) -> shapes.Snapshot:
    """The entity of a snapshot."""
    here = f"/v2/servers/{alias.lower()}/{server.id.lower()}/snapshots/{snapshot.number}"
    links = [Link(rel="self", href=here)]
    if writable:
        links += (Link(rel="delete", href=here), Link(rel="restore", href=f"{here}/restore"))
    taken = datetime.fromtimestamp(snapshot.taken, UTC)
    return shapes.Snapshot(name=f"{taken:%Y-%m-%d.%H:%M:%S}", links=links)


def _custom_field(field: CustomField) -> shapes.CustomFieldValue:
    return shapes.CustomFieldValue(id=field.id, name=field.name, value=field.value, display_value=field.value)


def _with_public(links: bytes, public: list[str], here: str, writable: bool) -> bytes:
    """The links with one for each public address."""
    more = [
        link("publicIPAddress", f"{here}/publicIPAddresses/{one}", "GET,PUT,DELETE", writable, id=one)
        for one in public
    ]
    return links[:-1] + b"," + encode(more)[1:]


@lru_cache(maxsize=4096)
def _shared_links(alias: str, group_id: str, status: str, writable: bool, credentials: bool) -> bytes:
    """The links of a server as JSON, with placeholders: the rest is the same throughout a group."""
    account = alias.lower()
    server_id = _ID.decode()
    here = f"/v2/servers/{account}/{server_id}"
    by_uuid = f"/v2/servers/{account}/{_UUID.decode()}"
    active = status == "active"
    links = [
        link("self", here, "GET,PATCH,DELETE" if active else "GET,PATCH", writable, id=server_id),
        Link(rel="group", href=f"/v2/groups/{account}/{group_id}", id=group_id),
        Link(rel="account", href=f"/v2/accounts/{account}", id=account),
        Link(rel="billing", href=f"/v2/billing/{account}/serverPricing/{server_id}"),
    ]
    if active:
        links += (
            Link(rel="statistics", href=f"{here}/statistics"),
            Link(rel="upcomingScheduledActivities", href=f"{by_uuid}/upcomingScheduledActivities"),
            link("scheduledActivities", f"{by_uuid}/scheduledActivities", "GET,POST", writable),
        )
        if writable:
            links += (
                Link(rel=rel, href=f"{here}/{path}", verbs=verbs.split(","))
                for rel, path, verbs in (
                    ("publicIPAddresses", "publicIPAddresses", "POST"),
                    ("alertPolicyMappings", "alertPolicies", "POST"),
                    ("antiAffinityPolicyMapping", "antiAffinityPolicy", "PUT,DELETE"),
                    ("cpuAutoscalePolicyMapping", "cpuAutoscalePolicy", "PUT,DELETE"),
                )
            )
        links.append(Link(rel="capabilities", href=f"{here}/capabilities"))
        if credentials:
            links.append(Link(rel="credentials", href=f"{here}/credentials"))
    elif status == "archived" and writable:
        links += (Link(rel="restore", href=f"{here}/restore"), Link(rel="delete", href=here))
    return encode(links)
