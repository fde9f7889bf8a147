"""Login, inventory and headers: what goes over the wire, and in upper or lower case."""

from __future__ import annotations

import asyncio
import base64
import json
from email.utils import parsedate_to_datetime

import pytest

from tests.sandbox.conftest import MakeWorld
from tests.sandbox.world import START, World, groups_of, job_ids

LOGIN = "/v2/authentication/login"
NOT_RECOGNIZED = "We didn't recognize the username or password you entered. Please try again."


async def test_login_gives_alias_roles_and_a_token_of_fourteen_days(make_world: MakeWorld) -> None:
    world = await make_world(user=None)
    answer = await world.http.post(LOGIN, json={"username": "demo", "password": "pitstop"})
    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {"userName", "accountAlias", "locationAlias", "roles", "bearerToken"}
    assert (body["userName"], body["accountAlias"], body["roles"]) == ("demo", "ACME", ["ServerAdmin"])
    head, claims, _ = body["bearerToken"].split(".")
    decoded = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, claims)]
    assert decoded[0] == {"typ": "JWT", "alg": "HS256"}
    assert decoded[1]["exp"] - decoded[1]["nbf"] == 1_209_600
    assert decoded[1]["urn:tier3:account-alias"] == "ACME"


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("application/json", b'{"username":"viewer","password":"pitstop"}'),
        ("Application/JSON; charset=utf-8", b'{"UserName":"VIEWER","PASSWORD":"pitstop"}'),
        ("application/x-www-form-urlencoded", b"Username=viewer&Password=pitstop"),
        ("Application/X-WWW-Form-UrlEncoded", b"username=viewer&password=pitstop"),
    ],
)
async def test_login_takes_json_and_forms_in_any_case(
    make_world: MakeWorld, content_type: str, content: bytes
) -> None:
    world = await make_world(user=None)
    answer = await world.http.post(LOGIN, content=content, headers={"Content-Type": content_type})
    assert answer.status_code == 200
    assert answer.json()["roles"] == ["AccountViewer"]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"username":"demo"}', b'{"username":1,"password":2}']
)
async def test_a_malformed_login_is_400_and_does_not_count_as_an_attempt(
    make_world: MakeWorld, content: bytes
) -> None:
    world = await make_world(user=None)
    for _ in range(5):
        answer = await world.http.post(LOGIN, content=content)
        assert answer.status_code == 400
        assert "modelState" in answer.json()
    await world.login()


async def test_a_wrong_password_is_400_and_the_fourth_locks_the_user(make_world: MakeWorld) -> None:
    world = await make_world(user=None)
    for _ in range(4):
        answer = await world.http.post(LOGIN, json={"username": "demo", "password": "wrong"})
        assert (answer.status_code, answer.json()) == (400, {"message": NOT_RECOGNIZED})
    answer = await world.http.post(LOGIN, json={"username": "demo", "password": "pitstop"})
    assert answer.status_code == 400
    assert "locked" in answer.json()["message"]
    await world.login("viewer")


async def test_a_good_login_resets_the_count_of_wrong_passwords(make_world: MakeWorld) -> None:
    world = await make_world(user=None)
    for _ in range(3):
        for _ in range(3):
            await world.http.post(LOGIN, json={"username": "demo", "password": "wrong"})
        await world.login()


async def test_an_unknown_user_gets_the_same_message(make_world: MakeWorld) -> None:
    world = await make_world(user=None)
    answer = await world.http.post(LOGIN, json={"username": "nobody", "password": "pitstop"})
    assert (answer.status_code, answer.json()) == (400, {"message": NOT_RECOGNIZED})


@pytest.mark.parametrize("header", [None, "", "Bearer ", "Bearer abc.def.ghi", "Basic ZGVtbzpwaXRzdG9w"])
async def test_without_a_valid_token_requests_are_401(world: World, header: str | None) -> None:
    world.http.headers.pop("Authorization")
    headers = {} if header is None else {"Authorization": header}
    for method, path in (("GET", "/v2/datacenters/ACME"), ("POST", "/v2/operations/ACME/servers/powerOff")):
        answer = await world.http.request(method, path, headers=headers, content=b"[]")
        assert answer.status_code == 401
        assert answer.json()["message"]


async def test_a_token_expires_and_a_new_login_helps(make_world: MakeWorld) -> None:
    world = await make_world(token_seconds=60.0)
    world.clock.now += 59
    await world.get("/v2/datacenters/ACME")
    world.clock.now += 1
    assert (await world.http.get("/v2/datacenters/ACME")).status_code == 401
    await world.login()
    await world.get("/v2/datacenters/ACME")


async def test_data_centers_are_listed_with_or_without_group_links(world: World) -> None:
    plain = await world.get("/v2/datacenters/ACME")
    assert [center["id"] for center in plain] == [center["id"].lower() for center in plain]
    assert [center["id"] for center in plain] == sorted(center["id"] for center in plain)
    assert plain[-1]["id"] == "wa1"
    assert plain[-1]["name"] == "WA1 - US West (Seattle)"
    basic = {
        "self",
        "deploymentCapabilities",
        "loadBalancers",
        "computeLimits",
        "networkLimits",
        "availableOvfs",
    }
    assert {link["rel"] for link in plain[-1]["links"]} == basic
    linked = (await world.get("/v2/datacenters/ACME?groupLinks=true"))[-1]
    assert {link["rel"] for link in linked["links"]} == basic | {
        "group",
        "createGroup",
        "createServer",
        "defaults",
        "billing",
        "statistics",
        "upcomingScheduledActivities",
        "horizontalAutoscalePolicyMapping",
        "scheduledActivities",
    }
    group = next(link for link in linked["links"] if link["rel"] == "group")
    assert group["name"] == "WA1 Hardware"
    assert (await world.get(group["href"]))["id"] == group["id"]
    assert await world.get("/v2/datacenters/acme/WA1?GROUPLINKS=True") == linked


async def test_a_data_center_is_read_with_its_totals(world: World) -> None:
    center = await world.get("/v2/datacenters/ACME/wa1?totals=true")
    assert {"servers", "cpus", "memoryGB", "storageGB", "queue"} <= set(center["totals"])
    assert center["totals"]["queue"] == 0
    ids = (await world.ids(location="WA1"))[:3]
    await world.operate("startMaintenance", ids)
    assert (await world.get("/v2/datacenters/ACME/wa1?totals=true"))["totals"]["queue"] == 3


async def test_server_detail_replaces_links_to_servers_by_servers(world: World) -> None:
    href = (await world.roots())[0]
    plain = {group["id"]: group for group in groups_of(await world.get(href))}
    detailed = {group["id"]: group for group in groups_of(await world.get(f"{href}?ServerDetail=DETAILED"))}
    assert set(plain) == set(detailed)
    for group_id, group in plain.items():
        assert "servers" not in group
        links = [link for link in group["links"] if link["rel"] == "server"]
        servers = detailed[group_id]["servers"]
        assert sorted(link["id"] for link in links) == [server["name"] for server in servers]
        assert all(link["href"] == f"/v2/servers/acme/{link['id'].lower()}" for link in links)
        assert not any(link["rel"] == "server" for link in detailed[group_id]["links"])
        assert all(server["groupId"] == group_id for server in servers)


async def test_a_group_read_alone_equals_its_part_of_the_tree(world: World) -> None:
    for tree in await world.trees():
        for child in tree["groups"]:
            assert await world.get(f"/v2/groups/ACME/{child['id'].upper()}?serverDetail=detailed") == child


async def test_groups_have_the_links_of_their_kind(world: World) -> None:
    tree = (await world.trees())[-1]
    rels = {group["name"]: {link["rel"]: link for link in group["links"]} for group in groups_of(tree)}
    assert "parentGroup" not in rels["WA1 Hardware"]
    assert rels["WA1 Hardware"]["self"]["verbs"] == ["GET", "PATCH"]
    assert set(rels["Archive"]) == {"self", "parentGroup", "defaults", "billing"}
    assert rels["Web"]["self"]["verbs"] == ["GET", "PATCH", "DELETE"]
    assert "archiveGroupAction" in rels["Web"]
    assert rels["Web"]["parentGroup"]["id"] == tree["id"]


async def test_a_server_has_its_case_links_and_dates(world: World) -> None:
    name = (await world.ids())[0]
    server = await world.server(name.swapcase())
    assert (server["id"], server["name"]) == (name.lower(), name)
    assert server["locationId"] == name[:3]
    links = {link["rel"]: link for link in server["links"]}
    assert links["self"] == {
        "rel": "self",
        "href": f"/v2/servers/acme/{name.lower()}",
        "id": name.lower(),
        "verbs": ["GET", "PATCH", "DELETE"],
    }
    assert links["account"]["id"] == "acme"
    assert links["group"]["id"] == server["groupId"]
    assert {"billing", "credentials", "statistics", "capabilities", "alertPolicyMappings"} <= set(links)
    assert server["changeInfo"]["modifiedDate"].endswith("Z")
    assert await world.get(links["self"]["href"]) == server


async def test_a_viewer_sees_no_link_that_changes_anything(make_world: MakeWorld) -> None:
    world = await make_world(user="viewer")
    for tree in await world.trees():
        for group in groups_of(tree):
            for thing in (group, *group["servers"]):
                assert all(link.get("verbs", ["GET"]) == ["GET"] for link in thing["links"])
                assert not {"createServer", "credentials", "delete"} & {
                    link["rel"] for link in thing["links"]
                }


async def test_the_sub_account_has_a_smaller_fleet_under_the_same_token(world: World) -> None:
    acme, acmd = await world.servers(), await world.servers("acmd")
    assert 0 < len(acmd) < len(acme)
    assert all(server["name"][3:7] == "ACMD" for server in acmd)
    one = acmd[0]["name"]
    assert (await world.http.get(f"/v2/servers/ACMD/{one}")).status_code == 200
    assert (await world.http.get(f"/v2/servers/ACME/{one}")).status_code == 404


async def test_accounts_have_a_primary_data_center_and_a_parent(world: World) -> None:
    assert (await world.get("/v2/accounts/acme"))["primaryDataCenter"] == "WA1"
    sub = await world.get("/v2/accounts/ACMD")
    assert (sub["accountAlias"], sub["parentAlias"]) == ("ACMD", "ACME")
    assert len(await world.get("/v2/accounts/ACME/customFields")) == 2


@pytest.mark.parametrize(
    "path",
    [
        "/v2/datacenters/ACME/zz9",
        "/v2/groups/ACME/00000000000000000000000000000000",
        "/v2/servers/ACME/WA1ACMENONE99",
        "/v2/operations/ACME/status/wa1-1",
        "/v2/nonsense",
        "/v2",
    ],
)
async def test_an_unknown_path_or_id_is_404_with_a_date_and_an_empty_body(world: World, path: str) -> None:
    answer = await world.http.get(path)
    assert (answer.status_code, answer.content) == (404, b"")
    assert parsedate_to_datetime(answer.headers["Date"]).timestamp() == START
    assert "Vary" not in answer.headers


async def test_another_account_is_forbidden(world: World) -> None:
    answer = await world.http.get("/v2/datacenters/XYZ")
    assert answer.status_code == 403
    assert answer.json()["message"]


async def test_a_wrong_method_is_405(world: World) -> None:
    answer = await world.http.put("/v2/servers/ACME/WA1ACMEWEB01")
    assert answer.status_code == 405
    assert "'PUT'" in answer.json()["message"]


async def test_paths_match_in_any_case(world: World) -> None:
    answer = await world.http.get("/V2/DataCenters/aCmE/")
    assert answer.status_code == 200


async def test_answers_have_the_headers_of_the_platform(world: World) -> None:
    headers = (await world.http.get("/v2/accounts/ACME")).headers
    assert headers["Cache-Control"] == headers["Pragma"] == "no-cache"
    assert headers["Expires"] == "-1"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Vary"] == "Accept-Encoding"
    assert parsedate_to_datetime(headers["Date"]).timestamp() == START
    assert not {"etag", "retry-after", "server"} & set(headers)


@pytest.mark.parametrize("path", ["/v2/datacenters/ACME?groupLinks=true", "/v2/datacenters/ACME/wa1"])
async def test_data_centers_may_be_kept_for_five_minutes(world: World, path: str) -> None:
    headers = (await world.http.get(path)).headers
    assert headers["Cache-Control"] == "max-age=300, private"
    assert not {"pragma", "expires"} & set(headers)


async def test_only_answers_of_status_200_vary_by_encoding(world: World) -> None:
    for body, status in ((b"[]", 400), (b'["NOSUCHSERVER"]', 200)):
        answer = await world.http.post("/v2/operations/ACME/servers/powerOff", content=body)
        assert answer.status_code == status
        assert ("Vary" in answer.headers) == ("Content-Encoding" in answer.headers) == (status == 200)


async def test_gzip_is_used_for_all_bodies_when_it_is_accepted(world: World) -> None:
    href = (await world.roots())[0] + "?serverDetail=detailed"
    plain = await world.http.get(href, headers={"Accept-Encoding": "identity"})
    packed = await world.http.get(href, headers={"Accept-Encoding": "gzip, deflate"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.json() == plain.json()
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 5
    (job,) = job_ids(await world.operate("powerOff", (await world.ids())[:1]))
    small = await world.http.get(f"/v2/operations/ACME/status/{job}", headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert small.json() == {"status": "notStarted"}


async def test_a_large_tree_does_not_delay_other_requests(make_world: MakeWorld) -> None:
    world = await make_world(servers=4000)
    href = (await world.roots())[0] + "?serverDetail=detailed"
    done: list[str] = []

    async def read(path: str) -> None:
        await world.http.get(path, headers={"Accept-Encoding": "identity"})
        done.append(path)

    await asyncio.gather(read(href), *(read("/v2/accounts/ACME") for _ in range(3)))
    assert done[-1] == href
