"""Each fault does what its name says, at its rate, the same for the same seed."""

from __future__ import annotations

import socket

import httpx
import pytest

from tests.conftest import ServeSandbox
from tests.patience import PATIENCE
from tests.sandbox.conftest import MakeWorld
from tests.sandbox.world import Clock, World, job_ids
from tui.sandbox.config import SandboxConfig


async def test_without_faults_every_request_succeeds_at_once(world: World) -> None:
    answers = [await world.http.get("/v2/datacenters/ACME") for _ in range(200)]
    assert {answer.status_code for answer in answers} == {200}
    assert world.clock.slept == []


@pytest.mark.parametrize("rate", [0.1, 0.5])
async def test_faults_strike_at_their_rate_and_equally_for_equal_seeds(
    make_world: MakeWorld, rate: float
) -> None:
    runs = []
    for seed in (7, 7, 8):
        world = await make_world(seed=seed, faults={"rate-limit": rate})
        runs.append([(await world.http.get("/v2/accounts/ACME")).status_code for _ in range(400)])
    assert runs[0] == runs[1] != runs[2]
    assert 0.6 * rate < runs[0].count(429) / 400 < 1.4 * rate


async def test_time_does_not_change_which_requests_are_struck(make_world: MakeWorld) -> None:
    runs = []
    for step in (0.0, 977.0):
        world = await make_world(faults={"rate-limit": 0.3})
        codes = []
        for _ in range(60):
            codes.append((await world.http.get("/v2/accounts/ACME")).status_code)
            world.clock.now += step
        runs.append(codes)
    assert runs[0] == runs[1]


async def test_slow_requests_are_carried_out_and_answered_late(make_world: MakeWorld) -> None:
    world = await make_world()
    name = (await world.ids())[0]
    await world.set_faults(slow=1)
    await world.operate("startMaintenance", [name])
    (late,) = world.clock.slept
    assert 1 <= late <= 4


async def test_status_500_strikes_status_reads_only(world: World) -> None:
    (job,) = job_ids(await world.operate("startMaintenance", (await world.ids())[:1]))
    await world.set_faults(status_500=1)
    answer = await world.http.get(f"/v2/operations/ACME/status/{job}")
    assert (answer.status_code, answer.json()) == (500, {"message": "An error has occurred."})
    assert await world.servers()


async def test_group_500_strikes_group_reads_only(world: World) -> None:
    (href, *_) = await world.roots()
    await world.set_faults(group_500=1)
    answer = await world.http.get(f"{href}?serverDetail=detailed")
    assert (answer.status_code, answer.json()) == (500, {"message": "An error has occurred."})
    assert await world.roots()


async def test_rate_limit_sends_retry_after_and_carries_nothing_out(world: World) -> None:
    name = (await world.ids())[0]
    await world.set_faults(rate_limit=1)
    answer = await world.post("startMaintenance", [name])
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 3
    assert (await world.truth())["servers"][name]["operations"] == {}


async def test_expire_token_ends_the_token_and_carries_nothing_out(world: World) -> None:
    name = (await world.ids())[0]
    await world.set_faults(expire_token=1)
    assert (await world.post("startMaintenance", [name])).status_code == 401
    await world.set_faults(expire_token=0)
    assert (await world.post("startMaintenance", [name])).status_code == 401
    await world.login()
    assert (await world.post("startMaintenance", [name])).status_code == 200
    assert (await world.truth())["servers"][name]["operations"] == {"startMaintenance": 1}


async def test_expire_token_does_not_end_another_token_of_the_same_second(world: World) -> None:
    first = world.http.headers["Authorization"]
    await world.login()
    assert world.http.headers["Authorization"] != first
    await world.set_faults(expire_token=1)
    assert (await world.http.get("/v2/accounts/ACME")).status_code == 401
    await world.set_faults(expire_token=0)
    answer = await world.http.get("/v2/accounts/ACME", headers={"Authorization": first})
    assert answer.status_code == 200


@pytest.mark.parametrize(("fault", "reached"), [("drop-before", 0), ("drop-after", 1)])
@pytest.mark.parametrize("over", ["the process", "http"])
async def test_drop_before_carries_nothing_out_and_drop_after_does(
    make_world: MakeWorld, serve_sandbox: ServeSandbox, fault: str, reached: int, over: str
) -> None:
    if over == "http":
        clock = Clock()
        world = World(SandboxConfig(), clock, serve_sandbox(SandboxConfig(), clock))
        await world.login()
    else:
        world = await make_world()
    name = (await world.ids())[0]
    await world.set_faults(**{fault: 1})
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        await world.post("startMaintenance", [name])
    assert (await world.server(name))["details"]["inMaintenanceMode"] is False
    await world.set_faults(**{fault: 0})
    record = await world.get("/__sandbox/requests")
    assert record["log"][-2][1:] == ["POST", "/v2/operations/ACME/servers/startMaintenance", 0]
    world.clock.now += 60
    truth = (await world.truth())["servers"][name]
    assert truth["operations"].get("startMaintenance", 0) == reached
    assert (await world.server(name))["details"]["inMaintenanceMode"] is bool(reached)
    await world.http.aclose()


def test_answer_twice_sends_the_same_answer_twice_on_one_connection(serve_sandbox: ServeSandbox) -> None:
    host, port = serve_sandbox(SandboxConfig(faults={"answer-twice": 1})).removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as connection:
        connection.sendall(b"GET /v2/accounts/ACME HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b""
        while received.count(b"\r\n\r\n{") < 2 or not received.endswith(b"}"):
            received += connection.recv(65536)
    middle = len(received) // 2
    assert received[:middle].startswith(b"HTTP/1.1 401 Unauthorized\r\n")
    assert received[middle:] == received[:middle]


@pytest.mark.parametrize(("fault", "status"), [("job_fails", "failed"), ("job_unknown", "unknown")])
async def test_a_job_that_fails_or_stays_unknown_changes_some_of_its_servers(
    world: World, fault: str, status: str
) -> None:
    await world.set_faults(**{fault: 1})
    chosen = (await world.ids(location="WA1"))[:20]
    (job,) = job_ids(await world.operate("startMaintenance", chosen))
    assert await world.status(job) == "notStarted"
    world.clock.now += 300
    assert await world.status(job) == status
    truth = await world.truth()
    changed = [name for name in chosen if truth["servers"][name]["maintenance"]]
    assert 1 <= len(changed) <= 19
    assert sorted(truth["jobs"][job]["changed"]) == sorted(changed)
    for name in chosen:
        assert (await world.server(name))["details"]["inMaintenanceMode"] is (name in changed)
    world.clock.now += 100_000
    assert await world.status(job) == status


async def test_a_failed_job_of_one_server_changes_nothing(world: World) -> None:
    await world.set_faults(job_fails=1)
    name = (await world.ids())[0]
    (job,) = job_ids(await world.operate("startMaintenance", [name]))
    world.clock.now += 60
    assert await world.status(job) == "failed"
    assert (await world.truth())["servers"][name]["maintenance"] is False


async def test_settle_shows_the_new_state_after_the_end_of_the_job(world: World) -> None:
    await world.set_faults(settle=1)
    chosen = (await world.ids(location="WA1"))[:3]
    (job,) = job_ids(await world.operate("startMaintenance", chosen))
    world.clock.now += 12.5
    assert await world.status(job) == "succeeded"
    assert (await world.server(chosen[0]))["details"]["inMaintenanceMode"] is False
    assert (await world.truth())["servers"][chosen[0]]["maintenance"] is True
    world.clock.now += 30
    assert (await world.server(chosen[0]))["details"]["inMaintenanceMode"] is True


async def test_malformed_answers_are_cut_off_or_html_and_carried_out(world: World) -> None:
    name = (await world.ids())[0]
    await world.set_faults(malformed=1)
    answer = await world.post("startMaintenance", [name])
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
        answer.json()
    kinds = {(await world.http.get("/v2/datacenters/ACME")).headers["Content-Type"] for _ in range(6)}
    assert kinds == {"text/html", "application/json; charset=utf-8"}
    assert (await world.truth())["servers"][name]["operations"] == {"startMaintenance": 1}


async def test_only_slow_strikes_the_login(make_world: MakeWorld) -> None:
    from tui.sandbox.config import FAULTS

    world = await make_world(user=None, faults=dict.fromkeys(FAULTS, 1.0))
    await world.login()
    assert len(world.clock.slept) == 1


async def test_faults_can_be_set_at_run_time(world: World) -> None:
    faults = "/__sandbox/faults"
    assert await world.get(faults) == {}
    assert (await world.http.post(faults, json={"slow": 0.5, "settle": 1})).json() == {
        "slow": 0.5,
        "settle": 1,
    }
    assert (await world.http.post(faults, json={"slow": 0})).json() == {"settle": 1}
    wrongs: tuple[object, ...] = ({"nonsense": 1}, {"slow": 2}, {"slow": "much"}, [], {"slow": True})
    for wrong in wrongs:
        answer = await world.http.post(faults, json=wrong)
        assert answer.status_code == 400
        assert answer.json()["message"]
    assert await world.get(faults) == {"settle": 1}
    await world.servers()
    assert (await world.truth())["faults"] == {}


async def test_the_record_counts_requests_of_the_contract_by_route(world: World) -> None:
    await world.servers()
    await world.truth()
    world.clock.now += 2.5
    await world.http.get("/v2/servers/acme/NONE")
    await world.http.get("/v2/nonsense")
    record = await world.get("/__sandbox/requests")
    assert record["total"] == 7
    assert record["by_route"] == {
        "POST /v2/authentication/login": 1,
        "GET /v2/datacenters/{alias}": 1,
        "GET /v2/groups/{alias}/{id}": 3,
        "GET /v2/servers/{alias}/{id}": 1,
        "GET (no such route)": 1,
    }
    assert record["log"][0] == [0.0, "POST", "/v2/authentication/login", 200]
    assert record["log"][-2:] == [
        [2.5, "GET", "/v2/servers/acme/NONE", 404],
        [2.5, "GET", "/v2/nonsense", 404],
    ]


async def test_the_log_keeps_the_newest_requests(make_world: MakeWorld) -> None:
    world = await make_world(servers=0)
    record = world.app.state.record
    for number in range(20_100):
        record.open("GET", f"/{number}", "GET /n")
    shown = await world.get("/__sandbox/requests")
    assert shown["total"] == 20_101
    assert len(shown["log"]) == 20_000
    assert shown["log"][-1][2] == "/20099"
