"""A terminal that stops reading for a minute while 100 jobs end, against one that reads on.

    python -m tests.benchmarks.stall [--seconds 60] [--jobs 100]

The console in a PTY, a sandbox over HTTP. The sandbox's log shows whether polling went on, the journal
whether what was learnt was written down meanwhile, the screen how soon it is right again.
"""

import argparse
import re
import sqlite3
import tempfile
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tests.terminal.harness import Terminal
from tests.terminal.service import PITSTOP, Service
from tests.terminal.steps import confirm

USER = {"PITSTOP_USERNAME": "demo", "PITSTOP_PASSWORD": "pitstop"}
SETTINGS = {"PITSTOP_BATCH_SIZE": "1", "PITSTOP_CONFIRM_ABOVE": "100000", "PITSTOP_MOUSE": "false"}
SIZE = (120, 40)


class Seen(NamedTuple):
    """What one run showed."""

    polls: int
    gap: float
    """The longest time between two status requests, seconds."""
    behind: float
    """How late the journal had the newest end of a job at worst, seconds."""
    verified: int
    """In the journal when the terminal was read again."""
    right_after: float
    """Seconds from reading again until the screen shows them all verified."""
    waiting: int
    """Bytes that came at once when the terminal was read again."""


def main() -> None:
    """Run both, and print them side by side."""
    parser = argparse.ArgumentParser(description="A stalled terminal against one that reads.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--jobs", type=int, default=100)
    options = parser.parse_args()
    seen = {
        name: run(options.jobs, options.seconds, stall)
        for name, stall in (("reads", False), ("stalls", True))
    }
    reads, stalls = seen["reads"], seen["stalls"]
    print(f"{options.jobs} jobs that end within {options.seconds:g} s, the terminal {SIZE[0]}x{SIZE[1]}")
    print(f"{'':44}{'reads on':>10}{'stalls':>10}")
    for what, values in {
        "status requests": [f"{one.polls}" for one in (reads, stalls)],
        "longest time between two of them, s": [f"{one.gap:.2f}" for one in (reads, stalls)],
        "servers verified in the journal at the end": [f"{one.verified}" for one in (reads, stalls)],
        "journal behind the sandbox at most, s": [f"{one.behind:.1f}" for one in (reads, stalls)],
        "screen right after reading again, s": ["", f"{stalls.right_after:.2f}"],
        "bytes that had waited": ["", f"{stalls.waiting:,}"],
    }.items():
        print(f"{what:44}{values[0]:>10}{values[1]:>10}")
    print(f"longest time: {stalls.gap / reads.gap:.2f} times (bound 2); screen: bound 1 s")


def run(jobs: int, seconds: float, stall: bool) -> Seen:
    """Start maintenance on ``jobs`` servers, one job each, and look on for ``seconds``."""
    options = (f"--servers={jobs * 2}", f"--job-seconds={seconds * 0.1}-{seconds * 0.75}")
    with tempfile.TemporaryDirectory() as directory, Service(*options) as service:
        home = Path(directory)
        command = [*PITSTOP, "--api-url", service.url]
        with Terminal(command, size=SIZE, env={**USER, **SETTINGS}, home=home) as terminal:
            start(terminal, jobs)
            begun = time.monotonic()
            if stall:
                terminal.pause()
            behind = 0.0
            while (gone := time.monotonic() - begun) < seconds:
                behind = max(behind, lag(service, home))
                if stall and gone < seconds / 2:
                    terminal.press("down")  # Work for the screen, so that its buffer is full for sure.
                time.sleep(0.25)
            verified = states(home)["verified"]
            before, again = terminal.total_bytes, time.monotonic()
            terminal.go_on()
            terminal.settle(1.0, timeout=120)  # Drawn only then: drawing would compete with reading.
            right_after = terminal.started + terminal.first_shown(f"{jobs} verified") - again
            polls = [at for at, method, path, _ in service.requests()["log"] if "/status/" in path]
            ends = [job["ends"] for job in service.truth()["jobs"].values()]
            during = [at for at in polls if at <= max(ends)]
            gap = max(later - earlier for earlier, later in pairwise(during))
            return Seen(len(polls), gap, behind, verified, right_after, terminal.total_bytes - before)


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


def states(home: Path) -> Counter[str]:
    """What the journal says now: state -> servers."""
    db = sqlite3.connect(f"file:{home}/state/pitstop/journal.sqlite3?mode=ro", uri=True)
    try:
        return Counter(dict(db.execute("SELECT state, count(*) FROM targets GROUP BY state")))
    finally:
        db.close()


def lag(service: Service, home: Path) -> float:
    """How long ago the oldest job ended that the journal does not know to have ended, seconds."""
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
