"""Memory and time of `pitstop report` over 100,000 rows, in each format, against an empty run.

    python -m tests.benchmarks.report [--rows 100000] [--operations 10] [--runs 1]

A row is a server of an operation; each has gone through five states, and most are still in maintenance. The
empty run is the same command on a window of one server. Memory is the peak of the resident set of a process
of its own. Linux counts in it what the process that started it had, so a small one does.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.report.journals import PLACE, fill_window

BOUND_MIB = 60
FORMATS = ("md", "csv", "json", "html")
SMALL = """
import json, resource, subprocess, sys, time
started = time.monotonic()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, used.ru_maxrss / 1024, time.monotonic() - started]))
"""
"""Starts a command and prints its exit code, its peak in MiB and its seconds."""


def main() -> None:
    """Fill the journals, run every format, and print the table."""
    parser = argparse.ArgumentParser(description="Memory and time of a report.")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--operations", type=int, default=10)
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        empty, full = Path(folder, "empty"), Path(folder, "full")
        for home, rows, operations in ((empty, 1, 1), (full, options.rows, options.operations)):
            home.mkdir(mode=0o700)
            fill_window(home / "journal.sqlite3", rows, operations)
        print(f"{options.rows:,} rows in {options.operations} operations, the highest of {options.runs} runs")
        print(f"{'':6}{'empty, MiB':>12}{'full, MiB':>12}{'above':>8}{'bound':>8}{'s':>8}")
        for form in FORMATS:
            (base, _), (peak, seconds) = (measure(home, form, options.runs) for home in (empty, full))
            print(f"{form:6}{base:12.1f}{peak:12.1f}{peak - base:8.1f}{BOUND_MIB:>8}{seconds:8.1f}")


def measure(home: Path, form: str, runs: int) -> tuple[float, float]:
    """The peak of the resident set in MiB and the seconds of a report, each the highest of ``runs``."""
    command = [sys.executable, "-c", SMALL, sys.executable, "-m", "tui", "report", "--format", form]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PITSTOP_")}
    environ |= {"PITSTOP_HOME": str(home), "PITSTOP_API_URL": PLACE}
    found = []
    for _ in range(runs):
        done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
        code, peak, seconds = json.loads(done.stdout)
        if code:
            sys.exit(f"pitstop report ended with {code}: {done.stderr}")
        found.append((peak, seconds))
    return max(peak for peak, _ in found), max(seconds for _, seconds in found)


if __name__ == "__main__":
    main()
