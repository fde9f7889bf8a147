"""The planned end of a window, as an operator writes it, and times as a sentence shows them."""

import re
import time
from datetime import datetime, timedelta
from typing import NamedTuple

from tui.model.text import clean

LONGEST = 31
"""Days that a window is planned for at most; more is taken for a slip of the keyboard."""


class Form(NamedTuple):
    """One way to write a planned end."""

    form: str
    meaning: str


FORMS = (
    Form("2h  90m  1h30m  2d", "so long from now"),
    Form("22:30", "when the clock shows that next: today, or tomorrow once it is past"),
    Form("2026-11-24 02:00", "on that date"),
)
"""Every form, for the help. Times of day are those of the local time zone."""

_HOW = "an end is written like 90m, 2h, 22:30 (tomorrow when that is past) or 2026-11-24 02:00"
_DURATION = re.compile(r"(-?)(?=[0-9])(?:([0-9]{1,6})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m(?:in)?)?", re.I)
_OF_DAY = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{1,2}:[0-9]{2}")


class PlannedEndError(ValueError):
    """A planned end cannot be read, is in the past, or is too far away; the message is for the operator."""


def parse_planned_end(text: str, now: float) -> float:
    """Return the time that ``text`` stands for. Both times are seconds since the epoch.

    Raises:
        PlannedEndError: it cannot be read, is not after ``now``, or is more than ``LONGEST`` days after it.
    """
    wanted, shown = text.strip(), repr(clean(text.strip(), 40))
    end = _parsed(wanted, datetime.fromtimestamp(now))
    if end is None:
        raise PlannedEndError(f"{_HOW}, not {shown}")
    if end <= now:
        raise PlannedEndError(f"the planned end {shown} is in the past; {_HOW}")
    if end > now + LONGEST * 86_400:
        raise PlannedEndError(f"the planned end {shown} is more than {LONGEST} days away; {_HOW}")
    return end


def _parsed(text: str, now: datetime) -> float | None:
    """The time, or None where the text has none of the forms. ``now`` is local, without a time zone.

    Local times become seconds one by one, so that a day on which the clocks change has its true length.
    """
    try:
        if (found := _DURATION.fullmatch(text)) is not None:
            days, hours, minutes = (int(part or 0) for part in found.groups()[1:])
            seconds = timedelta(days=days, hours=hours, minutes=minutes).total_seconds()
            return now.timestamp() + (-seconds if found[1] else seconds)
        if (found := _OF_DAY.fullmatch(text)) is not None:
            today = now.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
            end = today.timestamp()
            return end if end > now.timestamp() else (today + timedelta(days=1)).timestamp()
        if _DATE.fullmatch(text) is not None:
            return datetime.strptime(text.replace("T", " "), "%Y-%m-%d %H:%M").timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return None


def local_time(at: float) -> str:
    """E.g. "2026-11-24 02:00", in local time."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def duration(seconds: float) -> str:
    """The two greatest units, e.g. "3 h 58 min"; less than a minute is "0 min"."""
    minutes = int(seconds) // 60
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    first = next((index for index, (number, _) in enumerate(parts) if number), 2)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number) or "0 min"
