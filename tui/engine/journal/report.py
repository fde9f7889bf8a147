"""Reads a window for a report, server by server: a window of any size needs no memory."""

import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from operator import itemgetter

import msgspec

from tui.engine.journal.database import Database
from tui.engine.journal.history import read_notes
from tui.engine.journal.reader import JournalReader
from tui.engine.journal.retention import maintenance_steps
from tui.model.operation import Action, State
from tui.model.report import (
    HeldServer,
    NoteReport,
    OperationReport,
    ServerResult,
    Transition,
    WindowReport,
    outcome_times,
)
from tui.model.text import clean
from tui.model.window import Window, held_in_maintenance


def local_time(at: float) -> datetime:
    """Seconds since the epoch as a time in this machine's zone."""
    return datetime.fromtimestamp(at).astimezone()


@contextmanager
def read_report(
    reader: JournalReader,
    window: Window,
    *,
    now: Callable[[], float] = time.time,
    zoned: Callable[[float], datetime] = local_time,
) -> Iterator["WindowRecords"]:
    """Open a window for reading. All that is read until the end belongs to one moment.

    The transaction holds up no writer; only the journal's file may grow while it lasts.

    Raises:
        JournalError: the journal cannot be read.
    """
    database = reader.database
    with database.typed_errors():
        db = database.connect()
        db.execute("BEGIN")
    try:
        yield WindowRecords(database, db, window, now(), zoned)
    finally:
        # A failed read has closed the file, and its transaction with it.
        if database.is_connected:
            with database.typed_errors():
                db.execute("ROLLBACK")


class WindowRecords:
    """A ``ReportSource``. Its methods, and their iterators, raise JournalError."""

    def __init__(
        self,
        database: Database,
        db: sqlite3.Connection,
        window: Window,
        now: float,
        zoned: Callable[[float], datetime],
    ) -> None:
        self._database, self._db, self._window, self._zoned = database, db, window, zoned
        with database.typed_errors():
            self.window = self._read_window(now)
            self._operations = [*self._read_operations()]
            self._held = dict.fromkeys(self._read_held())

    def operations(self) -> list[OperationReport]:
        """The operations without their results, oldest first."""
        return self._operations

    def held(self) -> Iterator[HeldServer]:
        """The servers that the window still holds in maintenance, in the order it put them in."""
        with self._database.typed_errors():
            for key in self._held:
                operation, server, state, at = self._db.execute(
                    "SELECT operations.id, server, state, at"
                    " FROM targets JOIN operations ON operations.key = operation WHERE targets.key = ?",
                    (key,),
                ).fetchone()
                yield HeldServer(
                    server=clean(server), since=self._zoned(at), state=State(state), operation=operation
                )

    def results(self, operation_id: str) -> Iterator[ServerResult]:
        """The servers of one operation, in its order."""
        with self._database.typed_errors():
            key, name = self._db.execute(
                "SELECT key, action FROM operations WHERE id = ?", (operation_id,)
            ).fetchone()
            action = Action(name)
            rows = self._db.execute(
                "SELECT targets.key, server, data_center, wave, batch, targets.state, targets.job,"
                " targets.message, outcomes.state, outcomes.at, outcomes.message"
                " FROM targets CROSS JOIN batches"
                " ON batches.operation = targets.operation AND position = batch"
                " LEFT JOIN outcomes ON outcomes.target = targets.key"
                " WHERE targets.operation = ? ORDER BY targets.key, outcomes.key",
                (key,),
            )
            for _, changes in groupby(rows, itemgetter(0)):
                yield self._result(action, list(changes))

    def _result(self, action: Action, rows: list[tuple[object, ...]]) -> ServerResult:
        """The result of one server, from a row for each of its changes; the newest row has the newest job."""
        key, server, data_center, wave, batch, state, job, message, *_ = rows[-1]
        changes = tuple(
            Transition(state=State(str(state)), at=self._zoned(at), message=clean(str(text)))
            for *_, state, at, text in rows
            if isinstance(at, float)
        )
        started, ended, seconds = outcome_times(action, State(str(state)), changes)
        return ServerResult(
            server=clean(str(server)),
            data_center=clean(str(data_center)),
            wave=msgspec.convert(wave, int) + 1,
            batch=msgspec.convert(batch, int) + 1,
            state=State(str(state)),
            started=started,
            ended=ended,
            seconds=seconds,
            job_id=clean(str(job)),
            message=clean(str(message)),
            held=key in self._held,
            transitions=changes,
        )

    def _read_held(self) -> Iterator[int]:
        """The keys of the targets with which the window holds servers, in order."""
        steps = (step for _, step in maintenance_steps(self._db, self._window.endpoint, self._window.account))
        # One text for each window, not one for each server.
        shared = (msgspec.structs.replace(step, window_id=sys.intern(step.window_id)) for step in steps)
        holders = held_in_maintenance(shared)
        for key, server in self._db.execute(
            "SELECT target, held.server FROM held CROSS JOIN targets ON targets.key = target"
            " CROSS JOIN operations ON operations.key = operation WHERE window = ? ORDER BY target",
            (self._window.id,),
        ):
            if holders.pop(server, "") == self._window.id:
                yield key

    def _read_window(self, now: float) -> WindowReport:
        window, zoned = self._window, self._zoned
        (servers,) = self._db.execute(
            "SELECT count(DISTINCT server) FROM targets JOIN operations ON operations.key = operation"
            " WHERE window = ?",
            (window.id,),
        ).fetchone()
        return WindowReport(
            version=1,
            window=clean(window.id),
            reason=clean(window.reason),
            user=clean(window.user),
            account=clean(window.account),
            endpoint=clean(window.endpoint),
            opened=zoned(window.opened),
            planned_end=None if window.planned_end is None else zoned(window.planned_end),
            closed=None if window.closed is None else zoned(window.closed),
            written=zoned(now),
            servers=servers,
            totals=self._totals("window = ?", window.id),
            notes=tuple(
                NoteReport(
                    at=zoned(note.at),
                    kind=note.kind,
                    text=clean(note.text),
                    servers=tuple(map(clean, note.servers)),
                )
                for note in read_notes(self._db, window.id)
            ),
            held=(),
            operations=(),
        )

    def _read_operations(self) -> Iterator[OperationReport]:
        for key, id_, action, reason, max_failed, started, ended in self._db.execute(
            "SELECT key, id, action, reason, max_failed, started, ended FROM operations"
            " WHERE window = ? ORDER BY key",
            (self._window.id,),
        ).fetchall():
            waves, batches = self._db.execute(
                "SELECT coalesce(max(wave), -1) + 1, count(*) FROM batches WHERE operation = ?", (key,)
            ).fetchone()
            latest, servers = self._db.execute(
                "SELECT coalesce(max(at), ?), count(*) FROM targets WHERE operation = ?", (started, key)
            ).fetchone()
            yield OperationReport(
                id=clean(id_),
                action=Action(action),
                reason=clean(reason),
                user=clean(self._window.user),
                requested=self._zoned(started),
                ended=None if ended is None else self._zoned(ended),
                servers=servers,
                waves=waves,
                batches=batches,
                max_failed=max_failed,
                latest=self._zoned(latest),
                totals=self._totals("operation = ?", key),
                results=(),
            )

    def _totals(self, which: str, value: object) -> dict[State, int]:
        """State -> number of targets, in the order of ``State``."""
        found = dict(
            self._db.execute(
                "SELECT state, count(*) FROM targets JOIN operations ON operations.key = operation"  # noqa: S608
                f" WHERE {which} GROUP BY state",
                (value,),
            ).fetchall()
        )
        counts = {State(name): count for name, count in found.items()}
        return {state: counts[state] for state in State if state in counts}
