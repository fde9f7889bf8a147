"""The JSON of data centers, groups, accounts and outcomes, as the platform sends them.

Ids of servers and data centers go out in lower case, names and `locationId` in upper case, every href in
lower case, as recorded. Links show only what the user's role allows.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from tui.contract import shapes
from tui.contract.accounts import Account, User
from tui.contract.protocol import Outcome
from tui.contract.server_entity import KeptServers
from tui.contract.shapes import Link
from tui.contract.views import CustomField, DataCenterView, GroupView, ServerView
from tui.contract.wire import change_info, encode, link

SERVERS_IN_PIECE = 50


def data_center(
    alias: str, center: DataCenterView, group_links: bool, with_totals: bool, writable: bool
) -> shapes.DataCenter:
    """The entity of a data center; with `group_links` it has a link to its root group."""
    code, account, root = center.code.lower(), alias.lower(), center.root
    here = f"/v2/datacenters/{account}/{code}"
    links = [
        Link(rel="self", href=here),
        Link(rel="deploymentCapabilities", href=f"{here}/deploymentCapabilities"),
        link("loadBalancers", f"/v2/sharedLoadBalancers/{account}/{code}", "GET,POST", writable),
        link("computeLimits", f"{here}/computeLimits", "GET,POST", writable),
        link("networkLimits", f"{here}/networkLimits", "GET", writable),
        link("availableOvfs", f"/v2/vmImport/{account}/{code}/available", "GET", writable),
    ]
    if group_links:
        group = f"/v2/groups/{account}/{root.id}"
        links.append(Link(rel="group", href=group, id=root.id, name=root.name))
        links += _create_links(alias, writable)
        links.append(link("defaults", f"{group}/defaults", "GET,POST", writable))
        links.append(Link(rel="billing", href=f"{group}/billing"))
        links += _activity_links(group, writable)
    return shapes.DataCenter(
        id=code, name=center.name, links=links, totals=_totals(center) if with_totals else UNSET
    )


def _totals(center: DataCenterView) -> shapes.Totals:
    sums = shapes.Totals(queue=center.queued)
    for server in servers_under(center.root):
        hardware = server.hardware
        if server.status == "active" and not server.template and hardware is not None:
            sums.servers += 1
            sums.cpus += hardware.cpu
            sums.memory_gb += hardware.memory_mb // 1024
            sums.storage_gb += hardware.storage_gb
    return sums


def servers_under(group: GroupView) -> Iterator[ServerView]:
    """Every server of a subtree."""
    yield from group.servers
    for child in group.groups:
        yield from servers_under(child)


def group_tree(
    group: GroupView, alias: str, user: User, detailed: bool, kept: KeptServers
) -> Iterator[bytes]:
    """Encode a subtree in pieces of a few servers, so that other tasks can run in between.

    With `detailed` every group has its full servers, sorted by name, otherwise a link to each.
    """
    before, after = _around(group, alias, user.may_operate, with_servers=not detailed)
    yield before
    if detailed:
        yield b',"servers":['
        servers = sorted(group.servers, key=lambda server: server.id)
        for start in range(0, len(servers), SERVERS_IN_PIECE):
            piece = servers[start : start + SERVERS_IN_PIECE]
            yield b"," if start else b""
            yield b",".join([kept.encode(server, alias, user) for server in piece])
        yield b"]"
    yield b',"groups":['
    for index, child in enumerate(sorted(group.groups, key=lambda child: child.name.casefold())):
        yield b"," if index else b""
        yield from group_tree(child, alias, user, detailed, kept)
    yield after


def _around(group: GroupView, alias: str, writable: bool, with_servers: bool) -> tuple[bytes, bytes]:
    """The JSON of a group before and after its servers and groups."""
    links = _group_links(group, alias, writable)
    if with_servers:
        where = f"/v2/servers/{alias.lower()}/"
        links += [
            Link(rel="server", href=where + server.id.lower(), id=server.id) for server in group.servers
        ]
    entity = shapes.Group(
        id=group.id,
        name=group.name,
        description=UNSET if group.description is None else group.description,
        location_id=group.location,
        type=group.type,
        status="active",
        servers_count=group.servers_count,
        groups=[],
        links=links,
        change_info=change_info(group.created, group.modified),
        custom_fields=[],
    )
    before, _, after = encode(entity).partition(b',"groups":[]')
    return before, b"]" + after


def _group_links(group: GroupView, alias: str, writable: bool) -> list[Link]:
    here = f"/v2/groups/{alias.lower()}/{group.id}"
    ordinary = group.type == "default"
    system = group.parent_id is None or not ordinary
    links = _create_links(alias, writable) if ordinary else []
    links.append(link("self", here, "GET,PATCH" if system else "GET,PATCH,DELETE", writable))
    if group.parent_id is not None:
        parent = f"/v2/groups/{alias.lower()}/{group.parent_id}"
        links.append(Link(rel="parentGroup", href=parent, id=group.parent_id))
    links.append(link("defaults", f"{here}/defaults", "GET,POST", writable))
    links.append(Link(rel="billing", href=f"{here}/billing"))
    if not system and writable:
        links.append(Link(rel="archiveGroupAction", href=f"{here}/archive"))
    return links + _activity_links(here, writable) if ordinary else links


def _create_links(alias: str, writable: bool) -> list[Link]:
    account = alias.lower()
    return (
        [
            Link(rel="createGroup", href=f"/v2/groups/{account}", verbs=["POST"]),
            Link(rel="createServer", href=f"/v2/servers/{account}", verbs=["POST"]),
        ]
        if writable
        else []
    )


def _activity_links(here: str, writable: bool) -> list[Link]:
    policy = f"{here}/horizontalAutoscalePolicy"
    return [
        Link(rel="statistics", href=f"{here}/statistics"),
        Link(rel="upcomingScheduledActivities", href=f"{here}/upcomingScheduledActivities"),
        link("horizontalAutoscalePolicyMapping", policy, "GET,PUT,DELETE", writable),
        link("scheduledActivities", f"{here}/scheduledActivities", "GET,POST", writable),
    ]


def account(account: Account) -> shapes.Account:
    """The entity of an account."""
    own = account.alias.lower()
    links = [Link(rel="self", href=f"/v2/accounts/{own}", id=own)]
    if account.parent:
        parent = account.parent.lower()
        links.append(Link(rel="parentAccount", href=f"/v2/accounts/{parent}", id=parent))
    return shapes.Account(
        account_alias=account.alias,
        parent_alias=account.parent or "",
        business_name=account.name,
        address_line1="1 Harbour Street",
        address_line2="",
        city="Bellevue",
        state_province="WA",
        postal_code="98004",
        country="US",
        telephone="+1 555 0100",
        fax="",
        time_zone="Pacific Standard Time",
        status="active",
        primary_data_center=account.primary,
        is_managed=False,
        links=links,
    )


def custom_field(field: CustomField) -> shapes.CustomField:
    """The entity of a custom field of an account."""
    return shapes.CustomField(id=field.id, name=field.name, is_required=False, type="text", options=[])


def status_link(job: str, alias: str) -> Link:
    """The link to the status of a job."""
    return Link(rel="status", href=f"/v2/operations/{alias.lower()}/status/{job}", id=job)


def outcome(result: Outcome, alias: str) -> shapes.Outcome:
    """The entity of one server in the answer to an operation."""
    return shapes.Outcome(
        server=result.server.lower(),
        is_queued=result.job is not None,
        links=UNSET if result.job is None else [status_link(result.job, alias)],
        error_message=UNSET if result.message is None else result.message,
    )
