"""What grows when the program runs for a week without a restart.

    python -m tests.benchmarks.soak [--days 7] [--operations 200]     a simulated week, 200 operations a day
    python -m tests.benchmarks.soak --real 300                        real seconds over HTTP, without a pause
    python -m tests.benchmarks.soak --costs 400                       CPU of the 20th, 200th, 400th operation

The engine, its journal and the console's `Store` run in one process; one line is printed for each day.
"""

import argparse
import asyncio
import gc
import os
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import httpx

from tests.engine.clock import VirtualClock, run
from tests.terminal.service import Service
from tui.console.store import Store
from tui.engine.clock import Clock, SystemClock
from tui.engine.endpoint import Endpoint
from tui.engine.events import Event
from tui.engine.journal.writer import JournalWriter
from tui.engine.service import EngineService
from tui.model.operation import Action
from tui.model.plan import make_plan
from tui.sandbox.app import create_app
from tui.sandbox.config import SandboxConfig

DAY = 86_400.0
REFRESH_EVERY = 1_800.0
"""Seconds between two reads of the fleet, as in the console."""
LARGEST = 40
"""Servers of one operation, at most."""


class Sample(NamedTuple):
    """The size of the process at one moment."""

    hours: float
    operations: int
    resident: float
    """MiB."""
    objects: int
    """Python objects that the garbage collector knows, after a collection."""
    files: int
    threads: int
    tasks: int
    journal: float
    """MiB on disk."""


class Soak:
    """A console without its screen, which carries out one operation after the other."""

    def __init__(self, endpoint: Endpoint, home: Path, clock: Clock) -> None:
        self.store = Store(clock=clock.now)
        self.operations = 0
        self._events: list[Event] = []
        self._endpoint = endpoint
        self._clock = clock
        self._path = home / "journal.db"
        self._started = clock.monotonic()
        self._random = random.Random(7)
        self._service = EngineService(
            journal=JournalWriter(self._path, now=clock.now), emit=self._events.append, clock=clock
        )

    async def start(self) -> None:
        """Log in and read the fleet."""
        await self._service.login(self._endpoint, "demo", "pitstop")
        await self.refresh()

    async def refresh(self) -> None:
        """Read the fleet again."""
        await self._service.inventory.refresh()
        self._pump()

    async def operate(self) -> None:
        """Start maintenance on some servers, or end it on all where too many are in it."""
        fleet = self._service.inventory.fleet
        in_maintenance = [server.id for server in fleet.servers.values() if server.maintenance]
        action = (
            Action.STOP_MAINTENANCE
            if 4 * len(in_maintenance) > len(fleet.servers)
            else Action.START_MAINTENANCE
        )
        random_ids = self._random.sample(sorted(fleet.servers), self._random.randint(1, LARGEST))
        plan = make_plan(
            action, in_maintenance if action is Action.STOP_MAINTENANCE else random_ids, fleet, batch_size=20
        )
        if plan.batches:
            self.operations += 1
            await self._service.operations.run(plan, reason=f"CHG-{self.operations}")
        self._pump()

    async def read_prior_targets(self) -> None:
        """Read which targets are still in maintenance, as the console does when an operation has ended."""
        await self._service.emit_prior_targets()
        self._pump()

    async def end(self) -> None:
        """Close the service."""
        await self._service.close()
        self._pump()

    def sample(self) -> Sample:
        """Take a sample now."""
        gc.collect()
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
        return Sample(
            (self._clock.monotonic() - self._started) / 3600,
            self.operations,
            pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
            len(gc.get_objects()),
            len(os.listdir("/proc/self/fd")),
            threading.active_count(),
            len(asyncio.all_tasks()),
            sum(file.stat().st_size for file in self._path.parent.glob(self._path.name + "*")) / 2**20,
        )

    def _pump(self) -> None:
        """Apply the events, as the console's bridge does at each tick."""
        self.store.apply(self._events)
        self._events.clear()


async def simulate(
    clock: VirtualClock, home: Path, *, days: float, operations: int, servers: int = 240
) -> list[Sample]:
    """Simulate days with ``operations`` each; returns a sample of the end of each day."""
    app = create_app(SandboxConfig(servers=servers, faults={"slow": 0.01, "settle": 0.05}), clock=clock.now)
    soak = Soak(_in_process(app), home, clock)
    await soak.start()
    samples = []
    for moment in _plan_of(days, operations):
        await clock.sleep(max(0.0, moment - clock.monotonic()))
        if moment % DAY == 0:
            _forget_ended_jobs(app, clock.now())
            samples.append(soak.sample())
        elif moment % REFRESH_EVERY == 0:
            await soak.refresh()
        else:
            await soak.operate()
    await soak.end()
    return samples


def _plan_of(days: float, operations: int) -> Iterator[float]:
    """Times of operations, spread evenly over each day, of reads between them, and of the end of each day."""
    for second in range(1, int(days * DAY) + 1):
        if second % REFRESH_EVERY == 0 or second % int(DAY / operations) == 7:
            yield float(second)


def _in_process(app: Any) -> Endpoint:
    def transport() -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(app=cast(Any, app))

    return Endpoint("sandbox", "http://127.0.0.1:1", sandbox=True, transport=transport)


def _forget_ended_jobs(app: Any, now: float) -> None:
    """Delete ended jobs of the sandbox, which runs in the same process but is not measured."""
    jobs = app.state.plane.queue.jobs
    for id_ in [id_ for id_, job in jobs.items() if job.ends + 60 < now]:
        del jobs[id_]
    app.state.record.log.clear()


async def work(url: str, home: Path, seconds: float) -> list[Sample]:
    """Real seconds over HTTP: one operation after the other; a sample every tenth of the time."""
    clock = SystemClock()
    soak = Soak(Endpoint("sandbox", url), home, clock)
    await soak.start()
    samples: list[Sample] = []
    started = clock.monotonic()
    while (elapsed := clock.monotonic() - started) < seconds:
        if elapsed >= seconds * (len(samples) + 1) / 10:
            samples.append(soak.sample())
        await soak.operate()
    samples.append(soak.sample())
    await soak.end()
    return samples


async def costs(clock: VirtualClock, home: Path, *, operations: int, step: int = 20) -> None:
    """CPU and memory at the 20th, the middle and the last operation; CPU is the mean of those up to it."""
    app = create_app(SandboxConfig(servers=240), clock=clock.now)
    soak = Soak(_in_process(app), home, clock)
    await soak.start()
    started = time.process_time()
    for number in range(1, operations + 1):
        await soak.operate()
        await soak.read_prior_targets()
        await clock.sleep(60)
        _forget_ended_jobs(app, clock.now())
        if number % step == 0:
            milliseconds = 1000 * (time.process_time() - started) / step
            if number in {step, operations // 2, operations}:
                now = soak.sample()
                print(f"operation {number:,}: {milliseconds:.0f} ms of CPU, {now.resident:.1f} MiB", end="")
                print(f", {now.objects:,} objects")
            started = time.process_time()
    await soak.end()


def show(samples: list[Sample]) -> None:
    """Print a line for each sample."""
    columns = "hours operations MiB objects files threads tasks journal"
    print("".join(f"{name:>12}" for name in columns.split()))
    for one in samples:
        print(
            f"{one.hours:12.2f}{one.operations:12,}{one.resident:12.1f}{one.objects:12,}{one.files:12}"
            f"{one.threads:12}{one.tasks:12}{one.journal:12.2f}"
        )


def main() -> None:
    """Run the soak, and print what grew."""
    parser = argparse.ArgumentParser(description="What grows when the program runs for days.")
    parser.add_argument("--days", type=float, default=7)
    parser.add_argument("--operations", type=int, default=200, help="operations a day")
    parser.add_argument("--real", type=float, metavar="SECONDS", help="real seconds over HTTP instead")
    parser.add_argument("--costs", type=int, metavar="OPERATIONS", help="CPU per operation over so many")
    options = parser.parse_args()
    started = time.monotonic()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as home:
        if options.costs:
            run(lambda clock: costs(clock, Path(home), operations=options.costs))
            return
        if options.real:
            with Service("--servers=240", "--job-seconds=1-3") as service:
                samples = asyncio.run(work(service.url, Path(home), options.real))
            print(f"{options.real:g} real seconds over HTTP")
        else:
            days, operations = options.days, options.operations
            samples = run(lambda clock: simulate(clock, Path(home), days=days, operations=operations))
            print(f"{options.days:g} simulated days in {time.monotonic() - started:.0f} s")
    show(samples)
    first, last = samples[len(samples) // 3], samples[-1]
    print(f"memory, last against the first third: {last.resident / first.resident:.2f} times", end="")
    print(f"; objects {last.objects / first.objects:.2f} times; files {last.files - first.files:+d}", end="")
    print(f"; threads {last.threads - first.threads:+d}")


if __name__ == "__main__":
    main()
