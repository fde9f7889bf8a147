"""The journal's SQLite file: opened safely, checked, migrated to the newest schema, written in transactions.

WAL mode with ``synchronous=FULL``: a committed transaction survives a crash of the process, the machine or
the power. Knows nothing of the tables' meaning.
"""

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tui.engine.errors import JournalDamaged, JournalError, JournalNotLocal, JournalTooNew
from tui.engine.journal import schema
from tui.engine.journal.files import prepare_file
from tui.engine.journal.mounts import ADVICE

BUSY_TIMEOUT = 3.0
"""Seconds to wait for the transaction of another process; each of ours takes milliseconds."""

_SETTINGS = (
    "synchronous = FULL",
    "fullfsync = ON",
    "checkpoint_fullfsync = ON",
    "foreign_keys = ON",
    "cell_size_check = ON",
    "trusted_schema = OFF",
    f"journal_size_limit = {16 * 1024 * 1024}",
)


logger = logging.getLogger(__name__)

_INVALID = (ValueError, TypeError, OverflowError, msgspec.MsgspecError)
"""Raised by values that Pitstop never wrote, in a file that SQLite finds intact."""


class Database:
    """One file, opened when first needed and again after an error."""

    def __init__(
        self, path: Path, on_open: Callable[[sqlite3.Connection], str], *, check: bool = True
    ) -> None:
        """Open nothing yet. ``on_open`` runs in a transaction after each opening; it returns a note.

        Unless ``check``, the file is not read as a whole first: for a quick look that writes nothing.
        """
        self.path = path
        self.problem = ""
        """Why the newest attempt failed; empty when it succeeded."""
        self.on_problem: Callable[[str], None] | None = None
        """Called when ``problem`` changes."""
        self.on_note: Callable[[str], None] | None = None
        """Called with each note for the operator, once what it reports is on disk."""
        self._on_open = on_open
        self._connection: sqlite3.Connection | None = None
        self._checked = not check
        self._unwritten: list[tuple[str, Sequence[Sequence[object]]]] = []

    @contextmanager
    def writing(self, *, patient: bool = True) -> Iterator[sqlite3.Connection]:
        """A write transaction; rows kept by ``keep`` are written first, so that the order stays.

        Waits ``BUSY_TIMEOUT`` seconds for another process's lock; unless ``patient``, only when the attempt
        before succeeded.

        Raises:
            JournalError: nothing was written.
        """
        try:
            db = self.connect()
            wait = BUSY_TIMEOUT if patient or not self.problem else 0.0
            db.execute(f"PRAGMA busy_timeout = {wait * 1000:.0f}")
            with _transaction(db):
                for sql, rows in self._unwritten:
                    db.executemany(sql, rows)
                yield db
        except (sqlite3.Error, OSError, *_INVALID) as error:
            raise self._failed(error) from error
        self._unwritten.clear()
        self._set_problem("")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A read transaction: all reads in it see the same state.

        Raises:
            JournalError: the file cannot be read.
        """
        with self.typed_errors():
            db = self.connect()
            db.execute("BEGIN")
            try:
                yield db
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    @contextmanager
    def typed_errors(self) -> Iterator[None]:
        """Turn what SQLite raises, and what invalid values raise, into JournalError."""
        try:
            yield
        except (sqlite3.Error, OSError, *_INVALID) as error:
            raise self._failed(error) from error

    def write_or_keep(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Write rows now, or keep them for the next transaction. Never raises JournalError."""
        try:
            with self.writing(patient=False) as db:
                db.executemany(sql, rows)
        except JournalError:
            self.keep(sql, rows)

    def keep(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Keep rows for the next transaction that succeeds; they are written first in it."""
        self._unwritten.append((sql, rows))

    def note(self, text: str) -> None:
        """Log a note and pass it to ``on_note``, unless it is empty."""
        if text:
            logger.warning("%s: %s", self.path, text)
            if self.on_note is not None:
                self.on_note(text)

    def close(self) -> None:
        """Write what can still be written, and close the file. Never raises JournalError."""
        if self._unwritten:
            with contextlib.suppress(JournalError), self.writing(patient=False):
                pass
        self.disconnect()

    @property
    def is_connected(self) -> bool:
        """Whether the file is open; an error closes it."""
        return self._connection is not None

    def disconnect(self) -> None:
        """Close the connection, if there is one; what was kept stays kept."""
        db, self._connection = self._connection, None
        if db is not None:
            db.close()

    def connect(self) -> sqlite3.Connection:
        """Return the connection, opening the file when there is none.

        Raises:
            JournalError: the file cannot be used.
            sqlite3.Error, OSError: the file cannot be opened.
        """
        if self._connection is None:
            try:
                prepare_file(self.path)
                db = sqlite3.connect(self.path, isolation_level=None, timeout=BUSY_TIMEOUT)
                try:
                    self._set_up(db)
                except BaseException:
                    db.close()
                    raise
            except JournalError as error:
                self._set_problem(str(error))
                raise
            self._connection = db
        return self._connection

    def _failed(self, error: Exception) -> JournalError:
        typed = _error(self.path, error)
        code = getattr(error, "sqlite_errorname", "") or ""
        if not code.startswith(("SQLITE_BUSY", "SQLITE_FULL")):
            self.disconnect()  # The file may have been replaced or repaired by the next attempt.
        self._set_problem(str(typed))
        return typed

    def _set_problem(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            if self.on_problem is not None:
                self.on_problem(problem)

    def _set_up(self, db: sqlite3.Connection) -> None:
        db.execute("BEGIN")  # A snapshot: another process may be creating the file.
        version = db.execute("PRAGMA user_version").fetchone()[0]
        application = db.execute("PRAGMA application_id").fetchone()[0]
        empty = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        db.execute("ROLLBACK")
        if not empty and application != schema.APPLICATION_ID:
            raise JournalDamaged(
                f"{self.path} is not a journal of Pitstop; choose another file, or move it away"
            )
        if version > len(schema.VERSIONS):
            raise JournalTooNew(
                f"the journal {self.path} was written by a newer Pitstop (version {version} of the journal, "
                f"this one knows {len(schema.VERSIONS)}); use that one, or another file"
            )
        if not self._checked:
            verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise JournalDamaged(_damaged(self.path, verdict.splitlines()[-1]))
            self._checked = True
        mode = _switch_to_wal(db)
        if mode != "wal":
            raise JournalNotLocal(
                f"{self.path.parent} is on a file system where SQLite can keep no write-ahead log "
                f"(it answers {mode}), so the journal is not safe there; {ADVICE}"
            )
        for setting in _SETTINGS:
            db.execute(f"PRAGMA {setting}")
        if version < len(schema.VERSIONS):
            migrate(db)
        with _transaction(db):
            note = self._on_open(db)
        self.note(note)


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """A transaction: committed at the end, rolled back on any exception."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _switch_to_wal(db: sqlite3.Connection) -> str:
    """Switch the file to WAL, waiting while another process does: SQLite itself does not wait here.

    Returns the journal mode that the file is in now.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            return str(db.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def migrate(db: sqlite3.Connection) -> None:
    """Migrate the file to the newest schema version."""
    with _transaction(db):
        # Another process may have done it while this one waited.
        version = db.execute("PRAGMA user_version").fetchone()[0]
        for statements in schema.VERSIONS[version:]:
            for statement in statements:
                db.execute(statement)
        db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {len(schema.VERSIONS)}")


def _error(path: Path, error: Exception) -> JournalError:
    """The error with a message for the operator."""
    if isinstance(error, _INVALID):
        logger.error("%s holds what makes no sense", path, exc_info=error)
        return JournalDamaged(_damaged(path, f"{error}".splitlines()[0]))
    if isinstance(error, OSError):
        return JournalError(f"the journal {path} cannot be used: {error.strerror or error}")
    code = getattr(error, "sqlite_errorname", "") or ""
    if code.startswith("SQLITE_FULL"):
        return JournalError(f"the journal {path} cannot be written: the disk is full; make room")
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return JournalError(f"the journal {path} cannot be written: no permission, or a read-only disk")
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return JournalError(f"the journal {path} is held by another program for too long; close that one")
    if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or str(error).startswith("Could not decode"):
        return JournalDamaged(_damaged(path, str(error)))
    return JournalError(f"the journal {path} cannot be used: {error}")


def _damaged(path: Path, detail: str) -> str:
    return f"the journal {path} is damaged ({detail}); move it away to begin a new one"
