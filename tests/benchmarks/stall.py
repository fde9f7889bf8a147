"""A terminal that stops reading for a minute while 100 jobs end, compared with one that keeps reading.

    python -m tests.benchmarks.stall [--seconds 60] [--jobs 100]

The console runs in a PTY, against a sandbox over HTTP. The sandbox's log shows whether polling continued, the
journal whether results were recorded in time, and the screen how soon it is correct afterwards.
"""

import argparse
import re
import sqlite3
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tests.terminal.harness import Terminal
from tests.terminal.service import PITSTOP, Service
from tests.terminal.steps import confirm, states

USER = {"PITSTOP_USERNAME": "demo", "PITSTOP_PASSWORD": "pitstop"}
SETTINGS = {"PITSTOP_BATCH_SIZE": "1", "PITSTOP_CONFIRM_ABOVE": "100000", "PITSTOP_MOUSE": "false"}
SIZE = (120, 40)


class Result(NamedTuple):
    """The figures of one run."""

    polls: int
    gap: float
    """The longest time between two status requests, seconds."""
    behind: float
    """The greatest delay of the journal behind the end of a job, seconds."""
    verified: int
    """Servers verified in the journal when reading resumes."""
    recovery: float
    """Seconds from then until the screen shows all of them verified."""
    buffered: int
    """Bytes written after reading resumed."""


def main() -> None:
    """Run both cases, and print them side by side."""
    parser = argparse.ArgumentParser(description="A stalled terminal against one that reads.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--jobs", type=int, default=100)
    options = parser.parse_args()
    results = {
        name: run(options.jobs, options.seconds, stall)
        for name, stall in (("reads", False), ("stalls", True))
    }
    reads, stalls = results["reads"], results["stalls"]
    print(f"{options.jobs} jobs that end within {options.seconds:g} s, the terminal {SIZE[0]}x{SIZE[1]}")
    print(f"{'':44}{'reads on':>10}{'stalls':>10}")
    for what, values in {
        "status requests": [f"{one.polls}" for one in (reads, stalls)],
        "longest time between two of them, s": [f"{one.gap:.2f}" for one in (reads, stalls)],
        "servers verified in the journal at the end": [f"{one.verified}" for one in (reads, stalls)],
        "journal behind the sandbox at most, s": [f"{one.behind:.1f}" for one in (reads, stalls)],
        "screen correct after reading resumes, s": ["", f"{stalls.recovery:.2f}"],
        "bytes written after reading resumes": ["", f"{stalls.buffered:,}"],
    }.items():
        print(f"{what:44}{values[0]:>10}{values[1]:>10}")
    print(f"longest time: {stalls.gap / reads.gap:.2f} times (bound 2); screen: bound 1 s")


def run(jobs: int, seconds: float, stall: bool) -> Result:
    """Start maintenance on ``jobs`` servers, one job each, and observe for ``seconds``."""
    options = (f"--servers={jobs * 2}", f"--job-seconds={seconds * 0.1}-{seconds * 0.75}")
    with tempfile.TemporaryDirectory() as directory, Service(*options) as service:
        home = Path(directory)
        command = [*PITSTOP, "--api-url", service.url]
        with Terminal(command, size=SIZE, env={**USER, **SETTINGS}, home=home) as terminal:
            start(terminal, jobs)
            started = time.monotonic()
            if stall:
                terminal.pause()
            behind = 0.0
            while (elapsed := time.monotonic() - started) < seconds:
                behind = max(behind, journal_lag(service, home))
                if stall and elapsed < seconds / 2:
                    terminal.press("down")  # Output to fill the terminal's buffer.
                time.sleep(0.25)
            verified = states(home)["verified"]
            before, resumed_at = terminal.total_bytes, time.monotonic()
            terminal.resume()
            terminal.settle(1.0, timeout=120)  # Drawing earlier would compete with reading.
            recovery = terminal.started + terminal.first_shown(f"{jobs} verified") - resumed_at
            polls = [at for at, method, path, _ in service.requests()["log"] if "/status/" in path]
            ends = [job["ends"] for job in service.truth()["jobs"].values()]
            during = [at for at in polls if at <= max(ends)]
            gap = max(later - earlier for earlier, later in pairwise(during))
            return Result(len(polls), gap, behind, verified, recovery, terminal.total_bytes - before)


def start(terminal: Terminal, jobs: int) -> None:
    """Mark the first servers that can be put into maintenance, and start."""
    terminal.wait_for(lambda: re.search(r"Servers \S+ \d", terminal.text()))
    terminal.press(*"/maint:off power:started status:active", "enter")
    terminal.wait_for("shown")
    terminal.settle()
    terminal.press("home", *["space"] * jobs)
    terminal.wait_for(f"{jobs} marked")
    terminal.press("s")
    confirm(terminal, "Start maintenance on")


def journal_lag(service: Service, home: Path) -> float:
    """Seconds since the end of the oldest job that the journal still has as queued or executing."""
    truth = service.truth()
    db = sqlite3.connect(f"file:{home}/state/pitstop/journal.sqlite3?mode=ro", uri=True)
    try:
        rows = db.execute("SELECT DISTINCT job FROM targets WHERE state IN ('queued', 'executing')")
        open_jobs = [truth["jobs"].get(row[0]) for row in rows]
    finally:
        db.close()
    return max((truth["now"] - job["ends"] for job in open_jobs if job), default=0.0)


if __name__ == "__main__":
    main()
