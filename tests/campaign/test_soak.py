"""Days of operations in virtual time: memory, files, threads and the journal do not grow with them."""

from pathlib import Path

import pytest

from tests.benchmarks.soak import simulate
from tests.engine.clock import run
from tui.engine.journal import writer as journal
from tui.model import retention


def test_days_of_operations_do_not_grow_memory_files_or_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal keeps 20 operations instead of 1,000 here, so that it is full after the first day."""
    monkeypatch.setattr(retention, "KEEP_OPERATIONS", 20)
    monkeypatch.setattr(journal, "PRUNE_EVERY", 5)
    samples = run(lambda clock: simulate(clock, tmp_path, days=3, operations=25, servers=40))
    assert [sample.operations for sample in samples] == sorted({sample.operations for sample in samples})
    first, last = samples[0], samples[-1]
    assert last.operations > first.operations + 40
    assert last.objects < first.objects + 1_000, "for 50 more operations"
    assert last.files == first.files
    assert last.threads == first.threads
    assert last.tasks == first.tasks == 1
    assert last.journal < first.journal * 1.3
