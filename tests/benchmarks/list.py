"""The server list against a plain DataTable of five columns, in a real PTY of 120x40.

``python -m tests.benchmarks.list [--quick] [--idle SECONDS]``. Only ratios count: machines are noisy. A
latency is the time from the key to the last byte of its output, the median of several presses.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.list_host import NEEDLE, make_fleet
from tests.terminal.harness import Terminal
from tui.model.filter.query import Scope, parse
from tui.model.listing.catalog import Catalog

QUIET = 0.4
"""Seconds without a byte after which an answer is complete."""
PATIENCE = 300.0
FIRST_ROW = "GB3ACMEWEB0"
KEYS = {
    "cursor down": ("down",), "mark one": ("space",), "one cell": ("c",), "page": ("pagedown",),
    "mark all": ("a",), "sort": ("o",), "filter": ("f",), "clear filter": ("F",),
}  # fmt: skip


class Figures(NamedTuple):
    """The figures of one program with one number of rows."""

    latency: dict[str, float]
    """Milliseconds."""
    work: dict[str, float]
    """Milliseconds of processor time; the same on a busy machine."""
    size: dict[str, int]
    """Bytes."""


def measure(kind: str, rows: int, times: int) -> Figures:
    """Press all keys in one program, and measure each."""
    latency: dict[str, float] = {}
    work: dict[str, float] = {}
    size: dict[str, int] = {}
    command = (sys.executable, "-m", "tests.benchmarks.list_host", kind, str(rows))
    with Terminal(command, env={"COLORTERM": "truecolor"}) as terminal:
        terminal.wait_for(FIRST_ROW, timeout=PATIENCE)
        work["first paint"] = terminal.cpu_seconds() * 1000
        latency["first paint"] = terminal.first_shown(FIRST_ROW) * 1000
        terminal.settle(1.0, PATIENCE)
        time.sleep(2 if kind == "pitstop" else 0)
        terminal.press("down")
        terminal.settle(0.5)
        for name, keys in KEYS.items():
            once = name in {"mark all", "sort", "filter", "clear filter"}
            answers = [answer(terminal, keys) for _ in range(1 if once else times)]
            latency[name] = statistics.median(took for took, _, _ in answers) * 1000
            work[name] = statistics.median(spent for _, spent, _ in answers) * 1000
            size[name] = int(statistics.median(count for _, _, count in answers))
        return Figures(latency, work, size)


def stream(kind: str, seconds: float) -> tuple[float, float]:
    """Percent of a core, and bytes a second, at 500 updates a second of visible rows, of 1,000."""
    command = (sys.executable, "-m", "tests.benchmarks.list_host", kind, "1000")
    with Terminal(command, env={"COLORTERM": "truecolor"}) as terminal:
        terminal.wait_for(FIRST_ROW, timeout=PATIENCE)
        terminal.settle(1.0, PATIENCE)
        terminal.press("g")
        time.sleep(0.5)
        before, cpu, at = terminal.total_bytes, terminal.cpu_seconds(), time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - at
        return (terminal.cpu_seconds() - cpu) / took * 100, (terminal.total_bytes - before) / took


def table_memory(rows: int) -> tuple[float, float]:
    """Resident memory of a DataTable alone, 2 s after its first paint, and its peak; MiB."""
    command = (sys.executable, "-m", "tests.benchmarks.list_host", "rows", str(rows))
    with Terminal(command) as terminal:
        terminal.wait_for(FIRST_ROW, timeout=PATIENCE)
        time.sleep(2)
        return terminal.memory_mib(), terminal.memory_mib("VmHWM")


def console_memory(rows: int) -> tuple[float, float]:
    """The same for the whole console, which reads its servers from a sandbox over HTTP."""
    command = (sys.executable, "-m", "tui", "sandbox", "--port", "0", "--servers", str(rows))
    login = {"PITSTOP_USERNAME": "demo", "PITSTOP_PASSWORD": "pitstop"}
    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as sandbox,
    ):
        try:
            assert sandbox.stdout is not None
            console = (sys.executable, "-m", "tui", "--api-url", sandbox.stdout.readline().split()[-1])
            with Terminal(console, env=login, home=Path(home)) as terminal:
                terminal.wait_for(f"Servers ── {rows:,}", timeout=PATIENCE)
                time.sleep(2)
                return terminal.memory_mib(), terminal.memory_mib("VmHWM")
        finally:
            sandbox.terminate()


def answer(terminal: Terminal, keys: Sequence[str]) -> tuple[float, float, int]:
    """Press keys; seconds to the last byte of output, processor time, and bytes of output."""
    terminal.settle(QUIET, PATIENCE)
    before, cpu, at = terminal.total_bytes, terminal.cpu_seconds(), time.monotonic()
    terminal.press(*keys)
    terminal.wait_for(lambda: terminal.total_bytes > before, timeout=PATIENCE)
    terminal.settle(QUIET, PATIENCE)
    return terminal.last_byte_at - at, terminal.cpu_seconds() - cpu, terminal.total_bytes - before


def idle(kind: str, seconds: float) -> tuple[int, float]:
    """Bytes and milliseconds of processor time in ``seconds`` without input."""
    with Terminal((sys.executable, "-m", "tests.benchmarks.list_host", kind, "1000")) as terminal:
        terminal.wait_for(FIRST_ROW)
        terminal.settle(2.0)
        before, cpu = terminal.total_bytes, terminal.cpu_seconds()
        time.sleep(seconds)
        return terminal.total_bytes - before, (terminal.cpu_seconds() - cpu) * 1000


def best(what: Callable[[], object], times: int = 7) -> float:
    """The shortest processor time of ``what`` in several runs, in milliseconds."""
    taken = []
    for _ in range(times):
        started = time.process_time()
        what()
        taken.append(time.process_time() - started)
    return min(taken) * 1000


def filters(rows: int) -> list[tuple[str, float, float]]:
    """(filter, milliseconds, times the bare list comprehension over the same rows)."""
    catalog = Catalog(make_fleet(rows))
    texts = list(catalog.texts())
    bare = best(lambda: [text for text in texts if NEEDLE in text])
    found = [("[text for text in texts if needle in text]", bare, 1.0)]
    for text in (
        NEEDLE,
        f"{NEEDLE} web",
        f"!{NEEDLE}",
        "power:stopped",
        "maint:on",
        "cpu:>=6",
        "mem:<4g",
        'group:"Team 7"',
        "description:batch07",
        "power:stopped or maint:on",
        "(web or db) !power:stopped cpu:2..4",
    ):
        query = parse(text)
        took = best(lambda query=query: query.bind(Scope(catalog))(range(len(catalog))))  # type: ignore[misc]
        found.append((text, took, took / bare))
    return found


def row(name: str, *values: float, bound: str = "") -> None:
    """Print a line of a table."""
    print(
        f"{name:44}" + "".join(f"{value:12,.2f}" for value in values) + (f"   {bound}" if bound else ""),
        flush=True,
    )


BOUNDS = {
    "first paint": 0.07,
    "mark one": 0.02,
    "mark all": 0.02,
    "sort": 0.10,
    "filter": 0.12,
    "clear filter": 0.02,
}
SIZES = {"cursor down": 0.45, "mark one": 0.05, "one cell": 0.02, "page": 0.6}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run all and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10,000 rows instead of 100,000, fewer presses")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds without input")
    options = parser.parse_args(arguments)
    small, large = 1000, 10_000 if options.quick else 100_000
    times, seconds = (5, 3.0) if options.quick else (15, 10.0)
    few, many = (measure("pitstop", rows, times) for rows in (small, large))
    table = measure("datatable", large, times)

    heads = f"{f'{small:,}':>12}{f'{large:,}':>12}{'x':>12}{'CPU':>12}{'CPU':>12}{'x':>12}"
    print(f"\nLatency and CPU, ms{'':25}{heads}")
    for name, value in many.latency.items():
        flat = name in {"cursor down", "mark one", "one cell", "mark all"}
        before, work, work_before = few.latency[name], many.work[name], few.work[name]
        bound = "at most 1.25" if flat else ""
        row(name, before, value, value / before, work_before, work, work / work_before, bound=bound)
    heads = f"{'DataTable':>12}{'Pitstop':>12}{'x':>12}{'CPU':>12}{'CPU':>12}{'x':>12}"
    print(f"\nAgainst DataTable at {f'{large:,}, ms':23}{heads}")
    for name, value in many.latency.items():
        other, work, other_work = table.latency[name], many.work[name], table.work[name]
        bound = f"at most {BOUNDS[name]}" if name in BOUNDS else ""
        row(name, other, value, value / other, other_work, work, work / other_work, bound=bound)
    print(f"\nBytes{'':39}{'DataTable':>12}{'Pitstop':>12}{'x':>12}")
    for name, count in many.size.items():
        bound = f"at most {SIZES[name]}" if name in SIZES else ""
        row(name, table.size[name], count, count / table.size[name], bound=bound)
    (table_now, _), (console_now, peak) = table_memory(large), console_memory(large)
    print(f"\nMemory 2 s after {large:,} servers were loaded, MiB; the console reads them over HTTP")
    row(
        "DataTable of five columns, console, x",
        table_now,
        console_now,
        console_now / table_now,
        bound="at most 1.2",
    )
    row("peak of the console", peak)
    (busy, sent), (our_busy, our_sent) = stream("datatable", seconds), stream("pitstop", seconds)
    print("\n500 updates a second of visible rows, of 1,000")
    row("% of a core", busy, our_busy, our_busy / busy, bound="at most 0.2")
    row("bytes a second", sent, our_sent, our_sent / sent, bound="at most 0.2")
    print(
        f"\nFilters over {large:,} rows, CPU{'':14}{'ms':>12}{'x bare':>12}   at most 2 (words), 5 (fields)"
    )
    for name, took, ratio in filters(large):
        row(name, took, ratio)
    span = min(options.idle, 5.0) if options.quick else options.idle
    (_, least), (sent, spent) = idle("static", span), idle("pitstop", span)
    print(f"\n{span:g} s without input")
    row("bytes", sent, bound="0")
    row("CPU, ms: one Static, Pitstop, x", least, spent, spent / max(least, 0.001), bound="at most 1.2")


if __name__ == "__main__":
    main()
