"""Temporary directories that are removed with the process, or by a later one."""

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tui.settings.paths import UnsafePathError, open_private

PREFIX = "pitstop-"
LOCK = "pitstop.lock"
"""The file that marks such a directory. The process that created it holds a lock on the file."""


class ScratchError(Exception):
    """No temporary directory can be created; ``str()`` is a sentence for the operator."""


@contextmanager
def scratch() -> Iterator[Path]:
    """Create a temporary directory, locked while it is in use and removed afterwards.

    Directories of processes that were killed are removed first.

    Raises:
        ScratchError: the directory cannot be created.
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
    try:
        # The file is locked before it gets its name, so that no process finds it unlocked.
        with (folder / "new").open("xb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            (folder / "new").rename(folder / LOCK)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(place: Path) -> None:
    """Remove the directories of this user that no process has locked."""
    for path in place.glob(f"{PREFIX}*/{LOCK}"):
        with contextlib.suppress(OSError, UnsafePathError), open(path, "rb", opener=open_private) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path.parent, ignore_errors=True)
