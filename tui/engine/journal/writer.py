"""The journal: what was asked of the platform, and what became of it, on disk before anything else.

SQLite in WAL mode with ``synchronous=FULL``: what was committed survives the process, the machine and the
power. An operation's intent is committed before its request leaves, and every transition of a server is
one row. Used from one thread only, see ``JournalThread``; transactions are short.
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from tui.engine.errors import TAKEN_OVER, JournalError, NotOurs, ServersBusy, StopAsked
from tui.engine.journal.owner import Owner, is_alive, uptime
from tui.engine.journal.reader import WINDOW, JournalReader
from tui.model.operation import Action, Operation, State, Target
from tui.model.plan import Batch, Plan
from tui.model.window import Window

PRUNE_EVERY = 100
"""A console open for weeks forgets the oldest operations after every so many, not only at its start."""


class JournalWriter(JournalReader):
    """Writes the file, and reads it. Methods raise JournalError unless they say otherwise."""

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
        self._ours: dict[str, _Ours] = {}
        """By operation, those that this process carries out."""
        self._ended = 0

    # Windows

    def open_window(self, window: Window) -> None:
        """Write a window down, unless there is one of that id."""
        with self.database.writing() as db:
            _insert_window(db, window)

    def close_window(self, window_id: str) -> None:
        """The operator is done with it."""
        with self.database.writing() as db:
            db.execute(
                "UPDATE windows SET closed = ? WHERE id = ? AND closed IS NULL", (self._now(), window_id)
            )

    # One operation, as its owner

    def begin(
        self,
        operation: Operation,
        plan: Plan,
        window: Window,
        *,
        was_in_maintenance: Mapping[str, bool | None],
        max_failed: int | None = None,
    ) -> None:
        """Write a whole operation down before anything of it is sent; this process becomes its owner.

        Raises:
            ServersBusy: some of its servers are still under way in another operation.
            JournalError: it is not on disk, so nothing of it may be sent.
        """
        with self.database.writing() as db:
            self._check_not_busy(db, window, plan)
            _insert_window(db, window)
            key = db.execute(
                "INSERT INTO operations (id, window, action, reason, max_failed, started, owner, heartbeat)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    operation.id,
                    window.id,
                    operation.action,
                    operation.reason,
                    max_failed,
                    operation.started,
                    self._owner_text,
                    self._now(),
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
            self._take(db, operation.id, key)

    def submit(self, operation_id: str, batch: Batch, targets: Iterable[Target]) -> None:
        """Commit the intent to send a batch. Only when this returns may the request leave.

        Raises:
            NotOurs: another console took the operation over.
            StopAsked: another console asked that nothing more is sent.
            JournalError: the intent is not on disk.
        """
        rows = self._outcomes(operation_id, targets)
        with self.database.writing() as db:
            self._check_right(db, operation_id)
            db.execute(
                "UPDATE batches SET submitted = ?, uptime = ? WHERE position = ?"
                " AND operation = (SELECT key FROM operations WHERE id = ?)",
                (self._now(), "{} {}".format(*self._uptime()), batch.index, operation_id),
            )
            db.executemany(_INSERT_OUTCOME, rows)

    def check_right(self, operation_id: str) -> None:
        """Whether a request of an operation may leave now, which may be long after its intent was written.

        Raises:
            NotOurs: another console took the operation over.
            StopAsked: another console asked that nothing more is sent.
            JournalError: it cannot be told.
        """
        with self.database.reading() as db:
            self._check_right(db, operation_id)

    def record(self, operation_id: str, targets: Iterable[Target]) -> None:
        """Write down what became of servers, in one transaction.

        What cannot be written now is kept and written as soon as it can be, and ``problem`` says so
        meanwhile: tracking must not die of a full disk.

        Raises:
            NotOurs: another console took the operation over. Nothing else.
        """
        rows = self._outcomes(operation_id, targets)
        try:
            with self.database.writing(patient=False) as db:
                self._check_owner(db, operation_id)
                db.executemany(_INSERT_OUTCOME, rows)
                db.executemany(_DELETE_WORDS, [row[:2] for row in rows if row[1] is State.EXECUTING])
        except NotOurs:
            raise
        except JournalError:
            self.database.keep(_INSERT_KEPT, [(*row, *self._claimed(operation_id)) for row in rows])

    def end(self, operation_id: str, at: float) -> None:
        """Nothing more will happen to the operation. Keeps what it cannot write, as ``record`` does."""
        self.end_all([(operation_id, at)])

    def end_all(self, ended: Sequence[tuple[str, float]]) -> None:
        """The same for operations and when they ended, in one transaction."""
        if not ended:
            return
        self.database.write_or_keep(
            f"UPDATE operations SET ended = ?, owner = NULL {_WHERE_OURS}",  # noqa: S608
            [(at, *self._claimed(operation_id)) for operation_id, at in ended],
        )
        for operation_id, _ in ended:
            self._ours.pop(operation_id, None)
        self._ended += len(ended)
        if self._ended >= PRUNE_EVERY:
            self._ended = 0
            with contextlib.suppress(JournalError):
                with self.database.writing() as db:
                    note = self._prune(db)
                self.database.note(note)

    def release(self, operation_id: str) -> None:
        """Leave the operation to whoever takes it up next. Keeps what it cannot write."""
        self.database.write_or_keep(
            f"UPDATE operations SET owner = NULL {_WHERE_OURS}",  # noqa: S608
            [self._claimed(operation_id)],
        )
        self._ours.pop(operation_id, None)

    def beat(self) -> None:
        """A sign of life for everything this process carries out. Also writes what could not be written."""
        with contextlib.suppress(JournalError), self.database.writing(patient=False) as db:
            db.execute(
                "UPDATE operations SET heartbeat = ? WHERE ended IS NULL AND owner = ?",
                (self._now(), self._owner_text),
            )

    def record_duration(self, action: Action, servers: int, seconds: float) -> None:
        """Remember how long a job took: on disk with the next thing written."""
        self.database.keep(
            "INSERT INTO durations (action, servers, seconds, at) VALUES (?, ?, ?, ?)",
            [(action, servers, seconds, self._now())],
        )

    # Operations that were left

    def claim(self, operation_id: str) -> bool:
        """Become the owner of an operation whose owner is gone. False when somebody living has it."""
        with self.database.writing() as db:
            found = db.execute(
                "SELECT owner, heartbeat, key FROM operations WHERE id = ? AND ended IS NULL", (operation_id,)
            ).fetchone()
            if found is None or self._is_elsewhere(found[0], found[1]):
                return False
            db.execute(
                "UPDATE operations SET owner = ?, heartbeat = ?, stop = 0, generation = generation + 1"
                " WHERE key = ?",
                (self._owner_text, self._now(), found[2]),
            )
            self._take(db, operation_id, found[2])
            return True

    def ask_to_stop(self, operation_id: str) -> None:
        """Ask the console that carries an operation out to send nothing more of it."""
        with self.database.writing() as db:
            db.execute("UPDATE operations SET stop = 1 WHERE id = ? AND ended IS NULL", (operation_id,))

    def close(self) -> None:
        """Write what can still be written, and close the file. Never raises JournalError."""
        self.database.close()

    def _take(self, db: sqlite3.Connection, operation_id: str, key: int | None) -> None:
        (generation,) = db.execute("SELECT generation FROM operations WHERE key = ?", (key,)).fetchone()
        rows = db.execute("SELECT server, key FROM targets WHERE operation = ?", (key,))
        self._ours[operation_id] = _Ours(generation, dict(rows.fetchall()))

    def _claimed(self, operation_id: str) -> tuple[str, str, int]:
        """What ``_WHERE_OURS`` asks for. No generation is 0."""
        held = self._ours.get(operation_id)
        return operation_id, self._owner_text, held.generation if held is not None else 0

    def _outcomes(self, operation_id: str, targets: Iterable[Target]) -> list[tuple[object, ...]]:
        keys = self._ours[operation_id].keys
        return [(keys[t.server_id], t.state, t.at, t.job_id, t.message) for t in targets]

    def _check_not_busy(self, db: sqlite3.Connection, window: Window, plan: Plan) -> None:
        known = self._standings(db, window.endpoint, window.account, doubts=False)
        names = [id_ for id_ in dict.fromkeys(plan.server_ids) if id_ in known and known[id_].under_way]
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise ServersBusy(
                f"{', '.join(names[:3])}{more}: still under way in another operation, "
                "which must end, or be resumed, first"
            )

    def _check_right(self, db: sqlite3.Connection, operation_id: str) -> None:
        self._check_owner(db, operation_id)
        if self._stop_asked(db, operation_id):
            raise StopAsked("stopped from another Pitstop of yours")

    def _check_owner(self, db: sqlite3.Connection, operation_id: str) -> None:
        ours = f"SELECT 1 FROM operations {_WHERE_OURS}"  # noqa: S608
        if db.execute(ours, self._claimed(operation_id)).fetchone() is None:
            raise NotOurs(TAKEN_OVER)


class _Ours(NamedTuple):
    """An operation that this process carries out."""

    generation: int
    """Which taking up of it was ours: the owner alone could be this process, earlier or later."""
    keys: dict[str, int]
    """Server -> the key of its target."""


_WHERE_OURS = "WHERE id = ? AND owner = ? AND generation = ?"
_INSERT_OUTCOME = "INSERT INTO outcomes (target, state, at, job, message) VALUES (?, ?, ?, ?, ?)"
# Of a job's words only the newest is kept: they change as often as the platform likes.
_DELETE_WORDS = (
    "DELETE FROM outcomes WHERE target = ?1 AND state = ?2"
    " AND key < (SELECT max(key) FROM outcomes WHERE target = ?1)"
)
# Kept since the disk was full, say: nothing of it is written when the operation was lost meanwhile.
_INSERT_KEPT = (
    "INSERT INTO outcomes (target, state, at, job, message) SELECT ?, ?, ?, ?, ?"  # noqa: S608
    f" WHERE EXISTS (SELECT 1 FROM operations {_WHERE_OURS})"
)


def _insert_window(db: sqlite3.Connection, window: Window) -> None:
    db.execute(
        f"INSERT INTO windows ({WINDOW}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",  # noqa: S608
        msgspec.structs.astuple(window),
    )
