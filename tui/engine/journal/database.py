"""The journal's file: opened safely, checked, brought to the newest version, written in transactions.

SQLite in WAL mode with ``synchronous=FULL``: what was committed survives the process, the machine and the
power. Knows nothing of what is written.
"""

import contextlib
import logging
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tui.engine.errors import JournalDamaged, JournalError, JournalNewer, JournalNotLocal
from tui.engine.journal import schema
from tui.engine.journal.mounts import ADVICE, check_local

BUSY_TIMEOUT = 3.0
"""Seconds to wait for another console's transaction; each of ours takes milliseconds."""

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

_SENSELESS = (ValueError, TypeError, msgspec.MsgspecError)
"""What comes of values that Pitstop never wrote, where SQLite found nothing wrong with the file."""


class Database:
    """One file, opened when first needed and again after trouble. Methods raise JournalError unless told."""

    def __init__(self, path: Path, on_open: Callable[[sqlite3.Connection], str]) -> None:
        """``on_open`` is called inside a transaction whenever the file was opened; see ``on_note``."""
        self.path = path
        self.problem = ""
        """Why the newest attempt failed; empty while all is well."""
        self.on_problem: Callable[[str], None] | None = None
        """Told when ``problem`` changes."""
        self.on_note: Callable[[str], None] | None = None
        """Told what was done to the file that an operator should know, once it is on disk."""
        self._on_open = on_open
        self._db: sqlite3.Connection | None = None
        self._checked = False
        self._unwritten: list[tuple[str, Sequence[Sequence[object]]]] = []

    @contextmanager
    def writing(self, *, patient: bool = True) -> Iterator[sqlite3.Connection]:
        """A transaction; what could not be written before goes first, so that the order stays.

        The lock of another program is waited for; unless ``patient``, only while all was well before.
        """
        try:
            db = self._connect()
            wait = BUSY_TIMEOUT if patient or not self.problem else 0.0
            db.execute(f"PRAGMA busy_timeout = {wait * 1000:.0f}")
            with _transaction(db):
                for sql, rows in self._unwritten:
                    db.executemany(sql, rows)
                yield db
        except (sqlite3.Error, OSError, *_SENSELESS) as error:
            raise self._failed(error) from error
        self._unwritten.clear()
        self._tell("")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent picture."""
        try:
            db = self._connect()
            db.execute("BEGIN")
            try:
                yield db
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")
        except (sqlite3.Error, OSError, *_SENSELESS) as error:
            raise self._failed(error) from error

    def write_or_keep(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Write rows; those that cannot be written now go before the next. Never raises JournalError."""
        try:
            with self.writing(patient=False) as db:
                db.executemany(sql, rows)
        except JournalError:
            self.keep(sql, rows)

    def keep(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Write rows with the next transaction that succeeds, before anything else in it."""
        self._unwritten.append((sql, rows))

    def note(self, text: str) -> None:
        """Tell what was done to the file; nothing for an empty text."""
        if text:
            logger.warning("%s: %s", self.path, text)
            if self.on_note is not None:
                self.on_note(text)

    def close(self) -> None:
        """Write what can still be written, and close the file. Never raises JournalError."""
        if self._unwritten:
            with contextlib.suppress(JournalError), self.writing(patient=False):
                pass
        self._disconnect()

    def _failed(self, error: Exception) -> JournalError:
        typed = _error(self.path, error)
        code = getattr(error, "sqlite_errorname", "") or ""
        if not code.startswith(("SQLITE_BUSY", "SQLITE_FULL")):
            self._disconnect()  # The file may have been replaced or repaired by the next attempt.
        self._tell(str(typed))
        return typed

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            if self.on_problem is not None:
                self.on_problem(problem)

    def _disconnect(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close()

    def _connect(self) -> sqlite3.Connection:
        if self._db is None:
            try:
                _prepare(self.path)
                db = sqlite3.connect(self.path, isolation_level=None, timeout=BUSY_TIMEOUT)
                try:
                    self._set_up(db)
                except BaseException:
                    db.close()
                    raise
            except JournalError as error:
                self._tell(str(error))
                raise
            self._db = db
        return self._db

    def _set_up(self, db: sqlite3.Connection) -> None:
        db.execute("BEGIN")  # One picture: another console may be making the file at this moment.
        version = db.execute("PRAGMA user_version").fetchone()[0]
        application = db.execute("PRAGMA application_id").fetchone()[0]
        empty = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        db.execute("ROLLBACK")
        if not empty and application != schema.APPLICATION_ID:
            raise JournalDamaged(
                f"{self.path} is not a journal of Pitstop; choose another file, or move it away"
            )
        if version > len(schema.VERSIONS):
            raise JournalNewer(
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
            _migrate(db)
        with _transaction(db):
            note = self._on_open(db)
        self.note(note)


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All of it on disk, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _switch_to_wal(db: sqlite3.Connection) -> str:
    """Wait for others that switch at the same moment: SQLite itself refuses them at once.

    Returns the mode that SQLite keeps the file in now.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            return str(db.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _migrate(db: sqlite3.Connection) -> None:
    """Lead the file to the newest version."""
    with _transaction(db):
        # Another console may have done it while this one waited.
        version = db.execute("PRAGMA user_version").fetchone()[0]
        for statements in schema.VERSIONS[version:]:
            for statement in statements:
                db.execute(statement)
        db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {len(schema.VERSIONS)}")


def prepare_directory(directory: Path) -> None:
    """Make the journal's folder, if there is none, and make sure that nobody else can write to it.

    Raises:
        JournalError: others can, or it is on a network file system.
        OSError: it cannot be made.
    """
    check_local(directory)
    for missing in (*reversed(directory.parents), directory):
        if not missing.exists():
            missing.mkdir(mode=0o700, exist_ok=True)
    info = directory.stat()
    if info.st_uid not in {os.geteuid(), 0} or (info.st_mode & 0o022 and not info.st_mode & stat.S_ISVTX):
        raise JournalError(
            f"others can write to {directory}, so the journal is not safe there; run chmod 700 on it"
        )


def _prepare(path: Path) -> None:
    """Make sure of a private file in a safe place before SQLite opens it.

    SQLite follows links and takes the umask's word for permissions, so both are settled here. In a
    directory that nobody else can write to, nothing can be exchanged in between.
    """
    directory = path.parent
    prepare_directory(directory)
    if not os.path.lexists(path):
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with contextlib.suppress(FileExistsError):  # Another console of the same user was faster.
            os.close(os.open(path, flags, 0o600))
            _sync(directory)
    for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        try:
            info = file.lstat()
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(info.st_mode) or info.st_nlink > 1:
            raise JournalError(f"{file} is a link or not a file; the journal is kept in a plain file only")
        if info.st_uid != os.geteuid():
            raise JournalError(f"{file} belongs to another user; choose another place for the journal")
        if info.st_mode & 0o077:
            with contextlib.suppress(FileNotFoundError):  # Another console closed it in between.
                file.chmod(0o600)


def _sync(directory: Path) -> None:
    """Let the entry of a new file survive the power, not only the file."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _error(path: Path, error: Exception) -> JournalError:
    """The error in words for the operator."""
    if isinstance(error, _SENSELESS):
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
