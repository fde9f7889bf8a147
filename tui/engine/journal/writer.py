"""Writes the journal: what is requested of the platform, and what becomes of it.

The intent of a request is committed before the request leaves, and every transition of a server is one
row. An operation belongs to the process that claimed it last: each claim raises its generation (a fencing
token), and intents and outcomes are written for the newest one only. For one thread, see ``JournalThread``.
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import NamedTuple

import msgspec

from tui.engine.errors import TAKEN_OVER, JournalError, OwnershipLost, ServersBusy, StopRequested
from tui.engine.journal.history import WINDOW
from tui.engine.journal.owner import Owner, is_alive, uptime
from tui.engine.journal.reader import JournalReader, StoredOperation
from tui.engine.journal.retries import later_targets
from tui.model.operation import Action, Operation, State, Target
from tui.model.plan import Batch, Plan
from tui.model.text import named
from tui.model.window import Window

PRUNE_EVERY = 100
"""Ended operations after which the journal is pruned again, for consoles that stay open for weeks.

A tenth of all operations when that is more: pruning reads them all.
"""


class Claim(NamedTuple):
    """A claim of this process to an operation."""

    generation: int
    """The fencing token: the same process may have claimed it before, or may later."""
    keys: dict[str, int]
    """Server -> the key of its target."""


class JournalWriter(JournalReader):
    """Writes and reads one file. Methods raise JournalError unless stated otherwise."""

    def __init__(
        self,
        path: Path,
        *,
        owner: Owner | None = None,
        alive: Callable[[Owner, float], bool] = is_alive,
        now: Callable[[], float] = time.time,
        uptime: Callable[[], tuple[str, float]] = uptime,
    ) -> None:
        super().__init__(path, owner=owner, alive=alive, now=now, uptime=uptime)
        self.claims: dict[str, Claim] = {}
        """Operation id -> the claim of this process."""
        self._ended = self._kept = 0
        """Operations that ended since the journal was pruned, and those that were in it then."""

    # One operation, as its owner

    def create(
        self,
        operation: Operation,
        plan: Plan,
        window: Window,
        *,
        was_in_maintenance: Mapping[str, bool | None],
        max_failed: int | None = None,
    ) -> None:
        """Commit a new operation with all its servers; this process becomes its owner.

        The window is stored too; one that is known gets the planned end, if there is one.

        Raises:
            ServersBusy: some of its servers are still under way in another operation, or it is a retry and
                another operation has them since.
            JournalError: it is not on disk, so nothing of it may be sent.
        """
        with self.database.writing() as db:
            self._check_not_busy(db, window, plan)
            self._check_not_retried(db, operation)
            _insert_window(db, window)
            key = db.execute(
                "INSERT INTO operations"
                " (id, window, action, reason, max_failed, started, owner, heartbeat, retry_of)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    operation.id,
                    window.id,
                    operation.action,
                    operation.reason,
                    max_failed,
                    operation.started,
                    self._owner_text,
                    self._now(),
                    operation.retry_of,
                ),
            ).lastrowid
            db.executemany(
                "INSERT INTO batches (operation, position, wave, data_center) VALUES (?, ?, ?, ?)",
                [(key, batch.index, batch.wave, batch.data_center) for batch in plan.batches],
            )
            db.executemany(
                "INSERT INTO targets (operation, batch, server, was_in_maintenance, state, at, job, message)"
                " VALUES (?, ?, ?, ?, ?, ?, '', '')",
                [
                    (key, batch.index, id_, was_in_maintenance.get(id_), State.PLANNED, operation.started)
                    for batch in plan.batches
                    for id_ in batch.server_ids
                ],
            )
            self._note_claim(db, operation.id)

    def record_intent(self, operation_id: str, batch: Batch, targets: Iterable[Target]) -> None:
        """Commit the intent to send a batch. The request may leave only after this returns.

        Raises:
            OwnershipLost: another process has claimed the operation.
            StopRequested: another console requested that nothing more is sent.
            JournalError: the intent is not on disk.
        """
        rows = self._outcomes(operation_id, targets)
        with self.database.writing() as db:
            self._check_may_send(db, operation_id)
            db.execute(
                "UPDATE batches SET submitted = ?, uptime = ? WHERE position = ?"
                " AND operation = (SELECT key FROM operations WHERE id = ?)",
                (self._now(), "{} {}".format(*self._uptime()), batch.index, operation_id),
            )
            db.executemany(_INSERT_OUTCOME, rows)

    def check_may_send(self, operation_id: str) -> None:
        """Check that a request may still leave, which may be long after its intent was committed.

        Raises:
            OwnershipLost: another process has claimed the operation.
            StopRequested: another console requested that nothing more is sent.
            JournalError: the journal cannot be read.
        """
        with self.database.reading() as db:
            self._check_may_send(db, operation_id)

    def record_all(self, changes: Sequence[tuple[str, Sequence[Target]]]) -> Set[str]:
        """Record transitions of servers, each with the id of its operation, in one transaction.

        When they cannot be written now, they are kept and written as soon as possible; ``database.problem``
        reports it meanwhile. A full disk must not end tracking. Never raises JournalError.

        Returns:
            The ids of the operations that another process has claimed; their transitions are dropped.
        """
        rows = {id_: list[tuple[object, ...]]() for id_, _ in changes}
        for id_, targets in changes:
            rows[id_] += self._outcomes(id_, targets)
        try:
            with self.database.writing(patient=False) as db:
                lost = {id_ for id_ in rows if not self._owns(db, id_)}
                new = [row for id_ in rows if id_ not in lost for row in rows[id_]]
                db.executemany(_INSERT_OUTCOME, new)
                db.executemany(_DELETE_OLD_STATUSES, [row[:2] for row in new if row[1] is State.EXECUTING])
            return lost
        except JournalError:
            kept = [(*row, *self._claim_of(id_)) for id_ in rows for row in rows[id_]]
            self.database.keep(_INSERT_KEPT, kept)
            return set()

    def end_all(self, ended: Sequence[tuple[str, float]]) -> None:
        """Record that operations ended, each at its time, in one transaction. Keeps what it cannot write."""
        if not ended:
            return
        self.database.write_or_keep(
            f"UPDATE operations SET ended = ?, owner = NULL {_WHERE_CLAIMED}",  # noqa: S608
            [(at, *self._claim_of(operation_id)) for operation_id, at in ended],
        )
        for operation_id, _ in ended:
            self.claims.pop(operation_id, None)
        self._ended += len(ended)
        if self._ended >= max(PRUNE_EVERY, self._kept // 10):
            self._ended = 0
            with contextlib.suppress(JournalError):
                with self.database.writing() as db:
                    note = self._prune(db)
                    (self._kept,) = db.execute("SELECT count(*) FROM operations").fetchone()
                self.database.note(note)

    def release(self, operation_ids: Sequence[str]) -> None:
        """Give up the ownership of operations. Keeps what it cannot write."""
        self.database.write_or_keep(
            f"UPDATE operations SET owner = NULL {_WHERE_CLAIMED}",  # noqa: S608
            [self._claim_of(id_) for id_ in operation_ids],
        )
        for id_ in operation_ids:
            self.claims.pop(id_, None)

    def heartbeat(self) -> None:
        """Renew the heartbeat of everything that this process owns; also writes what was kept."""
        with contextlib.suppress(JournalError), self.database.writing(patient=False) as db:
            db.execute(
                "UPDATE operations SET heartbeat = ? WHERE ended IS NULL AND owner = ?",
                (self._now(), self._owner_text),
            )

    def record_duration(self, action: Action, servers: int, seconds: float) -> None:
        """Record how long a job took, in seconds, with the next transaction. Never raises JournalError."""
        self.database.keep(
            "INSERT INTO durations (action, servers, seconds, at) VALUES (?, ?, ?, ?)",
            [(action, servers, seconds, self._now())],
        )

    # Operations of other processes

    def claim_all(self, operation_ids: Sequence[str]) -> list[tuple[bool, StoredOperation]]:
        """Become the owner of operations that have not ended and whose owner no longer runs.

        One transaction for all of them.

        Returns:
            Each operation as stored, and whether it now belongs to this process.

        Raises:
            JournalError: there is no such operation, or the journal cannot be written. None is claimed.
        """
        with self.database.writing() as db:
            return [self._claim(db, id_) for id_ in operation_ids]

    def request_stop(self, operation_id: str) -> None:
        """Request the owner of an operation to send nothing more of it."""
        with self.database.writing() as db:
            db.execute("UPDATE operations SET stop = 1 WHERE id = ? AND ended IS NULL", (operation_id,))

    def close(self) -> None:
        """Write what can still be written, and close the file. Never raises JournalError."""
        self.database.close()

    def _claim(self, db: sqlite3.Connection, operation_id: str) -> tuple[bool, StoredOperation]:
        stored = self._load(db, operation_id)
        mine = stored.operation.ended is None and not stored.elsewhere
        if mine:
            db.execute(
                "UPDATE operations SET owner = ?, heartbeat = ?, stop = 0, generation = generation + 1"
                " WHERE id = ?",
                (self._owner_text, self._now(), operation_id),
            )
            self._note_claim(db, operation_id)
        return mine, stored

    def _note_claim(self, db: sqlite3.Connection, operation_id: str) -> None:
        which = "SELECT key, generation FROM operations WHERE id = ?"
        key, generation = db.execute(which, (operation_id,)).fetchone()
        rows = db.execute("SELECT server, key FROM targets WHERE operation = ?", (key,))
        self.claims[operation_id] = Claim(generation, dict(rows.fetchall()))

    def _claim_of(self, operation_id: str) -> tuple[str, str, int]:
        """The values for ``_WHERE_CLAIMED``. Generations start at 1, so that 0 matches none."""
        held = self.claims.get(operation_id)
        return operation_id, self._owner_text, held.generation if held is not None else 0

    def _outcomes(self, operation_id: str, targets: Iterable[Target]) -> list[tuple[object, ...]]:
        keys = self.claims[operation_id].keys
        return [(keys[t.server_id], t.state, t.at, t.job_id, t.message) for t in targets]

    def _check_not_busy(self, db: sqlite3.Connection, window: Window, plan: Plan) -> None:
        known = self._prior_targets(db, window.endpoint, window.account, doubts=False)
        names = [id_ for id_ in dict.fromkeys(plan.server_ids) if id_ in known and known[id_].under_way]
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise ServersBusy(
                f"{', '.join(names[:3])}{more}: still under way in another operation, "
                "which must end, or be resumed, first"
            )

    def _check_not_retried(self, db: sqlite3.Connection, operation: Operation) -> None:
        """The question of a retry may have stood for long, and another process may have answered its own."""
        later = later_targets(db, operation.retry_of) if operation.retry_of else {}
        if names := [id_ for id_ in operation.targets if id_ in later]:
            raise ServersBusy(
                f"{named(names, 3)}: in a later operation meanwhile, {later[names[0]].operation_id}"
            )

    def _check_may_send(self, db: sqlite3.Connection, operation_id: str) -> None:
        self._check_owner(db, operation_id)
        if self._stop_requested(db, operation_id):
            raise StopRequested("stopped from another Pitstop of yours")

    def _check_owner(self, db: sqlite3.Connection, operation_id: str) -> None:
        if not self._owns(db, operation_id):
            raise OwnershipLost(TAKEN_OVER)

    def _owns(self, db: sqlite3.Connection, operation_id: str) -> bool:
        ours = f"SELECT 1 FROM operations {_WHERE_CLAIMED}"  # noqa: S608
        return db.execute(ours, self._claim_of(operation_id)).fetchone() is not None


_WHERE_CLAIMED = "WHERE id = ? AND owner = ? AND generation = ?"
_INSERT_OUTCOME = "INSERT INTO outcomes (target, state, at, job, message) VALUES (?, ?, ?, ?, ?)"
# Only the newest status of a running job is kept: the platform may change it very often.
_DELETE_OLD_STATUSES = (
    "DELETE FROM outcomes WHERE target = ?1 AND state = ?2"
    " AND key < (SELECT max(key) FROM outcomes WHERE target = ?1)"
)
# Rows that were kept are written only if the operation was not claimed by another process meanwhile.
_INSERT_KEPT = (
    "INSERT INTO outcomes (target, state, at, job, message) SELECT ?, ?, ?, ?, ?"  # noqa: S608
    f" WHERE EXISTS (SELECT 1 FROM operations {_WHERE_CLAIMED})"
)


def _insert_window(db: sqlite3.Connection, window: Window) -> None:
    db.execute(
        f"INSERT INTO windows ({WINDOW}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
        " ON CONFLICT (id) DO UPDATE SET planned_end = coalesce(excluded.planned_end, planned_end)",
        msgspec.structs.astuple(window),
    )
