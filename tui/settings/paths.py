"""The paths of Pitstop's files, and private files and directories."""

import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

PRIVATE_DIRECTORY = 0o700
PRIVATE_FILE = 0o600


class UnsafePathError(Exception):
    """A file or directory is not safe to use; ``str()`` is a sentence for the operator."""


class Paths(msgspec.Struct, frozen=True):
    """The paths of every file that Pitstop reads or writes."""

    config: Path
    """The operator's settings, TOML. It is only read."""
    state: Path
    """The directory of all files that the program writes."""

    @property
    def journal(self) -> Path:
        """Windows, operations and the state of every target, SQLite."""
        return self.state / "journal.sqlite3"

    @property
    def log(self) -> Path:
        """Warnings and errors, with tracebacks."""
        return self.state / "pitstop.log"

    @property
    def saved(self) -> Path:
        """Settings chosen in the program, JSON."""
        return self.state / "saved.json"


def find_paths(environ: Mapping[str, str]) -> Paths:
    """Find the paths for this user.

    ``PITSTOP_HOME`` is one directory for all files. Without it, ``XDG_CONFIG_HOME`` and ``XDG_STATE_HOME``
    count on every system, then the usual directories of the system.

    Source: XDG Base Directory Specification.

    Raises:
        UnsafePathError: ``PITSTOP_HOME`` names the home of a user that does not exist.
    """
    if home := environ.get("PITSTOP_HOME"):
        try:
            directory = Path(home).expanduser().absolute()
        except RuntimeError as error:
            raise UnsafePathError(f"PITSTOP_HOME is {home}: there is no such user") from error
        return Paths(directory / "config.toml", directory)
    config = _base(environ, "XDG_CONFIG_HOME")
    state = _base(environ, "XDG_STATE_HOME")
    if config is None or state is None:
        import platformdirs

        config = config or platformdirs.user_config_path("pitstop", appauthor=False)
        state = state or platformdirs.user_state_path("pitstop", appauthor=False)
    return Paths(config / "config.toml", state)


def _base(environ: Mapping[str, str], variable: str) -> Path | None:
    """The directory below an XDG base. The specification ignores relative paths."""
    base = environ.get(variable, "")
    return Path(base, "pitstop") if os.path.isabs(base) else None


def make_private_directory(path: Path) -> None:
    """Create a directory, and its parents, that only its owner can enter.

    Raises:
        UnsafePathError: it belongs to another user, or other users could replace it.
        OSError: it cannot be created.
    """
    for directory in (*reversed(path.parents), path):  # mkdir(parents=True) would use the umask.
        if not directory.exists():
            directory.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise UnsafePathError(f"{path} belongs to another user; set PITSTOP_HOME to a directory of your own")
    for directory in path.resolve().parents:
        _check_unchanged_by_others(directory)
    if stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(PRIVATE_DIRECTORY)


def open_private(path: str | Path, flags: int) -> int:
    """Open a file, not through a symbolic link, and make it readable by its owner only. An ``opener``.

    Raises:
        UnsafePathError: it is a symbolic link, no regular file, or another user's.
        OSError: it cannot be opened.
    """
    try:
        # O_NONBLOCK: opening a pipe does not wait for a writer; the pipe is refused below.
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, PRIVATE_FILE)
    except OSError:
        if os.path.islink(path):
            raise UnsafePathError(f"{path} is a symbolic link, which is not followed; remove it") from None
        raise
    found = os.fstat(descriptor)
    if found.st_uid != os.geteuid() or not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise UnsafePathError(f"{path} is not a file of your own; remove it")
    if stat.S_IMODE(found.st_mode) & 0o077:
        os.fchmod(descriptor, PRIVATE_FILE)
    return descriptor


def open_regular(path: str | Path, flags: int) -> int:
    """Open a regular file; reading a pipe might block, and a device has no end. An ``opener``.

    Raises:
        UnsafePathError: it is no regular file.
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # ``open`` itself refuses a directory.
        os.close(descriptor)
        raise UnsafePathError("it is no regular file")
    return descriptor


def check_trusted(path: Path) -> None:
    """Check that only the operator and root can have written a file.

    A link to the file is followed, and its directory is checked too. The operator's own group may write: on
    systems that create files so, the group has one member.

    Raises:
        UnsafePathError: other users can write to the file, or replace it.
        OSError: its status cannot be read.
    """
    file = path.resolve()
    for place in (file, file.parent):
        _check_unchanged_by_others(place)


def _check_unchanged_by_others(place: Path) -> None:
    found = place.stat()
    if found.st_uid not in {os.geteuid(), 0}:
        raise UnsafePathError(f"{place} belongs to another user, who could change it")
    shared = 0o002 if found.st_gid == os.getegid() else 0o022
    sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
    if found.st_mode & shared and not sticky:
        raise UnsafePathError(f"others can write to {place}; run chmod go-w on it")


def replace_private(path: Path, content: bytes) -> None:
    """Replace the file ``path`` of the program's own; see ``replacing``.

    Raises:
        UnsafePathError: the directory is not the operator's own.
        OSError: the file cannot be written; it stays as it was.
    """
    make_private_directory(path.parent)
    with replacing(path) as file:
        file.write(content)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file that only its owner can read, and that takes the place of ``path`` at the end.

    A reader sees the old content or the new one, never a part. After an exception the old one stays.

    Raises:
        OSError: it cannot be written.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
