"""What the journal forgets, so that it stays bounded.

Operations that have not ended are never forgotten, nor those whose servers are still in maintenance.
"""

import sqlite3
from collections.abc import Iterator

import msgspec

from tui.model.operation import Action, State
from tui.model.window import Step, left_in_maintenance

KEEP_DAYS = 90
"""Ended operations are kept that long,"""
KEEP_OPERATIONS = 1_000
"""the newest so many of them,"""
KEEP_SERVERS = 200_000
"""with no more than so many servers together: some 60 MB."""

KEEP_DURATIONS = 5_000
"""Of how many jobs it is remembered how long they took."""


def prune(db: sqlite3.Connection, now: float) -> None:
    """Forget the oldest of what has ended, within the limits above. Inside the caller's transaction."""
    servers, outdated = 0, set()
    since = now - KEEP_DAYS * 86_400
    ended_ones = db.execute(
        "SELECT key, ended, (SELECT count(*) FROM targets WHERE operation = operations.key)"
        " FROM operations WHERE ended IS NOT NULL ORDER BY key DESC"
    ).fetchall()
    for position, (key, ended, count) in enumerate(ended_ones):
        servers += count
        if position >= KEEP_OPERATIONS or servers > KEEP_SERVERS or ended < since:
            outdated.add(key)
    if outdated:
        for endpoint, account in db.execute("SELECT DISTINCT endpoint, account FROM windows").fetchall():
            outdated -= _still_needed(db, endpoint, account)
    db.executemany("DELETE FROM operations WHERE key = ?", [(key,) for key in outdated])
    db.execute(
        "DELETE FROM windows WHERE opened < ?"
        " AND NOT EXISTS (SELECT 1 FROM operations WHERE window = windows.id)",
        (since,),
    )
    db.execute("DELETE FROM durations WHERE key <= (SELECT max(key) FROM durations) - ?", (KEEP_DURATIONS,))


def held(db: sqlite3.Connection, endpoint: str, account: str) -> Iterator[tuple[int, Step]]:
    """What may hold servers of an account in maintenance: operation's key and step, in the order begun."""
    # CROSS JOIN: begin with what is held, which is little, and never with the whole history.
    for key, window, server, action, state, before in db.execute(
        "SELECT operations.key, window, targets.server, action, state, was_in_maintenance"
        " FROM held CROSS JOIN targets ON targets.key = target"
        " CROSS JOIN operations ON operations.key = operation CROSS JOIN windows ON windows.id = window"
        " WHERE endpoint = ? AND account = ? ORDER BY target",
        (endpoint, account),
    ):
        known = None if before is None else bool(before)
        yield key, Step(window, server, Action(action), State(state), known)


def _still_needed(db: sqlite3.Connection, endpoint: str, account: str) -> set[int]:
    """The operations that put servers into maintenance which nothing has brought back."""
    tagged = (msgspec.structs.replace(step, window_id=str(key)) for key, step in held(db, endpoint, account))
    return {int(key) for key in left_in_maintenance(tagged).values()}
