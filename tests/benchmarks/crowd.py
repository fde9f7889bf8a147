"""How late the ends of very many jobs are noticed with the default request budget, in simulated time.

    python -m tests.benchmarks.crowd [--jobs 2000] [--seconds 120-300] [--servers 1] [--failed 0.0] [--live]

The engine and the sandbox run in one process, and each request takes 50 ms: all figures except CPU are the
same on every machine. Lateness is the time from a job's end in the sandbox to the event that reports it,
negative where all servers of a job were read in the requested state before its end.
"""

import argparse
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.engine.clock import VirtualClock, run
from tui.engine.endpoint import Endpoint
from tui.engine.events import Event, Progress
from tui.engine.journal.writer import JournalWriter
from tui.engine.options import Options
from tui.engine.service import EngineService
from tui.model.operation import IN_FLIGHT, Action, State
from tui.model.plan import make_plan
from tui.sandbox.app import create_app
from tui.sandbox.config import SandboxConfig

ROUND_TRIP = 0.05
UNDER_WAY = IN_FLIGHT - {State.SUCCEEDED}


class Crowd(NamedTuple):
    """The jobs that are followed."""

    jobs: int
    seconds: tuple[float, float]
    """Shortest and longest duration of a job."""
    servers: int = 1
    """Servers of each job."""
    failed: float = 0.0
    """The share of the jobs that fail."""
    live: bool = False
    """Whether servers are also read while their jobs run, as the console does it."""


class Result(NamedTuple):
    """The figures of one run."""

    late: list[float]
    """Seconds from each job's end to the event that reports it."""
    requests: Counter[str]
    """Number of requests by kind."""
    became: dict[str, int]
    """Final state -> number of servers."""
    alive: int
    """The largest number of jobs at the same time."""
    took: float
    cpu: float


class CountingTransport(httpx.AsyncBaseTransport):
    """A transport to a sandbox that counts requests."""

    def __init__(self, app: Any, clock: VirtualClock) -> None:
        self._inner = httpx.ASGITransport(app)
        self._clock = clock
        self.requests: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        parts = request.url.path.split("/")
        self.requests["status" if "status" in parts else parts[2]] += 1
        await self._clock.sleep(ROUND_TRIP)
        return await self._inner.handle_async_request(request)


async def follow(clock: VirtualClock, crowd: Crowd, home: Path) -> Result:
    """Start maintenance in these jobs, and follow them to their ends."""
    config = SandboxConfig(
        servers=int(crowd.jobs * crowd.servers * 1.5) + 100,
        job_seconds=crowd.seconds,
        faults={"job-fails": crowd.failed} if crowd.failed else {},
    )
    app, created_at = create_app(config, clock=clock.now), clock.now()
    transport = CountingTransport(app, clock)
    noticed: dict[str, float] = {}

    def on_event(event: Event) -> None:
        for target in event.targets if isinstance(event, Progress) else ():
            if target.job_id and target.state not in UNDER_WAY:
                noticed.setdefault(target.job_id, clock.now())

    endpoint = Endpoint("sandbox", "http://127.0.0.1:1", sandbox=True, transport=lambda: transport)
    service = EngineService(
        journal=JournalWriter(home / "journal.db", now=clock.now),
        emit=on_event,
        clock=clock,
        options=Options(live=crowd.live),
    )
    await service.login(endpoint, "demo", "pitstop")
    await service.inventory.refresh()
    server_ids = [
        id_ for id_, server in service.inventory.fleet.servers.items() if server.maintenance is False
    ]
    plan = make_plan(Action.START_MAINTENANCE, server_ids, service.inventory.fleet, batch_size=crowd.servers)
    server_ids = [id_ for batch in plan.batches[: crowd.jobs] for id_ in batch.server_ids]
    plan = make_plan(Action.START_MAINTENANCE, server_ids, service.inventory.fleet, batch_size=crowd.servers)
    transport.requests.clear()
    started, cpu = clock.now(), time.process_time()
    await service.operations.run(plan, operation_id="op-1")
    cpu, took = time.process_time() - cpu, clock.now() - started
    await service.close()
    sandbox = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:1")
    async with sandbox:
        jobs = (await sandbox.get("/__sandbox/truth")).json()["jobs"]
    spans = [(job["created"], job["ends"]) for job in jobs.values()]
    return Result(
        late=[noticed[id_] - created_at - job["ends"] for id_, job in jobs.items()],
        requests=transport.requests,
        became=service.operations.recent["op-1"].summary(),
        alive=max(sum(begins <= at < ends for begins, ends in spans) for at, _ in spans[-50:]),
        took=took,
        cpu=cpu,
    )


def main() -> None:
    """Print the figures for one crowd."""
    parser = argparse.ArgumentParser(description="How late the ends of many jobs are noticed.")
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--seconds", default="120-300")
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--failed", type=float, default=0.0)
    parser.add_argument("--live", action="store_true", help="as the console, not as the commands")
    options = parser.parse_args()
    low, high = map(float, options.seconds.split("-"))
    crowd = Crowd(options.jobs, (low, high), options.servers, options.failed, options.live)
    with tempfile.TemporaryDirectory() as home:
        result = run(lambda clock: follow(clock, crowd, Path(home)))
    cuts = statistics.quantiles(result.late, n=100)
    print(
        f"{options.jobs:,} jobs of {options.servers} servers, {options.seconds} s, {result.alive:,} at once"
    )
    print(f"became {result.became} after {result.took:,.0f} s, CPU {result.cpu:.1f} s")
    print(f"{result.requests.total():,} requests: {dict(result.requests)}")
    print(f"noticed late by p50 {cuts[49]:.1f} s, p95 {cuts[94]:.1f} s, at most {max(result.late):.1f} s")


if __name__ == "__main__":
    main()
