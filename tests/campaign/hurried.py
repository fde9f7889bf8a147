"""`pitstop` in a world where time runs faster: `python -m tests.campaign.hurried start ...`.

The machine's clocks and the waiting of event loops are hurried, and nothing of the program is changed:
every interval, limit and time-out of it, known here or not, keeps its proportion to the sandbox's jobs, which
live in the same time (`... hurried sandbox --port 0`). Processors and disks stay as slow as they are.

With ``--defect NAME`` in front, a defect of an earlier version is put back first: see
`tests.campaign.defects`. With ``--elsewhere`` the process takes itself to be on a host of its own.
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
    """What a hurried process takes for the seconds since the epoch."""
    return ANCHOR + (_real_time() - ANCHOR) * FACTOR


def hurry() -> None:
    """Hurry everything in this process that asks for the time from now on."""
    monotonic, gettime = time.monotonic, time.clock_gettime
    replaced: Any = time
    replaced.time = now
    replaced.monotonic = lambda: monotonic() * FACTOR
    replaced.clock_gettime = lambda which: now() if which == time.CLOCK_REALTIME else gettime(which) * FACTOR

    class Hurried(selectors.DefaultSelector):
        """What an event loop waits with."""

        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            return super().select(timeout if timeout is None else timeout / FACTOR)

    selectors.DefaultSelector = Hurried  # type: ignore[misc]


def move_away() -> None:
    """Have this process known by a host name that no other has, as in a container."""
    name = f"elsewhere-{os.getpid()}"
    replaced: Any = socket
    replaced.gethostname = lambda: name


def main() -> int:
    """Hurry, put back the defect that is named, if any, and be the program."""
    hurry()
    arguments = sys.argv[1:]
    if arguments[:1] == ["--elsewhere"]:
        move_away()
        arguments = arguments[1:]
    if arguments[:1] == ["--defect"]:
        from tests.campaign.defects import put_back

        put_back(arguments[1])
        arguments = arguments[2:]
    from tui.cli import main as pitstop

    return pitstop(arguments)


if __name__ == "__main__":
    sys.exit(main())
