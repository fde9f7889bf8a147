"""A folder for what is not to outlive the process, and what is done about those that outlived theirs."""

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
"""Marks a folder as one of these, and is locked for as long as the process lives that made it."""


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
    try:
        # Locked before it has its name: nobody finds it there unlocked.
        with (folder / "new").open("xb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            (folder / "new").rename(folder / LOCK)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(place: Path) -> None:
    """Remove what scratch folders of this user nobody has locked."""
    for path in place.glob(f"{PREFIX}*/{LOCK}"):
        with contextlib.suppress(OSError, UnsafePathError), open(path, "rb", opener=open_private) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path.parent, ignore_errors=True)
