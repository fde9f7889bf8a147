"""The shapes of the wire: what the platform sends for a data center, a group, a server, an account.

Ids of servers and data centers go out in lower case, names and `locationId` in upper case, every href in
lower case, as recorded. Links show only what the user's role allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from tui.sandbox import names
from tui.sandbox.accounts import Account
from tui.sandbox.fleet import Fleet, Group, Server, State
from tui.sandbox.queue import Outcome

Entity = dict[str, Any]

_encode = msgspec.json.Encoder().encode

_ID = b"<id>"
_IP = b"<ip>"


def data_center(alias: str, root: Group, group_links: bool, totals: Entity | None, writable: bool) -> Entity:
    """One data center; with `group_links` it names its root group."""
    code = root.data_center.lower()
    here = f"/v2/datacenters/{alias.lower()}/{code}"
    links = [
        {"rel": "self", "href": here},
        {"rel": "deploymentCapabilities", "href": f"{here}/deploymentCapabilities"},
        _link("loadBalancers", f"/v2/sharedloadbalancers/{alias.lower()}/{code}", "GET,POST", writable),
        _link("computeLimits", f"{here}/computeLimits", "GET,POST", writable),
        _link("networkLimits", f"{here}/networkLimits", "GET", writable),
        _link("availableOvfs", f"/v2/vmImport/{alias.lower()}/{code}/available", "GET", writable),
    ]
    if group_links:
        group = f"/v2/groups/{alias.lower()}/{root.id}"
        links.append({"rel": "group", "href": group, "id": root.id, "name": root.name})
        links += _group_actions(alias, group, writable)
    entity: Entity = {"id": code, "name": names.DATA_CENTERS[root.data_center], "links": links}
    if totals is not None:
        entity["totals"] = totals
    return entity


def totals(root: Group, now: float) -> Entity:
    """The sums that `?totals=true` adds to a data center."""
    sums = {"servers": 0, "cpus": 0, "memoryGB": 0, "storageGB": 0, "queue": 0}
    for server in servers_under(root):
        if server.job is not None and server.job.ends > now:
            sums["queue"] += 1
        if server.status != "active" or server.template:
            continue
        cpu, memory_gb, storage_gb, _ = _size(server.bits)
        for key, value in (("servers", 1), ("cpus", cpu), ("memoryGB", memory_gb), ("storageGB", storage_gb)):
            sums[key] += value
    return sums


def servers_under(group: Group) -> Iterator[Server]:
    """Every server of a subtree."""
    yield from group.servers
    for child in group.groups:
        yield from servers_under(child)


def group_tree(group: Group, alias: str, now: float, detailed: bool, writable: bool) -> Iterator[bytes]:
    """The JSON of a subtree in pieces of at most one server, so that a large one can be made bit by bit.

    Detailed, every node has its full servers; otherwise it has a link to each.
    """
    entity = _group(group, alias, writable)
    if not detailed:
        where = f"/v2/servers/{alias.lower()}/"
        entity["links"] += [
            {"rel": "server", "href": where + server.id.lower(), "id": server.id} for server in group.servers
        ]
    yield _encode(entity)[:-1]
    if detailed:
        yield b',"servers":['
        for index, server in enumerate(group.servers):
            if index:
                yield b","
            yield _encode(server_entity(server, server.shown_at(now), alias, writable, listed=True))
        yield b"]"
    yield b',"groups":['
    for index, child in enumerate(group.groups):
        if index:
            yield b","
        yield from group_tree(child, alias, now, detailed, writable)
    yield b"]}"


def _group(group: Group, alias: str, writable: bool) -> Entity:
    bits = int(group.id[:16], 16)
    here = f"/v2/groups/{alias.lower()}/{group.id}"
    links = [_link("self", here, "GET,PATCH" if group.system else "GET,PATCH,DELETE", writable)]
    if group.parent is not None:
        parent = f"/v2/groups/{alias.lower()}/{group.parent.id}"
        links.append({"rel": "parentGroup", "href": parent, "id": group.parent.id})
    actions = _group_actions(alias, here, writable)
    if group.kind != "default":
        actions = [action for action in actions if action["rel"] in ("defaults", "billing")]
    elif not group.system and writable:
        actions.append({"rel": "archiveGroupAction", "href": f"{here}/archive"})
    entity: Entity = {"id": group.id, "name": group.name}
    if group.description is not None:
        entity["description"] = group.description
    return entity | {
        "locationId": group.data_center,
        "type": group.kind,
        "status": "active",
        "serversCount": group.servers_count,
        "links": links + actions,
        "changeInfo": {
            "createdBy": names.PEOPLE[bits % len(names.PEOPLE)],
            "createdDate": date(1_388_534_400.0 + bits % 40_000_000),
            "modifiedBy": names.PEOPLE[(bits >> 3) % len(names.PEOPLE)],
            "modifiedDate": date(1_430_000_000.0 + bits % 80_000_000),
        },
        "customFields": [],
    }


def _group_actions(alias: str, here: str, writable: bool) -> list[Entity]:
    actions: list[Entity] = []
    if writable:
        actions.append({"rel": "createGroup", "href": f"/v2/groups/{alias.lower()}", "verbs": ["POST"]})
        actions.append({"rel": "createServer", "href": f"/v2/servers/{alias.lower()}", "verbs": ["POST"]})
    actions.append(_link("defaults", f"{here}/defaults", "GET,POST", writable))
    actions += [
        {"rel": rel, "href": f"{here}/{rel}"}
        for rel in ("billing", "statistics", "upcomingScheduledActivities")
    ]
    policy = f"{here}/horizontalAutoscalePolicy"
    actions.append(_link("horizontalAutoscalePolicyMapping", policy, "GET,PUT,DELETE", writable))
    actions.append(_link("scheduledActivities", f"{here}/scheduledActivities", "GET,POST", writable))
    return actions


def server_entity(
    server: Server, state: State, alias: str, writable: bool, *, listed: bool = False
) -> Entity:
    """One server, with the gaps in `details` that the platform shows for what is not simply active.

    `listed` is for group trees, where an archived server has fewer details than when it is read alone.
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


def _size(bits: int) -> tuple[int, int, int, int]:
    """CPUs, GB of memory, GB of storage, disks."""
    disks = 3 + (bits >> 14) % 3
    return 1 << (bits >> 12 & 3), 2 << (bits >> 16 & 3), 17 + 16 * (bits >> 18 & 7) + 8 * (disks - 2), disks


def _details(server: Server, state: State, alias: str, listed: bool) -> Entity | None:
    bits = server.bits
    cpu, memory_gb, storage_gb, disks = _size(bits)
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
    return _raw([{"id": f"0:{disk}", "sizeGB": sizes[disk], "partitionPaths": []} for disk in range(count)])


@lru_cache(maxsize=1024)
def _partitions(windows: bool, storage_gb: int) -> msgspec.Raw:
    system, data = ("C:\\", "D:\\") if windows else ("/", "/data")
    return _raw([{"sizeGB": float(max(1, storage_gb - 8)), "path": system}, {"sizeGB": 8.0, "path": data}])


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
    """The links of a server as JSON, _ID and _IP for its own: the rest is the same throughout a group."""
    account = alias.lower()
    here = f"/v2/servers/{account}/{_ID.decode()}"
    active = status == "active"
    links: list[Entity] = [
        _link("self", here, "GET,PATCH,DELETE" if active else "GET,PATCH", writable),
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
            _link("scheduledActivities", f"{here}/scheduledActivities", "GET,POST", writable),
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
                _link(
                    "publicIPAddress", f"{here}/publicIPAddresses/{_IP.decode()}", "GET,PUT,DELETE", writable
                )
            )
    elif status == "archived" and writable:
        links.append({"rel": "restore", "href": f"{here}/restore"})
        links.append({"rel": "delete", "href": here})
    return _encode(links)


def account(account: Account, primary: str) -> Entity:
    """An account as `GET /v2/accounts/{alias}` gives it."""
    here = f"/v2/accounts/{account.alias.lower()}"
    links: list[Entity] = [{"rel": "self", "href": here, "id": account.alias.lower()}]
    if account.parent:
        parent = account.parent.lower()
        links.append({"rel": "parentAccount", "href": f"/v2/accounts/{parent}", "id": parent})
    return {
        "accountAlias": account.alias,
        "parentAlias": account.parent or "",
        "businessName": account.name,
        "addressLine1": "1 Harbour Street",
        "addressLine2": "",
        "city": "Bellevue",
        "stateProvince": "WA",
        "postalCode": "98004",
        "country": "US",
        "telephone": "+1 555 0100",
        "fax": "",
        "timeZone": "Pacific Standard Time",
        "status": "active",
        "primaryDataCenter": primary,
        "isManaged": False,
        "links": links,
    }


def custom_fields() -> list[Entity]:
    """The account's custom fields."""
    return [
        {"id": field_id, "name": name, "isRequired": False, "type": "text", "options": []}
        for field_id, name, _ in names.CUSTOM_FIELDS
    ]


def outcome(result: Outcome, alias: str) -> Entity:
    """What an operation's answer says of one server."""
    if result.job is not None:
        href = f"/v2/operations/{alias.lower()}/status/{result.job.id}"
        link = {"rel": "status", "href": href, "id": result.job.id}
        return {"server": result.server.lower(), "isQueued": True, "links": [link]}
    entity: Entity = {"server": result.server.lower(), "isQueued": False}
    if result.message is not None:
        entity["errorMessage"] = result.message
    return entity


def truth(fleet: Fleet, now: float) -> dict[str, Entity]:
    """For each server of an account by upper-case id what it really is and what reached it."""
    servers: dict[str, Entity] = {}
    for server in fleet:
        state = server.at(now)
        servers[server.id] = {
            "maintenance": state.maintenance,
            "power": state.power,
            "operations": server.reached,
            "queued": server.queued,
        }
    return servers


@lru_cache(maxsize=8192)
def _day(days: int) -> str:
    return f"{datetime.fromtimestamp(days * 86_400, UTC):%Y-%m-%d}"


def date(seconds: float) -> str:
    """A moment as the platform writes it: UTC, whole seconds."""
    days, rest = divmod(int(seconds), 86_400)
    return f"{_day(days)}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"


def _raw(value: object) -> msgspec.Raw:
    """Encoded once, for parts that many entities share."""
    return msgspec.Raw(_encode(value))


def _link(rel: str, href: str, verbs: str, writable: bool) -> Entity:
    return {"rel": rel, "href": href, "verbs": verbs.split(",") if writable else ["GET"]}
