"""Finds in the journal what can be tried again."""

import sqlite3
from collections.abc import Iterator

from tui.model.operation import Action, State
from tui.model.prior import PriorTarget
from tui.model.retry import NOT_DONE

# A later target of the same server at the same place, in an operation of the same kind.
_LATER = (
    "FROM targets AS later JOIN operations AS newer ON newer.key = later.operation"
    " JOIN windows AS its ON its.id = newer.window"
    " WHERE later.server = mine.server AND later.key > mine.key"
    " AND its.endpoint = place.endpoint AND its.account = place.account"
    " AND (newer.action LIKE '%Maintenance') = (operations.action LIKE '%Maintenance')"
)
_PLACED = " FROM operations JOIN windows AS place ON place.id = operations.window"


def candidates(db: sqlite3.Connection, endpoint: str, account: str) -> Iterator[str]:
    """Yield the ids of operations that may have something to try again, the newest first.

    Also those that have not ended and hold something of the kind, or something unsent.
    """
    states = [*NOT_DONE, State.PLANNED]
    rows = db.execute(
        f"SELECT operations.id {_PLACED} WHERE endpoint = ? AND account = ?"  # noqa: S608
        " AND EXISTS (SELECT 1 FROM targets AS mine WHERE mine.operation = operations.key"
        f" AND mine.state IN ({', '.join('?' * len(states))}) AND NOT EXISTS (SELECT 1 {_LATER}))"
        " ORDER BY operations.key DESC",
        (endpoint, account, *states),
    )
    for (id_,) in rows:
        yield id_


def later_targets(db: sqlite3.Connection, operation_id: str) -> dict[str, PriorTarget]:
    """Server id -> the newest later operation of the same kind that has the server."""
    rows = db.execute(
        "SELECT mine.server, newer.id, newer.action, later.state, later.at, newer.started, newer.reason"
        f"{_PLACED} JOIN targets AS mine ON mine.operation = operations.key"
        f" JOIN targets AS later ON later.key = (SELECT max(later.key) {_LATER})"
        " JOIN operations AS newer ON newer.key = later.operation WHERE operations.id = ?",
        (operation_id,),
    )
    return {
        server: PriorTarget(id_, Action(action), State(state), at, started, reason)
        for server, id_, action, state, at, started, reason in rows
    }
