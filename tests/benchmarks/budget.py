"""The rate of requests of several processes of one user, counted by the sandbox that receives them.

    python -m tests.benchmarks.budget [--processes 3] [--requests 400] [--rate 20] [--burst 40] [--apart]

With ``--apart`` each process has a state folder of its own, so that they share no budget.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.patience import PATIENCE
from tests.terminal.service import Service
from tui.engine.endpoint import Endpoint
from tui.engine.journal.writer import JournalWriter
from tui.engine.service import EngineService


def send_together(
    homes: list[Path], *, requests: int, rate: float, burst: int, user: str = "demo"
) -> list[float]:
    """Run one process for each home, each with ``requests`` at once; the times of reception, in seconds."""
    with Service("--servers=10") as service:
        options = [service.url, user, str(requests), str(rate), str(burst)]
        workers = [
            subprocess.Popen([sys.executable, "-m", "tests.benchmarks.budget", "--work", str(home), *options])
            for home in homes
        ]
        for worker in workers:
            assert worker.wait(10 * PATIENCE) == 0
        return sorted(entry[0] for entry in service.requests()["log"])


async def work(home: Path, url: str, user: str, requests: int, rate: float, burst: int) -> None:
    """Log in, then send ``requests`` reads at once."""
    endpoint = Endpoint("sandbox", url, requests_per_second=rate, burst=burst)
    service = EngineService(journal=JournalWriter(home / "journal.sqlite3"), emit=lambda _: None)
    await service.login(endpoint, user, "pitstop")
    reads = [service.session.read(lambda api: api.data_centers("ACME")) for _ in range(requests)]
    await asyncio.gather(*reads)
    await service.close()


def worst_second(times: list[float]) -> int:
    """The largest number of requests received within one second."""
    return max(sum(1 for at in times if start <= at < start + 1) for start in times)


def main() -> None:
    """Send the requests, and print the rates."""
    parser = argparse.ArgumentParser(description="Requests a second of several processes together.")
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--burst", type=int, default=40)
    parser.add_argument("--apart", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        names = [str(number) if options.apart else "all" for number in range(options.processes)]
        homes = [Path(folder, name) for name in names]
        times = send_together(homes, requests=options.requests, rate=options.rate, burst=options.burst)
    took = times[-1] - times[0]
    later = [at for at in times if at > times[0] + options.burst / options.rate]
    print(f"{len(times)} requests in {took:.1f} s: {len(times) / took:.1f} a second, ", end="")
    print(f"worst second {worst_second(times)}, worst after the burst {worst_second(later)}; ", end="")
    print(f"allowed are {options.burst} at once and {options.rate:g} a second")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        home, url, user, requests, rate, burst = sys.argv[2:]
        asyncio.run(work(Path(home), url, user, int(requests), float(rate), int(burst)))
    else:
        main()
