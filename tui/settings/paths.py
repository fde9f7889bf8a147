"""Where Pitstop keeps its files, and how it makes them: for their owner only."""

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

PRIVATE_DIRECTORY = 0o700
PRIVATE_FILE = 0o600


class UnsafePathError(Exception):
    """A file or directory is not the operator's own; ``str()`` is a sentence for the operator."""


class Paths(msgspec.Struct, frozen=True):
    """Every file that Pitstop reads or writes."""

    config: Path
    """What the operator sets, TOML. Read only, never written."""
    state: Path
    """The directory of everything that the program writes."""

    @property
    def journal(self) -> Path:
        """Windows, operations and what became of every server, SQLite."""
        return self.state / "journal.sqlite3"

    @property
    def log(self) -> Path:
        """What went wrong, with tracebacks."""
        return self.state / "pitstop.log"

    @property
    def saved(self) -> Path:
        """What was chosen in the program and is kept for the next start, JSON."""
        return self.state / "saved.json"


def find_paths(environ: Mapping[str, str]) -> Paths:
    """Where the files are for this user.

    ``PITSTOP_HOME`` puts all of them into one directory; else ``XDG_CONFIG_HOME`` and
    ``XDG_STATE_HOME`` count on every system, else what is usual on this one.
    """
    if home := environ.get("PITSTOP_HOME"):
        directory = Path(home).expanduser().absolute()
        return Paths(directory / "config.toml", directory)
    config = _base(environ, "XDG_CONFIG_HOME")
    state = _base(environ, "XDG_STATE_HOME")
    if config is None or state is None:
        import platformdirs

        config = config or platformdirs.user_config_path("pitstop", appauthor=False)
        state = state or platformdirs.user_state_path("pitstop", appauthor=False)
    return Paths(config / "config.toml", state)


def _base(environ: Mapping[str, str], variable: str) -> Path | None:
    """The directory below an XDG base; relative ones are to be ignored, says the specification."""
    base = environ.get(variable, "")
    return Path(base, "pitstop") if os.path.isabs(base) else None


def make_private_directory(path: Path) -> None:
    """Make ``path`` a directory that only its owner can enter, in a place where only they can change it.

    Raises:
        UnsafePathError: it is there and somebody else's, or others could put another one in its place.
        OSError: it cannot be made.
    """
    for directory in (*reversed(path.parents), path):  # mkdir's own parents would get the umask's mode
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
    """Open a file that only its owner can read, never through a symbolic link. An ``opener`` for ``open``.

    Raises:
        UnsafePathError: it is a symbolic link or somebody else's.
        OSError: it cannot be opened.
    """
    try:
        # O_NONBLOCK: a pipe that nobody writes to is refused, not waited for.
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
    """Open a file and nothing else: a pipe would be waited for, a device has no end. An ``opener``.

    Raises:
        UnsafePathError: it is no regular file.
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK)
    if stat.S_IFMT(os.fstat(descriptor).st_mode) not in {
        stat.S_IFREG,
        stat.S_IFDIR,
    }:  # ``open`` names folders
        os.close(descriptor)
        raise UnsafePathError("it is no regular file")  # of a folder, `open` says so itself
    return descriptor


def check_trusted(path: Path) -> None:
    """Make sure that only the operator and the system's own user can have written a file that is believed.

    A link to it is followed; the folder it lies in counts as well. The operator's own group may write: where
    new files are made so, it is a group of one.

    Raises:
        UnsafePathError: others can write to it, or put another one in its place.
        OSError: it cannot be looked at.
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
    """Write ``content`` to ``path`` all at once: whoever reads it sees the old or the new, never a part.

    Raises:
        UnsafePathError: the directory is somebody else's.
        OSError: it cannot be written; ``path`` is as it was.
    """
    make_private_directory(path.parent)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
