"""The campaign: ``python -m tests.campaign --runs 500 --seed 1``. Exit code 1 when a promise was broken."""

import argparse
import itertools
import multiprocessing
import os
import sys
import time
from collections import Counter

from tests.campaign import processes
from tests.campaign.run import run_seed


def main() -> int:
    """Run them all and say what was seen."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1, help="the first run's; the others follow")
    parser.add_argument("--real", type=int, default=20, help="so many more with real processes, over HTTP")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--verbose", action="store_true", help="a line for every run")
    arguments = parser.parse_args()
    seeds = range(arguments.seed, arguments.seed + arguments.runs)
    begun = time.monotonic()
    faults: Counter[str] = Counter()
    states: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        virtual = pool.imap(run_seed, seeds)
        real = pool.imap(processes.run_seed, range(arguments.seed, arguments.seed + arguments.real))
        for result in itertools.chain(virtual, real):
            faults.update(result.struck)
            states.update(result.states)
            totals.update(
                violations=len(result.violations),
                operations=result.operations,
                posts=result.posts,
                seconds=int(result.seconds),
            )
            if arguments.verbose:
                print(f"seed {result.seed}: {result.states} after {result.struck}", flush=True)
            for violation in result.violations[:10]:
                print(f"seed {result.seed}: VIOLATION: {violation}", flush=True)
    print(f"runs        {arguments.runs} from seed {arguments.seed} on, {arguments.real} with real processes")
    print(f"operations  {totals['operations']}, {sum(states.values())} servers, {totals['posts']} POSTs")
    print(f"time        {totals['seconds'] / 3600:.0f} h simulated in {time.monotonic() - begun:.0f} s")
    print("struck      " + ", ".join(f"{name} {count}" for name, count in sorted(faults.items())))
    print("servers     " + ", ".join(f"{name} {count}" for name, count in sorted(states.items())))
    print(f"violations  {totals['violations']}")
    return 1 if totals["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
