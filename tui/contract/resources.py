"""The calls that read what belongs to a group or a server, beside statistics, costs and policies."""

from __future__ import annotations

from tui.contract import resource_shapes as shapes
from tui.contract.actions import snapshot
from tui.contract.calls import Answer, Call, Handler, Missing, Route, answer, problem
from tui.contract.center_resources import reserved_paths
from tui.contract.server_entity import snapshot_entity
from tui.contract.shapes import Snapshot
from tui.contract.wire import number, text


async def _credentials(call: Call) -> Answer:
    """Read the name and password of a server's administrator, if a role of the user shows them."""
    if not call.user.may_see_credentials:
        return problem(403, "You do not have permission to see credentials.")
    server = await call.server()
    held = await call.plane.credentials(call.alias, server.id)
    if held is None:
        raise Missing
    name, password = held
    return answer(200, shapes.Credentials(user_name=name, password=password))


async def _nothing_of_a_group(call: Call) -> Answer:
    """Read a list that is always empty: the control planes of this contract have no such thing."""
    await call.group()
    return answer(200, [])


async def _nothing_of_a_server(call: Call) -> Answer:
    """Read a list that is always empty: the control planes of this contract have no such thing."""
    await call.server()
    return answer(200, [])


async def _group_defaults(call: Call) -> Answer:
    group = await call.group()
    held = await call.plane.defaults(call.alias, group.id)
    inherited = held.inherited
    defaults = shapes.GroupDefaults(
        cpu=number(held.cpu, inherited),
        memory_gb=number(held.memory_gb, inherited),
        network_id=text(held.network_id, inherited),
        primary_dns=text(held.primary_dns, inherited),
        secondary_dns=text(held.secondary_dns, inherited),
        template_name=text(held.template, inherited),
    )
    return answer(200, defaults)


async def _horizontal_autoscale_policy(call: Call) -> Answer:
    """Read the policy of a group. Groups have none here, and to clients only an empty object says so."""
    await call.group()
    return answer(200, shapes.HorizontalAutoscalePolicy())


async def _server_capabilities(call: Call) -> Answer:
    """Read how a server can grow. The platform's own answer was never recorded."""
    server = await call.server()
    reboot = server.hardware is None or not server.hardware.grows_running
    _, system = server.system
    entity = shapes.ServerCapabilities(
        adding_cpu_requires_reboot=reboot,
        adding_memory_requires_reboot=reboot,
        reserved_drive_paths=reserved_paths(windows=system.startswith("windows")),
    )
    return answer(200, entity)


async def _public_address(call: Call) -> Answer:
    hardware = (await call.server()).hardware
    for address in hardware.addresses if hardware else ():
        if address.public == call.path["ip"]:
            ports = [shapes.Port(protocol="TCP", port=port) for port in address.ports]
            entity = shapes.PublicAddress(
                internal_ip_address=address.internal, ports=ports, source_restrictions=[]
            )
            return answer(200, entity)
    raise Missing


async def _snapshot(call: Call) -> Answer:
    held, server = await snapshot(call)
    return answer(200, snapshot_entity(held, server, call.alias, call.user.may_operate))


def _route(path: str, handler: Handler, summary: str, answers: object) -> Route:
    return Route("GET", path, handler, summary, answers)


GROUP = "/v2/groups/{alias}/{id}"
SERVER = "/v2/servers/{alias}/{id}"

RESOURCES: tuple[Route, ...] = (
    _route(f"{GROUP}/defaults", _group_defaults, "Read what a new server gets", shapes.GroupDefaults),
    _route(
        f"{GROUP}/horizontalAutoscalePolicy",
        _horizontal_autoscale_policy,
        "Read the horizontal autoscale policy of a group",
        shapes.HorizontalAutoscalePolicy,
    ),
    _route(
        f"{GROUP}/scheduledActivities",
        _nothing_of_a_group,
        "List the scheduled activities of a group",
        shapes.Nothing,
    ),
    _route(
        f"{GROUP}/upcomingScheduledActivities",
        _nothing_of_a_group,
        "List the next scheduled activities of a group",
        shapes.Nothing,
    ),
    _route(
        f"{SERVER}/scheduledActivities",
        _nothing_of_a_server,
        "List the scheduled activities of a server",
        shapes.Nothing,
    ),
    _route(
        f"{SERVER}/upcomingScheduledActivities",
        _nothing_of_a_server,
        "List the next scheduled activities of a server",
        shapes.Nothing,
    ),
    _route(f"{SERVER}/credentials", _credentials, "Read the administrator's password", shapes.Credentials),
    _route(
        f"{SERVER}/capabilities",
        _server_capabilities,
        "Read how a server can grow",
        shapes.ServerCapabilities,
    ),
    _route(
        f"{SERVER}/publicIPAddresses/{{ip}}",
        _public_address,
        "Read a public address of a server",
        shapes.PublicAddress,
    ),
    _route(f"{SERVER}/snapshots/{{number}}", _snapshot, "Read a snapshot of a server", Snapshot),
)
