"""`pitstop windows`: the maintenance windows, by the journal alone. No login and no request."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tui.engine.errors import JournalError
from tui.engine.journal.database import Database
from tui.engine.journal.history import WindowHistory
from tui.headless.exits import Exit, Stop
from tui.headless.narration import MAX_IDS
from tui.headless.output import Cell, write_json, write_rows
from tui.model.operation import STATE_STYLES, State
from tui.model.planned_end import local_time
from tui.model.retention import DAY
from tui.model.text import clean, counted, named
from tui.model.window import (
    Note,
    OperationSummary,
    WindowNameError,
    WindowStatus,
    find_status,
    note_text,
)

LISTED_DAYS = 7
"""Days for which windows that ended are listed; open ones and those that hold servers always are."""
NOTE_LIMIT = 500
"""Characters of a note, or of the reason for leaving servers, that are kept."""
HEADER = ("Window", "Id", "Opened", "Planned end", "Held", "Operations", "Closed")
OPERATIONS = ("Started", "Operation", "Action", "Servers", "Ended")


class Windows(msgspec.Struct, frozen=True):
    """The windows of one journal, at one endpoint and account or at all."""

    journal: Path
    endpoint: str = ""
    account: str = ""
    now: Callable[[], float] = time.time

    def show_all(self, *, as_json: bool) -> Exit:
        """Print the windows of the last week, every open one, and those that still hold servers.

        Raises:
            Stop: the journal cannot be read.
        """
        now = self.now()
        with self._history() as history:
            found = [status for status in self._statuses(history) if _is_listed(status, now)]
            if as_json:
                write_json([self._object(history, status) for status in found])
                return Exit.VERIFIED
        write_rows(HEADER, [_row(status, now) for status in found])
        if not found and sys.stdout.isatty():
            _say(f"no window is open, and there was none in the last {LISTED_DAYS} days")
        return Exit.VERIFIED

    def show(self, name: str, *, as_json: bool) -> Exit:
        """Print one window: its operations, what is still held, its notes.

        Raises:
            Stop: there is no such window, or the journal cannot be read.
        """
        now = self.now()
        with self._history() as history:
            status = self._find(history, name)
            if as_json:
                write_json(self._object(history, status))
                return Exit.VERIFIED
            window_id = status.window.id
            operations, notes = history.operations(window_id), history.notes(window_id)
        window = status.window
        write_rows(("", ""), [[Cell(name), Cell(value)] for name, value in _facts(status, now)])
        if operations:
            write_rows(("",), [[Cell("")]])
            write_rows(OPERATIONS, [[Cell(text) for text in _operation(one)] for one in operations])
        if notes:
            write_rows(("",), [[Cell("")]])
            write_rows(
                ("Time", "Note"),
                [[Cell(local_time(note.at)), Cell(note_text(note, MAX_IDS))] for note in notes],
            )
        if status.is_overdue(now):
            _say(f"`pitstop stop --window {window.id}` brings back what it holds")
        return Exit.VERIFIED

    def check(self) -> Exit:
        """Report each window that is past its planned end and still holds servers.

        Raises:
            Stop: the journal cannot be read, so it is not known.
        """
        if not self.journal.exists():
            return Exit.VERIFIED
        try:
            with self._history() as history:
                found = history.overdue(self.endpoint, self.account)
        except Stop as stop:
            raise Stop(Exit.UNSURE, str(stop)) from None
        for status in found:
            end = local_time(status.window.planned_end or 0.0)
            _say(
                f"{_named(status)} was planned to end at {end} and still holds "
                f"{counted(len(status.held))}: {named(status.held, MAX_IDS)}"
            )
        return Exit.FAILED if found else Exit.VERIFIED

    def close(self, name: str, *, leave: str | None) -> Exit:
        """Close a window. Servers that it holds stay in maintenance only with a reason to ``leave`` them.

        Raises:
            Stop: nothing was changed: there is no such window, it is closed, or it holds servers.
        """
        reason = "" if leave is None else _text(leave, "--leave takes the reason for leaving them")
        with self._history(writing=True) as history:
            status = self._find(history, name)
            if status.window.closed is not None:
                when = local_time(status.window.closed)
                raise Stop(Exit.USAGE, clean(f"{_named(status)} was closed at {when} already"))
            held = history.close(status.window.id, leave=reason)
        if not reason and held:
            raise Stop(
                Exit.USAGE,
                clean(
                    f"{_named(status)} still holds {counted(len(held))}: {named(held, MAX_IDS)}; it was not "
                    f"closed; `pitstop stop --window {status.window.id}` brings them back, --leave REASON "
                    "leaves them in maintenance"
                ),
            )
        if not reason and status.unfinished:
            raise Stop(
                Exit.USAGE,
                clean(
                    f"{counted(status.unfinished, 'operation')} of {_named(status)} has not ended; it was "
                    "not closed; `pitstop resume` goes on, --leave REASON closes it all the same"
                ),
            )
        left = f"; left in maintenance: {named(held, MAX_IDS)}" if held else ""
        _say(f"{_named(status)} is closed{left}")
        return Exit.VERIFIED

    def note(self, name: str, text: str) -> Exit:
        """Add a line of text to a window's log.

        Raises:
            Stop: there is no such window, or no text.
        """
        note = _text(text, "a note needs a text")
        with self._history(writing=True) as history:
            status = self._find(history, name)
            history.add_note(status.window.id, note)
        _say(f"noted in {_named(status)}")
        return Exit.VERIFIED

    @contextmanager
    def _history(self, *, writing: bool = False) -> Iterator[WindowHistory]:
        # Nothing is pruned, and without ``writing`` the file is not checked: a shell prompt waits for it.
        with closing(Database(self.journal, lambda connection: "", check=writing)) as database:
            try:
                yield WindowHistory(database, self.now)
            except JournalError as error:
                raise Stop(Exit.FAILED, str(error)) from error

    def _statuses(self, history: WindowHistory) -> list[WindowStatus]:
        return history.statuses(self.endpoint, self.account) if self.journal.exists() else []

    def _find(self, history: WindowHistory, name: str) -> WindowStatus:
        try:
            return find_status(self._statuses(history), name, self.now())
        except WindowNameError as error:
            raise Stop(Exit.USAGE, str(error)) from None

    def _object(self, history: WindowHistory, status: WindowStatus) -> Mapping[str, Any]:
        window = status.window
        return window_json(status, history.operations(window.id), history.notes(window.id), self.now())


def window_json(
    status: WindowStatus, operations: list[OperationSummary], notes: list[Note], now: float
) -> Mapping[str, Any]:
    """A window as JSON shows it; times are RFC 3339 in UTC, null where there is none."""
    window = status.window
    return {
        "id": window.id,
        "reason": window.reason or None,
        "endpoint": window.endpoint,
        "account": window.account,
        "user": window.user,
        "opened": timestamp(window.opened),
        "planned_end": timestamp(window.planned_end),
        "closed": timestamp(status.closed_at(now)),
        "overdue": status.is_overdue(now),
        "held": list(status.held),
        "operations": [
            {
                "id": one.id,
                "action": one.action.value,
                "reason": one.reason or None,
                "started": timestamp(one.started),
                "ended": timestamp(one.ended),
                "summary": {state.value: count for state, count in one.counts.items()},
            }
            for one in operations
        ],
        "notes": [
            {
                "at": timestamp(note.at),
                "kind": note.kind.value,
                "text": note.text,
                "servers": list(note.servers),
            }
            for note in notes
        ],
    }


def timestamp(at: float | None) -> str | None:
    """E.g. "2026-11-24T01:00:00Z"; None for None."""
    return None if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _is_listed(status: WindowStatus, now: float) -> bool:
    closed = status.closed_at(now)
    return closed is None or bool(status.held) or closed >= now - LISTED_DAYS * DAY


def _row(status: WindowStatus, now: float) -> list[Cell]:
    window, overdue = status.window, status.is_overdue(now)
    return [
        Cell(window.reason),
        Cell(window.id),
        Cell(local_time(window.opened)),
        Cell(_time(window.planned_end), "amber" if overdue else ""),
        Cell(str(len(status.held)), "amber" if status.held else ""),
        Cell(str(status.operations)),
        Cell(_time(status.closed_at(now))),
    ]


def _facts(status: WindowStatus, now: float) -> Iterator[tuple[str, str]]:
    window = status.window
    yield "Window", window.name
    yield "Id", window.id
    yield "Endpoint", window.endpoint
    yield "Account", window.account
    yield "User", window.user
    yield "Opened", local_time(window.opened)
    yield "Planned end", _time(window.planned_end) + (" (past)" if status.is_overdue(now) else "")
    yield "Closed", _time(status.closed_at(now))
    yield "Held", " ".join(status.held)


def _operation(one: OperationSummary) -> tuple[str, ...]:
    order = [state for state in State if state in one.counts]
    servers = ", ".join(f"{one.counts[state]:,} {STATE_STYLES[state].word}" for state in order)
    return local_time(one.started), one.id, one.action.label, servers, _time(one.ended)


def _time(at: float | None) -> str:
    return "" if at is None else local_time(at)


def _named(status: WindowStatus) -> str:
    window = status.window
    return f"{window.reason} ({window.id})" if window.reason else window.id


def _text(text: str, problem: str) -> str:
    """The text, cleaned and not too long. Raises Stop when it is empty."""
    cleaned = clean(text.strip(), NOTE_LIMIT)
    if not cleaned:
        raise Stop(Exit.USAGE, f"{problem}, and it is empty")
    return cleaned


def _say(text: str) -> None:
    sys.stderr.write(f"{clean(text)}\n")
