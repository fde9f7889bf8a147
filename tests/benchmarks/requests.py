"""How many requests the main commands send, counted by the sandbox that receives them.

    python -m tests.benchmarks.requests [--servers 10000]

First over HTTP with the commands themselves, then in virtual time with a transport that counts the requests
in flight.
"""

import argparse
import asyncio
import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import httpx

from tests.api.sockets import PEM, raw_server
from tests.engine.clock import VirtualClock, run
from tests.terminal.harness import clean_environment
from tests.terminal.service import PITSTOP, Service
from tui.api.endpoints import Api
from tui.engine.endpoint import Endpoint
from tui.engine.journal.writer import JournalWriter
from tui.engine.service import EngineService
from tui.model.operation import Action
from tui.model.plan import make_plan
from tui.sandbox.app import create_app
from tui.sandbox.config import SandboxConfig

USER = {"PITSTOP_USERNAME": "demo", "PITSTOP_PASSWORD": "pitstop"}
LOGIN = "POST /v2/authentication/login"
POST = "POST /v2/operations/{alias}/servers/startMaintenance"
STATUS = "GET /v2/operations/{alias}/status/{id}"
GROUP = "GET /v2/groups/{alias}/{id}"


def main() -> None:
    """Count, and print each number with the allowed one."""
    parser = argparse.ArgumentParser(description="Requests of the main commands, counted at the sandbox.")
    parser.add_argument("--servers", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        over_http(Path(home), options.servers)
        in_flight(Path(home), options.servers)
    for scheme in ("http", "https"):
        asyncio.run(connections(scheme))


def over_http(home: Path, size: int) -> None:
    """`pitstop servers`, then `pitstop start` of 300 servers of one data center."""
    with Service(f"--servers={size}", "--job-seconds=10-20") as service:
        servers = json.loads(pitstop(home, service, "servers", "--json"))
        centers = {server["data_center"] for server in servers}
        read = Counter(service.requests()["by_route"])
        print(f"`pitstop servers` of {len(servers):,} servers in {len(centers)} data centers, over HTTP")
        print_row("logins", read[LOGIN], "1")
        print_row("other requests", read.total() - read[LOGIN], f"1 + {len(centers)} data centers")

        wanted = [
            server["id"]
            for server in servers
            if server["data_center"] == servers[0]["data_center"]
            and server["status"] == "active"
            and server["power"] == "started"
            and server["maintenance"] is False
        ][:300]
        pitstop(home, service, "start", "--yes", "--batch-size", "100", "-", typed="\n".join(wanted))
        sent = Counter(service.requests()["by_route"]) - read
        print(f"`pitstop start` of {len(wanted)} servers in batches of 100, over HTTP")
        print_row("POSTs", sent[POST], "3, one per batch")
        print_row("status requests", sent[STATUS], "as few as the tracker can")
        print_row("reads of group trees", sent[GROUP], f"{len(centers)} for the list, then 1 per round")


def in_flight(home: Path, size: int) -> None:
    """The same 300 servers in virtual time: requests in flight at once, and reads to verify."""
    counts = run(lambda clock: _run_counted(clock, home, size))
    print("the same in virtual time, round trip 50 ms")
    print_row("POSTs", counts.posts, "3")
    print_row("status requests for one job at once", counts.most_at_once["status"], "1")
    print_row("group reads of one data center at once", counts.most_at_once["groups"], "1")
    print_row("group reads to verify, by data center", dict(counts.group_reads), "1 per round")


async def connections(scheme: str, number: int = 300) -> None:
    """CPU cost of a separate connection for each POST, of client and server together."""
    queued = b'[{"server": "A1", "isQueued": true, "links": [{"rel": "status", "id": "wa1-1"}]}]'
    os.environ["SSL_CERT_FILE"] = str(PEM)
    async with raw_server(lambda connection: connection.answer(queued), tls=scheme == "https") as server:
        api = Api(f"{scheme}://localhost:{server.port}", requests_per_second=1e6, burst=number)
        await api.login("demo", "pitstop")
        costs = {}
        for kind, send_one in (
            ("read, on a kept connection", lambda: api.data_centers("ACME")),
            ("POST, on a connection of its own", lambda: api.operate("ACME", Action.POWER_ON, ["A1"])),
        ):
            before, started = server.connections, time.process_time()
            for _ in range(number):
                await send_one()
            costs[kind] = (time.process_time() - started) / number * 1000, server.connections - before
        await api.aclose()
    print(f"{number} requests, one after the other, over {scheme}")
    for kind, (cost, opened) in costs.items():
        print(f"  {kind:42}{cost:>7.2f} ms   connections: {opened}")


class CountingTransport(httpx.AsyncBaseTransport):
    """A transport to the sandbox that counts open requests for the same job or the same tree."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.open_requests: Counter[str] = Counter()
        self.most_at_once: Counter[str] = Counter()
        self.posts = 0
        self.group_reads: Counter[str] = Counter()
        """Reads of groups since the first POST, by path."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        kind = path.split("/")[2] if "/status/" not in path else "status"
        self.posts += request.method == "POST" and kind == "operations"
        if self.posts and kind == "groups":
            self.group_reads[path.rpartition("/")[2][:8]] += 1
        request.headers["accept-encoding"] = "identity"
        self.open_requests[path] += 1
        self.most_at_once[kind] = max(self.most_at_once[kind], self.open_requests[path])
        try:
            await asyncio.sleep(0.05)
            return await self._inner.handle_async_request(request)
        finally:
            self.open_requests[path] -= 1


async def _run_counted(clock: VirtualClock, home: Path, size: int) -> CountingTransport:
    app = create_app(SandboxConfig(servers=size, job_seconds=(10, 20)), clock=clock.now)
    counting = CountingTransport(httpx.ASGITransport(app=cast(Any, app)))
    endpoint = Endpoint("sandbox", "http://127.0.0.1:1", sandbox=True, transport=lambda: counting)
    with closing(JournalWriter(home / "journal.db", now=clock.now)) as journal:
        service = EngineService(journal=journal, emit=lambda _: None, clock=clock)
        await service.login(endpoint, "demo", "pitstop")
        await service.inventory.refresh()
        plan = make_plan(
            Action.START_MAINTENANCE, eligible_ids(service, 300), service.inventory.fleet, batch_size=100
        )
        await service.operations.run(plan)
        await service.close()
    return counting


def eligible_ids(service: EngineService, number: int) -> list[str]:
    """The first servers of the largest data center that can be put into maintenance."""
    servers = service.inventory.fleet.servers.values()
    largest = Counter(server.data_center for server in servers).most_common(1)[0][0]
    return [
        server.id
        for server in servers
        if server.data_center == largest
        and (server.status, server.power, server.maintenance) == ("active", "started", False)
    ][:number]


def pitstop(home: Path, service: Service, *arguments: str, typed: str = "") -> str:
    """Run a command; returns its standard output."""
    done = subprocess.run(
        [*PITSTOP, *arguments, "--api-url", service.url],
        env=clean_environment(home, USER),
        input=typed,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def print_row(what: str, value: object, bound: str) -> None:
    """Print one line of the table."""
    print(f"  {what:42}{value!s:>10}   allowed: {bound}")


if __name__ == "__main__":
    main()
