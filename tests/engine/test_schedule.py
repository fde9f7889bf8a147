"""When a job is polled."""

import math
from itertools import accumulate, pairwise
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.engine.polling.schedule import LONGEST_INTERVAL, PRICE, LifeTable, backoff, bound
from tui.model.duration import expected, similar
from tui.model.operation import Action

START = Action.START_MAINTENANCE
EDGES = [0.0, *(0.5 * 1.1**n for n in range(133))]
"""The ages between which the spans of a life table lie: each a tenth longer than the one before."""
SPANS = list(pairwise(EDGES))


def width(index: int) -> float:
    start, stop = SPANS[index]
    return stop - start


def hazards(table: LifeTable) -> list[float]:
    return [table.hazard(index) for index in range(len(SPANS))]


def observed(table: LifeTable, empty: LifeTable) -> dict[int, tuple[float, float]]:
    """By span: the hazard of the table, and that of one in which nothing was observed, where they differ."""
    pairs = enumerate(zip(hazards(table), hazards(empty), strict=True))
    return {index: pair for index, pair in pairs if pair[0] != pytest.approx(pair[1], rel=1e-9)}


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


@pytest.mark.parametrize(
    ("action", "servers", "seconds"),
    [
        (Action.STOP_MAINTENANCE, 1, 22.6),
        (Action.STOP_MAINTENANCE, 0, 22.6),
        (Action.STOP_MAINTENANCE, 100, 240.4),
        (Action.PAUSE, 1, 47.8),
        (START, 1, 348 / 73),  # The line through 12 s and 39 s would be below zero.
        (START, 8, 8 * 348 / 73),
    ],
)
def test_expected_durations_lie_on_a_line_that_is_never_below_zero(
    action: Action, servers: int, seconds: float
) -> None:
    assert expected(action, servers) == pytest.approx(seconds)


def test_every_number_of_servers_is_in_one_range_of_similar_ones() -> None:
    for servers in range(1, 5_000):
        assert servers in similar(servers)
        assert similar(similar(servers).start) == similar(servers)
    assert [similar(servers) for servers in (0, 1, 2, 3, 4, 100)] == [
        range(1, 2), range(1, 2), range(2, 4), range(2, 4), range(4, 8), range(64, 128)
    ]  # fmt: skip
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


@pytest.mark.parametrize(
    ("servers", "median", "spread"),
    [
        (5, 170.2, 0.7),
        (1, 47.8, 0.7 + 0.2 * math.log(5)),
        (0, 47.8, 0.7 + 0.2 * math.log(5)),
        (50, 17.2 + 50 * 30.6, 0.7 + 0.2 * math.log(10)),
    ],
)
def test_before_anything_is_observed_ends_are_log_normal_over_a_floor(
    servers: int, median: float, spread: float
) -> None:
    table = LifeTable(Action.PAUSE, servers)
    assert table.typical == pytest.approx(median)
    floor = accumulate(0.5 * (stop - start) / (start + 10) for start, stop in SPANS)
    seen = accumulate(table.hazard(index) * width(index) for index in range(len(SPANS)))
    for (_, stop), total, least in zip(SPANS, seen, floor, strict=True):
        deviations = math.log(stop / median) / spread
        if deviations < 5:  # Beyond that the distribution function is too close to 1.
            assert total - least == pytest.approx(-math.log(NormalDist().cdf(-deviations)), abs=1e-6)


def test_the_prior_is_worth_two_jobs_and_an_end_counts_half_in_the_neighbouring_spans() -> None:
    for index in (0, 1, 40, 131, 132):
        table, empty = LifeTable(START, 5), LifeTable(START, 5)
        age = sum(SPANS[index]) / 2
        table.ended(age, age)
        assert observed(table, empty) == {
            near: pytest.approx((empty.hazard(near) + part / (2 * width(near)), empty.hazard(near)), rel=1e-9)
            for near, part in ((index - 1, 0.5), (index, 1.0), (index + 1, 0.5))
            if 0 <= near < len(SPANS)
        }


def test_seconds_that_a_job_lived_lower_the_hazard_in_their_spans() -> None:
    for first, last in ((0, 0), (0, 3), (40, 40), (40, 45), (130, 132)):
        table, empty = LifeTable(START, 5), LifeTable(START, 5)
        table.survived(SPANS[first][0], SPANS[last][1])
        seconds = [width(index) if first <= index <= last else 0.0 for index in range(len(SPANS))]
        for index in range(len(SPANS)):
            lived = (sum(seconds[max(0, index - 1) : index + 2]) + seconds[index]) / 2
            prior = 2 * width(index)
            assert table.hazard(index) == pytest.approx(empty.hazard(index) * prior / (prior + lived))


def test_a_job_can_be_followed_in_parts() -> None:
    whole, parts = LifeTable(START, 5), LifeTable(START, 5)
    whole.survived(3.0, 100.0)
    whole.survived(100.0, 1e7)
    for start, stop in ((3.0, 3.1), (3.1, 60.0), (60.0, 100.0), (100.0, 250_000.0), (250_000.0, 1e7)):
        parts.survived(start, stop)
    assert hazards(parts) == pytest.approx(hazards(whole))
    assert parts.ended(40.0, 44.0) == 42.0
    whole.survived(40.0, 42.0)
    whole.ended(42.0, 42.0)
    assert hazards(parts) == pytest.approx(hazards(whole))


def test_the_history_counts_like_jobs_that_were_followed_but_as_fifty_at_most() -> None:
    followed = LifeTable(START, 5, [100.0])
    for _ in range(49):
        followed.survived(0.0, 100.0)
        followed.ended(100.0, 100.0)
    for jobs in (50, 51, 5_000):
        assert hazards(LifeTable(START, 5, [100.0] * jobs)) == pytest.approx(hazards(followed))
    later = LifeTable(Action.REBOOT, 50)
    for _ in range(49):
        later.survived(0.0, 100.0)
        later.ended(100.0, 100.0)
    later.recall(iter([100.0]))
    assert hazards(later) == pytest.approx(hazards(followed))


def test_a_history_replaces_the_median_of_the_prior_and_its_doubts_about_the_number_of_servers() -> None:
    recalled, prior = LifeTable(Action.PAUSE, 50, [170.2]), LifeTable(Action.PAUSE, 5)
    beyond = [index for index, (start, _) in enumerate(SPANS) if start > 250]
    assert [recalled.hazard(index) for index in beyond] == pytest.approx(
        [prior.hazard(index) for index in beyond]
    )


def test_the_typical_duration_is_the_median_of_the_history() -> None:
    assert LifeTable(START, 5, [30.0, 10.0, 20.0]).typical == 20.0
    assert LifeTable(START, 5, [30.0, 10.0, 20.0, 40.0]).typical == 30.0
    assert LifeTable(START, 5, [0.1]).typical == 1.0
    assert LifeTable(START, 5, []).typical == expected(START, 5)


def test_after_each_thousand_ends_what_was_observed_counts_half() -> None:
    table, empty = LifeTable(START, 5), LifeTable(START, 5)
    prior = 2 * width(40)
    survivors = sum(SPANS[60]) / 2
    table.survived(SPANS[60][0], survivors)
    lived = survivors - SPANS[60][0]
    age = sum(SPANS[40]) / 2
    ends, seconds = 0.0, lived
    for number in range(1, 1_600):
        table.ended(age, age)
        ends += 1
        if number in (1_001, 1_501):
            ends, seconds = ends / 2, seconds / 2
        if number in (1, 1_000, 1_001, 1_500, 1_501):
            assert table.hazard(40) == pytest.approx(empty.hazard(40) + ends / prior)
            assert table.hazard(60) == pytest.approx(
                empty.hazard(60) * 2 * width(60) / (2 * width(60) + seconds)
            )


@pytest.mark.parametrize(
    ("typical", "age", "longest"), [(5.0, 0.0, 1.0), (5.0, 300.0, 30.0), (300.0, 0.0, 30.0)]
)
def test_until_twenty_ends_were_observed_intervals_are_within_a_tenth(
    typical: float, age: float, longest: float
) -> None:
    table = LifeTable(START, 5, [typical] * 19)
    for _ in range(30_000):
        table.survived(0.0, 3_600.0)  # The hazard is far too low to ask any earlier.
    assert table.interval(age) == pytest.approx(longest)
    table.ended(3_600.0, 3_600.0)
    assert table.interval(age) == LONGEST_INTERVAL


@pytest.mark.parametrize("age", [0.0, 0.2, 20.0, 60.0, 80.0, 100.0, 110.0, 150.0, 240.0, 360.0])
def test_requests_are_made_when_the_expected_delay_equals_their_price(age: float) -> None:
    table = LifeTable(START, 5, [60.0 + n for n in range(100)])
    asked = age + table.interval(age)
    step = 0.001
    late, surviving, at, index = 0.0, 1.0, age, 0
    while at < asked:
        late += (1 - surviving) * step
        while SPANS[index][1] <= at:
            index += 1
        surviving *= math.exp(-table.hazard(index) * step)
        at += step
    assert late == pytest.approx(PRICE * max(1.0, asked / 120), rel=0.1)


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
