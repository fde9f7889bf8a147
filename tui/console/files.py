"""Read and write files that the operator names. To be called on a thread: a disk may be slow or remote."""

import codecs
import os
import stat
from pathlib import Path

from tui.console.screens.prompt import Refused

LARGEST = 8 << 20
"""The largest ticket that is read, in bytes: room for a hundred thousand servers."""


def _path(name: str) -> Path:
    try:
        return Path(name).expanduser().absolute()
    except RuntimeError as error:
        raise Refused(f"{name}: there is no such user") from error


def read_text(name: str) -> str:
    """Read a text file in UTF-8 or UTF-16; bytes that are neither become replacement characters.

    Raises:
        Refused: It cannot be read, is larger than ``LARGEST``, or is not text.
    """
    path = _path(name)
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Refused(f"{path} is not a file that can be read")
            data = file.read(LARGEST + 1)
    except IsADirectoryError as error:
        raise Refused(f"{path} is a directory") from error
    except (OSError, ValueError) as error:
        raise Refused(f"{path} cannot be read: {_reason(error)}") from error
    if len(data) > LARGEST:
        raise Refused(f"{path} is larger than {LARGEST >> 20} MB: that is no ticket")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        raise Refused(f"{path} is not text")
    return data.decode("utf-8-sig", errors="replace")


def write_new(name: str, text: str) -> Path:
    """Write a new file that only its owner can read, and return its path.

    Raises:
        Refused: It exists already or cannot be written.
    """
    path = _path(name)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError as error:
        raise Refused(f"{path} is there already and is left alone; choose another name") from error
    except (OSError, ValueError) as error:
        raise Refused(f"{path} cannot be written: {_reason(error)}") from error
    try:
        with open(descriptor, "wb") as file:
            file.write(text.encode("utf-8", errors="replace"))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise Refused(f"{path} cannot be written: {_reason(error)}") from error
    return path


def _open_at_once(path: str, flags: int) -> int:
    """An ``opener`` that does not block on a pipe without a writer."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
