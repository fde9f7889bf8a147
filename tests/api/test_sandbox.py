"""Every call against the sandbox, which was written from the documentation and shares no code with it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import httpx
import pytest

from tests.conftest import ServeSandbox
from tui.api.endpoints import Api
from tui.api.errors import (
    LoginRefused,
    Malformed,
    NotAllowed,
    NotFound,
    OutcomeUnsure,
    RateLimited,
    ServerFault,
    Unreachable,
)
from tui.model.fleet import Fleet
from tui.model.job import job_outcome
from tui.model.operation import Action
from tui.model.server import Server
from tui.sandbox.app import create_app
from tui.sandbox.config import SandboxConfig

START = 1_700_000_000.0


class World:
    """A sandbox in the process, on a clock that advances when a task sleeps."""

    def __init__(self, **config: Any) -> None:
        self.now = START
        self.app = create_app(SandboxConfig(**config), lambda: self.now, self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)

    def api(self, **options: Any) -> Api:
        transport = httpx.ASGITransport(self.app)
        return Api(
            "http://sandbox", transport=transport, sleep=self.sleep, monotonic=lambda: self.now, **options
        )

    async def logged_in(self, user: str = "demo") -> Api:
        api = self.api()
        await api.login(user, "pitstop")
        return api

    @property
    def request_counts(self) -> dict[str, int]:
        """Route -> number of requests."""
        found: dict[str, int] = self.app.state.record.summary()["by_route"]
        return found

    def faults(self, **rates: float) -> None:
        self.app.state.plane.faults.set({name.replace("_", "-"): rate for name, rate in rates.items()})


async def load(api: Api, account: str = "ACME") -> Fleet:
    """The whole inventory, as the engine reads it."""
    fleet = Fleet(account)
    for center in await api.data_centers(account):
        groups, servers = await api.group_tree(account, center)
        fleet.replace(center, groups, servers, START)
    return fleet


def eligible(fleet: Fleet, count: int) -> list[str]:
    found = [
        server.id
        for server in fleet.servers.values()
        if server.status == "active" and server.maintenance is False and not server.is_template
    ]
    assert len(found) >= count
    return found[:count]


async def test_the_inventory_takes_one_request_and_one_for_each_data_center() -> None:
    world = World(servers=1000)
    fleet = await load(await world.logged_in())
    assert len(fleet.data_centers) == 3
    assert len(fleet.servers) == 1000
    assert sum(world.request_counts.values()) == 1 + 1 + 3
    truth = world.app.state.plane.truth()
    assert len(truth) >= 1
    assert all(server.group_id in fleet.groups for server in fleet.servers.values())
    assert {server.data_center for server in fleet.servers.values()} == set(fleet.data_centers)
    assert {"archive", "templates", "default"} == {group.kind for group in fleet.groups.values()}
    assert any("/" in group.path for group in fleet.groups.values())
    assert {server.maintenance for server in fleet.servers.values()} == {True, False, None}
    assert {server.power for server in fleet.servers.values()} >= {"started", "stopped", "paused"}


async def test_a_server_read_alone_equals_the_server_in_its_tree() -> None:
    world = World(servers=240)
    api = await world.logged_in()
    fleet = await load(api)
    by_status: dict[str, Server] = {server.status: server for server in fleet.servers.values()}
    for listed in by_status.values():
        details = await api.server("ACME", listed.id.lower())
        single = details.server
        assert (single.id, single.name, single.group_id) == (listed.id, listed.name, listed.group_id)
        assert (single.data_center, single.status, single.os) == (
            listed.data_center,
            listed.status,
            listed.os,
        )
        if listed.status == "active":
            assert single == listed
            assert details.host_name in (listed.id.lower(), f"{listed.id.lower()}.acme.example", "")
            assert details.disks


async def test_maintenance_is_started_and_stopped() -> None:
    world = World(servers=240)
    api = await world.logged_in()
    fleet = await load(api)
    ids = eligible(fleet, 5)
    for action, wanted in ((Action.START_MAINTENANCE, True), (Action.STOP_MAINTENANCE, False)):
        answers = await api.operate("ACME", action, ids)
        assert {answer.server_id for answer in answers} == set(ids)
        assert all(answer.queued for answer in answers)
        jobs = {answer.job_id for answer in answers}
        for job in jobs:
            while job_outcome(await api.job_status("ACME", job)) is None:
                await world.sleep(5)
            assert await api.job_status("ACME", job) == "succeeded"
        for server_id in ids:
            assert (await api.server("ACME", server_id)).server.maintenance is wanted


@pytest.mark.parametrize("action", list(Action))
async def test_the_sandbox_knows_every_operation(action: Action) -> None:
    world = World(servers=240, strict_case=True)
    api = await world.logged_in()
    (answer,) = await api.operate("ACME", action, eligible(await load(api), 1))
    assert answer.queued or answer.message


async def test_each_server_that_is_refused_has_a_message() -> None:
    world = World(servers=240)
    api = await world.logged_in()
    fleet = await load(api)
    archived = next(server.id for server in fleet.servers.values() if server.status == "archived")
    answers = await api.operate("ACME", Action.START_MAINTENANCE, [archived, "WA1ACMENOPE99"])
    assert {answer.server_id for answer in answers} == {archived, "WA1ACMENOPE99"}
    assert not any(answer.queued for answer in answers)
    assert all(answer.message for answer in answers)


async def test_refusals_raise_typed_errors() -> None:
    world = World(servers=240)
    api = world.api()
    with pytest.raises(LoginRefused, match="didn't recognize"):
        await api.login("demo", "guess")
    await api.login("viewer", "pitstop")
    fleet = await load(api)
    with pytest.raises(NotAllowed):
        await api.operate("ACME", Action.START_MAINTENANCE, eligible(fleet, 1))
    with pytest.raises(NotFound):
        await api.server("ACME", "WA1ACMENOPE99")
    with pytest.raises((NotAllowed, NotFound)):
        await api.data_centers("ZZZZ")


async def test_a_sub_account_is_read_with_the_same_token() -> None:
    world = World(servers=240)
    api = await world.logged_in()
    fleet = await load(api, "acmd")
    assert fleet.servers
    assert not set(fleet.servers) & set((await load(api)).servers)


async def test_most_reads_succeed_despite_faults() -> None:
    world = World(servers=240)
    api = await world.logged_in()
    ids = eligible(await load(api), 3)
    answers = await api.operate("ACME", Action.START_MAINTENANCE, ids)
    world.faults(slow=0.2, status_500=0.2, group_500=0.2, rate_limit=0.1, expire_token=0.1, malformed=0.1)
    good = 0
    for _ in range(50):
        with contextlib.suppress(Unreachable, ServerFault, RateLimited, Malformed):
            await api.job_status("ACME", answers[0].job_id)
            good += 1
    assert good >= 40
    world.faults(slow=0, status_500=0, group_500=0, rate_limit=0, expire_token=0, malformed=0)
    assert len((await load(api)).servers) == 240


@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "malformed"])
async def test_a_lost_answer_is_unsure_and_the_operation_was_sent_once(fault: str) -> None:
    world = World(servers=240)
    api = await world.logged_in()
    (server_id,) = eligible(await load(api), 1)
    world.faults(**{fault: 1.0})
    with pytest.raises(OutcomeUnsure):
        await api.operate("ACME", Action.START_MAINTENANCE, [server_id])
    posts = {
        route: count
        for route, count in world.request_counts.items()
        if "/servers/" in route and "POST" in route
    }
    assert sum(posts.values()) == 1


async def test_the_client_works_with_a_sandbox_over_http(serve_sandbox: ServeSandbox) -> None:
    api = Api(serve_sandbox(SandboxConfig(servers=240)))
    session = await api.login("demo", "pitstop")
    assert session.account == "ACME"
    fleet = await load(api)
    assert len(fleet.servers) == 240
    (answer,) = await api.operate("ACME", Action.START_MAINTENANCE, eligible(fleet, 1))
    assert await api.job_status("ACME", answer.job_id)
    await api.aclose()


async def test_answers_that_arrive_twice_change_nothing(serve_sandbox: ServeSandbox) -> None:
    url = serve_sandbox(SandboxConfig(servers=240, faults={"answer-twice": 1}))
    api = Api(url)
    await api.login("demo", "pitstop")
    chosen = eligible(await load(api), 8)
    answers = await asyncio.gather(
        *(api.operate("ACME", Action.START_MAINTENANCE, [server_id]) for server_id in chosen)
    )
    assert [[(one.server_id, one.queued) for one in found] for found in answers] == [
        [(server_id, True)] for server_id in chosen
    ]
    details = await asyncio.gather(*(api.server("ACME", server_id) for server_id in chosen))
    assert [one.server.id for one in details] == chosen
    with pytest.raises(LoginRefused):
        await api.login("demo", "wrong")
    await api.login("demo", "pitstop")
    await api.aclose()
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        truth = (await http.get("/__sandbox/truth")).json()["servers"]
    assert [truth[server_id]["operations"] for server_id in chosen] == [{"startMaintenance": 1}] * 8
