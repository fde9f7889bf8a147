"""The log file, with warnings and tracebacks; with ``PITSTOP_LOG=debug`` also every request. No secrets."""

import contextlib
import logging
import os
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from tui.settings.loader import SettingsError
from tui.settings.paths import UnsafePathError, make_private_directory, open_private

MAX_SIZE = 1_000_000
"""Bytes; a larger file is renamed at the next start and replaces the one renamed before."""

LEVELS = {
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}
"""The values of ``PITSTOP_LOG``."""
_OWN = ("tui", "pitstop")
"""The first names of the program's own loggers."""


class _PrivateFile(logging.FileHandler):
    """Creates its file with the first record, readable by its owner only."""

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding="utf-8", errors="backslashreplace", opener=open_private)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; drop it when the file cannot be opened."""
        with contextlib.suppress(OSError, UnsafePathError):
            super().emit(record)


def log_level(environ: Mapping[str, str]) -> int:
    """The level that ``PITSTOP_LOG`` names; warnings where it is not set.

    Raises:
        SettingsError: it names no level.
    """
    name = environ.get("PITSTOP_LOG") or "warning"
    if name.lower() not in LEVELS:
        raise SettingsError(f"PITSTOP_LOG: must be one of {', '.join(LEVELS)}, not {name!r}")
    return LEVELS[name.lower()]


def start_log(path: Path, level: int = logging.WARNING) -> None:
    """Write the records of the whole program to ``path``, from ``level`` up.

    Of other packages only warnings and errors are written: nothing keeps secrets out of their details.

    Raises:
        UnsafePathError: the directory is not the operator's own.
        OSError: the directory cannot be created.
    """
    make_private_directory(path.parent)
    if path.is_file() and not path.is_symlink() and path.stat().st_size > MAX_SIZE:
        os.replace(path, path.with_name(path.name + ".1"))
    handler = _PrivateFile(path, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    handler.handleError = _give_up  # type: ignore[method-assign]
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or record.name.split(".")[0] in _OWN)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)


def _give_up(record: logging.LogRecord, *_: Any) -> None:
    """Ignore a record that cannot be written: a message would draw over the screen."""
