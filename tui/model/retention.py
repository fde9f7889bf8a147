"""What may be forgotten, and how old it is: by a clock that can be wrong."""

from collections.abc import Iterable

import msgspec

DAY = 86_400.0

KEEP_DAYS = 90
"""Ended operations are kept that long,"""
KEEP_OPERATIONS = 1_000
"""the newest so many of them,"""
KEEP_SERVERS = 200_000
"""with no more than so many servers together: some 60 MB."""


class Reading(msgspec.Struct, frozen=True):
    """One look at the wall clock."""

    at: float
    """Seconds since the epoch, as the clock says."""
    boot: str = ""
    """The machine's boot; empty where the system does not tell."""
    uptime: float = 0.0
    """Seconds since that boot, which no setting of the clock moves."""


class Clock(msgspec.Struct, frozen=True):
    """What is believed of the wall clock."""

    believed: float
    """It is at least this late, in seconds since the epoch. Ages count from here."""
    newest: Reading
    """Not believed until a later reading, a day on, confirms it."""


def believe(clock: Clock | None, newest_row: float | None, reading: Reading) -> Clock:
    """Take in a reading; ``clock`` is what earlier runs knew, None for the first.

    A clock that jumps ahead is believed once another run, a day later at least, has read it so too: by the
    machine's uptime, or after another boot. A clock that is set back is believed at once, which only
    keeps more. The first reading of all counts as far as ``newest_row``, the newest time written down.
    """
    if clock is None:
        return Clock(reading.at if newest_row is None else min(reading.at, newest_row), reading)
    before = clock.newest
    if reading.at < before.at:
        return Clock(min(clock.believed, reading.at), reading)
    by_clock = reading.at - before.at
    same_boot = bool(reading.boot) and reading.boot == before.boot
    certain = reading.uptime - before.uptime if same_boot else by_clock
    return Clock(before.at, reading) if min(by_clock, certain) >= DAY else clock


class Ended(msgspec.Struct, frozen=True):
    """An operation that has ended."""

    key: int
    """Grows with each operation begun."""
    ended: float
    servers: int


def outdated(operations: Iterable[Ended], believed: float) -> list[int]:
    """The keys of the operations, given the oldest first, that are over the limits.

    None counts as older than one begun before it: a clock that was behind for a while ages nothing.
    """
    newest, ages = float("-inf"), []
    for operation in operations:
        newest = max(newest, operation.ended)
        ages.append((operation, newest))
    servers, found = 0, []
    for position, (operation, ended) in enumerate(reversed(ages)):
        servers += operation.servers
        too_many = position >= KEEP_OPERATIONS or servers > KEEP_SERVERS
        if too_many or ended < believed - KEEP_DAYS * DAY:
            found.append(operation.key)
    return found[::-1]
