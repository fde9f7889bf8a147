"""SIGKILL at each fsync, write, send and receive of one operation: ``python -m tests.campaign.kills``.

One operation is traced first, to count its calls of each kind. Then it is carried out once for each call:
killed at that call, resumed with `resume --send-rest`, and judged like every run of the campaign. Exit code 1
when a promise was broken.

strace sends the SIGKILL. Wrappers of Python functions would not do: the calls that matter are made by SQLite,
in C. A call is counted in its thread, as strace does; where two threads make the same call, the first that
reaches the number kills the process. The call at which the process is killed is not carried out.
"""

import argparse
import multiprocessing
import os
import re
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import tools
from tests.campaign.processes import Result, carry_out
from tests.campaign.script import Command, Process, Script

CALLS = ("fsync", "fdatasync", "pwrite64", "write", "sendto", "recvfrom")
"""How Python and SQLite write files, sync them, and speak to the endpoint, on Linux."""

NEVER = 65_535
"""The highest number that strace counts to."""

Point = tuple[str, int]
"""A system call, and which of them in its thread, from 1."""


def script(point: Point) -> Script:
    """One operation, whose process is killed at a point."""
    return Script(
        seed=3, servers=30, batch_size=3, processes=(Process(command=Command.START, killed_at=point),)
    )


def points(home: Path) -> list[Point]:
    """All points to kill at, from the trace of an operation that is not killed."""
    result = carry_out(script((",".join(CALLS), NEVER)), home)
    assert not result.violations, result.violations
    return points_of((home / "trace").read_text(errors="replace"))


def points_of(trace: str) -> list[Point]:
    """The points of a trace: each call with each of its numbers, up to the highest of any thread."""
    seen = Counter(re.findall(r"^(\d+) +(\w+)\(", trace, re.MULTILINE))
    most = {
        call: max((count for (_, name), count in seen.items() if name == call), default=0) for call in CALLS
    }
    return [(call, number) for call in CALLS for number in range(1, most[call] + 1)]


def kill_at(point: Point) -> tuple[Point, Result]:
    """Kill an operation at a point, resume it, and judge the run."""
    with TemporaryDirectory() as directory:
        return point, carry_out(script(point), Path(directory))


def main() -> int:
    """Kill at every point and print the results."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.kills", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="kill at every n-th point only")
    parser.add_argument("--workers", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--verbose", action="store_true", help="a line for every kill")
    arguments = parser.parse_args()
    if tools.missing(["strace"]):
        print(tools.advice(["strace"]), file=sys.stderr)
        return 2
    started = time.monotonic()
    with TemporaryDirectory() as directory:
        chosen = points(Path(directory))[:: arguments.every]
    killed: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    states: Counter[str] = Counter()
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        for (call, number), result in pool.imap_unordered(kill_at, chosen):
            killed[call] += result.struck.get("killed", 0)
            broken[call] += len(result.violations)
            states.update(result.states)
            if arguments.verbose:
                print(f"{call} {number}: {result.states}, {result.posts} POSTs", flush=True)
            for violation in result.violations:
                print(f"{call} {number}: VIOLATION: {violation}", flush=True)
    print(f"{'call':<12}{'points':>8}{'killed':>8}{'violations':>12}")
    for call in CALLS:
        print(f"{call:<12}{sum(name == call for name, _ in chosen):>8}{killed[call]:>8}{broken[call]:>12}")
    print(f"{'all':<12}{len(chosen):>8}{killed.total():>8}{broken.total():>12}")
    print("servers     " + ", ".join(f"{name} {count}" for name, count in sorted(states.items())))
    print(f"time        {time.monotonic() - started:.0f} s")
    return 1 if broken.total() else 0


if __name__ == "__main__":
    sys.exit(main())
