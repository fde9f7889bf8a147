"""The campaign: ``python -m tests.campaign --runs 500 --seed 1``. Exit code 1 when a promise was broken.

Runs with real processes through the proxy, then the simulated runs. A run with real processes waits most
of its time: several run at once for each processor.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable

from tests.campaign import processes, run
from tests.campaign.promises import Promise

RUNS_PER_PROCESSOR = 5


def main() -> int:
    """Run them all and print the results."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--runs", type=int, default=500, help="with real processes, through the proxy")
    parser.add_argument("--simulated", type=int, default=500, help="in virtual time, killed at any step")
    parser.add_argument("--seed", type=int, default=1, help="the first run's; the others follow")
    parser.add_argument("--workers", type=int, help="runs with real processes at once")
    parser.add_argument("--verbose", action="store_true", help="a line for every run")
    arguments = parser.parse_args()
    processors = os.cpu_count() or 1
    context = multiprocessing.get_context("spawn")
    first = arguments.seed
    broken = 0
    with context.Pool(arguments.workers or RUNS_PER_PROCESSOR * processors) as pool:
        results = pool.imap_unordered(processes.run_seed, range(first, first + arguments.runs))
        broken += report_real(results, verbose=arguments.verbose) if arguments.runs else 0
    with context.Pool(min(processors, arguments.workers or processors)) as pool:
        simulated = pool.imap(run.run_seed, range(first, first + arguments.simulated))
        broken += report_simulated(simulated, verbose=arguments.verbose) if arguments.simulated else 0
    return 1 if broken else 0


def report_real(results: Iterable[processes.Result], *, verbose: bool) -> int:
    """Print the results of the runs with real processes; returns the number of violations."""
    started = time.monotonic()
    struck: Counter[str] = Counter()
    states: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    seeds: defaultdict[Promise, set[int]] = defaultdict(set)
    times: Counter[Promise] = Counter()
    for result in results:
        struck.update(result.struck)
        states.update(result.states)
        totals.update(runs=1, operations=result.operations, processes=result.processes, posts=result.posts)
        if verbose:
            print(f"seed {result.seed}: {result.states} after {result.struck}", flush=True)
        for violation in result.violations:
            if result.seed not in seeds[violation.promise]:
                print(f"seed {result.seed}: {violation}", flush=True)
            seeds[violation.promise].add(result.seed)
            times[violation.promise] += 1
    print(
        f"runs        {totals['runs']} in {time.monotonic() - started:.0f} s, {totals['processes']} processes"
    )
    print(f"operations  {totals['operations']}, {sum(states.values())} servers, {totals['posts']} POSTs")
    _print_counts(struck, states)
    print(f"{'promise':<42}{'violations':>10}  seeds")
    for promise in Promise:
        print(f"{promise:<42}{times[promise]:>10}  {' '.join(map(str, sorted(seeds[promise])))}")
    return times.total()


def report_simulated(results: Iterable[run.Result], *, verbose: bool) -> int:
    """Print the results of the simulated runs; returns the number of violations."""
    started = time.monotonic()
    struck: Counter[str] = Counter()
    states: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for result in results:
        struck.update(result.struck)
        states.update(result.states)
        totals.update(
            runs=1,
            violations=len(result.violations),
            operations=result.operations,
            posts=result.posts,
            seconds=int(result.seconds),
        )
        if verbose:
            print(f"seed {result.seed}: {result.states} after {result.struck}", flush=True)
        for violation in result.violations[:10]:
            print(f"simulated seed {result.seed}: VIOLATION: {violation}", flush=True)
    hours = totals["seconds"] / 3600
    print(f"simulated   {totals['runs']} runs, {hours:.0f} h in {time.monotonic() - started:.0f} s")
    print(f"operations  {totals['operations']}, {sum(states.values())} servers, {totals['posts']} POSTs")
    _print_counts(struck, states)
    print(f"violations  {totals['violations']}")
    return totals["violations"]


def _print_counts(struck: Counter[str], states: Counter[str]) -> None:
    print("struck      " + ", ".join(f"{name} {count}" for name, count in sorted(struck.items())))
    print("servers     " + ", ".join(f"{name} {count}" for name, count in sorted(states.items())))


if __name__ == "__main__":
    sys.exit(main())
