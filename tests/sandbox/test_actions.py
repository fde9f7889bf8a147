"""Archive, snapshots, packages, restore, and what is changed without a job."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from tests.sandbox.conftest import MakeWorld
from tests.sandbox.world import Json, World, groups_of, job_ids
from tui.contract.routes import ROUTES

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CANNOT_QUEUE = "cannot be queued"


@pytest.fixture
async def quick(make_world: MakeWorld) -> World:
    """A sandbox whose jobs take ten seconds."""
    return await make_world(job_seconds=(10.0, 10.0))


async def done(world: World, link: Json) -> None:
    """Let the job of a status link end, well."""
    assert link == {"rel": "status", "href": f"/v2/operations/acme/status/{link['id']}", "id": link["id"]}
    world.clock.now += 11
    assert await world.get(link["href"]) == {"status": "succeeded"}


async def archived(world: World) -> Json:
    """A server that has just been archived, as it was before."""
    server = await world.server((await world.ids(location="WA1"))[0])
    await world.operate("archive", [server["name"]])
    world.clock.now += 11
    return server


async def group_of(world: World, name: str, location: str = "WA1") -> Json:
    """A group of a data center."""
    trees = [tree for tree in await world.trees() if tree["locationId"] == location]
    return next(group for tree in trees for group in groups_of(tree) if group["name"] == name)


def snapshot_links(server: Json) -> dict[str, str]:
    """The links of the only snapshot of a server."""
    (snapshot,) = server["details"]["snapshots"]
    return {link["rel"]: link["href"] for link in snapshot["links"]}


async def test_archive_is_one_job_and_moves_the_servers_to_the_archive(quick: World) -> None:
    names = (await quick.ids(location="WA1"))[:3]
    before = await quick.server(names[0])
    entities = await quick.operate("archive", names)
    assert {entity["server"] for entity in entities} == {name.lower() for name in names}
    assert len(job_ids(entities)) == 1
    quick.clock.now += 11
    archive = await group_of(quick, "Archive")
    for name in names:
        server = await quick.server(name)
        assert (server["status"], server["details"]["powerState"]) == ("archived", "stopped")
        assert server["groupId"] == archive["id"]
    assert (await quick.server(names[0]))["changeInfo"] == before["changeInfo"]
    assert set(names) <= {server["name"] for server in archive["servers"]}
    (again,) = await quick.operate("archive", names[:1])
    assert CANNOT_QUEUE in again["errorMessage"]


@pytest.mark.parametrize(
    "body",
    [
        {"serverIds": ["{id}"], "snapshotExpirationDays": 10},
        {"serverIds": ["{id}"], "snapshotExpirationDays": "7"},
        {"SERVERIDS": ["{id}"], "SnapshotExpirationDays": 1},
    ],
)
async def test_create_snapshot_takes_json_with_keys_in_any_case(quick: World, body: dict[str, Any]) -> None:
    name = (await quick.ids())[0]
    body = {key: [name] if isinstance(value, list) else value for key, value in body.items()}
    answer = await quick.post("createSnapshot", body)
    assert answer.status_code == 200
    assert answer.json()[0]["isQueued"] is True


@pytest.mark.parametrize("count", [1, 3])
async def test_create_snapshot_takes_a_form(quick: World, count: int) -> None:
    names = (await quick.ids(location="WA1"))[:count]
    content = urlencode({"serverIds": names, "snapshotExpirationDays": 7}, doseq=True)
    path = "/v2/operations/ACME/servers/createSnapshot"
    answer = await quick.http.post(path, content=content, headers=FORM)
    assert answer.status_code == 200
    assert len(answer.json()) == count
    assert len(job_ids(answer.json())) == 1
    quick.clock.now += 11
    for name in names:
        assert set(snapshot_links(await quick.server(name))) == {"self", "delete", "restore"}


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("createSnapshot", ["WA1ACMEWEB01"]),
        ("createSnapshot", {"serverIds": ["WA1ACMEWEB01"]}),
        ("createSnapshot", {"serverIds": ["WA1ACMEWEB01"], "snapshotExpirationDays": 0}),
        ("createSnapshot", {"serverIds": ["WA1ACMEWEB01"], "snapshotExpirationDays": 11}),
        ("createSnapshot", {"serverIds": ["WA1ACMEWEB01"], "snapshotExpirationDays": True}),
        ("createSnapshot", {"serverIds": ["WA1ACMEWEB01"], "snapshotExpirationDays": "soon"}),
        ("createSnapshot", {"serverIds": [], "snapshotExpirationDays": 3}),
        ("createSnapshot", {"serverIds": 3, "snapshotExpirationDays": 3}),
        ("executePackage", ["WA1ACMEWEB01"]),
        ("executePackage", {"servers": ["WA1ACMEWEB01"]}),
        ("executePackage", {"servers": ["WA1ACMEWEB01"], "package": {}}),
        ("executePackage", {"servers": ["WA1ACMEWEB01"], "package": {"packageId": "a", "parameters": [1]}}),
        ("executePackage", {"servers": [], "package": {"packageId": "a"}}),
        ("archive", {"servers": ["WA1ACMEWEB01"]}),
        ("archive", []),
    ],
)
async def test_a_body_of_the_wrong_shape_is_400(world: World, operation: str, body: Json) -> None:
    answer = await world.post(operation, body)
    assert answer.status_code == 400
    assert all(answer.json()["modelState"].values())


async def test_execute_package_runs_on_started_servers(quick: World) -> None:
    started, stopped = (await quick.ids())[0], (await quick.ids(power="stopped"))[0]
    package = {"packageId": "86567681-c79c-1234-a530-850708435c23", "parameters": {"AB.Name": "value"}}
    answer = await quick.post("executePackage", {"servers": [started, stopped], "package": package})
    outcomes = {entity["server"].upper(): entity for entity in answer.json()}
    assert outcomes[started]["isQueued"] is True
    assert CANNOT_QUEUE in outcomes[stopped]["errorMessage"]
    assert (await quick.post("executePackage", {"Servers": [stopped], "Package": {"PackageID": "x"}})).json()


async def test_a_new_snapshot_replaces_the_one_before_and_is_restored_and_deleted(quick: World) -> None:
    name = (await quick.ids())[0]
    body = {"serverIds": [name], "snapshotExpirationDays": 3}
    for _ in range(2):
        await quick.post("createSnapshot", body)
        quick.clock.now += 11
    server = await quick.server(name)
    links = snapshot_links(server)
    assert await quick.get(links["self"]) == server["details"]["snapshots"][0]
    restored = await quick.http.post(links["restore"], json={})
    assert restored.status_code == 200
    await done(quick, restored.json())
    assert (await quick.server(name))["details"]["snapshots"] == server["details"]["snapshots"]
    deleted = await quick.http.delete(links["delete"])
    assert deleted.status_code == 200
    await done(quick, deleted.json())
    assert (await quick.server(name))["details"]["snapshots"] == []
    for method, href in (("GET", "self"), ("POST", "restore"), ("DELETE", "delete")):
        answer = await quick.http.request(method, links[href])
        assert (answer.status_code, answer.content) == (404, b"")


async def test_a_busy_server_refuses_an_action_of_its_own(quick: World) -> None:
    name = (await quick.ids())[0]
    await quick.post("createSnapshot", {"serverIds": [name], "snapshotExpirationDays": 3})
    quick.clock.now += 9.5
    answer = await quick.http.delete(snapshot_links(await quick.server(name))["delete"])
    assert answer.status_code == 400
    assert CANNOT_QUEUE in answer.json()["message"]


async def test_restore_brings_an_archived_server_back_to_a_group(quick: World) -> None:
    before = await archived(quick)
    links = {link["rel"]: link["href"] for link in (await quick.server(before["id"]))["links"]}
    group = await group_of(quick, "Default Group")
    answer = await quick.http.post(links["restore"], json={"TARGETGROUPID": group["id"].upper()})
    assert answer.status_code == 202
    assert answer.headers.get("Vary") is None
    await done(quick, answer.json())
    server = await quick.server(before["id"])
    assert (server["status"], server["groupId"]) == ("active", group["id"])
    again = await quick.http.post(links["restore"], json={"targetGroupId": group["id"]})
    assert again.status_code == 400
    assert again.json()["message"]


async def test_restore_needs_a_group_of_the_same_data_center_for_servers(quick: World) -> None:
    name = (await archived(quick))["name"]
    other = next(tree["locationId"] for tree in await quick.trees() if tree["locationId"] != "WA1")
    groups = ["0" * 32, (await group_of(quick, "Archive"))["id"]]
    groups.append((await group_of(quick, "Default Group", other))["id"])
    for body in ({}, {"targetGroupId": 1}, *({"targetGroupId": group} for group in groups)):
        answer = await quick.http.post(f"/v2/servers/ACME/{name}/restore", json=body)
        assert answer.status_code == 400
        assert list(answer.json()["modelState"]) == ["targetGroupId"]
    assert (await quick.http.post("/v2/servers/ACME/WA1ACMENONE99/restore", json={})).status_code == 404


async def test_patch_sets_description_and_group_at_once(world: World) -> None:
    server = await world.server((await world.ids(location="WA1"))[0])
    here = f"/v2/servers/acme/{server['id']}"
    group = await group_of(world, "Default Group")
    answer = await world.http.patch(here, json=[{"op": "set", "member": "description", "value": "new"}])
    assert (answer.status_code, answer.content) == (204, b"")
    assert set(answer.headers) == {"date", "cache-control", "pragma", "expires"}
    assert (await world.get(here))["description"] == "new"
    changes = [
        {"op": "set", "member": "groupId", "value": group["id"]},
        {"Op": "set", "Member": "Description", "Value": ""},
    ]
    assert (await world.http.patch(here, json=changes)).status_code == 204
    after = await world.get(here)
    assert (after["description"], after["groupId"]) == ("", group["id"])
    assert after["changeInfo"]["modifiedBy"] == "demo"
    counts = [one["serversCount"] for one in (group, await group_of(world, "Default Group"))]
    assert counts[1] - counts[0] == 1


async def test_a_patch_during_a_job_keeps_the_order_of_the_changes(quick: World) -> None:
    name = (await quick.ids())[0]
    await quick.operate("startMaintenance", [name])
    change = {"op": "set", "member": "description", "value": "meanwhile"}
    await quick.http.patch(f"/v2/servers/ACME/{name}", json=[change])
    patched = (await quick.server(name))["changeInfo"]["modifiedDate"]
    quick.clock.now += 11
    server = await quick.server(name)
    assert (server["description"], server["details"]["inMaintenanceMode"]) == ("meanwhile", True)
    assert server["changeInfo"]["modifiedDate"] > patched


@pytest.mark.parametrize(
    "body",
    [
        {"op": "set", "member": "description", "value": "x"},
        [],
        ["description"],
        [{"op": "add", "member": "description", "value": "x"}],
        [{"op": "set", "member": "description", "value": 1}],
        [{"op": "set", "member": "groupId", "value": "0" * 32}],
    ],
)
async def test_a_wrong_patch_is_400_and_changes_nothing(world: World, body: Json) -> None:
    here = f"/v2/servers/ACME/{(await world.ids())[0]}"
    before = await world.get(here)
    answer = await world.http.patch(here, json=body)
    assert answer.status_code == 400
    assert all(answer.json()["modelState"].values())
    assert await world.get(here) == before


async def test_a_patch_of_something_else_says_what_is_supported(world: World) -> None:
    here = f"/v2/servers/ACME/{(await world.ids())[0]}"
    before = await world.get(here)
    changes = [
        {"op": "set", "member": "description", "value": "x"},
        {"op": "set", "member": "cpu", "value": 2},
    ]
    answer = await world.http.patch(here, json=changes)
    assert answer.status_code == 400
    assert answer.json()["modelState"] == {"member": ["Only description and groupId can be set, not cpu."]}
    assert await world.get(here) == before
    assert (await world.http.patch("/v2/servers/ACME/WA1ACMENONE99", json=changes)).status_code == 404


async def test_archiving_a_group_archives_the_servers_below_it(quick: World) -> None:
    group = await group_of(quick, "Web")
    servers = [server for one in groups_of(group) for server in one["servers"]]
    link = next(link["href"] for link in group["links"] if link["rel"] == "archiveGroupAction")
    answer = await quick.http.post(link)
    assert answer.status_code == 202
    await done(quick, answer.json())
    after = [await quick.server(server["name"]) for server in servers]
    assert {server["status"] for server in servers} >= {"active"}
    assert all(
        new["status"] == ("archived" if old["status"] == "active" else old["status"])
        for old, new in zip(servers, after, strict=True)
    )
    again = await quick.http.post(link)
    assert again.status_code == 400
    assert "no server" in again.json()["message"]


@pytest.mark.parametrize("name", ["WA1 Hardware", "Archive", "Templates"])
async def test_groups_of_the_platform_cannot_be_archived(world: World, name: str) -> None:
    group = await group_of(world, name)
    answer = await world.http.post(f"/v2/groups/ACME/{group['id']}/archive")
    assert answer.status_code == 400
    assert answer.json()["message"]


async def test_a_viewer_may_change_nothing(make_world: MakeWorld) -> None:
    world = await make_world(user="viewer")
    name = (await world.ids())[0]
    group = (await world.trees())[0]["groups"][0]["id"]
    for route in ROUTES:
        if not route.changes:
            continue
        thing = group if "/groups/" in route.path else name
        path = route.path.format(alias="ACME", id=thing, number=1)
        answer = await world.http.request(route.method, path, json=[name])
        assert answer.status_code == 403, route.label
        assert answer.json()["message"]
    assert (await world.truth())["servers"][name]["operations"] == {}


async def test_answers_have_the_shapes_of_their_routes(quick: World) -> None:
    ids = (await quick.ids(location="WA1"))[:6]
    package = {"packageId": "x"}
    bodies = {
        "setMaintenance": {"servers": [{"id": ids[0], "inMaintenanceMode": True}]},
        "createSnapshot": {"serverIds": ids[1:3], "snapshotExpirationDays": 2},
        "executePackage": {"servers": ids[3:5], "package": package},
        "archive": ids[5:],
    }
    for operation, body in bodies.items():
        answer = await quick.post(operation, body)
        route = next(route for route in ROUTES if route.path.endswith(f"/{operation}"))
        assert answer.status_code == route.status
        decoded = msgspec.json.decode(answer.content, type=route.answers)
        assert msgspec.json.decode(msgspec.json.encode(decoded)) == answer.json()
