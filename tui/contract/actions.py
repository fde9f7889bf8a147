"""The calls that change servers: operations on lists of servers, and those on one server or group."""

from __future__ import annotations

from collections.abc import Mapping

from tui.contract import bodies, entities, shapes
from tui.contract.bodies import Invalid
from tui.contract.calls import Answer, Call, Handler, Missing, Route, answer, problem
from tui.contract.protocol import Order
from tui.contract.shapes import Link
from tui.contract.views import ServerView, Snapshot

PLAIN = (
    "startMaintenance",
    "stopMaintenance",
    "powerOn",
    "powerOff",
    "pause",
    "reset",
    "reboot",
    "shutDown",
    "archive",
)
"""The operations whose body is a bare list of ids."""

Targets = Mapping[str, bool | None]
Parameters = Mapping[str, object]

NOT_QUEUED = "The operation cannot be queued because the server is not in a valid state."


async def _operate(call: Call, operation: str, targets: Targets, parameters: Parameters) -> Answer:
    """Queue an operation; the answer is one entity per server."""
    outcomes = await call.plane.submit(call.alias, Order(operation, targets, call.user, parameters))
    return answer(200, [entities.outcome(outcome, call.alias) for outcome in outcomes])


def _plain(operation: str) -> Handler:
    """The handler of an operation whose body is a bare list of ids."""

    async def handler(call: Call) -> Answer:
        """Queue the operation for a list of ids.

        The answer has one entity per distinct server, in any order: the id of its job, or why it was refused.
        Servers of one data center have one job.
        """
        return await _operate(call, operation, bodies.server_ids(call.body), {})

    return handler


async def _set_maintenance(call: Call) -> Answer:
    """Start or end the maintenance mode of each server, as the body says."""
    return await _operate(call, "setMaintenance", bodies.maintenance_switches(call.body), {})


async def _create_snapshot(call: Call) -> Answer:
    """Take a snapshot of each server. A new snapshot replaces the one before."""
    targets, days = bodies.create_snapshot(call.body, call.content_type)
    return await _operate(call, "createSnapshot", targets, {"snapshotexpirationdays": days})


async def _execute_package(call: Call) -> Answer:
    """Run a package on each server. The names of its parameters keep their case."""
    targets, package, parameters = bodies.execute_package(call.body)
    return await _operate(call, "executePackage", targets, {"packageid": package, "parameters": parameters})


async def _restore(call: Call) -> Answer:
    """Make an archived server active again, in a group of its data center."""
    server = await call.server()
    group = await _group_for(call, server, "targetGroupId", bodies.target_group(call.body))
    return await _one(call, 202, "restore", [server.id], {"targetgroupid": group})


async def _restore_snapshot(call: Call) -> Answer:
    """Put a server back to the state of a snapshot."""
    held, server = await snapshot(call)
    return await _one(call, 200, "restoreSnapshot", [server.id], {"snapshot": held.number})


async def _delete_snapshot(call: Call) -> Answer:
    held, server = await snapshot(call)
    return await _one(call, 200, "deleteSnapshot", [server.id], {"snapshot": held.number})


async def _archive_group(call: Call) -> Answer:
    """Archive the servers of a group and of those below it, as one operation."""
    group = await call.group()
    if group.parent_id is None or group.type != "default":
        return problem(400, "This group cannot be archived.")
    servers = [server.id for server in entities.servers_under(group) if server.status == "active"]
    if not servers:
        return problem(400, "The group has no server that can be archived.")
    return await _one(call, 202, "archive", servers, {})


async def _one(call: Call, status: int, operation: str, ids: list[str], parameters: Parameters) -> Answer:
    """Queue an operation whose answer is the link to the status of its job: those of a group have one job."""
    order = Order(operation, dict.fromkeys(ids), call.user, parameters)
    outcomes = await call.plane.submit(call.alias, order)
    for outcome in outcomes:
        if outcome.job is not None:
            return answer(status, entities.status_link(outcome.job, call.alias))
    return problem(400, next((outcome.message for outcome in outcomes if outcome.message), NOT_QUEUED))


async def _patch(call: Call) -> Answer:
    """Set the description of a server or its group, at once."""
    server = await call.server()
    edit = bodies.server_edit(call.body)
    if edit.group_id is not None:
        edit = edit._replace(group_id=await _group_for(call, server, "groupId", edit.group_id))
    await call.plane.edit(call.alias, server.id, call.user, edit)
    return Answer(204)


async def _group_for(call: Call, server: ServerView, field: str, group_id: str) -> str:
    """The id of a group that a server can go to.

    Raises:
        Invalid: there is no such group in its data center, or it is not for servers.
    """
    group = await call.plane.group(call.alias, group_id)
    if group is None or group.location != server.location:
        raise Invalid(field, "There is no such group in the data center of the server.")
    if group.type != "default":
        raise Invalid(field, "Servers cannot be put into this group.")
    return group.id


async def snapshot(call: Call) -> tuple[Snapshot, ServerView]:
    """The snapshot of the path, and its server.

    Raises:
        Missing: there is no such server or snapshot.
    """
    server = await call.server()
    for held in server.hardware.snapshots if server.hardware else ():
        if str(held.number) == call.path["number"]:
            return held, server
    raise Missing


def _operation(name: str, handler: Handler, body: object, *, form: bool = False) -> Route:
    path = f"/v2/operations/{{alias}}/servers/{name}"
    summary = f"Queue {name} for servers"
    return Route("POST", path, handler, summary, list[shapes.Outcome], body, form=form, changes=True)


ACTIONS: tuple[Route, ...] = (
    *(_operation(name, _plain(name), list[str]) for name in PLAIN),
    _operation("setMaintenance", _set_maintenance, shapes.SetMaintenance),
    _operation("createSnapshot", _create_snapshot, shapes.CreateSnapshot, form=True),
    _operation("executePackage", _execute_package, shapes.ExecutePackage),
    Route(
        "POST",
        "/v2/servers/{alias}/{id}/restore",
        _restore,
        "Restore an archived server",
        Link,
        shapes.Restore,
        status=202,
        changes=True,
    ),
    Route(
        "DELETE",
        "/v2/servers/{alias}/{id}/snapshots/{number}",
        _delete_snapshot,
        "Delete a snapshot",
        Link,
        changes=True,
    ),
    Route(
        "POST",
        "/v2/servers/{alias}/{id}/snapshots/{number}/restore",
        _restore_snapshot,
        "Restore a server to a snapshot",
        Link,
        changes=True,
    ),
    Route(
        "PATCH",
        "/v2/servers/{alias}/{id}",
        _patch,
        "Change the description or the group of a server",
        None,
        list[shapes.PatchOperation],
        status=204,
        changes=True,
    ),
    Route(
        "POST",
        "/v2/groups/{alias}/{id}/archive",
        _archive_group,
        "Archive the servers of a group",
        Link,
        status=202,
        changes=True,
    ),
)
