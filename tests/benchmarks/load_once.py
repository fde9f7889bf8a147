"""Measure one method of loading bodies, for load.py. Prints one JSON object."""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path

from tui.api import trees
from tui.model.fleet import Fleet
from tui.model.group import DataCenter


def main(method: str, paths: list[Path]) -> None:
    """Load the bodies one after the other, keep the results, and print CPU and memory."""
    fleet = Fleet("ACME")
    kept: list[object] = []
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak
    idle = _status("VmRSS")
    cpu = 0.0
    for path in paths:
        body = path.read_bytes()
        started = time.process_time()
        if method == "json":
            kept.append(json.loads(body))
        else:
            data_center = DataCenter(path.stem)
            groups, servers = trees.group_tree(body, data_center)
            fleet.replace(data_center, groups, servers, 0.0)
        cpu += time.process_time() - started
        del body
        groups = servers = ()
    largest = max(path.stat().st_size for path in paths)
    peak = _status("VmHWM") - idle - largest
    print(json.dumps({"cpu": cpu, "peak": peak, "kept": _status("VmRSS") - idle}))


def _status(field: str) -> int:
    """A memory figure of this process, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(field)


if __name__ == "__main__":
    main(sys.argv[1], [Path(argument) for argument in sys.argv[2:]])
