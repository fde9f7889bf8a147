"""`pitstop` with time that runs faster: `python -m tests.campaign.hurried start ...`.

Clocks and the waits of event loops are hurried; the program is not changed. Every interval, limit and
time-out of it keeps its proportion to the sandbox's jobs, which run in the same hurried time (`now`).
Processors and disks stay as slow as they are.

With ``--defect NAME`` in front, a defect of an earlier version is put back first: see
`tests.campaign.defects`. With ``--elsewhere`` the process has a host name of its own.
"""

import os
import selectors
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

FACTOR = 25.0
"""Hurried seconds in one real second: a job of a minute takes 2.4 s, and so does a request's time-out."""

ANCHOR = 1_735_689_600.0
"""The moment, in seconds since the epoch, at which hurried clocks and real ones showed the same."""

_real_time: Callable[[], float] = time.time


def now() -> float:
    """Hurried seconds since the epoch."""
    return ANCHOR + (_real_time() - ANCHOR) * FACTOR


def hurry() -> None:
    """Hurry all clocks of this process from now on."""
    monotonic, gettime = time.monotonic, time.clock_gettime
    replaced: Any = time
    replaced.time = now
    replaced.monotonic = lambda: monotonic() * FACTOR
    replaced.clock_gettime = lambda which: now() if which == time.CLOCK_REALTIME else gettime(which) * FACTOR

    class Hurried(selectors.DefaultSelector):
        """The selector of an event loop, with shorter waits."""

        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            return super().select(timeout if timeout is None else timeout / FACTOR)

    selectors.DefaultSelector = Hurried  # type: ignore[misc]


def change_host_name() -> None:
    """Give this process a host name that no other has, as in a container."""
    name = f"elsewhere-{os.getpid()}"
    replaced: Any = socket
    replaced.gethostname = lambda: name


def main() -> int:
    """Hurry, put back the defect that is named, if any, and run the program."""
    hurry()
    arguments = sys.argv[1:]
    if arguments[:1] == ["--elsewhere"]:
        change_host_name()
        arguments = arguments[1:]
    if arguments[:1] == ["--defect"]:
        from tests.campaign.defects import put_back

        put_back(arguments[1])
        arguments = arguments[2:]
    from tui.cli import main as pitstop

    return pitstop(arguments)


if __name__ == "__main__":
    sys.exit(main())
