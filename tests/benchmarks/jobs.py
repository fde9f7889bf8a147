"""Following jobs: Pitstop's tracker against the vendor's Python SDK, on the same sandbox and the same jobs.

``python -m tests.benchmarks.jobs [--rows 1,2,3,4,5] [--quick]``. Takes over ten minutes of real time, because
the jobs take 30 to 90 seconds; ``--quick`` follows fewer and shorter ones to see that it runs (its figures
mean nothing). Both sides get a fresh sandbox of the same seed, in a process of its own, so that the jobs take
the same times; the same code POSTs them without delay, and then one side follows them.

Detection latency: from the job's end in the sandbox to the moment when the side has noticed it.
"""

import argparse
import asyncio
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import clc
import httpx
import requests

from tests.engine.clock import VirtualClock, run
from tests.engine.platform import known, uniform
from tui.api.endpoints import Api
from tui.engine.clock import SystemClock
from tui.engine.journal.writer import JournalWriter
from tui.engine.polling.tracker import Tracker
from tui.engine.service import TRACKING_SHARE
from tui.model.duration import similar
from tui.model.operation import Action

START = Action.START_MAINTENANCE
ACCOUNT = "ACME"
DEFAULT_BUDGET = 20.0
LIFTED_BUDGET = 150.0
ROUND_TRIP = 0.05


class Scale(NamedTuple):
    """The number of jobs and their durations."""

    jobs: int
    seconds: tuple[float, float]


FULL = Scale(500, (30.0, 90.0))
QUICK = Scale(60, (4.0, 12.0))


class Posted(NamedTuple):
    """One server's place in a job."""

    server_id: str
    job_id: str
    at: float


class Result(NamedTuple):
    """The figures of following the jobs."""

    requests: int
    jobs: int
    late: list[float]

    @property
    def per_job(self) -> float:
        return self.requests / self.jobs

    @property
    def median(self) -> float:
        return statistics.median(self.late)

    def __str__(self) -> str:
        return (
            f"{self.requests:,} status requests ({self.per_job:.1f} per job), late by "
            f"{self.median:.2f} s (median), {max(self.late):.2f} s (max)"
        )


Side = Callable[[str, list[Posted]], dict[str, float]]
"""Follows jobs at an origin: job id -> ``time.time()`` when its end was noticed."""


@contextmanager
def sandbox(scale: Scale) -> Iterator[str]:
    """The origin of a fresh sandbox in a process of its own."""
    low, high = scale.seconds
    command = [sys.executable, "-m", "tui", "sandbox", "--port", "0", "--servers", "1500"]
    command += ["--job-seconds", f"{low:g}-{high:g}"]
    with _running(command) as line:
        found = re.search(r"http://\S+", line)
        assert found, line
        yield found[0]


@contextmanager
def delayed(origin: str, round_trip: float) -> Iterator[str]:
    """The origin of a proxy that adds ``round_trip`` seconds to each request to ``origin``."""
    port = str(httpx.URL(origin).port)
    with _running([sys.executable, "-m", "tests.benchmarks.delay", port, str(round_trip)]) as line:
        yield f"http://127.0.0.1:{int(line)}"


@contextmanager
def _running(command: list[str]) -> Iterator[str]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout
    try:
        yield process.stdout.readline()
    finally:
        process.terminate()
        process.wait()


async def post(origin: str, jobs: int, servers: int) -> list[Posted]:
    """Start maintenance in ``jobs`` POSTs of so many servers of one data center each."""
    api = Api(origin, requests_per_second=10_000, burst=10_000)
    try:
        await api.login("demo", "pitstop")
        batches: list[list[str]] = []
        for data_center in await api.data_centers(ACCOUNT):
            tree = await api.group_tree(ACCOUNT, data_center)
            eligible = [
                server.id
                for server in tree.servers
                if server.status == "active" and server.maintenance is False and not server.is_template
            ]
            whole = range(0, len(eligible) - servers + 1, servers)
            batches += [eligible[first : first + servers] for first in whole][: -(-jobs // 3)]
        assert len(batches) >= jobs

        async def one(server_ids: list[str]) -> list[Posted]:
            at = time.time()
            answers = await api.operate(ACCOUNT, START, server_ids)
            assert all(answer.queued for answer in answers), answers
            return [Posted(answer.server_id, answer.job_id, at) for answer in answers]

        return [posted for each in await asyncio.gather(*map(one, batches[:jobs])) for posted in each]
    finally:
        await api.aclose()


def pitstop(budget: float, journal_path: Path) -> Side:
    """Pitstop's client and tracker, wired as the engine wires them."""

    async def follow(origin: str, posted: list[Posted]) -> dict[str, float]:
        api = Api(origin, requests_per_second=budget)
        await api.login("demo", "pitstop")
        journal = JournalWriter(journal_path)

        async def durations(action: Action, servers: int) -> list[float]:
            return journal.durations(action, similar(servers))

        tracker = Tracker(
            lambda job_id: api.job_status(ACCOUNT, job_id),
            clock=SystemClock(),
            budget=TRACKING_SHARE * budget,
            history=durations,
            on_duration=journal.record_duration,
        )
        servers: dict[str, list[Posted]] = {}
        for each in posted:
            servers.setdefault(each.job_id, []).append(each)
        known: dict[str, float] = {}

        async def one(job_id: str, members: list[Posted]) -> None:
            await tracker.wait(job_id, START, len(members), members[0].at)
            known[job_id] = time.time()

        try:
            await asyncio.gather(*(one(job_id, members) for job_id, members in servers.items()))
        finally:
            await api.aclose()
            journal.close()
        return known

    return lambda origin, posted: asyncio.run(follow(origin, posted))


def vendor_sdk(origin: str, posted: list[Posted]) -> dict[str, float]:
    """``WaitUntilComplete`` of the vendor's SDK, which polls one status id for each server."""
    known: dict[str, float] = {}
    original_status = clc.APIv2.queue.Request.Status

    def record_end(request: clc.APIv2.queue.Request, cached: bool = False) -> str:
        status = str(original_status(request, cached))
        if status == "succeeded":
            known.setdefault(request.id, time.time())
        return status

    clc.defaults.ENDPOINT_URL_V2 = origin
    clc._LOGIN_TOKEN_V2 = False
    clc._REQUESTS_SESSION = requests.Session()
    clc._REQUESTS_SESSION.trust_env = False
    clc.v2.SetCredentials("demo", "pitstop")
    answers = [
        {
            "server": each.server_id,
            "isQueued": True,
            "links": [{"rel": "status", "id": each.job_id, "href": ""}],
        }
        for each in posted
    ]
    clc.APIv2.queue.Request.Status = record_end
    try:
        clc.v2.Requests(answers, alias=ACCOUNT).WaitUntilComplete()
    finally:
        clc.APIv2.queue.Request.Status = original_status
    return known


def measure(side: Side, scale: Scale, *, jobs: int, servers: int = 1, round_trip: float = 0.0) -> Result:
    """Measure one side on a fresh sandbox."""
    with ExitStack() as stack:
        origin = stack.enter_context(sandbox(scale))
        posted = asyncio.run(post(origin, jobs, servers))
        address = stack.enter_context(delayed(origin, round_trip)) if round_trip else origin
        known = side(address, posted)
        started = time.time()
        truth = httpx.get(f"{origin}/__sandbox/truth", trust_env=False).json()
        zero = (started + time.time()) / 2 - truth["now"]
        counts: dict[str, int] = httpx.get(f"{origin}/__sandbox/requests", trust_env=False).json()["by_route"]
    ends = {job_id: zero + job["ends"] for job_id, job in truth["jobs"].items()}
    assert known.keys() == ends.keys(), "a job was lost"
    statuses = sum(number for route, number in counts.items() if "/status/" in route)
    return Result(statuses, len(ends), [known[job_id] - ends[job_id] for job_id in ends])


def per_poll(jobs: int, polls: int) -> float:
    """Microseconds of CPU that the tracker takes per request with so many jobs waiting, in virtual time."""

    async def scenario(clock: VirtualClock) -> float:
        polled, started = 0, 0.0
        enough: asyncio.Future[float] = asyncio.get_running_loop().create_future()

        async def status(job_id: str) -> str:
            nonlocal polled, started
            polled += 1
            if polled == jobs:  # Each was polled about once: all are waiting.
                started = time.process_time()
            elif polled == jobs + polls:
                enough.set_result(time.process_time() - started)
            return "executing"

        # No job ends or is given up, because the history says that they take days.
        tracker = Tracker(status, clock=clock, history=known([1e6] * 20))
        tasks = [
            asyncio.create_task(tracker.wait(str(number), START, 1, clock.now())) for number in range(jobs)
        ]
        taken = await enough
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return 1e6 * taken / polls

    return run(scenario)


class Report:
    """Prints each figure with its bound and records whether all bounds were kept."""

    def __init__(self) -> None:
        self.kept = True

    def bound(self, what: str, ours: float, theirs: float, most: float) -> None:
        ratio = ours / theirs
        kept = ratio <= most
        self.kept &= kept
        verdict = "" if kept else "  NOT KEPT"
        print(f"   {what}: {ours:.2f} / {theirs:.2f} = {ratio:.3f} (at most {most}){verdict}", flush=True)


def main() -> int:
    """Run the requested rows; 1 when a bound was not kept."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", default="1,2,3,4,5", help="which rows of the table, e.g. 4,5")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter jobs: does it run?")
    options = parser.parse_args()
    rows = {int(row) for row in options.rows.split(",")}
    scale = QUICK if options.quick else FULL
    report = Report()
    with tempfile.TemporaryDirectory() as directory:
        empty = (Path(directory) / f"empty-{number}" / "journal.db" for number in range(9))

        def both(ours: Side, **how: float) -> tuple[Result, Result]:
            results = []
            for name, side in (("pitstop", ours), ("clc-sdk", vendor_sdk)):
                results.append(measure(side, scale, **how))  # type: ignore[arg-type]
                print(f"   {name}: {results[-1]}", flush=True)
            return results[0], results[1]

        if 1 in rows:
            print(
                f"1. {scale.jobs} jobs, {ROUND_TRIP * 1000:.0f} ms round trip, {LIFTED_BUDGET:.0f} a second"
            )
            ours, theirs = both(pitstop(LIFTED_BUDGET, next(empty)), jobs=scale.jobs, round_trip=ROUND_TRIP)
            report.bound("median latency", ours.median, theirs.median, 0.2)
            report.bound("greatest latency", max(ours.late), max(theirs.late), 0.15)
        if 2 in rows:
            print(
                f"2. {scale.jobs} jobs, no delay, {LIFTED_BUDGET:.0f} a second, 50 such jobs in the journal"
            )
            path = next(empty)
            path.parent.mkdir()
            journal = JournalWriter(path)
            for seconds in uniform(50, *scale.seconds, seed=50):
                journal.record_duration(START, 1, seconds)
            journal.close()
            ours, theirs = both(pitstop(LIFTED_BUDGET, path), jobs=scale.jobs)
            report.bound("requests per job", ours.per_job, theirs.per_job, 0.75)
            report.bound("median latency", ours.median, theirs.median, 1.1)
        if 3 in rows:
            print(
                f"3. {scale.jobs} jobs, {ROUND_TRIP * 1000:.0f} ms round trip, {DEFAULT_BUDGET:.0f} a second"
            )
            side = pitstop(DEFAULT_BUDGET, next(empty))
            ours = measure(side, scale, jobs=scale.jobs, round_trip=ROUND_TRIP)
            print(f"   pitstop: {ours}")
            report.bound("median, least possible", ours.median, scale.jobs / DEFAULT_BUDGET / 2, 1.5)
        if 4 in rows:
            print("4. 300 servers in 3 bulk POSTs, no delay")
            ours, theirs = both(pitstop(DEFAULT_BUDGET, next(empty)), jobs=3, servers=100)
            report.bound("status requests", ours.requests, theirs.requests, 0.02)
    if 5 in rows:
        print("5. Cost per poll of the tracker itself")
        polls = 3_000 if options.quick else 30_000
        numbers = (100, 1_000, 10_000, 100_000)
        costs = {number: statistics.median(per_poll(number, polls) for _ in range(3)) for number in numbers}
        print("   " + ", ".join(f"{number:,} jobs: {cost:.0f} us" for number, cost in costs.items()))
        report.bound("100,000 jobs, 100 jobs", costs[100_000], costs[100], 1.5)
    return 0 if report.kept else 1


if __name__ == "__main__":
    sys.exit(main())
