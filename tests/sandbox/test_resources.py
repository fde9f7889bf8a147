"""What is read beside the inventory, and that answers have the shapes that the contract says."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from tests.sandbox.conftest import MakeWorld
from tests.sandbox.world import START, Json, World, groups_of, job_ids
from tui.contract.calls import Route
from tui.contract.protocol import Network
from tui.contract.routes import ROUTES

CENTER = "/v2/datacenters/ACME/wa1"


async def test_credentials_are_shown_to_roles_that_may_see_them(make_world: MakeWorld) -> None:
    world = await make_world()
    name = (await world.ids())[0]
    shown = await world.get(f"/v2/servers/ACME/{name}/credentials")
    assert set(shown) == {"userName", "password"}
    assert shown["userName"] in ("root", "Administrator")
    assert await world.get(f"/v2/servers/ACME/{name.lower()}/credentials") == shown
    await world.login("viewer")
    answer = await world.http.get(f"/v2/servers/ACME/{name}/credentials")
    assert answer.status_code == 403
    assert answer.json()["message"]


async def test_deployment_capabilities_name_templates_and_networks(world: World) -> None:
    offered = await world.get(f"{CENTER}/deploymentCapabilities")
    networks = await world.get("/v2-experimental/networks/ACME/WA1")
    assert offered["dataCenterEnabled"] is True
    assert [network["networkId"] for network in offered["deployableNetworks"]] == [
        network["id"] for network in networks
    ]
    assert {network["accountID"] for network in offered["deployableNetworks"]} == {"ACME"}
    templates = {template["name"]: template for template in offered["templates"]}
    assert templates["UBUNTU-14-64-TEMPLATE"]["osType"] == "ubuntu14_64Bit"
    assert "boot" in templates["UBUNTU-14-64-TEMPLATE"]["reservedDrivePaths"]
    assert "drivePathLength" not in templates["UBUNTU-14-64-TEMPLATE"]
    assert templates["WIN2012R2DTC-64"]["drivePathLength"] == 1
    assert offered["importableOSTypes"] == []


async def test_limits_of_a_data_center(world: World) -> None:
    compute = await world.get(f"{CENTER}/computeLimits")
    assert set(compute) == {"cpu", "memoryGB", "storageGB"}
    assert compute["cpu"] == {"value": 4000, "inherited": False}
    assert (await world.get(f"{CENTER}/networkLimits"))["networks"]["value"] == 10


@pytest.mark.parametrize(
    "path",
    [
        "/v2/sharedLoadBalancers/ACME/{center}",
        "/v2/vmImport/ACME/{center}/available",
        "/v2-experimental/networks/ACME/{center}",
        "/v2/datacenters/ACME/{center}/deploymentCapabilities",
        "/v2/datacenters/ACME/{center}/computeLimits",
        "/v2/datacenters/ACME/{center}/networkLimits",
    ],
)
async def test_parts_of_a_data_center_are_404_where_there_is_none(world: World, path: str) -> None:
    await world.get(path.format(center="WA1"))
    answer = await world.http.get(path.format(center="zz9"))
    assert (answer.status_code, answer.content) == (404, b"")


async def test_what_this_contract_has_none_of_is_empty(world: World) -> None:
    group = (await world.roots())[0]
    server = await world.server((await world.ids())[0])
    links = {link["rel"]: link["href"] for link in server["links"]}
    for path in (
        "/v2/sharedLoadBalancers/ACME/WA1",
        "/v2/vmImport/ACME/WA1/available",
        f"{group}/scheduledActivities",
        f"{group}/upcomingScheduledActivities",
        f"/v2/servers/ACME/{server['name']}/scheduledActivities",
        f"/v2/servers/ACME/{server['name']}/upcomingScheduledActivities",
        links["scheduledActivities"],
        links["upcomingScheduledActivities"],
    ):
        assert await world.get(path) == []
    assert await world.get(f"{group}/horizontalAutoscalePolicy") == {}
    assert (await world.get("/v2/horizontalAutoscalePolicies/ACME"))["items"] == []
    assert server["name"].lower() not in links["scheduledActivities"]


async def test_policies_are_listed_and_read_one_by_one(world: World) -> None:
    alerts = await world.get("/v2/alertPolicies/acme")
    assert set(alerts) == {"items", "links"}
    assert alerts["links"] == [{"rel": "self", "href": "/v2/alertPolicies/acme", "verbs": ["GET", "POST"]}]
    first = alerts["items"][0]
    assert first["triggers"] == [{"metric": "cpu", "duration": "00:05:00", "threshold": 90.0}]
    assert first["actions"][0]["settings"]["recipients"] == ["operations@acme.example"]
    apart = await world.get("/v2/antiAffinityPolicies/ACME")
    assert [link["rel"] for link in apart["items"][0]["links"]] == ["self", "location"]
    scaling = await world.get("/v2/autoscalePolicies/ACME")
    assert scaling[0]["range"] == {"max": 6, "min": 2}
    for kind, items in (
        ("alertPolicies", alerts["items"]),
        ("antiAffinityPolicies", apart["items"]),
        ("autoscalePolicies", scaling),
    ):
        for item in items:
            assert await world.get(f"/v2/{kind}/ACME/{item['id'].upper()}") == item
        assert (await world.http.get(f"/v2/{kind}/ACME/{'0' * 32}")).status_code == 404


async def test_a_server_has_the_policies_that_its_details_show(make_world: MakeWorld) -> None:
    world = await make_world(servers=600)
    seen: dict[str, set[bool]] = {"cpuAutoscalePolicy": set(), "antiAffinityPolicy": set()}
    for server in [server for server in await world.servers() if server["status"] == "active"][:150]:
        here = f"/v2/servers/ACME/{server['name']}"
        alerts = await world.get(f"{here}/alertPolicies")
        assert alerts["items"] == server["details"]["alertPolicies"]
        for kind, held in seen.items():
            mapping = await world.get(f"{here}/{kind}")
            assert mapping.get("id") == server["details"].get(kind, {}).get("id")
            held.add("id" in mapping)
    assert all(held == {True, False} for held in seen.values())


async def test_networks_list_their_addresses_on_request(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await world.server((await world.ids(location="WA1"))[0])
    address = server["details"]["ipAddresses"][0]["internal"]
    invented = Network("0" * 31 + "a", 345, address.rpartition(".")[0])

    async def networks(alias: str, code: str) -> list[Network]:
        return [invented]

    monkeypatch.setattr(world.app.state.plane, "networks", networks)
    (network,) = await world.get("/v2-experimental/networks/ACME/wa1")
    here = f"/v2-experimental/networks/ACME/wa1/{network['id']}"
    assert await world.get(here) == network
    assert (network["cidr"], network["gateway"]) == (f"{invented.prefix}.0/24", f"{invented.prefix}.1")
    assert network["name"] == f"vlan_345_{invented.prefix}"
    every = await world.get(f"{here}/ipAddresses?type=all")
    claimed = await world.get(f"{here}/ipAddresses")
    free = await world.get(f"{here}/ipAddresses?TYPE=Free")
    assert len(every) == 253
    assert {
        "address": address,
        "claimed": True,
        "primary": True,
        "server": server["name"],
        "type": "private",
    } in claimed
    assert [one for one in every if one["claimed"]] == claimed
    assert [one for one in every if not one["claimed"]] == free
    assert (await world.get(f"{here}?ipAddresses=free"))["ipAddresses"] == free
    assert (await world.http.get(f"{here[:-1]}z")).status_code == 404


async def test_capabilities_of_a_server_say_how_it_can_grow(world: World) -> None:
    for server in [server for server in await world.servers() if server["status"] == "active"][:20]:
        shown = await world.get(f"/v2/servers/ACME/{server['name']}/capabilities")
        windows = "windows" in server["os"]
        reboot = windows or server["type"] == "bareMetal"
        assert shown == {
            "addingCpuRequiresReboot": reboot,
            "addingMemoryRequiresReboot": reboot,
            "reservedDrivePaths": shown["reservedDrivePaths"],
        }
        assert ("c" if windows else "boot") in shown["reservedDrivePaths"]


async def test_defaults_of_a_group_are_inherited_but_for_the_root(world: World) -> None:
    tree = (await world.trees())[0]
    own = await world.get(f"/v2/groups/ACME/{tree['id']}/defaults")
    below = await world.get(f"/v2/groups/ACME/{tree['groups'][0]['id']}/defaults")
    assert own["cpu"] == {"value": 1, "inherited": False}
    assert below["memoryGB"] == {"value": 2, "inherited": True}
    networks = await world.get(f"/v2-experimental/networks/ACME/{tree['locationId']}")
    assert own["networkId"]["value"] == networks[0]["id"]


async def test_costs_of_a_group_are_those_of_its_servers(world: World) -> None:
    tree = (await world.trees())[0]
    answer = await world.http.get(f"/v2/groups/ACME/{tree['id']}/billing")
    assert answer.headers["Cache-Control"] == "max-age=300, private"
    assert not {"pragma", "expires"} & set(answer.headers)
    groups = answer.json()["groups"]
    assert next(iter(groups)) == tree["id"]
    for group in groups_of(tree):
        assert groups[group["id"]]["name"] == group["name"]
        assert sorted(groups[group["id"]]["servers"]) == [server["id"] for server in group["servers"]]
        for server in group["servers"][:2]:
            cost = groups[group["id"]]["servers"][server["id"]]
            assert (cost["archiveCost"] > 0) == (server["status"] == "archived")
            assert (cost["templateCost"] > 0) == server["isTemplate"]


async def test_a_started_server_costs_what_its_parts_cost(world: World) -> None:
    server = await world.server((await world.ids())[0])
    price = await world.get(f"/v2/billing/ACME/serverPricing/{server['name']}")
    assert list(price) == ["cpu", "memoryGB", "storageGB", "managedOS"]
    details = server["details"]
    parts = price["cpu"] * details["cpu"] + price["memoryGB"] * details["memoryMB"] / 1024
    parts += price["storageGB"] * details["storageGB"] + price["managedOS"]
    billing = await world.get(f"/v2/groups/ACME/{server['groupId']}/billing")
    cost = billing["groups"][server["groupId"]]["servers"][server["id"]]
    assert cost["currentHour"] == pytest.approx(parts, abs=1e-5)


async def test_the_latest_statistics_are_of_active_servers(world: World) -> None:
    root = (await world.roots())[0]
    latest = await world.get(f"{root}/statistics?type=latest")
    active = [
        server["name"]
        for group in groups_of(await world.get(f"{root}?serverDetail=detailed"))
        for server in group["servers"]
        if server["status"] == "active" and not server["isTemplate"]
    ]
    assert sorted(one["name"] for one in latest) == sorted(active)
    assert await world.get(f"{root}/statistics") == latest
    assert {len(one["stats"]) for one in latest} == {1}
    server = await world.server(latest[0]["name"])
    (sample,) = latest[0]["stats"]
    assert sample["cpu"] == server["details"]["cpu"]
    assert sample["memoryMB"] == server["details"]["memoryMB"]
    assert len(sample["diskUsage"]) == server["details"]["diskCount"]
    assert await world.get(f"/v2/servers/ACME/{server['id']}/statistics") == latest[0]


async def test_a_stopped_server_uses_no_cpu(world: World) -> None:
    name = (await world.ids(power="stopped"))[0]
    (sample,) = (await world.get(f"/v2/servers/ACME/{name}/statistics?type=latest"))["stats"]
    assert sample["cpuPercent"] == 0


@pytest.mark.parametrize(
    ("query", "samples", "step"),
    [
        ("type=hourly", 25, 3600),
        ("type=Realtime", 49, 300),
        ("type=hourly&start=2023-11-14T10:00:00&end=2023-11-14T12:00:00&sampleInterval=00:02:00:00", 2, 7200),
        ("start=2023-11-14T10:00:00Z&end=2023-11-14T12:00:00Z&sampleInterval=01:00:00", 3, 3600),
        ("type=realtime&start=2023-11-14T22:00:00Z&sampleInterval=05:00", 3, 300),
    ],
)
async def test_statistics_of_a_time_have_a_sample_per_interval(
    world: World, query: str, samples: int, step: int
) -> None:
    name = (await world.ids())[0]
    found = await world.get(f"/v2/servers/ACME/{name}/statistics?{query}")
    assert found["name"] == name.lower()
    times = [one["timestamp"] for one in found["stats"]]
    assert len(times) == samples
    assert times == sorted(times)
    seconds = [datetime.fromisoformat(time).timestamp() for time in times]
    assert {later - earlier for earlier, later in pairwise(seconds)} == {step}
    assert seconds[-1] <= START


@pytest.mark.parametrize(
    "query",
    [
        "type=weekly",
        "type=hourly&sampleInterval=00:30:00",
        "type=hourly&sampleInterval=soon",
        "type=hourly&start=yesterday",
        "type=hourly&start=2023-10-01T00:00:00Z",
        "type=realtime&start=2023-11-14T10:00:00Z",
        "type=hourly&start=2023-11-14T10:00:00Z&end=2023-11-14T10:30:00Z",
    ],
)
async def test_statistics_that_cannot_be_are_400(world: World, query: str) -> None:
    for path in ((await world.roots())[0], f"/v2/servers/ACME/{(await world.ids())[0]}"):
        answer = await world.http.get(f"{path}/statistics?{query}")
        assert answer.status_code == 400
        assert answer.json()["modelState"]


async def test_too_many_samples_are_400(make_world: MakeWorld) -> None:
    world = await make_world(servers=4000)
    start = "2023-11-01T00:00:00Z"
    answer = await world.http.get(f"{(await world.roots())[0]}/statistics?type=hourly&start={start}")
    assert answer.status_code == 400
    assert "300,000" in answer.text


@pytest.mark.parametrize("part", ["billing", "statistics"])
async def test_numbers_of_a_large_group_do_not_delay_other_requests(make_world: MakeWorld, part: str) -> None:
    world = await make_world(servers=4000)
    path = f"{(await world.roots())[0]}/{part}"
    done: list[str] = []

    async def read(path: str) -> None:
        await world.http.get(path, headers={"Accept-Encoding": "identity"})
        done.append(path)

    await asyncio.gather(read(path), *(read("/v2/accounts/ACME") for _ in range(3)))
    assert done[-1] == path


async def test_a_public_address_shows_what_it_is_mapped_to(world: World) -> None:
    for server in await world.servers():
        for address in server.get("details", {}).get("ipAddresses", ()):
            here = f"/v2/servers/ACME/{server['name']}/publicIPAddresses"
            if "public" in address:
                shown = await world.get(f"{here}/{address['public']}")
                assert shown["internalIPAddress"] == address["internal"]
                assert shown["ports"][0] == {"protocol": "TCP", "port": 80}
                assert (await world.http.get(f"{here}/198.51.100.1")).status_code == 404
                return
    raise AssertionError("no server has a public address")


@pytest.mark.parametrize(
    "part",
    [
        "credentials",
        "statistics",
        "capabilities",
        "scheduledActivities",
        "upcomingScheduledActivities",
        "cpuAutoscalePolicy",
        "antiAffinityPolicy",
        "alertPolicies",
        "snapshots/1",
        "publicIPAddresses/203.0.113.4",
    ],
)
async def test_parts_of_an_unknown_server_are_404(world: World, part: str) -> None:
    answer = await world.http.get(f"/v2/servers/ACME/WA1ACMENONE99/{part}")
    assert (answer.status_code, answer.content) == (404, b"")


async def given(world: World) -> dict[str, list[str]]:
    """What the parameters of paths can be: servers of all kinds, a tree of groups, a policy of each sort."""
    code = (await world.get("/v2/datacenters/ACME"))[0]["id"]
    tree = (await world.trees())[0]
    servers = await world.servers()
    kinds = {(server["status"], server["isTemplate"], server["type"]): server["id"] for server in servers}
    networks = await world.get(f"/v2-experimental/networks/ACME/{code}")
    queued = await world.operate("startMaintenance", (await world.ids())[:1])
    policies = [
        item["id"]
        for kind in ("alertPolicies", "antiAffinityPolicies")
        for item in (await world.get(f"/v2/{kind}/ACME"))["items"][:1]
    ]
    return {
        "alias": ["ACME"],
        "datacenter": [code],
        "network": [networks[0]["id"]],
        "servers": list(kinds.values()),
        "billing": list(kinds.values()),
        "groups": [tree["id"], *(group["id"] for group in tree["groups"])],
        "operations": job_ids(queued),
        "alertPolicies": policies[:1],
        "antiAffinityPolicies": policies[1:],
        "autoscalePolicies": [(await world.get("/v2/autoscalePolicies/ACME"))[0]["id"]],
    }


QUERIES = {
    "groupLinks": "true",
    "totals": "true",
    "serverDetail": "detailed",
    "ipAddresses": "all",
    "sampleInterval": "01:00:00",
}


async def paths_of(world: World, route: Route, values: dict[str, list[str]]) -> list[str]:
    """Paths that a GET of the contract answers, with and without its query."""
    if route.path.endswith(("/snapshots/{number}", "/publicIPAddresses/{ip}")):
        part = route.path.split("/")[-2]
        return [link["href"] for link in await links(world) if part in link["href"] and is_read(link)][:1]
    first = route.path.split("/")[2]
    paths = [route.path.replace("{id}", one) for one in values.get(first, ["?"])]
    paths = sorted({path.format(**{key: held[0] for key, held in values.items()}) for path in paths})
    query = "&".join(f"{name}={QUERIES[name]}" for name in route.query if name in QUERIES)
    return [*paths, *(f"{path}?{query}" for path in paths if query)]


async def links(world: World) -> list[Json]:
    """The links of all servers, those of their snapshots too."""
    found: list[Json] = []
    for server in await world.servers():
        found += server["links"]
        for snapshot in server.get("details", {}).get("snapshots", ()):
            found += snapshot["links"]
    return found


def is_read(link: Json) -> bool:
    return "GET" in link.get("verbs", ["GET"])


async def test_all_answers_have_the_shapes_of_their_routes(make_world: MakeWorld) -> None:
    world = await make_world(servers=600)
    values = await given(world)
    for route in ROUTES:
        if route.method != "GET":
            continue
        paths = await paths_of(world, route, values)
        assert paths, route.label
        for path in paths:
            answer = await world.http.get(path)
            assert answer.status_code == route.status, path
            assert_shape(answer.content, route.answers)


def assert_shape(content: bytes, shape: Any) -> None:
    """The JSON has the shape, and no key that the shape does not know."""
    decoded = msgspec.json.decode(content, type=shape)
    assert json.loads(msgspec.json.encode(decoded)) == json.loads(content)
