"""Fills a journal with many operations; calls its batch methods for a single operation."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tests.engine.cloud import ENDPOINT
from tui.engine.journal.owner import Owner
from tui.engine.journal.writer import JournalWriter
from tui.model.operation import Target


def fill(path: Path, operations: int, servers: int, *, started: float) -> None:
    """Write operations whose owner died after their jobs had ended, each on servers of its own."""
    journal = JournalWriter(path, owner=Owner("here", 1, "then"), now=lambda: started)
    with closing(journal), journal.database.writing() as db:
        db.execute(
            "INSERT INTO windows VALUES ('win-1', ?, 'ACME', 'op', '', ?, NULL, NULL)",
            (ENDPOINT.key, started),
        )
        for number in range(operations):
            key = db.execute(
                "INSERT INTO operations (id, window, action, reason, started, heartbeat) VALUES"
                " (?, 'win-1', 'startMaintenance', '', ?, 0)",
                (f"op-{number}", started),
            ).lastrowid
            db.execute(
                "INSERT INTO batches (operation, position, wave, data_center, submitted)"
                " VALUES (?, 0, 0, 'WA1', ?)",
                (key, started),
            )
            db.executemany(
                "INSERT INTO targets (operation, batch, server, state, at, job, message)"
                " VALUES (?, 0, ?, 'succeeded', ?, '', '')",
                [(key, f"WA1ACME{number * servers + one:05}", started) for one in range(servers)],
            )


def claim(journal: JournalWriter, operation_id: str) -> bool:
    """Claim an operation; False when its owner still runs or when it has ended."""
    ((mine, _),) = journal.claim_all([operation_id])
    return mine


def record(journal: JournalWriter, operation_id: str, targets: Sequence[Target]) -> bool:
    """Record transitions; False when another process has claimed the operation."""
    return not journal.record_all([(operation_id, targets)])
