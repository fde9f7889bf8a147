"""The planned end of a window, as it is written."""

import time
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tui.model.planned_end import PlannedEndError, duration, local_time, parse_planned_end

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A local time zone whose clocks change."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


def at(text: str) -> float:
    """A time in Berlin, in seconds since the epoch."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


NOW = at("2026-11-23 22:04:30")


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2h", "2026-11-24 00:04:30"),
        ("90m", "2026-11-23 23:34:30"),
        ("90min", "2026-11-23 23:34:30"),
        ("1H30M", "2026-11-23 23:34:30"),
        ("2d", "2026-11-25 22:04:30"),
        ("22:30", "2026-11-23 22:30"),
        (" 02:00 ", "2026-11-24 02:00"),
        ("2:00", "2026-11-24 02:00"),
        ("22:04", "2026-11-24 22:04"),
        ("2026-11-24 02:00", "2026-11-24 02:00"),
        ("2026-11-24T02:00", "2026-11-24 02:00"),
    ],
)
def test_a_planned_end_is_read(text: str, end: str) -> None:
    assert parse_planned_end(text, NOW) == at(end)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2", "h", "25:00", "12:60", "24:00", "2 h", "1.5h", "+2h", "2h!", "2026-02-30 02:00", "٢h"],
)
def test_an_unreadable_end_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(PlannedEndError, match="an end is written like 90m, 2h, 22:30"):
        parse_planned_end(text, NOW)


@pytest.mark.parametrize("text", ["0m", "0h", "-2h", "2026-11-23 22:04", "1999-01-01 00:00"])
def test_an_end_in_the_past_is_refused(text: str) -> None:
    with pytest.raises(PlannedEndError, match="is in the past"):
        parse_planned_end(text, NOW)


@pytest.mark.parametrize("text", ["32d", "999999h", "2027-11-23 22:04"])
def test_an_end_that_is_too_far_away_is_refused(text: str) -> None:
    with pytest.raises(PlannedEndError, match="more than 31 days away"):
        parse_planned_end(text, NOW)


def test_what_is_written_cannot_act_on_the_terminal() -> None:
    with pytest.raises(PlannedEndError) as caught:
        parse_planned_end("\x1b[31m2h\u202e", NOW)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("now", "text", "hours"),
    [
        ("2026-10-24 22:00", "06:00", 9),  # the clocks go back at 03:00
        ("2026-03-28 22:00", "06:00", 7),  # and forward at 02:00
        ("2026-10-24 22:00", "8h", 8),
    ],
)
def test_a_night_on_which_the_clocks_change_has_its_true_length(now: str, text: str, hours: int) -> None:
    assert parse_planned_end(text, at(now)) - at(now) == hours * 3_600


def test_times_and_durations_as_a_sentence_shows_them() -> None:
    assert local_time(NOW) == "2026-11-23 22:04"
    shown = [duration(seconds) for seconds in (0, 59, 60, 3_600, 14_280, 86_400, 90_061)]
    assert shown == ["0 min", "0 min", "1 min", "1 h", "3 h 58 min", "1 d", "1 d 1 h"]
