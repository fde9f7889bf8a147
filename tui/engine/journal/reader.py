"""Reads the journal: windows, operations, and the state of every server in them."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from tui.engine.errors import JournalError
from tui.engine.journal.database import Database
from tui.engine.journal.history import WINDOW, WindowHistory, window
from tui.engine.journal.owner import Owner, is_alive, uptime
from tui.engine.journal.retention import maintenance_steps, prune
from tui.engine.journal.retries import candidates, later_targets
from tui.model.duration import similar
from tui.model.operation import Action, Operation, State, Target
from tui.model.plan import Batch, Plan
from tui.model.prior import DOUBT_LASTS, PriorTarget, open_targets
from tui.model.retention import Reading
from tui.model.retry import plan_retry
from tui.model.window import MaintenanceStep, Window

MOST_DURATIONS = 200
"""Jobs of one action and about one size whose durations are read: the newest."""


class StoredOperation(msgspec.Struct, frozen=True):
    """An operation as it is in the journal."""

    operation: Operation
    plan: Plan
    window: Window
    submitted: Mapping[int, float]
    """Batch -> when its POST was about to leave, in seconds since the epoch by the clock of that time."""
    ages: Mapping[int, float]
    """Batch -> seconds that have passed since then at least: 0 after a reboot, as clocks can be set."""
    max_failed: int | None
    elsewhere: bool
    """Whether another running process carries it out."""
    newest: int
    """The key of its newest outcome, for ``changes``."""
    later: Mapping[str, PriorTarget] = {}
    """Server -> the newest later operation of the same kind that has it; only where ``to_retry`` loads it."""


class JournalReader:
    """Reads one file, opened when first needed. Every method raises JournalError unless stated otherwise."""

    def __init__(
        self,
        path: Path,
        *,
        owner: Owner | None = None,
        alive: Callable[[Owner, float], bool] = is_alive,
        now: Callable[[], float] = time.time,
        uptime: Callable[[], tuple[str, float]] = uptime,
    ) -> None:
        """Open nothing yet.

        Args:
            path: The file.
            owner: This process; determined when None.
            alive: Whether another owner still runs; see ``is_alive``.
            now: The wall clock, in seconds since the epoch.
            uptime: The boot's id and the seconds since it.
        """
        self.database = Database(path, self._prune)
        self._owner_text = msgspec.json.encode(owner or Owner.current()).decode()
        self._alive = alive
        self._now = now
        self._uptime = uptime
        self.history = WindowHistory(self.database, now)
        """The windows: what each did and holds, and its notes."""

    def windows(self, endpoint: str, account: str | None) -> list[Window]:
        """Return all windows of an account, or of every account for None, the newest last."""
        with self.database.reading() as db:
            rows = db.execute(
                f"SELECT {WINDOW} FROM windows WHERE endpoint = ? AND account = coalesce(?, account)"  # noqa: S608
                " ORDER BY opened",
                (endpoint, account),
            )
            return [window(row) for row in rows]

    def maintenance_steps(self, endpoint: str, account: str) -> list[MaintenanceStep]:
        """Return the steps that may hold servers of an account in maintenance, oldest first."""
        with self.database.reading() as db:
            return [step for _, step in maintenance_steps(db, endpoint, account)]

    def operations(self, window_id: str) -> list[str]:
        """Return the ids of a window's operations, oldest first."""
        with self.database.reading() as db:
            rows = db.execute("SELECT id FROM operations WHERE window = ? ORDER BY key", (window_id,))
            return [row[0] for row in rows]

    # CROSS JOIN: SQLite starts with the few operations that have not ended, not with all windows.

    def unfinished(self, endpoint: str, account: str) -> list[str]:
        """Return the ids of an account's operations that have not ended, oldest first."""
        with self.database.reading() as db:
            rows = db.execute(
                "SELECT operations.id FROM operations CROSS JOIN windows ON windows.id = window"
                " WHERE ended IS NULL AND endpoint = ? AND account = ? ORDER BY key",
                (endpoint, account),
            )
            return [row[0] for row in rows]

    def unfinished_everywhere(self) -> dict[tuple[str, str], int]:
        """Return the number of operations that have not ended, by endpoint and account."""
        with self.database.reading() as db:
            rows = db.execute(
                "SELECT endpoint, account, count(*) FROM operations CROSS JOIN windows ON windows.id = window"
                " WHERE ended IS NULL GROUP BY endpoint, account ORDER BY endpoint, account"
            )
            return {(endpoint, account): count for endpoint, account, count in rows}

    def prior_targets(self, endpoint: str, account: str, *, besides: str = "") -> dict[str, PriorTarget]:
        """Return an account's servers that are under way or whose outcome is not known; see ``open_targets``.

        The operation with the id ``besides`` is left out.
        """
        with self.database.reading() as db:
            return self._prior_targets(db, endpoint, account, besides)

    def load(self, operation_id: str) -> StoredOperation:
        """Return an operation with everything stored of it.

        Raises:
            JournalError: there is no such operation, or the journal cannot be read.
        """
        with self.database.reading() as db:
            return self._load(db, operation_id)

    def to_retry(self, endpoint: str, account: str, operation_id: str = "") -> StoredOperation | None:
        """Return an operation to try again; without an id the newest of an account that has something to.

        An operation that has not ended is returned too: something of it may still change.
        """
        with self.database.reading() as db:
            for id_ in [operation_id] if operation_id else candidates(db, endpoint, account):
                if db.execute("SELECT 1 FROM operations WHERE id = ?", (id_,)).fetchone() is None:
                    continue
                later = later_targets(db, id_)
                stored = msgspec.structs.replace(self._load(db, id_), later=later)
                found = plan_retry(stored.operation, later, 0.0)
                doubts = any(skip.open for skip in found.left_out)
                if operation_id or stored.operation.ended is None or found.server_ids or doubts:
                    return stored
        return None

    def liveness(self, operation_id: str) -> tuple[float | None, bool]:
        """Return when an operation ended, or None, and whether another running process carries it out.

        Raises:
            JournalError: there is no such operation, or the journal cannot be read.
        """
        with self.database.reading() as db:
            found = db.execute(
                "SELECT ended, owner, heartbeat FROM operations WHERE id = ?", (operation_id,)
            ).fetchone()
            if found is None:
                raise JournalError(f"the journal has no operation {operation_id}")
            ended, owner, heartbeat = found
            return ended, ended is None and self._is_elsewhere(owner, heartbeat)

    def changes(self, operation_id: str, newest: int) -> tuple[list[Target], int]:
        """Return an operation's transitions after the outcome with key ``newest``, and the newest key now."""
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

    def stop_requests(self) -> list[str]:
        """Return the ids of this process's operations that another console requested to stop."""
        with self.database.reading() as db:
            rows = db.execute(
                "SELECT id FROM operations WHERE ended IS NULL AND stop AND owner = ?", (self._owner_text,)
            )
            return [row[0] for row in rows]

    def durations(self, action: Action, servers: range) -> list[float]:
        """Return the durations in seconds of the newest such jobs; none when the journal cannot be read."""
        try:
            with self.database.reading() as db:
                rows = db.execute(
                    "SELECT seconds FROM durations WHERE action = ? AND servers >= ? AND servers < ?"
                    " ORDER BY key DESC LIMIT ?",
                    (action, servers.start, servers.stop, MOST_DURATIONS),
                )
                return [row[0] for row in rows]
        except JournalError:
            return []

    def all_durations(self) -> dict[tuple[Action, int], list[float]]:
        """Return the durations in seconds of the newest jobs, by action and ``similar(servers).start``.

        None when the journal cannot be read.
        """
        found: dict[tuple[Action, int], list[float]] = {}
        actions = {action.value: action for action in Action}
        with contextlib.suppress(JournalError), self.database.reading() as db:
            for name, servers, seconds in db.execute(
                "SELECT action, servers, seconds FROM durations ORDER BY key DESC"
            ):
                if (action := actions.get(name)) is not None:
                    known = found.setdefault((action, similar(servers).start), [])
                    if len(known) < MOST_DURATIONS:
                        known.append(seconds)
        return found

    def _load(self, db: sqlite3.Connection, operation_id: str) -> StoredOperation:
        row = db.execute(
            "SELECT key, window, action, reason, max_failed, started, ended, owner, heartbeat, retry_of"
            " FROM operations WHERE id = ?",
            (operation_id,),
        ).fetchone()
        if row is None:
            raise JournalError(f"the journal has no operation {operation_id}")
        key, window_id, action_name, reason, max_failed, started, ended, owner, heartbeat, retry_of = row
        action = Action(action_name)
        elsewhere = ended is None and self._is_elsewhere(owner, heartbeat)
        its_window = window(
            db.execute(f"SELECT {WINDOW} FROM windows WHERE id = ?", (window_id,)).fetchone()  # noqa: S608
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
        operation = Operation(
            operation_id,
            action,
            [target.server_id for target in targets],
            account=its_window.account,
            window_id=its_window.id,
            reason=reason,
            started=started,
            retry_of=retry_of,
        )
        operation.ended = ended
        operation.restore(targets)
        plan = Plan(action, tuple(batches))
        return StoredOperation(operation, plan, its_window, submitted, ages, max_failed, elsewhere, newest)

    def _prune(self, db: sqlite3.Connection) -> str:
        return prune(db, Reading(self._now(), *self._uptime()))

    def _stop_requested(self, db: sqlite3.Connection, operation_id: str) -> bool:
        found = db.execute("SELECT stop FROM operations WHERE id = ?", (operation_id,)).fetchone()
        return bool(found and found[0])

    def _passed_since(self, mark: str) -> float:
        boot, seconds = self._uptime()
        before, _, then = mark.partition(" ")
        return max(0.0, seconds - float(then)) if boot and boot == before else 0.0

    def _prior_targets(
        self,
        db: sqlite3.Connection,
        endpoint: str,
        account: str,
        besides: str = "",
        *,
        doubts: bool = True,
    ) -> dict[str, PriorTarget]:
        """The earlier targets of servers; without ``doubts`` only in operations that have not ended."""
        now = self._now()
        recent = "(ended IS NULL OR ended > ?)" if doubts else "ended IS NULL"
        steps = []
        for key, id_, action, reason, started, ended, owner, heartbeat in db.execute(
            "SELECT key, operations.id, action, operations.reason, started, ended, owner, heartbeat"  # noqa: S608
            " FROM operations CROSS JOIN windows ON windows.id = window"
            f" WHERE {recent} AND endpoint = ? AND account = ? AND operations.id != ? ORDER BY key",
            (*((now - DOUBT_LASTS,) if doubts else ()), endpoint, account, besides),
        ).fetchall():
            # A planned server that no process is about to send blocks no other operation.
            sending = owner == self._owner_text or self._is_elsewhere(owner, heartbeat)
            of = PriorTarget(
                id_, Action(action), State.PLANNED, started, started, reason, ended is None, sending
            )
            rows = db.execute("SELECT server, state, at FROM targets WHERE operation = ?", (key,))
            steps += [(server, of.with_state(State(state), at)) for server, state, at in rows]
        return open_targets(steps, now)

    def _is_elsewhere(self, owner_text: str | None, heartbeat: float) -> bool:
        if owner_text is None or owner_text == self._owner_text:
            return False
        return self._alive(msgspec.json.decode(owner_text, type=Owner), self._now() - heartbeat)
