"""The journal: what was asked of the platform, and what became of it, on disk before anything else.

SQLite in WAL mode with ``synchronous=FULL``: what was committed survives the process, the machine and the
power. An operation's intent is committed before its request leaves, and every transition of a server is
one row. Used from the engine's event loop only; transactions are short.
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from tui.engine.database import Database
from tui.engine.errors import TAKEN_OVER, JournalError, NotOurs, ServersBusy, StopAsked
from tui.engine.owner import Owner, is_alive, uptime
from tui.engine.retention import prune, steps
from tui.model.operation import Action, Operation, State, Target
from tui.model.plan import Batch, Plan
from tui.model.window import Step, Window

PRUNE_EVERY = 100
"""A console open for weeks forgets the oldest operations after every so many, not only at its start."""


class Stored(msgspec.Struct, frozen=True):
    """An operation as the journal has it."""

    operation: Operation
    plan: Plan
    window: Window
    submitted: Mapping[int, float]
    """Batch -> when its POST was about to leave, by the wall clock of that moment."""
    ages: Mapping[int, float]
    """Batch -> seconds that have passed since, for certain: 0 after a reboot, as clocks can be set."""
    max_failed: int | None
    elsewhere: bool
    """Whether another living process carries it out."""
    newest: int
    """The key of its newest outcome: where ``changes`` goes on."""


class Journal:
    """One file, opened when first needed. Every method raises JournalError unless it says otherwise."""

    def __init__(
        self,
        path: Path,
        *,
        owner: Owner | None = None,
        alive: Callable[[Owner, float], bool] = is_alive,
        now: Callable[[], float] = time.time,
        uptime: Callable[[], tuple[str, float]] = uptime,
    ) -> None:
        self.database = Database(path, lambda db: prune(db, now()))
        self._owner_text = msgspec.json.encode(owner or Owner.current()).decode()
        self._alive = alive
        self._now = now
        self._uptime = uptime
        self._keys: dict[str, dict[str, int]] = {}
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

    def windows(self, endpoint: str, account: str) -> list[Window]:
        """All windows of an account, the newest last."""
        with self.database.reading() as db:
            rows = db.execute(
                f"SELECT {_WINDOW} FROM windows WHERE endpoint = ? AND account = ? ORDER BY opened",  # noqa: S608
                (endpoint, account),
            )
            return [_window(row) for row in rows]

    def steps(self, endpoint: str, account: str) -> list[Step]:
        """What the account's windows did to maintenance mode, in the order begun."""
        with self.database.reading() as db:
            return [step for _, step in steps(db, endpoint, account)]

    def operations(self, window_id: str) -> list[str]:
        """The ids of a window's operations, in the order begun."""
        with self.database.reading() as db:
            rows = db.execute("SELECT id FROM operations WHERE window = ? ORDER BY key", (window_id,))
            return [row[0] for row in rows]

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
            self._remember(db, operation.id, key)

    def submit(self, operation_id: str, batch: Batch, targets: Iterable[Target]) -> None:
        """Commit the intent to send a batch. Only when this returns may the request leave.

        Raises:
            NotOurs: another console took the operation over.
            StopAsked: another console asked that nothing more is sent.
            JournalError: the intent is not on disk.
        """
        rows = self._outcomes(operation_id, targets)
        with self.database.writing() as db:
            self._check_owner(db, operation_id)
            if self._stop_asked(db, operation_id):
                raise StopAsked("stopped from another Pitstop of yours")
            db.execute(
                "UPDATE batches SET submitted = ?, uptime = ? WHERE position = ?"
                " AND operation = (SELECT key FROM operations WHERE id = ?)",
                (self._now(), "{} {}".format(*self._uptime()), batch.index, operation_id),
            )
            db.executemany(_INSERT_OUTCOME, rows)

    def record(self, operation_id: str, targets: Iterable[Target]) -> None:
        """Write down what became of servers, in one transaction.

        What cannot be written now is kept and written as soon as it can be, and ``problem`` says so
        meanwhile: tracking must not die of a full disk.

        Raises:
            NotOurs: another console took the operation over. Nothing else.
        """
        rows = self._outcomes(operation_id, targets)
        try:
            with self.database.writing() as db:
                self._check_owner(db, operation_id)
                db.executemany(_INSERT_OUTCOME, rows)
        except NotOurs:
            raise
        except JournalError:
            self.database.keep(_INSERT_KEPT, [(*row, operation_id, self._owner_text) for row in rows])

    def end(self, operation_id: str, at: float) -> None:
        """Nothing more will happen to the operation. Keeps what it cannot write, as ``record`` does."""
        self.database.write_or_keep(
            "UPDATE operations SET ended = ?, owner = NULL WHERE id = ? AND owner = ?",
            [(at, operation_id, self._owner_text)],
        )
        self._keys.pop(operation_id, None)
        self._ended += 1
        if self._ended % PRUNE_EVERY == 0:
            with contextlib.suppress(JournalError), self.database.writing() as db:
                prune(db, self._now())

    def release(self, operation_id: str) -> None:
        """Leave the operation to whoever takes it up next. Keeps what it cannot write."""
        self.database.write_or_keep(
            "UPDATE operations SET owner = NULL WHERE id = ? AND owner = ?",
            [(operation_id, self._owner_text)],
        )
        self._keys.pop(operation_id, None)

    def beat(self) -> None:
        """A sign of life for everything this process carries out. Also writes what could not be written."""
        with contextlib.suppress(JournalError), self.database.writing() as db:
            db.execute("UPDATE operations SET heartbeat = ? WHERE owner = ?", (self._now(), self._owner_text))

    def stop_asked(self, operation_id: str) -> bool:
        """Whether some console asked that nothing more of the operation is sent."""
        with self.database.reading() as db:
            return self._stop_asked(db, operation_id)

    def durations(self, action: Action, servers: range) -> list[float]:
        """How long the newest such jobs took, in seconds; nothing when the journal cannot be read."""
        try:
            with self.database.reading() as db:
                rows = db.execute(
                    "SELECT seconds FROM durations WHERE action = ? AND servers >= ? AND servers < ?"
                    " ORDER BY key DESC LIMIT 200",
                    (action, servers.start, servers.stop),
                )
                return [row[0] for row in rows]
        except JournalError:
            return []

    def record_duration(self, action: Action, servers: int, seconds: float) -> None:
        """Remember how long a job took: on disk with the next thing written."""
        self.database.keep(
            "INSERT INTO durations (action, servers, seconds, at) VALUES (?, ?, ?, ?)",
            [(action, servers, seconds, self._now())],
        )

    # Operations that were left

    def unfinished(self, endpoint: str, account: str) -> list[str]:
        """The ids of an account's operations that have not ended, in the order begun."""
        with self.database.reading() as db:
            rows = db.execute(
                "SELECT operations.id FROM operations JOIN windows ON windows.id = window"
                " WHERE ended IS NULL AND endpoint = ? AND account = ? ORDER BY key",
                (endpoint, account),
            )
            return [row[0] for row in rows]

    def unfinished_everywhere(self) -> dict[tuple[str, str], int]:
        """Endpoint and account -> how many operations have not ended there, for all that have any."""
        with self.database.reading() as db:
            rows = db.execute(
                "SELECT endpoint, account, count(*) FROM operations JOIN windows ON windows.id = window"
                " WHERE ended IS NULL GROUP BY endpoint, account ORDER BY endpoint, account"
            )
            return {(endpoint, account): count for endpoint, account, count in rows}

    def claim(self, operation_id: str) -> bool:
        """Become the owner of an operation whose owner is gone. False when somebody living has it."""
        with self.database.writing() as db:
            found = db.execute(
                "SELECT owner, heartbeat, key FROM operations WHERE id = ? AND ended IS NULL", (operation_id,)
            ).fetchone()
            if found is None or self._is_elsewhere(found[0], found[1]):
                return False
            db.execute(
                "UPDATE operations SET owner = ?, heartbeat = ?, stop = 0 WHERE key = ?",
                (self._owner_text, self._now(), found[2]),
            )
            self._remember(db, operation_id, found[2])
            return True

    def ask_to_stop(self, operation_id: str) -> None:
        """Ask the console that carries an operation out to send nothing more of it."""
        with self.database.writing() as db:
            db.execute("UPDATE operations SET stop = 1 WHERE id = ? AND ended IS NULL", (operation_id,))

    def load(self, operation_id: str) -> Stored:
        """An operation with everything that is known of it."""
        with self.database.reading() as db:
            row = db.execute(
                "SELECT key, window, action, reason, max_failed, started, ended, owner, heartbeat"
                " FROM operations WHERE id = ?",
                (operation_id,),
            ).fetchone()
            if row is None:
                raise JournalError(f"the journal has no operation {operation_id}")
            key, window_id, action_name, reason, max_failed, started, ended, owner, heartbeat = row
            window = _window(
                db.execute(f"SELECT {_WINDOW} FROM windows WHERE id = ?", (window_id,)).fetchone()  # noqa: S608
            )
            members: dict[int, list[str]] = {}
            targets = []
            for batch, server, state, at, job, message in db.execute(
                "SELECT batch, server, state, at, job, message FROM targets WHERE operation = ? ORDER BY key",
                (key,),
            ):
                members.setdefault(batch, []).append(server)
                targets.append(Target(server, State(state), at, job, message))
            batches, submitted, ages = [], {}, {}
            for position, wave, data_center, sent, mark in db.execute(
                "SELECT position, wave, data_center, submitted, uptime FROM batches"
                " WHERE operation = ? ORDER BY position",
                (key,),
            ):
                batches.append(Batch(position, wave, data_center, tuple(members.get(position, ()))))
                if sent is not None:
                    submitted[position] = sent
                    ages[position] = self._passed_since(mark or "")
            newest = db.execute(
                "SELECT coalesce(max(outcomes.key), 0) FROM outcomes JOIN targets ON targets.key = target"
                " WHERE operation = ?",
                (key,),
            ).fetchone()[0]
        action = Action(action_name)
        operation = Operation(
            operation_id,
            action,
            [target.server_id for target in targets],
            account=window.account,
            window_id=window.id,
            reason=reason,
            started=started,
        )
        operation.ended = ended
        operation.restore(targets)
        plan = Plan(action, tuple(batches))
        elsewhere = ended is None and self._is_elsewhere(owner, heartbeat)
        return Stored(operation, plan, window, submitted, ages, max_failed, elsewhere, newest)

    def standing(self, operation_id: str) -> tuple[float | None, bool]:
        """When an operation ended, and whether another living process carries it out."""
        with self.database.reading() as db:
            found = db.execute(
                "SELECT ended, owner, heartbeat FROM operations WHERE id = ?", (operation_id,)
            ).fetchone()
            if found is None:
                raise JournalError(f"the journal has no operation {operation_id}")
            ended, owner, heartbeat = found
            return ended, ended is None and self._is_elsewhere(owner, heartbeat)

    def changes(self, operation_id: str, newest: int) -> tuple[list[Target], int]:
        """Every transition of an operation since that outcome, in order, and the newest outcome now."""
        with self.database.reading() as db:
            found = []
            for key, server, state, at, job, message in db.execute(
                "SELECT outcomes.key, server, outcomes.state, outcomes.at, outcomes.job, outcomes.message"
                " FROM outcomes JOIN targets ON targets.key = target"
                " JOIN operations ON operations.key = operation"
                " WHERE outcomes.key > ? AND operations.id = ? ORDER BY outcomes.key",
                (newest, operation_id),
            ):
                newest = key
                found.append(Target(server, State(state), at, job, message))
            return found, newest

    def close(self) -> None:
        """Write what can still be written, and close the file. Never raises JournalError."""
        self.database.close()

    def _remember(self, db: sqlite3.Connection, operation_id: str, key: int | None) -> None:
        rows = db.execute("SELECT server, key FROM targets WHERE operation = ?", (key,))
        self._keys[operation_id] = dict(rows.fetchall())

    def _outcomes(self, operation_id: str, targets: Iterable[Target]) -> list[tuple[object, ...]]:
        keys = self._keys[operation_id]
        return [(keys[t.server_id], t.state, t.at, t.job_id, t.message) for t in targets]

    def _check_not_busy(self, db: sqlite3.Connection, window: Window, plan: Plan) -> None:
        wanted = dict.fromkeys(plan.server_ids)
        busy: set[str] = set()
        for key, owner, heartbeat in db.execute(
            "SELECT key, owner, heartbeat FROM operations JOIN windows ON windows.id = window"
            " WHERE ended IS NULL AND endpoint = ? AND account = ?",
            (window.endpoint, window.account),
        ).fetchall():
            # What is planned and nobody is about to send is in nobody's way.
            owned = owner == self._owner_text or self._is_elsewhere(owner, heartbeat)
            rows = db.execute("SELECT server, state FROM targets WHERE operation = ?", (key,))
            busy.update(
                server for server, state in rows if state in _BUSY or (owned and state == State.PLANNED)
            )
        names = [id_ for id_ in wanted if id_ in busy]
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise ServersBusy(
                f"{', '.join(names[:3])}{more}: still under way in another operation, "
                "which must end, or be resumed, first"
            )

    def _check_owner(self, db: sqlite3.Connection, operation_id: str) -> None:
        found = db.execute("SELECT owner FROM operations WHERE id = ?", (operation_id,)).fetchone()
        if found is None or found[0] != self._owner_text:
            raise NotOurs(TAKEN_OVER)

    def _stop_asked(self, db: sqlite3.Connection, operation_id: str) -> bool:
        found = db.execute("SELECT stop FROM operations WHERE id = ?", (operation_id,)).fetchone()
        return bool(found and found[0])

    def _passed_since(self, mark: str) -> float:
        boot, seconds = self._uptime()
        before, _, then = mark.partition(" ")
        return max(0.0, seconds - float(then)) if boot and boot == before else 0.0

    def _is_elsewhere(self, owner_text: str | None, heartbeat: float) -> bool:
        if owner_text is None or owner_text == self._owner_text:
            return False
        return self._alive(msgspec.json.decode(owner_text, type=Owner), self._now() - heartbeat)


_BUSY = frozenset({State.SUBMITTING, State.QUEUED, State.EXECUTING, State.UNSURE})
_INSERT_OUTCOME = "INSERT INTO outcomes (target, state, at, job, message) VALUES (?, ?, ?, ?, ?)"
# Kept since the disk was full, say: nothing of it is written when the operation was lost meanwhile.
_INSERT_KEPT = (
    "INSERT INTO outcomes (target, state, at, job, message) SELECT ?, ?, ?, ?, ?"
    " WHERE (SELECT owner FROM operations WHERE id = ?) = ?"
)
_WINDOW = "id, endpoint, account, user, opened, reason, planned_end, closed"


def _window(row: Sequence[object]) -> Window:
    return msgspec.convert(dict(zip(Window.__struct_fields__, row, strict=True)), Window)


def _insert_window(db: sqlite3.Connection, window: Window) -> None:
    db.execute(
        f"INSERT INTO windows ({_WINDOW}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",  # noqa: S608
        msgspec.structs.astuple(window),
    )
