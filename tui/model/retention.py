"""Which operations the journal may drop, by the age that a possibly wrong clock suggests."""

from collections.abc import Iterable

import msgspec

DAY = 86_400.0

KEEP_DAYS = 90
"""Days for which ended operations are kept."""
KEEP_OPERATIONS = 1_000
"""The number of ended operations that are kept."""
KEEP_SERVERS = 200_000
"""The number of servers in all ended operations that are kept: some 60 MB."""


class Reading(msgspec.Struct, frozen=True):
    """A reading of the wall clock."""

    at: float
    """Seconds since the epoch."""
    boot: str = ""
    """An id of the machine's boot; empty where the system has none."""
    uptime: float = 0.0
    """Seconds since that boot; setting the clock does not change them."""


class Clock(msgspec.Struct, frozen=True):
    """What earlier readings show about the wall clock."""

    believed: float
    """Seconds since the epoch; it is at least this late. Ages count from here."""
    newest: Reading
    """Not trusted until a later reading, after a day, confirms it."""


def believe(clock: Clock | None, newest_row: float | None, reading: Reading) -> Clock:
    """Return what is known of the clock after ``reading``. ``clock`` is None for the first reading.

    A clock that jumps ahead is trusted once another run confirms it, at least a day later by the machine's
    uptime, or after another boot. A clock that is set back is trusted at once: that only keeps more. The
    first reading counts up to ``newest_row``, the newest time in the journal, in seconds since the epoch.
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
    """It grows with each operation that begins."""
    ended: float
    """Seconds since the epoch."""
    servers: int
    """How many there are."""


def outdated(operations: Iterable[Ended], believed: float) -> list[int]:
    """Return the keys of the operations over the limits. ``operations`` come the oldest first.

    No operation counts as older than one that began before it, so that a clock that was slow for a while
    makes none look old. ``believed`` is ``Clock.believed``.
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
