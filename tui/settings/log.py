"""The log file: what went wrong, with tracebacks, for whoever repairs it. Never a screen, never a secret."""

import contextlib
import logging
import os
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from tui.settings.paths import UnsafePathError, make_private_directory, open_private

LARGEST = 1_000_000
"""Bytes; a longer file is put aside at the next start, and the one put aside before it goes."""


class _PrivateFile(logging.FileHandler):
    """Makes its file when there is something to write, readable for its owner only."""

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding="utf-8", errors="backslashreplace", opener=open_private)

    def emit(self, record: logging.LogRecord) -> None:
        """Write it, if the file can be opened: whoever had something to tell goes on in any case."""
        with contextlib.suppress(OSError, UnsafePathError):
            super().emit(record)


def start_log(path: Path) -> None:
    """Write warnings and errors of the whole program to ``path`` from now on.

    Raises:
        UnsafePathError: the directory is somebody else's.
        OSError: the directory cannot be made.
    """
    make_private_directory(path.parent)
    if path.is_file() and not path.is_symlink() and path.stat().st_size > LARGEST:
        os.replace(path, path.with_name(path.name + ".1"))
    handler = _PrivateFile(path, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    handler.handleError = _give_up  # type: ignore[method-assign]
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)


def _give_up(record: logging.LogRecord, *_: Any) -> None:
    """A log that cannot be written (a full disk) must not draw over the screen."""
