"""When a job is polled."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.engine.polling.schedule import (
    LONGEST_INTERVAL,
    PRICE,
    LifeTable,
    backoff,
    bound,
    expected,
    similar,
)
from tui.model.operation import Action

START = Action.START_MAINTENANCE


def ages(table: LifeTable, until: float) -> list[float]:
    """The ages at which a job that goes on is polled."""
    polled = [0.0]
    while polled[-1] < until:
        polled.append(polled[-1] + table.interval(polled[-1]))
    return polled[1:]


@pytest.mark.parametrize("action", list(Action))
def test_expected_durations_grow_with_the_number_of_servers(action: Action) -> None:
    times = [expected(action, servers) for servers in (1, 3, 8, 100)]
    assert times == sorted(times)
    assert times[0] > 0
    steps = [(expected(action, servers + 50) - expected(action, servers)) / 50 for servers in (1, 10, 100)]
    assert steps == pytest.approx([steps[0]] * 3)


@pytest.mark.parametrize(("servers", "seconds"), [(3, 27), (8, 38)])
def test_expected_durations_match_the_recorded_ones(servers: int, seconds: float) -> None:
    assert expected(Action.STOP_MAINTENANCE, servers) == pytest.approx(seconds)


def test_every_number_of_servers_is_in_one_range_of_similar_ones() -> None:
    for servers in range(1, 5_000):
        assert servers in similar(servers)
        assert similar(similar(servers).start) == similar(servers)
    assert 37 not in similar(100)
    assert 0 not in similar(0)


def test_backing_off_doubles_to_half_a_minute() -> None:
    waits = [backoff(failures, 0.0) for failures in range(1, 2_000)]
    assert waits[:6] == [1, 2, 4, 8, 16, 30]
    assert set(waits[6:]) == {30}
    assert backoff(4, 0.999) == pytest.approx(4, abs=0.1)


def test_a_job_is_tracked_for_at_least_an_hour_and_not_for_ever() -> None:
    assert bound(1) == 3_600
    assert bound(600) == 12_000


def test_polls_are_rare_at_first_and_frequent_when_the_end_is_due() -> None:
    table = LifeTable(START, 20, [100 + n / 5 for n in range(-100, 100)])
    polled = ages(table, 120)
    early = [later - sooner for sooner, later in pairwise(polled) if later < 70]
    due = [later - sooner for sooner, later in pairwise(polled) if sooner > 90 and later < 115]
    assert min(early) > 3 * max(due)


def test_a_constant_hazard_gives_the_interval_of_the_textbook() -> None:
    table = LifeTable(START, 1)
    for _ in range(1_000):  # Of a thousand jobs alive at 50 s, 5 in a hundred end in each second.
        table.survived(50, 60)
    for end in range(500):
        table.ended(50 + end / 50, 50 + end / 50)
    assert table.interval(54) == pytest.approx(math.sqrt(2 * PRICE / 0.05), rel=0.15)


def test_jobs_that_go_on_lower_the_hazard() -> None:
    table = LifeTable(START, 1)
    before = table.hazard(30)
    for _ in range(100):
        table.survived(0, 200)
    assert table.hazard(30) < before / 20


def test_jobs_without_history_are_polled_within_a_tenth_of_their_age() -> None:
    for servers in (1, 10, 100, 1_000):
        table = LifeTable(START, servers)
        for _ in range(500):
            table.survived(0, 600)
        for age in (50, 200, 500):
            assert table.interval(age) <= max(1, age / 10, expected(START, servers) / 10)


def test_intervals_of_a_job_that_never_ends_grow_to_the_longest() -> None:
    polled = ages(LifeTable(START, 1, [10.0] * 100), 86_400)
    gaps = [later - sooner for sooner, later in pairwise(polled)]
    assert gaps[-1] == LONGEST_INTERVAL
    assert max(gaps) == LONGEST_INTERVAL
    assert sum(1 for age in polled if age > 7_200) <= (86_400 - 7_200) / LONGEST_INTERVAL + 2


def test_recent_ends_outweigh_a_long_history() -> None:
    table = LifeTable(START, 1, [500.0] * 10_000)
    for _ in range(200):
        table.ended(39, 41)
    assert table.interval(39) < 1


def test_old_ends_fade_when_durations_change() -> None:
    table = LifeTable(START, 1)
    for _ in range(20_000):
        table.ended(99, 101)
    for _ in range(2_000):
        table.ended(19, 21)
    assert table.interval(19) < 1


def test_an_end_between_two_polls_is_dated_to_the_middle() -> None:
    assert LifeTable(START, 1).ended(40, 44) == 42


durations = st.floats(0.0, 1e7)


@given(
    st.sampled_from(list(Action)),
    st.integers(1, 10_000),
    st.lists(durations, max_size=60),
    st.lists(st.tuples(durations, durations, st.booleans()), max_size=60),
    st.floats(0.0, 1e6),
)
def test_the_interval_is_positive_and_bounded_whatever_was_observed(
    action: Action, servers: int, history: list[float], seen: list[tuple[float, float, bool]], age: float
) -> None:
    table = LifeTable(action, servers, history)
    for one, other, ended in seen:
        start, stop = sorted((one, other))
        if ended:
            table.ended(start, stop)
        else:
            table.survived(start, stop)
    assert 0.005 < table.interval(age) <= LONGEST_INTERVAL
