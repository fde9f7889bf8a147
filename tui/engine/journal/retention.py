"""Prunes the journal, so that it stays bounded.

Never pruned: operations that have not ended, those whose servers are still in maintenance, and those
whose outcome on a server is failed or not known, until a later operation has reached that server.
"""

import sqlite3
import time
from collections.abc import Iterator

import msgspec

from tui.model.operation import Action, State
from tui.model.retention import DAY, KEEP_DAYS, KEEP_OPERATIONS, Clock, Ended, Reading, believe, outdated
from tui.model.window import MaintenanceStep, held_in_maintenance

KEEP_DURATIONS = 5_000
"""Durations of jobs that are kept."""

_SETTLED = [State.VERIFIED, State.REFUSED, State.CANCELLED]
_NOT_REACHED = [State.PLANNED, State.REFUSED, State.CANCELLED]


def prune(db: sqlite3.Connection, reading: Reading) -> str:
    """Delete the oldest ended operations beyond the limits, inside the caller's transaction.

    Returns a sentence for the operator about what was deleted; empty when nothing was.
    """
    believed = _believed(db, reading)
    rows = db.execute(
        "SELECT key, ended, (SELECT count(*) FROM targets WHERE operation = operations.key)"
        " FROM operations WHERE ended IS NOT NULL ORDER BY key"
    )
    found = set(outdated((Ended(*row) for row in rows.fetchall()), believed))
    if found:
        for endpoint, account in db.execute("SELECT DISTINCT endpoint, account FROM windows").fetchall():
            found -= _holding_servers(db, endpoint, account)
        found = {key for key in found if not _is_unreconciled(db, key)}
    ends = [db.execute("SELECT ended FROM operations WHERE key = ?", (key,)).fetchone()[0] for key in found]
    db.executemany("DELETE FROM operations WHERE key = ?", [(key,) for key in found])
    db.execute(
        "DELETE FROM windows WHERE opened < ?"
        " AND NOT EXISTS (SELECT 1 FROM operations WHERE window = windows.id)",
        (believed - KEEP_DAYS * DAY,),
    )
    db.execute("DELETE FROM durations WHERE key <= (SELECT max(key) FROM durations) - ?", (KEEP_DURATIONS,))
    if not ends:
        return ""
    days = [time.strftime("%Y-%m-%d", time.localtime(at)) for at in (min(ends), max(ends))]
    number = "1 operation" if len(ends) == 1 else f"{len(ends):,} operations"
    when = f"on {days[0]}" if days[0] == days[1] else f"between {days[0]} and {days[1]}"
    return f"The journal forgot {number} that ended {when}: it keeps {KEEP_DAYS} days and {KEEP_OPERATIONS:,}"


def maintenance_steps(
    db: sqlite3.Connection, endpoint: str, account: str
) -> Iterator[tuple[int, MaintenanceStep]]:
    """Yield the key and the step of each operation that may hold a server in maintenance, oldest first."""
    # CROSS JOIN: SQLite starts with the few rows that are held, not with the whole history.
    for key, window, server, action, state, before in db.execute(
        "SELECT operations.key, window, targets.server, action, state, was_in_maintenance"
        " FROM held CROSS JOIN targets ON targets.key = target"
        " CROSS JOIN operations ON operations.key = operation CROSS JOIN windows ON windows.id = window"
        " WHERE endpoint = ? AND account = ? ORDER BY target",
        (endpoint, account),
    ):
        known = None if before is None else bool(before)
        yield key, MaintenanceStep(window, server, Action(action), State(state), known)


def _believed(db: sqlite3.Connection, reading: Reading) -> float:
    """The time that has been reached for certain, in seconds since the epoch; stores the reading."""
    row = db.execute("SELECT believed, at, boot, uptime FROM clock").fetchone()
    known = Clock(row[0], Reading(*row[1:])) if row is not None else None
    newest = None
    if known is None:
        newest = db.execute("SELECT max(max(started, coalesce(ended, 0))) FROM operations").fetchone()[0]
    clock = believe(known, newest, reading)
    if clock != known:
        values = (clock.believed, *msgspec.structs.astuple(clock.newest))
        db.execute("INSERT OR REPLACE INTO clock VALUES (0, ?, ?, ?, ?)", values)
    return clock.believed


def _holding_servers(db: sqlite3.Connection, endpoint: str, account: str) -> set[int]:
    """The keys of the operations that put servers into maintenance which were not brought back."""
    steps = maintenance_steps(db, endpoint, account)
    tagged = (msgspec.structs.replace(step, window_id=str(key)) for key, step in steps)
    return {int(key) for key in held_in_maintenance(tagged).values()}


def _is_unreconciled(db: sqlite3.Connection, key: int) -> bool:
    """Whether an operation is the newest of one of its servers, with an outcome that is not settled."""
    action = Action(db.execute("SELECT action FROM operations WHERE key = ?", (key,)).fetchone()[0])
    settled = [*_SETTLED] if action.leaves_trace else [*_SETTLED, State.SUCCEEDED]
    row = db.execute(
        "SELECT 1 FROM targets CROSS JOIN places AS mine ON mine.target = targets.key"  # noqa: S608
        f" WHERE operation = ? AND mine.state NOT IN ({_listed(settled)}) AND NOT EXISTS ("
        "  SELECT 1 FROM targets AS later CROSS JOIN places AS its ON its.target = later.key"
        "  WHERE later.server = mine.server AND later.key > mine.target"
        f" AND its.state NOT IN ({_listed(_NOT_REACHED)}) AND its.endpoint = mine.endpoint"
        "  AND its.account = mine.account"
        "  AND (its.action LIKE '%Maintenance') = (mine.action LIKE '%Maintenance')) LIMIT 1",
        (key, *settled, *_NOT_REACHED),
    ).fetchone()
    return row is not None


def _listed(states: list[State]) -> str:
    return ", ".join("?" * len(states))
