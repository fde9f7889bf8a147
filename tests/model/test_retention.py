"""Which operations the journal drops, whatever the wall clock says."""

from hypothesis import given
from hypothesis import strategies as st

from tui.model.retention import (
    DAY,
    KEEP_DAYS,
    KEEP_OPERATIONS,
    KEEP_SERVERS,
    Clock,
    Ended,
    Reading,
    believe,
    outdated,
)

DAYS = st.floats(-2_000, 20_000).map(lambda days: days * DAY)


def clock_after(*readings: Reading, newest_row: float | None = None) -> Clock:
    clock = None
    for reading in readings:
        clock = believe(clock, newest_row, reading)
    assert clock is not None
    return clock


def test_a_correct_clock_is_believed_except_for_its_newest_reading() -> None:
    clock = clock_after(*(Reading(day * DAY, "a", day * DAY) for day in range(100)))
    assert clock.believed == 98 * DAY


def test_a_reading_counts_once_a_later_day_confirms_it() -> None:
    first, ahead = Reading(0.0, "a", 0.0), Reading(120 * DAY, "a", 60.0)
    assert clock_after(first, ahead, ahead).believed == 0.0
    rebooted = Reading(120 * DAY, "b", 60.0)
    assert clock_after(first, rebooted, rebooted).believed == 0.0
    assert clock_after(first, rebooted, Reading(121 * DAY, "b", 120.0)).believed == 0.0
    assert clock_after(first, rebooted, Reading(121 * DAY, "b", 60.0 + DAY)).believed == 120 * DAY
    assert clock_after(first, rebooted, Reading(121 * DAY, "c", 60.0)).believed == 120 * DAY


def test_what_counts_is_the_time_since_the_reading_before() -> None:
    first = Reading(0.0)
    assert clock_after(first, Reading(900 * DAY), Reading(900 * DAY + 60)).believed == 0.0
    assert clock_after(first, Reading(900 * DAY), Reading(901 * DAY)).believed == 900 * DAY
    ahead, later = Reading(120 * DAY, "b", 9 * DAY), Reading(240 * DAY, "b", 9 * DAY + 60)
    assert clock_after(first, ahead, later).believed == 0.0


def test_a_corrected_clock_discards_readings_not_yet_believed() -> None:
    first, ahead = Reading(0.0, "a", 0.0), Reading(120 * DAY, "b", 60.0)
    right = Reading(2 * DAY, "c", 60.0)
    assert clock_after(first, ahead, right).believed == 0.0
    assert clock_after(first, ahead, right, Reading(3 * DAY, "d", 0.0)).believed == 2 * DAY


def test_the_first_reading_is_limited_by_the_newest_row() -> None:
    assert clock_after(Reading(120 * DAY), newest_row=5 * DAY).believed == 5 * DAY
    assert clock_after(Reading(2 * DAY), newest_row=5 * DAY).believed == 2 * DAY


@given(known=st.lists(st.builds(Reading, DAYS, st.sampled_from("ab"), DAYS), min_size=1), wrong=DAYS)
def test_no_single_reading_advances_the_believed_time(known: list[Reading], wrong: float) -> None:
    before = clock_after(*known)
    for boot, uptime in (("a", 0.0), ("c", 0.0), ("", 0.0)):
        after = believe(before, None, Reading(wrong, boot, uptime))
        assert after.believed <= max(before.believed, before.newest.at)


def test_operations_beyond_a_limit_are_outdated() -> None:
    old = Ended(1, 0.0, 1)
    assert outdated([old], KEEP_DAYS * DAY) == []
    assert outdated([old], KEEP_DAYS * DAY + 1) == [1]
    many = [Ended(key, 0.0, 1) for key in range(KEEP_OPERATIONS + 2)]
    assert outdated(many, 0.0) == [0, 1]
    assert outdated([Ended(1, 0.0, 150_000), Ended(2, 0.0, 100_000)], 0.0) == [1]
    assert outdated([Ended(1, 0.0, 0), Ended(2, 0.0, KEEP_SERVERS)], 0.0) == []


def test_an_operation_is_no_older_than_one_created_before_it() -> None:
    believed = 1_000 * DAY
    assert outdated([Ended(1, believed, 1), Ended(2, 0.0, 1)], believed) == []
