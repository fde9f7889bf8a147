"""How long a plan takes: by the journal's jobs, else by recorded times, one wave after the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.model.duration import History, about, estimate, expected
from tui.model.operation import Action
from tui.model.plan import Batch, Plan

START = Action.START_MAINTENANCE


def plan_of(*waves: tuple[int, ...]) -> Plan:
    """A plan whose waves have batches of these sizes."""
    batches = [(wave, size) for wave, sizes in enumerate(waves) for size in sizes]
    return Plan(
        START,
        tuple(
            Batch(index, wave, "WA1", tuple(f"WA1{index}X{n}" for n in range(size)))
            for index, (wave, size) in enumerate(batches)
        ),
    )


def seconds(history: History, *waves: tuple[int, ...]) -> float:
    found = estimate(plan_of(*waves), history)
    assert found is not None
    return found.seconds


def test_nothing_to_send_has_no_estimate() -> None:
    assert estimate(Plan(START, ()), {}) is None


def test_without_earlier_jobs_the_recorded_times_are_said_to_stand_in() -> None:
    found = estimate(plan_of((8,)), {})
    assert found is not None
    assert found.seconds == expected(START, 8)
    assert str(found) == "about 40 s, by times recorded on the platform: the journal has no such job yet"


def test_one_job_takes_the_median_of_the_earlier_ones_of_its_size() -> None:
    history = {(START, 4): [30, 10, 20], (START, 8): [500], (Action.REBOOT, 4): [900]}
    assert seconds(history, (5,)) == 20
    found = estimate(plan_of((5,)), history)
    assert str(found) == "about 20 s, by 3 such jobs in the journal"


def test_sizes_that_the_journal_does_not_have_are_said_to_come_from_recorded_times() -> None:
    found = estimate(plan_of((1, 64)), {(START, 1): [7.0]})
    assert found is not None
    assert found.seconds == expected(START, 64)
    assert found.source == (
        "by 1 such job in the journal, and by times recorded on the platform for other sizes"
    )


def test_a_wave_takes_as_long_as_its_longest_job() -> None:
    history = {(START, 1): [10], (START, 64): [100]}
    assert seconds(history, (1, 100, 1)) == 100


def test_many_jobs_at_once_take_longer_than_the_median_of_one() -> None:
    history = {(START, 1): list(range(1, 101))}
    assert [seconds(history, (1,) * n) for n in (1, 2, 10)] == [50, 71, 94]


def test_waves_take_one_after_the_other() -> None:
    history = {(START, 1): [10], (START, 2): [60]}
    assert seconds(history, (1,), (1,), (2,)) == 80
    found = estimate(plan_of((2,), (2,)), history)
    assert str(found) == "about 2 min in 2 waves, one after the other, by 1 such job in the journal"


@given(
    st.lists(st.floats(0.1, 1e5), min_size=1, max_size=30),
    st.lists(st.lists(st.just(1), min_size=1, max_size=300).map(tuple), min_size=1, max_size=4),
)
def test_an_estimate_lies_between_the_shortest_and_the_longest_job(
    durations: list[float], waves: list[tuple[int, ...]]
) -> None:
    found = seconds({(START, 1): durations}, *waves)
    least, most = len(waves) * min(durations), len(waves) * max(durations)
    assert least <= found * 1.000001
    assert found <= most * 1.000001


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (3, "a few seconds"),
        (12, "about 10 s"),
        (54, "about 50 s"),
        (55, "about 1 min"),
        (89, "about 1 min"),
        (118, "about 2 min"),
        (5340, "about 89 min"),
        (5400, "about 1 h 30 min"),
        (7190, "about 2 h"),
        (4.2e6, "about 1,166 h 40 min"),
    ],
)
def test_a_duration_is_no_more_exact_than_an_estimate(number: float, text: str) -> None:
    assert about(number) == text
