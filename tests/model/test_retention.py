"""Which operations the journal drops, whatever the wall clock says."""

from hypothesis import given
from hypothesis import strategies as st

from tui.model.retention import DAY, KEEP_DAYS, KEEP_OPERATIONS, Clock, Ended, Reading, believe, outdated

DAYS = st.floats(-2_000, 20_000).map(lambda days: days * DAY)


def through(*readings: Reading, newest_row: float | None = None) -> Clock:
    clock = None
    for reading in readings:
        clock = believe(clock, newest_row, reading)
    assert clock is not None
    return clock


def test_a_clock_that_goes_right_is_believed_but_for_the_newest_reading() -> None:
    clock = through(*(Reading(day * DAY, "a", day * DAY) for day in range(100)))
    assert clock.believed == 98 * DAY


def test_a_reading_counts_once_a_later_day_confirms_it() -> None:
    first, ahead = Reading(0.0, "a", 0.0), Reading(120 * DAY, "a", 60.0)
    assert through(first, ahead, ahead).believed == 0.0
    rebooted = Reading(120 * DAY, "b", 60.0)
    assert through(first, rebooted, rebooted).believed == 0.0
    assert through(first, rebooted, Reading(121 * DAY, "b", 120.0)).believed == 0.0
    assert through(first, rebooted, Reading(121 * DAY, "b", 60.0 + DAY)).believed == 120 * DAY
    assert through(first, rebooted, Reading(121 * DAY, "c", 60.0)).believed == 120 * DAY


def test_a_clock_that_is_set_right_again_takes_back_what_was_not_believed() -> None:
    first, ahead = Reading(0.0, "a", 0.0), Reading(120 * DAY, "b", 60.0)
    right = Reading(2 * DAY, "c", 60.0)
    assert through(first, ahead, right).believed == 0.0
    assert through(first, ahead, right, Reading(3 * DAY, "d", 0.0)).believed == 2 * DAY


def test_the_first_reading_counts_as_far_as_the_newest_row() -> None:
    assert through(Reading(120 * DAY), newest_row=5 * DAY).believed == 5 * DAY
    assert through(Reading(2 * DAY), newest_row=5 * DAY).believed == 2 * DAY


@given(known=st.lists(st.builds(Reading, DAYS, st.sampled_from("ab"), DAYS), min_size=1), wrong=DAYS)
def test_no_single_reading_ages_anything(known: list[Reading], wrong: float) -> None:
    before = through(*known)
    for boot, uptime in (("a", 0.0), ("c", 0.0), ("", 0.0)):
        after = believe(before, None, Reading(wrong, boot, uptime))
        assert after.believed <= max(before.believed, before.newest.at)


def test_limits() -> None:
    old = Ended(1, 0.0, 1)
    assert outdated([old], KEEP_DAYS * DAY) == []
    assert outdated([old], KEEP_DAYS * DAY + 1) == [1]
    many = [Ended(key, 0.0, 1) for key in range(KEEP_OPERATIONS + 2)]
    assert outdated(many, 0.0) == [0, 1]
    assert outdated([Ended(1, 0.0, 150_000), Ended(2, 0.0, 100_000)], 0.0) == [1]


def test_an_operation_is_no_older_than_one_begun_before_it() -> None:
    believed = 1_000 * DAY
    assert outdated([Ended(1, believed, 1), Ended(2, 0.0, 1)], believed) == []
