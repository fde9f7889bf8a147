"""The owner of an operation: a process, distinguished from every other one even after it died.

Process ids are used again. So an owner is the host, the process id and the moment the process was started,
as the system writes it.
"""

import contextlib
import functools
import os
import socket
import subprocess
import time
from pathlib import Path

import msgspec

HEARTBEAT = 20.0
"""Seconds between two heartbeats of an owner."""

SILENT_FOR = 180.0
"""Seconds without a heartbeat after which an owner on another host counts as dead."""


class Owner(msgspec.Struct, frozen=True):
    """One process on one host."""

    host: str
    pid: int
    started: str
    """When the process was started, as its system writes it; only compared, never parsed."""

    @classmethod
    def current(cls) -> "Owner":
        """Return the calling process as an owner."""
        return cls(_host(), os.getpid(), _started(os.getpid()))


def is_alive(owner: Owner, heartbeat_age: float) -> bool:
    """Return whether the process ``owner`` still runs.

    On this host the system knows. On another host the heartbeat decides: ``heartbeat_age`` is the time in
    seconds since the last one.
    """
    if owner.host == _host():
        return bool(owner.started) and _started(owner.pid) == owner.started
    return heartbeat_age < SILENT_FOR


def uptime() -> tuple[str, float]:
    """Return the id of the machine's boot and the seconds since it, suspended time included.

    Setting the clock does not change them. ``("", 0.0)`` where the system does not provide them.
    """
    try:
        return _boot_id(), time.clock_gettime(time.CLOCK_BOOTTIME)
    except (OSError, AttributeError):
        return "", 0.0


def _host() -> str:
    # Two containers may share a host name and a home directory, but not process ids.
    space = ""
    with contextlib.suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")
    return f"{socket.gethostname()} {space}".strip()


@functools.cache
def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _started(pid: int) -> str:
    """When process ``pid`` was started, as the system writes it; empty when there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = _boot_id()
    except OSError:
        return "" if Path("/proc/self").exists() else _started_elsewhere(pid)
    # Field 22; counted from behind the command's name, which may hold spaces and parentheses.
    after_name = fields.rpartition(")")[2].split()
    return "" if after_name[0] in {"Z", "X"} else f"{boot} {after_name[19]}"


def _started_elsewhere(pid: int) -> str:
    """``_started`` on systems without /proc."""
    found = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False, timeout=5
    )
    return found.stdout.strip()
