"""Creates the journal's file and folder so that no other user can read or replace them."""

import contextlib
import os
import stat
from pathlib import Path

from tui.engine.errors import JournalError
from tui.engine.journal.mounts import check_local


def prepare_directory(directory: Path) -> None:
    """Create a private folder unless it exists, and check that no other user can write to it.

    Raises:
        JournalError: others can, or it is on a network file system.
        OSError: it cannot be created.
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


def prepare_file(path: Path) -> None:
    """Make sure that the file is private and in a safe place before SQLite opens it.

    SQLite follows links and applies the umask, so both are handled here. In a directory that nobody else
    can write to, the file cannot be exchanged in between.

    Raises:
        JournalError: others can write to the folder, or the file is a link or another user's.
        OSError: the file cannot be created.
    """
    directory = path.parent
    prepare_directory(directory)
    if not os.path.lexists(path):
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with contextlib.suppress(FileExistsError):  # Another process of the same user was faster.
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
            with contextlib.suppress(FileNotFoundError):  # Another process closed it in between.
                file.chmod(0o600)


def _sync(directory: Path) -> None:
    """Sync a directory, so that the entry of a new file survives a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
