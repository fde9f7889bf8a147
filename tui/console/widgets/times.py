"""Times as the console shows them. All are in seconds, moments since the epoch."""

import time

AGES = (
    (86_400, "a day"),
    (43_200, "12 h"),
    (14_400, "4 h"),
    (3_600, "1 h"),
    (1_800, "30 min"),
    (600, "10 min"),
)
"""Seconds, and the text for an age of at least that. Coarse, so that an idle screen sends nothing."""


def clock_time(at: float) -> str:
    """Return a moment as hours:minutes of the local time zone."""
    return time.strftime("%H:%M", time.localtime(at))


def wall_time(at: float) -> str:
    """Return a moment as hours:minutes:seconds of the local time zone."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def age(at: float, now: float) -> str:
    """Return when the data was read, and in coarse steps how long ago."""
    for seconds, words in AGES:
        if now - at >= seconds:
            return f"read {clock_time(at)}, over {words} ago"
    return f"read {clock_time(at)}"


def latency(seconds: float) -> str:
    """Return a round-trip time in coarse steps."""
    if seconds < 0.01:
        return "<10 ms"
    if seconds < 0.995:
        return f"{round(seconds, 2) * 1000:.0f} ms"
    return f"{seconds:.0f} s"
