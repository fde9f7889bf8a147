"""Operations and their jobs: what is queued, what is refused, and when servers change."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import MakeWorld
from tests.sandbox.world import World, fleet_of, job_ids

CANNOT = "The operation cannot be queued because the server cannot be found or it is not in a valid state."
ALREADY = "The server already in desired state."


async def test_a_post_is_one_job_per_data_center(world: World) -> None:
    chosen = await world.ids()
    entities = await world.operate("startMaintenance", chosen)
    assert all(entity["isQueued"] for entity in entities)
    centers = {name[:3].lower() for name in chosen}
    assert {job.partition("-")[0] for job in job_ids(entities)} == centers
    assert len(job_ids(entities)) == len(centers) == 3
    for entity in entities:
        (link,) = entity["links"]
        assert link["rel"] == "status"
        assert link["id"].startswith(entity["server"][:3] + "-")
        assert link["href"] == f"/v2/operations/acme/status/{link['id']}"


async def test_answers_are_reordered_in_lower_case_and_without_duplicates(world: World) -> None:
    chosen = (await world.ids())[:8]
    sent = chosen + [name.lower() for name in chosen]
    entities = await world.operate("startMaintenance", sent)
    answered = [entity["server"] for entity in entities]
    assert answered != [name.lower() for name in chosen]
    assert sorted(answered) == sorted(name.lower() for name in chosen)
    assert (await world.truth())["servers"][chosen[0]]["operations"] == {"startMaintenance": 1}


async def test_two_posts_are_two_jobs(world: World) -> None:
    first, second, *_ = await world.ids(location="WA1")
    jobs = [job_ids(await world.operate("startMaintenance", [name]))[0] for name in (first, second)]
    numbers = [int(job.partition("-")[2]) for job in jobs]
    assert numbers[1] == numbers[0] + 1


@pytest.mark.parametrize(
    ("operation", "servers", "seconds"),
    [
        ("startMaintenance", 3, 12),
        ("startMaintenance", 8, 39),
        ("stopMaintenance", 3, 27),
        ("stopMaintenance", 8, 38),
        ("powerOff", 8, 145),
        ("reboot", 3, 194),
        ("reboot", 8, 519),
        ("startMaintenance", 1, 1.2),
        ("startMaintenance", 20, 103.8),
    ],
)
async def test_jobs_take_the_recorded_times(
    make_world: MakeWorld, operation: str, servers: int, seconds: float
) -> None:
    world = await make_world(servers=1200)
    chosen = (await world.ids(maintenance=operation == "stopMaintenance", location="WA1"))[:servers]
    assert len(chosen) == servers
    (job,) = job_ids(await world.operate(operation, chosen))
    world.clock.now += seconds - 0.01
    assert await world.status(job) == "executing"
    world.clock.now += 0.02
    assert await world.status(job) == "succeeded"


async def test_the_time_scale_multiplies_job_times(make_world: MakeWorld) -> None:
    world = await make_world(time_scale=0.1)
    (job,) = job_ids(await world.operate("startMaintenance", (await world.ids(location="WA1"))[:3]))
    world.clock.now += 1.19
    assert await world.status(job) == "executing"
    world.clock.now += 0.02
    assert await world.status(job) == "succeeded"


async def test_job_seconds_are_drawn_from_their_range(make_world: MakeWorld) -> None:
    world = await make_world(servers=1000, job_seconds=(30.0, 90.0))
    for name in (await world.ids())[:200]:
        await world.operate("startMaintenance", [name])
    jobs = (await world.truth())["jobs"].values()
    lengths = sorted(job["ends"] - job["created"] for job in jobs)
    assert len(lengths) == 200
    assert 30 <= lengths[0] < 33
    assert 55 < lengths[100] < 65
    assert 87 < lengths[-1] <= 90


async def test_a_job_waits_executes_and_succeeds_and_its_server_changes(world: World) -> None:
    name = (await world.ids())[0]
    (job,) = job_ids(await world.operate("powerOff", [name]))
    seen: list[tuple[str, str]] = []
    for _ in range(40):
        state = await world.status(job), (await world.server(name))["details"]["powerState"]
        seen += [] if seen[-1:] == [state] else [state]
        world.clock.now += 1
    assert seen == [
        ("notStarted", "started"),
        ("executing", "started"),
        ("executing", "stopped"),
        ("succeeded", "stopped"),
    ]


async def test_the_servers_of_a_job_change_one_by_one_in_the_order_of_the_answer(
    make_world: MakeWorld,
) -> None:
    """Recorded of 8: the first 23 s after the POST, the last 35 s after it, the job's end at 39 s."""
    world = await make_world(job_seconds=(39.0, 39.0))
    entities = await world.operate("startMaintenance", (await world.ids(location="WA1"))[:8])
    (job,) = job_ids(entities)
    changed: dict[str, int] = {}
    for second in range(1, 40):
        world.clock.now += 1
        for entity in entities:
            details = (await world.server(entity["server"]))["details"]
            if details["inMaintenanceMode"]:
                changed.setdefault(entity["server"], second)
        assert (await world.status(job) == "succeeded") == (second == 39)
    assert list(changed) == [entity["server"] for entity in entities]
    assert list(changed.values()) == [24, 25, 27, 29, 30, 32, 34, 36]


async def test_some_jobs_have_the_status_resumed_for_a_while(make_world: MakeWorld) -> None:
    world = await make_world(servers=1000, job_seconds=(100.0, 100.0))
    ids = await world.ids()
    jobs = [job_ids(await world.operate("startMaintenance", [name]))[0] for name in ids[:300]]
    world.clock.now += 90
    states = [await world.status(job) for job in jobs]
    assert set(states) == {"executing", "resumed"}
    assert states.count("resumed") < 20
    world.clock.now += 20
    assert {await world.status(job) for job in jobs} == {"succeeded"}


async def test_maintenance_is_started_and_stopped(world: World) -> None:
    name = (await world.ids())[0]
    before = await world.server(name)
    await world.operate("startMaintenance", [name])
    world.clock.now += 5
    there = await world.server(name)
    assert there["details"]["inMaintenanceMode"] is True
    assert there["details"]["powerState"] == "started"
    assert there["changeInfo"]["modifiedBy"] == "demo"
    assert there["changeInfo"]["modifiedDate"] == "2023-11-14T22:13:21Z"
    await world.operate("stopMaintenance", [name])
    world.clock.now += 30
    back = await world.server(name)
    assert back["details"] == before["details"]
    assert back["changeInfo"]["createdDate"] == before["changeInfo"]["createdDate"]


@pytest.mark.parametrize("value", [True, "true", "True"])
async def test_set_maintenance_accepts_booleans_and_strings(world: World, value: bool | str) -> None:
    off, on = (await world.ids())[0], (await world.ids(maintenance=True))[0]
    body = {
        "servers": [{"id": off, "inMaintenanceMode": value}, {"id": on.lower(), "inMaintenanceMode": "false"}]
    }
    answer = await world.post("setMaintenance", body)
    assert answer.status_code == 200
    world.clock.now += 60
    truth = (await world.truth())["servers"]
    assert (truth[off]["maintenance"], truth[on]["maintenance"]) == (True, False)
    assert truth[off]["operations"] == {"setMaintenance": 1}


POWER = {
    # operation: the result for a server that is started, stopped, paused
    "powerOn": (ALREADY, "started", "started"),
    "powerOff": ("stopped", ALREADY, "stopped"),
    "pause": ("paused", CANNOT, ALREADY),
    "reset": ("started", CANNOT, CANNOT),
    "reboot": ("started", CANNOT, CANNOT),
    "shutDown": ("stopped", ALREADY, CANNOT),
}


@pytest.mark.parametrize("operation", POWER)
async def test_power_operations_change_or_refuse_servers(make_world: MakeWorld, operation: str) -> None:
    world = await make_world(servers=1000)
    for power, expected in zip(("started", "stopped", "paused"), POWER[operation], strict=True):
        names = (await world.ids(power=power))[:6]
        answer = await world.post(operation, names)
        world.clock.now += 1000
        shown = {(await world.server(name))["details"]["powerState"] for name in names}
        assert answer.status_code == 200
        queued = {entity["isQueued"] for entity in answer.json()}
        if expected in (ALREADY, CANNOT):
            assert (queued, shown) == ({False}, {power})
            assert {entity.get("errorMessage") for entity in answer.json()} <= {expected, None}
        else:
            assert (queued, shown) == ({True}, {expected})


@pytest.mark.parametrize(
    ("operation", "maintenance"), [("startMaintenance", True), ("stopMaintenance", False)]
)
async def test_a_server_in_the_requested_state_is_refused_with_or_without_message(
    world: World, operation: str, maintenance: bool
) -> None:
    names = await world.ids(maintenance=maintenance)
    answer = await world.post(operation, names)
    assert answer.status_code == 200
    assert all(entity["isQueued"] is False and "links" not in entity for entity in answer.json())
    assert {entity.get("errorMessage") for entity in answer.json()} == {ALREADY, None}
    assert any("errorMessage" not in entity for entity in answer.json())


async def test_a_mixed_batch_queues_some_and_refuses_some(world: World) -> None:
    servers = await world.servers()
    bad = [server["name"] for server in servers if server["status"] != "active" or server["isTemplate"]]
    good = (await world.ids())[:3]
    entities = {
        entity["server"]: entity
        for entity in await world.operate("startMaintenance", [*bad, *good, "NOSUCHSERVER"])
    }
    assert all(entities[name.lower()]["isQueued"] for name in good)
    for name in (*bad, "NOSUCHSERVER"):
        entity = entities[name.lower()]
        assert entity == {"server": name.lower(), "isQueued": False, "errorMessage": CANNOT}


@pytest.mark.parametrize(("refusals_as_400", "status"), [(False, 200), (True, 400)])
async def test_when_nothing_can_be_queued_the_answer_is_the_list_with_200_or_400(
    make_world: MakeWorld, refusals_as_400: bool, status: int
) -> None:
    world = await make_world(refusals_as_400=refusals_as_400)
    answer = await world.post("startMaintenance", ["NOSUCHSERVER", "NORTHISONE"])
    assert answer.status_code == status
    assert {entity["server"] for entity in answer.json()} == {"nosuchserver", "northisone"}
    assert (await world.truth())["jobs"] == {}
    queued = await world.post("startMaintenance", [*(await world.ids())[:1], "NOSUCHSERVER"])
    assert queued.status_code == 200


async def test_a_server_with_a_job_under_way_refuses_another(world: World) -> None:
    name = (await world.ids())[0]
    (job,) = job_ids(await world.operate("powerOff", [name]))
    for operation in ("startMaintenance", "powerOff", "reboot"):
        (refused,) = await world.operate(operation, [name])
        assert refused == {"server": name.lower(), "isQueued": False, "errorMessage": CANNOT}
    truth = (await world.truth())["servers"][name]
    assert truth["operations"] == {"powerOff": 2, "startMaintenance": 1, "reboot": 1}
    assert truth["queued"] == {"powerOff": 1}
    world.clock.now += 60
    assert await world.status(job) == "succeeded"
    await world.operate("startMaintenance", [name])


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("startMaintenance", []),
        ("startMaintenance", {"serverIds": ["A"]}),
        ("startMaintenance", [1]),
        ("startMaintenance", None),
        ("setMaintenance", ["A"]),
        ("setMaintenance", {"servers": []}),
        ("setMaintenance", {"servers": [{"id": "A"}]}),
        ("setMaintenance", {"servers": [{"id": "A", "inMaintenanceMode": "maybe"}]}),
        ("setMaintenance", {"servers": [{"id": 7, "inMaintenanceMode": True}]}),
    ],
)
async def test_a_malformed_body_is_400_and_names_the_field(world: World, operation: str, body: Any) -> None:
    answer = await world.post(operation, body)
    assert answer.status_code == 400
    assert answer.json()["message"]
    assert all(answer.json()["modelState"].values())


async def test_invalid_json_and_huge_bodies_are_400(world: World) -> None:
    path = "/v2/operations/ACME/servers/powerOff"
    for content in (b'["WA1', b"\xff\xfe", b"[" * 100_000, b" " * 9_000_000):
        assert (await world.http.post(path, content=content)).status_code == 400


async def test_a_viewer_may_not_operate(make_world: MakeWorld) -> None:
    world = await make_world(user="viewer")
    name = (await world.ids())[0]
    answer = await world.post("startMaintenance", [name])
    assert answer.status_code == 403
    assert answer.json()["message"]
    assert (await world.truth())["servers"][name]["operations"] == {}


async def test_jobs_belong_to_their_account(world: World) -> None:
    sub = next(
        server["name"]
        for server in await world.servers("ACMD")
        if server["status"] == "active" and server["details"]["powerState"] == "started"
    )
    answer = await world.post("powerOff", [sub], alias="acmd")
    (job,) = job_ids(answer.json())
    assert (await world.get(f"/v2/operations/ACMD/status/{job.upper()}"))["status"] == "notStarted"
    assert (await world.http.get(f"/v2/operations/ACME/status/{job}")).status_code == 404
    (refused,) = await world.operate("powerOff", [sub])
    assert refused["isQueued"] is False


async def test_in_strict_case_maintenance_accepts_upper_case_ids_only(make_world: MakeWorld) -> None:
    world = await make_world(strict_case=True)
    name = (await world.ids())[0]
    assert (await world.post("startMaintenance", [name.lower()])).json()[0]["errorMessage"] == CANNOT
    assert (await world.operate("startMaintenance", [name]))[0]["isQueued"] is True
    world.clock.now += 60
    assert (await world.operate("powerOff", [name.lower()]))[0]["isQueued"] is True


async def test_operation_names_and_aliases_match_in_any_case(world: World) -> None:
    name = (await world.ids())[0]
    answer = await world.http.post(
        "/v2/Operations/acme/Servers/STARTMAINTENANCE",
        content=f'["{name.lower()}"]',
        headers={"Content-Type": "Application/json"},
    )
    assert answer.status_code == 200
    routes = (await world.get("/__sandbox/requests"))["by_route"]
    assert routes["POST /v2/operations/{alias}/servers/startMaintenance"] == 1


async def test_equal_seeds_give_equal_answers(make_world: MakeWorld) -> None:
    answers = []
    for _ in range(2):
        world = await make_world(faults={"job-fails": 0.5})
        chosen = (await world.ids())[:30]
        answers.append([await world.operate("startMaintenance", [name]) for name in chosen])
        world.clock.now += 100
        answers[-1].append(await world.truth())
    assert answers[0] == answers[1]


async def test_the_truth_contains_every_server_and_job(world: World) -> None:
    truth = await world.truth()
    everyone = {server["name"] for server in await world.servers()}
    assert set(truth["servers"]) == everyone
    name = (await world.ids())[0]
    assert truth["servers"][name] == {
        "maintenance": False,
        "power": "started",
        "operations": {},
        "queued": {},
    }
    world.clock.now += 5
    (job,) = job_ids(await world.operate("powerOff", [name]))
    world.clock.now += 5
    truth = await world.truth()
    assert truth["now"] == 10
    assert truth["servers"][name]["operations"] == truth["servers"][name]["queued"] == {"powerOff": 1}
    ends = truth["jobs"][job].pop("ends")
    assert ends == pytest.approx(5 + 55 - 2 * 18)
    (at,) = truth["jobs"][job].pop("changed").values()
    assert 5 < at < ends
    assert truth["jobs"][job] == {
        "account": "ACME",
        "operation": "powerOff",
        "status": "executing",
        "created": 5,
        "servers": [name],
    }
    sub = {server["name"] for server in await world.servers("ACMD")}
    assert set((await world.truth())["servers"]) == everyone | sub


async def test_many_operations_do_not_grow_a_servers_changes(world: World) -> None:
    name = (await world.ids())[0]
    for turn in range(100):
        await world.operate("stopMaintenance" if turn % 2 else "startMaintenance", [name])
        world.clock.now += 100
    server = fleet_of(world).servers[name]
    assert server.changes is not None
    assert len(server.changes) <= 2
    assert (await world.truth())["servers"][name]["operations"] == {
        "startMaintenance": 50,
        "stopMaintenance": 50,
    }
