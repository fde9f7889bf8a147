"""CPU and memory of loading 100,000 servers, compared with ``json.loads`` of the same bytes.

    python -m tests.benchmarks.load [--servers N] [--runs N]

The bodies are the group trees of a sandbox, as its HTTP interface sends them. Each method of loading runs in
a process of its own, reads one body at a time and keeps the result:

- json.loads: the plain objects
- pitstop: trees.group_tree and Fleet.replace, as in the console

CPU is the process's own time. Memory is the highest resident set beyond that of the idle process and the
largest body; "kept" is what is still resident after the bodies are freed. The lowest of the runs counts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tui.api import wire

BOUND_CPU = 0.5
BOUND_PEAK = 0.25


def main() -> None:
    """Make the bodies, measure each method in its own processes, and print the table."""
    parser = argparse.ArgumentParser(description="Cost of loading servers, against json.loads.")
    parser.add_argument("--servers", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bodies = asyncio.run(_bodies(options.servers, Path(folder)))
        sizes = [path.stat().st_size for path in bodies]
        print(f"{options.servers:,} servers in {len(bodies)} trees of {_mb(max(sizes))} at most, ", end="")
        print(f"{_mb(sum(sizes))} in all; best of {options.runs}")
        results = {method: _measure(method, bodies, options.runs) for method in ("json", "pitstop")}
    reference, ours = results["json"], results["pitstop"]
    print(f"{'':22}{'json.loads':>12}{'pitstop':>12}{'ratio':>9}{'bound':>8}")
    for key, title, unit, bound in (
        ("cpu", "CPU, s", 1.0, f"{BOUND_CPU}"),
        ("peak", "peak memory, MiB", 2**20, f"{BOUND_PEAK}"),
        ("kept", "kept memory, MiB", 2**20, ""),
    ):
        theirs, mine = reference[key] / unit, ours[key] / unit
        print(f"{title:22}{theirs:12.2f}{mine:12.2f}{mine / theirs:8.2f}x{bound:>8}")
    print(f"{'kept, bytes a server':22}{'':12}{ours['kept'] / options.servers:12.0f}")


async def _bodies(servers: int, folder: Path) -> list[Path]:
    """The group trees of a sandbox's fleet, each in a file."""
    import httpx

    from tui.sandbox.app import create_app
    from tui.sandbox.config import SandboxConfig

    transport = httpx.ASGITransport(create_app(SandboxConfig(servers=servers)))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox/v2", timeout=None) as http:
        login = await http.post("/authentication/login", json={"username": "demo", "password": "pitstop"})
        http.headers = httpx.Headers(
            {"Authorization": f"Bearer {login.json()['bearerToken']}", "Accept-Encoding": "identity"}
        )
        listed = await http.get("/datacenters/ACME?groupLinks=true")
        paths = []
        for center in wire.data_centers(listed.content):
            tree = await http.get(f"/groups/ACME/{center.root_group_id}?serverDetail=detailed")
            paths.append(folder / f"{center.id}.json")
            paths[-1].write_bytes(tree.content)
    return paths


def _measure(method: str, bodies: list[Path], runs: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.load_once", method, *map(str, bodies)]
    found = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(runs)
    ]
    return {key: min(one[key] for one in found) for key in found[0]}


def _mb(size: float) -> str:
    return f"{size / 1e6:.1f} MB"


if __name__ == "__main__":
    main()
