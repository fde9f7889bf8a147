"""The JSON entities of data centers, groups and accounts, as the platform sends them.

Ids of servers and data centers go out in lower case, names and `locationId` in upper case, every href in
lower case, as recorded. Links show only what the user's role allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from tui.sandbox import names
from tui.sandbox.accounts import Account
from tui.sandbox.fleet import Group, Server, State
from tui.sandbox.queue import Outcome
from tui.sandbox.server_entity import server_entity, size
from tui.sandbox.wire import Entity, date, encode, link

MOST_KEPT = 5_000
"""Groups and servers whose JSON is kept, 2 kB each: a huge fleet must not fill the memory."""


def data_center(alias: str, root: Group, group_links: bool, totals: Entity | None, writable: bool) -> Entity:
    """The entity of a data center; with `group_links` it has a link to its root group."""
    code = root.data_center.lower()
    here = f"/v2/datacenters/{alias.lower()}/{code}"
    links = [
        {"rel": "self", "href": here},
        {"rel": "deploymentCapabilities", "href": f"{here}/deploymentCapabilities"},
        link("loadBalancers", f"/v2/sharedloadbalancers/{alias.lower()}/{code}", "GET,POST", writable),
        link("computeLimits", f"{here}/computeLimits", "GET,POST", writable),
        link("networkLimits", f"{here}/networkLimits", "GET", writable),
        link("availableOvfs", f"/v2/vmImport/{alias.lower()}/{code}/available", "GET", writable),
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
        cpu, memory_gb, storage_gb, _ = size(server.bits)
        for key, value in (("servers", 1), ("cpus", cpu), ("memoryGB", memory_gb), ("storageGB", storage_gb)):
            sums[key] += value
    return sums


def servers_under(group: Group) -> Iterator[Server]:
    """Every server of a subtree."""
    yield from group.servers
    for child in group.groups:
        yield from servers_under(child)


class Kept:
    """Keeps the JSON of groups and servers in detailed trees: at the next read most of it is the same."""

    def __init__(self) -> None:
        self._pieces: dict[tuple[Group | Server, bool], tuple[State | None, bytes]] = {}

    def encode(
        self, one: Group | Server, state: State | None, writable: bool, entity: Callable[[], Entity]
    ) -> bytes:
        """The JSON of a group or of a server in a state; ``entity`` makes what is not kept."""
        kept = self._pieces.get((one, writable))
        if kept is None or kept[0] != state:
            kept = (state, encode(entity()))
            if len(self._pieces) < MOST_KEPT or (one, writable) in self._pieces:
                self._pieces[one, writable] = kept
        return kept[1]


def group_tree(
    group: Group, alias: str, now: float, detailed: bool, writable: bool, kept: Kept
) -> Iterator[bytes]:
    """Encode a subtree in pieces of at most one server, so that other tasks can run in between.

    With `detailed` every group has its full servers, otherwise a link to each.
    """
    if detailed:
        yield kept.encode(group, None, writable, lambda: _group(group, alias, writable))[:-1]
        yield b',"servers":['
        for index, server in enumerate(group.servers):
            if index:
                yield b","
            state = server.shown_at(now)
            make = partial(server_entity, server, state, alias, writable, listed=True)
            yield kept.encode(server, state, writable, make)
        yield b"]"
    else:
        entity = _group(group, alias, writable)
        where = f"/v2/servers/{alias.lower()}/"
        entity["links"] += [
            {"rel": "server", "href": where + server.id.lower(), "id": server.id} for server in group.servers
        ]
        yield encode(entity)[:-1]
    yield b',"groups":['
    for index, child in enumerate(group.groups):
        if index:
            yield b","
        yield from group_tree(child, alias, now, detailed, writable, kept)
    yield b"]}"


def _group(group: Group, alias: str, writable: bool) -> Entity:
    bits = int(group.id[:16], 16)
    here = f"/v2/groups/{alias.lower()}/{group.id}"
    links = [link("self", here, "GET,PATCH" if group.system else "GET,PATCH,DELETE", writable)]
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
    actions.append(link("defaults", f"{here}/defaults", "GET,POST", writable))
    actions += [
        {"rel": rel, "href": f"{here}/{rel}"}
        for rel in ("billing", "statistics", "upcomingScheduledActivities")
    ]
    policy = f"{here}/horizontalAutoscalePolicy"
    actions.append(link("horizontalAutoscalePolicyMapping", policy, "GET,PUT,DELETE", writable))
    actions.append(link("scheduledActivities", f"{here}/scheduledActivities", "GET,POST", writable))
    return actions


def account(account: Account, primary: str) -> Entity:
    """The entity of an account."""
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
    """The entity of one server in the answer to an operation."""
    if result.job is not None:
        href = f"/v2/operations/{alias.lower()}/status/{result.job.id}"
        link = {"rel": "status", "href": href, "id": result.job.id}
        return {"server": result.server.lower(), "isQueued": True, "links": [link]}
    entity: Entity = {"server": result.server.lower(), "isQueued": False}
    if result.message is not None:
        entity["errorMessage"] = result.message
    return entity
