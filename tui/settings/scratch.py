"""A folder for what is not to outlive the process, and what is done about those that outlived theirs."""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "pitstop-"
SETTLED = 60.0
"""Seconds after which a folder is locked by whoever made it, if that is alive."""


class ScratchError(Exception):
    """There is no room for temporary files; ``str()`` is a sentence for the operator."""


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder of its own, locked while it is in use and removed at the end.

    What a process left that was killed goes with the next one.

    Raises:
        ScratchError: it cannot be made.
    """
    try:
        place = Path(tempfile.gettempdir())
        _remove_abandoned(place)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    except OSError as error:
        raise ScratchError(
            f"the sandbox needs a temporary folder, and none can be made ({error.strerror}): "
            "make room, or name another place in TMPDIR"
        ) from None
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _remove_abandoned(place: Path) -> None:
    """Remove this user's folders that nobody has locked."""
    for folder in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                continue
            if time.time() - found.st_mtime < SETTLED:
                continue
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
