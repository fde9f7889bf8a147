"""When a job is worth asking for."""

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
    """When a job that goes on is asked for."""
    asked = [0.0]
    while asked[-1] < until:
        asked.append(asked[-1] + table.interval(asked[-1]))
    return asked[1:]


@pytest.mark.parametrize("action", list(Action))
def test_the_recorded_times_grow_with_the_servers(action: Action) -> None:
    times = [expected(action, servers) for servers in (1, 3, 8, 100)]
    assert times == sorted(times)
    assert times[0] > 0
    steps = [(expected(action, servers + 50) - expected(action, servers)) / 50 for servers in (1, 10, 100)]
    assert steps == pytest.approx([steps[0]] * 3)


@pytest.mark.parametrize(("servers", "seconds"), [(3, 27), (8, 38)])
def test_the_recorded_times_are_met_where_the_line_is_above_zero(servers: int, seconds: float) -> None:
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


def test_no_job_is_followed_for_less_than_an_hour_or_for_ever() -> None:
    assert bound(1) == 3_600
    assert bound(600) == 12_000


def test_seldom_while_it_can_hardly_be_done_often_when_it_is_due() -> None:
    table = LifeTable(START, 20, [100 + n / 5 for n in range(-100, 100)])
    asked = ages(table, 120)
    early = [later - sooner for sooner, later in pairwise(asked) if later < 70]
    due = [later - sooner for sooner, later in pairwise(asked) if sooner > 90 and later < 115]
    assert min(early) > 3 * max(due)


def test_a_constant_chance_makes_the_interval_of_the_textbook() -> None:
    table = LifeTable(START, 1)
    for _ in range(1_000):  # Of a thousand jobs alive at 50 s, 5 in a hundred end in each second.
        table.survived(50, 60)
    for end in range(500):
        table.ended(50 + end / 50, 50 + end / 50)
    assert table.interval(54) == pytest.approx(math.sqrt(2 * PRICE / 0.05), rel=0.15)


def test_jobs_that_go_on_are_evidence_too() -> None:
    table = LifeTable(START, 1)
    before = table.hazard(30)
    for _ in range(100):
        table.survived(0, 200)
    assert table.hazard(30) < before / 20


def test_unknown_kinds_are_asked_for_within_a_tenth_of_their_age() -> None:
    for servers in (1, 10, 100, 1_000):
        table = LifeTable(START, servers)
        for _ in range(500):
            table.survived(0, 600)
        for age in (50, 200, 500):
            assert table.interval(age) <= max(1, age / 10, expected(START, servers) / 10)


def test_intervals_for_one_that_never_ends_grow_to_the_longest() -> None:
    asked = ages(LifeTable(START, 1, [10.0] * 100), 86_400)
    gaps = [later - sooner for sooner, later in pairwise(asked)]
    assert gaps[-1] == LONGEST_INTERVAL
    assert max(gaps) == LONGEST_INTERVAL
    assert sum(1 for age in asked if age > 7_200) <= (86_400 - 7_200) / LONGEST_INTERVAL + 2


def test_what_happens_now_outweighs_a_long_history() -> None:
    table = LifeTable(START, 1, [500.0] * 10_000)
    for _ in range(200):
        table.ended(39, 41)
    assert table.interval(39) < 1


def test_what_is_remembered_stays_bounded_and_follows_the_times() -> None:
    table = LifeTable(START, 1)
    for _ in range(20_000):
        table.ended(99, 101)
    for _ in range(2_000):
        table.ended(19, 21)
    assert table.interval(19) < 1


def test_an_end_between_two_looks_is_taken_to_be_in_the_middle() -> None:
    assert LifeTable(START, 1).ended(40, 44) == 42


durations = st.floats(0.0, 1e7)


@given(
    st.sampled_from(list(Action)),
    st.integers(1, 10_000),
    st.lists(durations, max_size=60),
    st.lists(st.tuples(durations, durations, st.booleans()), max_size=60),
    st.floats(0.0, 1e6),
)
def test_whatever_was_seen_the_next_time_comes_and_is_not_far(
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
