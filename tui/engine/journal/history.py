"""The journal's windows: how far each is, what it did and holds, and its notes."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence

import msgspec

from tui.engine.journal.database import Database
from tui.engine.journal.retention import maintenance_steps
from tui.model.operation import Action, State
from tui.model.prior import DOUBT_LASTS
from tui.model.window import (
    Hold,
    Note,
    NoteKind,
    OperationSummary,
    Window,
    WindowStatus,
    held_in_maintenance,
)

WINDOW = "id, endpoint, account, user, opened, reason, planned_end, closed"
"""The columns of a window, in the order of its fields."""


class WindowHistory:
    """The windows of one journal. Every method raises JournalError."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        """Read nothing yet. ``now`` is the wall clock, in seconds since the epoch."""
        self._database = database
        self._now = now

    def statuses(self, endpoint: str = "", account: str = "") -> list[WindowStatus]:
        """Return the windows of an endpoint and account, of all where they are empty, the oldest first."""
        with self._database.reading() as db:
            where = "(?1 = '' OR endpoint = ?1) AND (?2 = '' OR account = ?2) ORDER BY opened, id"
            return list(_statuses(db, where, (endpoint, account)))

    def overdue(self, endpoint: str = "", account: str = "") -> list[WindowStatus]:
        """Return those of ``statuses`` that are past their planned end and still hold servers."""
        now = self._now()
        with self._database.reading() as db:
            where = (
                "closed IS NULL AND planned_end <= ?3 AND (?1 = '' OR endpoint = ?1)"
                " AND (?2 = '' OR account = ?2) ORDER BY opened, id"
            )
            found = list(_statuses(db, where, (endpoint, account, now)))
        return [status for status in found if status.is_overdue(now)]

    def holds(self, endpoint: str, account: str) -> dict[str, Hold]:
        """Return what holds each server of an account in maintenance: by the journal, not the platform."""
        with self._database.reading() as db:
            return _holds(db, endpoint, account)

    def window_of(self, new: Window, *, named: bool = False, returned: Sequence[str] = ()) -> Window | None:
        """Return the stored window to use in place of ``new``; None when there is none.

        When ``named``, it is the one with the same id. Else it is the open one of the same account, user and
        reason; without a reason the one that holds all servers that are ``returned`` from maintenance.
        """
        where, values = "id = ?", [new.id]
        if not named and (holder := self._holder(new, returned)):
            named, values = True, [holder]
        if not named:
            where = "closed IS NULL AND user = ? AND reason = ?"
            values = [new.user, new.reason]
        with self._database.reading() as db:
            where = f"endpoint = ? AND account = ? AND {where} ORDER BY opened DESC, id LIMIT 1"
            found = list(_statuses(db, where, (new.endpoint, new.account, *values)))
        return next((one.window for one in found if named or one.is_resumed(new.opened)), None)

    def _holder(self, new: Window, returned: Sequence[str]) -> str:
        """The id of the window that holds all of the servers; empty if none does, or with a reason."""
        if new.reason or not returned:
            return ""
        holds = self.holds(new.endpoint, new.account)
        holders = {holds[id_].window_id if id_ in holds else "" for id_ in returned}
        return holders.pop() if len(holders) == 1 else ""

    def close_ended(self, endpoint: str, account: str) -> None:
        """Record the end of the windows of an account that have ended by themselves."""
        now = self._now()
        where = "closed IS NULL AND endpoint = ? AND account = ? AND "
        with self._database.reading() as db:
            may_have = [
                *_statuses(db, f"{where}planned_end <= ?", (endpoint, account, now)),
                *_statuses(db, f"{where}planned_end IS NULL AND reason = ''", (endpoint, account)),
            ]
        ended = [(at, one.window.id) for one in may_have if (at := one.closed_at(now)) is not None]
        if ended:
            with self._database.writing() as db:
                db.executemany("UPDATE windows SET closed = ? WHERE id = ? AND closed IS NULL", ended)

    def close(self, window_id: str, leave: str = "") -> tuple[str, ...]:
        """Close a window, unless it holds servers or an operation of it has not ended.

        With a reason to ``leave`` them it is closed all the same, and its log has the reason and the servers.

        Returns:
            The servers that it holds; without ``leave`` nothing was closed when there are any.
        """
        now = self._now()
        with self._database.writing() as db:
            (status,) = _statuses(db, "id = ?", (window_id,))
            if leave or not (status.held or status.unfinished):
                db.execute("UPDATE windows SET closed = ? WHERE id = ? AND closed IS NULL", (now, window_id))
                if leave:
                    _add_note(db, window_id, Note(now, NoteKind.LEFT, leave, status.held))
            return status.held

    def release(self, endpoint: str, account: str, server_ids: Sequence[str]) -> None:
        """Record that servers which windows hold were read to be out of maintenance.

        One whose operation has not ended, or whose outcome is not known yet, stays held: its maintenance may
        still begin.
        """
        now = self._now()
        with self._database.writing() as db:
            holds = _holds(db, endpoint, account)
            released: dict[str, list[str]] = {}
            for id_ in dict.fromkeys(server_ids):
                if id_ not in holds:
                    continue
                keys = db.execute(
                    "SELECT held.target, targets.state, ended FROM held JOIN targets ON targets.key = target"
                    " JOIN operations ON operations.key = operation JOIN windows ON windows.id = window"
                    " WHERE held.server = ? AND endpoint = ? AND account = ?",
                    (id_, endpoint, account),
                ).fetchall()
                if all(_is_settled(State(state), ended, now) for _, state, ended in keys):
                    db.executemany("DELETE FROM held WHERE target = ?", [(key,) for key, *_ in keys])
                    released.setdefault(holds[id_].window_id, []).append(id_)
            for window_id, ids in released.items():
                _add_note(db, window_id, Note(now, NoteKind.GONE, servers=tuple(ids)))

    def add_note(self, window_id: str, text: str) -> None:
        """Add a line of text to a window's log."""
        with self._database.writing() as db:
            _add_note(db, window_id, Note(self._now(), NoteKind.NOTE, text))

    def notes(self, window_id: str) -> list[Note]:
        """Return a window's log, the oldest first."""
        with self._database.reading() as db:
            return read_notes(db, window_id)

    def operations(self, window_id: str) -> list[OperationSummary]:
        """Return a window's operations, the oldest first."""
        with self._database.reading() as db:
            found = db.execute(
                "SELECT key, id, action, reason, started, ended FROM operations"
                " WHERE window = ? ORDER BY key",
                (window_id,),
            ).fetchall()
            counted = "SELECT state, count(*) FROM targets WHERE operation = ? GROUP BY state"
            return [
                OperationSummary(
                    id_,
                    Action(action),
                    reason,
                    started,
                    ended,
                    {State(state): count for state, count in db.execute(counted, (key,))},
                )
                for key, id_, action, reason, started, ended in found
            ]


def window(row: Sequence[object]) -> Window:
    """Make a window from the columns ``WINDOW``."""
    return msgspec.convert(dict(zip(Window.__struct_fields__, row, strict=True)), Window)


def _holds(db: sqlite3.Connection, endpoint: str, account: str) -> dict[str, Hold]:
    held = held_in_maintenance(step for _, step in maintenance_steps(db, endpoint, account))
    reasons = {
        id_: db.execute("SELECT reason FROM windows WHERE id = ?", (id_,)).fetchone()[0]
        for id_ in set(held.values())
    }
    return {server: Hold(id_, reasons[id_]) for server, id_ in held.items()}


def _statuses(db: sqlite3.Connection, where: str, values: Sequence[object]) -> Iterator[WindowStatus]:
    rows = db.execute(f"SELECT {WINDOW} FROM windows WHERE {where}", values).fetchall()  # noqa: S608
    held: dict[tuple[str, str], dict[str, list[str]]] = {}
    for one in map(window, rows):
        place = (one.endpoint, one.account)
        if place not in held:
            held[place] = {}
            for server, hold in _holds(db, *place).items():
                held[place].setdefault(hold.window_id, []).append(server)
        count, unfinished, newest = db.execute(
            "SELECT count(*), coalesce(sum(ended IS NULL), 0), max(max(started, coalesce(ended, started)))"
            " FROM operations WHERE window = ?",
            (one.id,),
        ).fetchone()
        yield WindowStatus(
            one, tuple(held[place].get(one.id, ())), count, unfinished, max(one.opened, newest or 0.0)
        )


def _is_settled(state: State, ended: float | None, now: float) -> bool:
    """Whether nothing of the operation can still put the server into maintenance."""
    return ended is not None and (state is State.VERIFIED or ended + DOUBT_LASTS < now)


def read_notes(db: sqlite3.Connection, window_id: str) -> list[Note]:
    """Read a window's log, the oldest first."""
    rows = db.execute("SELECT at, kind, text, servers FROM notes WHERE window = ? ORDER BY key", (window_id,))
    return [
        Note(at, NoteKind(kind), text, msgspec.json.decode(servers, type=tuple[str, ...]))
        for at, kind, text, servers in rows
    ]


def _add_note(db: sqlite3.Connection, window_id: str, note: Note) -> None:
    db.execute(
        "INSERT INTO notes (window, at, kind, text, servers) VALUES (?, ?, ?, ?, ?)",
        (window_id, note.at, note.kind, note.text, msgspec.json.encode(note.servers).decode()),
    )
