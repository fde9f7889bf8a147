"""CPU and size of a large journal: many unfinished operations resumed, and job statuses that keep changing.

python -m tests.benchmarks.journal [--operations 50000] [--servers 1] [--words 200]
"""

import argparse
import asyncio
import tempfile
import time
from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from tests.engine.cloud import ENDPOINT, PASSWORD, Cloud
from tests.engine.journals import fill, record
from tui.engine.clock import SystemClock
from tui.engine.journal.owner import Owner
from tui.engine.journal.writer import JournalWriter
from tui.engine.service import EngineService
from tui.model.operation import Action, Operation, State, Target
from tui.model.plan import Batch, Plan
from tui.model.window import Window

PLACE = "https://cloud.example"


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description="CPU and bytes of a large journal.")
    parser.add_argument("--operations", type=int, default=50_000)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--words", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "unfinished.sqlite3")
        fill(path, options.operations, options.servers, started=time.time() - 7_200)
        started, cpu = time.monotonic(), time.process_time()
        unfinished = asyncio.run(resume(path, options.operations * options.servers))
        print(
            f"resume of {options.operations:,} unfinished operations: {time.monotonic() - started:.1f} s, "
            f"{time.process_time() - cpu:.1f} s of CPU; {unfinished} are unfinished"
        )
        size = change_words(Path(folder, "words.sqlite3"), 1_000, options.words)
        print(f"1,000 servers, {options.words} statuses of 4 kB each: {size / 2**20:.1f} MiB of journal")


async def resume(path: Path, servers: int) -> int:
    """Resume all operations; returns how many are unfinished after that."""
    clock = SystemClock()
    cloud = Cloud(clock, servers=servers)
    cloud.servers = {id_: replace(server, maintenance=True) for id_, server in cloud.servers.items()}
    journal = JournalWriter(
        path, owner=Owner("here", 2, "then"), alive=lambda owner, age: False, now=clock.now
    )
    service = EngineService(journal=journal, emit=lambda _: None, clock=clock, connect=cloud.connect)
    await service.login(ENDPOINT, "op", PASSWORD)
    await service.inventory.refresh()
    await service.operations.resume()
    unfinished = await service.unfinished()
    await service.close()
    return sum(unfinished.values())


def change_words(path: Path, servers: int, words: int) -> int:
    """Record a new long status for every server ``words`` times; returns the size of the journal in bytes."""
    ids = tuple(f"WA1ACME{number:05}" for number in range(servers))
    with closing(JournalWriter(path)) as journal:
        plan = Plan(Action.START_MAINTENANCE, (Batch(0, 0, "WA1", ids),))
        operation = Operation("op-1", plan.action, ids)
        journal.create(operation, plan, Window("win-1", PLACE, "ACME", "op", 0.0), was_in_maintenance={})
        journal.record_intent("op-1", plan.batches[0], [Target(id_, State.SUBMITTING) for id_ in ids])
        for number in range(words):
            word = f"{number} " + 4_000 * "w"
            record(journal, "op-1", [Target(id_, State.EXECUTING, number, "wa1-1", word) for id_ in ids])
    return sum(file.stat().st_size for file in path.parent.glob(path.name + "*"))


if __name__ == "__main__":
    main()
