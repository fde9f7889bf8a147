"""A sandbox in the process whose clock the test moves, and a client written from the contract alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

from tui.sandbox.app import create_app
from tui.sandbox.config import SandboxConfig
from tui.sandbox.fleet import Fleet

Json = Any
START = 1_700_000_000.0


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = START
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class World:
    """One sandbox and one client of it."""

    def __init__(self, config: SandboxConfig, clock: Clock | None = None, url: str | None = None) -> None:
        self.clock = clock or Clock()
        transport = None
        if url is None:
            self.app = create_app(config, self.clock, self.clock.sleep)
            transport = httpx.ASGITransport(self.app)
        self.http = httpx.AsyncClient(transport=transport, base_url=url or "http://sandbox", trust_env=False)

    async def login(self, user: str = "demo") -> None:
        answer = await self.http.post(
            "/v2/authentication/login", json={"username": user, "password": "pitstop"}
        )
        assert answer.status_code == 200, answer.text
        self.http.headers["Authorization"] = f"Bearer {answer.json()['bearerToken']}"

    async def get(self, path: str) -> Json:
        answer = await self.http.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    async def roots(self, alias: str = "ACME") -> list[str]:
        """The hrefs of the root groups."""
        listed = await self.get(f"/v2/datacenters/{alias}?groupLinks=true")
        return [link["href"] for center in listed for link in center["links"] if link["rel"] == "group"]

    async def trees(self, alias: str = "ACME") -> list[Json]:
        return [await self.get(f"{href}?serverDetail=detailed") for href in await self.roots(alias)]

    async def servers(self, alias: str = "ACME") -> list[Json]:
        """Every server of the account."""
        trees = await self.trees(alias)
        return [server for tree in trees for group in groups_of(tree) for server in group["servers"]]

    async def ids(
        self, *, power: str = "started", maintenance: bool = False, location: str | None = None
    ) -> list[str]:
        """Ids, as the portal writes them, of active servers in a state."""
        return [
            server["name"]
            for server in await self.servers()
            if server["status"] == "active"
            and not server["isTemplate"]
            and server["details"]["powerState"] == power
            and server["details"]["inMaintenanceMode"] is maintenance
            and location in (None, server["locationId"])
        ]

    async def post(self, operation: str, body: Json, alias: str = "ACME") -> httpx.Response:
        return await self.http.post(f"/v2/operations/{alias}/servers/{operation}", json=body)

    async def operate(self, operation: str, ids: list[str]) -> list[Json]:
        answer = await self.post(operation, ids)
        assert answer.status_code == 200, answer.text
        entities: list[Json] = answer.json()
        return entities

    async def server(self, server_id: str) -> Json:
        return await self.get(f"/v2/servers/ACME/{server_id}")

    async def status(self, job_id: str) -> str:
        status: str = (await self.get(f"/v2/operations/ACME/status/{job_id}"))["status"]
        return status

    async def truth(self) -> Json:
        return await self.get("/__sandbox/truth")

    async def set_faults(self, **rates: float) -> None:
        named = {name.replace("_", "-"): rate for name, rate in rates.items()}
        assert (await self.http.post("/__sandbox/faults", json=named)).status_code == 200


def fleet_of(world: World) -> Fleet:
    """The fleet of ACME behind a sandbox in the process."""
    fleet: Fleet = world.app.state.plane.fleet("ACME")
    return fleet


def groups_of(tree: Json) -> Iterator[Json]:
    """Every node of a group tree."""
    yield tree
    for child in tree["groups"]:
        yield from groups_of(child)


def job_ids(entities: list[Json]) -> list[str]:
    """The distinct job ids of an operation's answer."""
    return sorted({link["id"] for entity in entities for link in entity.get("links", ())})
