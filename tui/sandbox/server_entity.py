"""The JSON entity of a server, made quickly: a large fleet has 100,000 of them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from tui.sandbox import names
from tui.sandbox.fleet import Server, State
from tui.sandbox.wire import Entity, date, encode, link, raw

_ID = b"<id>"
_IP = b"<ip>"


def server_entity(
    server: Server, state: State, alias: str, writable: bool, *, listed: bool = False
) -> Entity:
    """The entity of a server; one that is not active lacks those `details` that the platform leaves out.

    `listed` is for group trees, where an archived server has fewer details than on its own.
    """
    bits = server.bits
    os_type, system, _ = names.SYSTEMS[bits % len(names.SYSTEMS)]
    entity: Entity = {"id": server.id.lower(), "name": server.id}
    if server.description is not None:
        entity["description"] = server.description
    entity["groupId"] = server.group.id
    entity["isTemplate"] = server.template
    entity["locationId"] = server.group.data_center
    entity["osType"] = os_type
    entity["os"] = system
    if bits >> 40 & 31 == 0:
        entity["isManagedOS"] = True
    entity["status"] = server.status
    details = _details(server, state, alias, listed)
    if details is not None:
        entity["details"] = details
    kind = _kind(bits)
    entity["type"] = kind
    entity["storageType"] = (
        "hyperscale" if kind == "hyperscale" else ("standard", "standard", "premium")[bits % 3]
    )
    entity["changeInfo"] = {
        "createdBy": names.PEOPLE[(bits >> 5) % len(names.PEOPLE)],
        "createdDate": date(1_420_070_400.0 + (bits >> 20) % 60_000_000),
        "modifiedBy": state.modified_by,
        "modifiedDate": date(state.modified_at),
    }
    public = _public(bits) if bits >> 44 & 7 == 0 else ""
    links = _server_links(alias, server.group.id, server.status, bool(public), writable)
    entity["links"] = msgspec.Raw(
        links.replace(_ID, server.id.lower().encode()).replace(_IP, public.encode())
    )
    return entity


def _kind(bits: int) -> str:
    roll = bits >> 24 & 63
    return "bareMetal" if roll == 0 else "hyperscale" if roll < 4 else "standard"


def size(bits: int) -> tuple[int, int, int, int]:
    """The size of a server: CPUs, GB of memory, GB of storage, disks."""
    disks = 3 + (bits >> 14) % 3
    return 1 << (bits >> 12 & 3), 2 << (bits >> 16 & 3), 17 + 16 * (bits >> 18 & 7) + 8 * (disks - 2), disks


def _details(server: Server, state: State, alias: str, listed: bool) -> Entity | None:
    bits = server.bits
    cpu, memory_gb, storage_gb, disks = size(bits)
    if server.status in ("underConstruction", "deleted") or (server.status == "queuedForDelete" and bits & 1):
        return None
    if server.status in ("queuedForRestore", "queuedForArchive") or (server.status == "archived" and listed):
        return {"powerState": "stopped", "storageGB": storage_gb}
    if server.status != "active":
        cpu = memory_gb = 0
        storage_gb = 0 if server.status == "queuedForDelete" else storage_gb
    address: Entity = {"internal": _internal(bits)}
    if bits >> 44 & 7 == 0:
        address["public"] = _public(bits)
    windows = names.SYSTEMS[bits % len(names.SYSTEMS)][2]
    details: Entity = {
        "ipAddresses": [address],
        "secondaryIPAddresses": [],
        "alertPolicies": _alert_policies(bits, alias),
        "cpu": cpu,
        "diskCount": disks,
        "hostName": server.id.lower() + (".acme.example" if windows else ""),
        "inMaintenanceMode": state.maintenance,
        "memoryMB": memory_gb * 1024,
        "powerState": state.power,
        "storageGB": storage_gb,
        "disks": _disks(disks, storage_gb),
        "partitions": _partitions(windows, storage_gb),
        "snapshots": _snapshots(server, alias),
        "customFields": _custom_fields(bits),
    }
    if _kind(bits) == "bareMetal":
        details["processorDescription"] = "2 x 10-core Intel Xeon E5-2650 v3, 2.30 GHz"
        details["storageDescription"] = "4 x 1 TB SATA, RAID 10"
    return details


@lru_cache(maxsize=1024)
def _disks(count: int, storage_gb: int) -> msgspec.Raw:
    sizes = (1, 2, max(1, storage_gb - 3 - 8 * (count - 3)), 8, 8)
    return raw([{"id": f"0:{disk}", "sizeGB": sizes[disk], "partitionPaths": []} for disk in range(count)])


@lru_cache(maxsize=1024)
def _partitions(windows: bool, storage_gb: int) -> msgspec.Raw:
    system, data = ("C:\\", "D:\\") if windows else ("/", "/data")
    return raw([{"sizeGB": float(max(1, storage_gb - 8)), "path": system}, {"sizeGB": 8.0, "path": data}])


def _internal(bits: int) -> str:
    return f"10.{bits >> 48 & 127}.{bits >> 32 & 255}.{(bits >> 56) % 250 + 4}"


def _public(bits: int) -> str:
    return f"203.0.113.{(bits >> 36) % 250 + 4}"


def _alert_policies(bits: int, alias: str) -> list[Entity]:
    if bits >> 47 & 3:
        return []
    policy_id, name = names.ALERT_POLICIES[(bits >> 49) % len(names.ALERT_POLICIES)]
    href = f"/v2/alertPolicies/{alias.lower()}/{policy_id}"
    return [{"id": policy_id, "name": name, "links": [{"rel": "self", "href": href}]}]


def _snapshots(server: Server, alias: str) -> list[Entity]:
    if server.bits >> 52 & 15:
        return []
    taken = datetime.fromtimestamp(1_640_000_000 + (server.bits >> 20) % 30_000_000, UTC)
    here = f"/v2/servers/{alias.lower()}/{server.id.lower()}/snapshots/{server.bits >> 8 & 63}"
    links = [
        {"rel": "self", "href": here},
        {"rel": "delete", "href": here},
        {"rel": "restore", "href": f"{here}/restore"},
    ]
    return [{"name": f"{taken:%Y-%m-%d.%H:%M:%S}", "links": links}]


def _custom_fields(bits: int) -> list[Entity]:
    if bits >> 54 & 7:
        return []
    field_id, name, pattern = names.CUSTOM_FIELDS[(bits >> 57) % len(names.CUSTOM_FIELDS)]
    value = pattern.format(number=(bits >> 10) % 24)
    return [{"id": field_id, "name": name, "value": value, "displayValue": value}]


@lru_cache(maxsize=2048)
def _server_links(alias: str, group_id: str, status: str, public: bool, writable: bool) -> bytes:
    """The links of a server as JSON, with placeholders: the rest is the same throughout a group."""
    account = alias.lower()
    here = f"/v2/servers/{account}/{_ID.decode()}"
    active = status == "active"
    links: list[Entity] = [
        link("self", here, "GET,PATCH,DELETE" if active else "GET,PATCH", writable),
        {"rel": "group", "href": f"/v2/groups/{account}/{group_id}", "id": group_id},
        {"rel": "account", "href": f"/v2/accounts/{account}", "id": account},
        {"rel": "billing", "href": f"/v2/billing/{account}/serverPricing/{_ID.decode()}"},
    ]
    if active:
        if writable:
            links.append({"rel": "publicIPAddresses", "href": f"{here}/publicIPAddresses", "verbs": ["POST"]})
            links.append({"rel": "credentials", "href": f"{here}/credentials"})
        links += (
            {"rel": "statistics", "href": f"{here}/statistics"},
            {"rel": "upcomingScheduledActivities", "href": f"{here}/upcomingScheduledActivities"},
            link("scheduledActivities", f"{here}/scheduledActivities", "GET,POST", writable),
            {"rel": "capabilities", "href": f"{here}/capabilities"},
        )
        if writable:
            links += (
                {"rel": "alertPolicyMappings", "href": f"{here}/alertPolicies", "verbs": ["POST"]},
                {
                    "rel": "antiAffinityPolicyMapping",
                    "href": f"{here}/antiAffinityPolicy",
                    "verbs": ["PUT", "DELETE"],
                },
                {
                    "rel": "cpuAutoscalePolicyMapping",
                    "href": f"{here}/cpuAutoscalePolicy",
                    "verbs": ["PUT", "DELETE"],
                },
            )
        if public:
            links.append(
                link(
                    "publicIPAddress", f"{here}/publicIPAddresses/{_IP.decode()}", "GET,PUT,DELETE", writable
                )
            )
    elif status == "archived" and writable:
        links.append({"rel": "restore", "href": f"{here}/restore"})
        links.append({"rel": "delete", "href": here})
    return encode(links)
