"""Earlier operations that may still change servers."""

import pytest

from tui.model.operation import Action, Operation, State, Target
from tui.model.prior import (
    DOUBT_LASTS,
    PriorTarget,
    is_in_doubt,
    is_outdated,
    open_targets,
    operation_name,
    prior_targets,
)
from tui.model.server import Server

NOW = 1_700_000_000.0
START, STOP = Action.START_MAINTENANCE, Action.STOP_MAINTENANCE


def step(state: State, *, action: Action = START, open: bool = False, sending: bool = False) -> PriorTarget:  # noqa: A002
    return PriorTarget("op", action, state, NOW, NOW, open=open, sending=sending)


@pytest.mark.parametrize("state", list(State))
def test_a_target_is_under_way_once_it_is_sent_until_it_is_settled(state: State) -> None:
    sent = {State.SUBMITTING, State.QUEUED, State.EXECUTING, State.LOOKING, State.SUCCEEDED, State.UNSURE}
    assert step(state, open=True).under_way is (state in sent)
    assert step(state, open=True, sending=True).under_way is (state in sent | {State.PLANNED})
    assert not step(state, sending=True).under_way


def test_a_succeeded_reboot_is_not_under_way_in_an_open_operation() -> None:
    assert not step(State.SUCCEEDED, action=Action.REBOOT, open=True).under_way


def test_unsure_counts_until_a_newer_target_is_verified_or_the_time_limit() -> None:
    unsure = [("A", step(State.UNSURE))]
    assert open_targets(unsure, NOW)["A"].doubtful
    assert open_targets([*unsure, ("A", step(State.REFUSED))], NOW)["A"].doubtful
    assert open_targets([*unsure, ("A", step(State.VERIFIED, action=STOP))], NOW) == {}
    assert open_targets(unsure, NOW + DOUBT_LASTS) == {}


def test_a_target_under_way_takes_precedence_over_a_newer_one() -> None:
    steps = [("A", step(State.QUEUED, open=True)), ("A", step(State.PLANNED, open=True, action=STOP))]
    assert open_targets(steps, NOW + 10 * DOUBT_LASTS)["A"].action is START


def test_each_server_is_judged_by_its_own_targets() -> None:
    steps = [
        ("A", step(State.QUEUED, open=True)),
        ("A", step(State.VERIFIED, action=STOP)),
        ("B", step(State.VERIFIED)),
        ("C", step(State.UNSURE)),
    ]
    assert set(open_targets(steps, NOW)) == {"A", "C"}


def test_every_target_of_an_operation_is_a_prior_target() -> None:
    run = Operation("op-1", START, ["A", "B"], reason="CHG-1", started=5.0)
    run.apply(Target("B", State.SUBMITTING, at=7.0))
    planned, sent = prior_targets(run)
    assert planned == ("A", PriorTarget("op-1", START, State.PLANNED, 5.0, 5.0, "CHG-1", True, True))
    assert sent == ("B", PriorTarget("op-1", START, State.SUBMITTING, 7.0, 5.0, "CHG-1", True, True))
    run.ended = 9.0
    assert not any(target.open for _, target in prior_targets(run))


@pytest.mark.parametrize(
    ("age", "reason", "name"),
    [
        (0.0, "CHG-1", "start maintenance of 22:13 (CHG-1)"),
        (43_199.0, "", "start maintenance of 22:13"),
        (43_200.0, "", "start maintenance of 2023-11-14 22:13"),
    ],
)
def test_an_operation_is_named_by_its_time_and_dated_after_half_a_day(
    age: float, reason: str, name: str
) -> None:
    assert operation_name(START, NOW, reason, NOW + age) == name


def test_a_server_in_the_requested_state_is_not_in_doubt() -> None:
    assert is_in_doubt(step(State.UNSURE), Server("A", maintenance=False))
    assert is_in_doubt(step(State.UNSURE), Server("A"))
    assert not is_in_doubt(step(State.UNSURE), Server("A", maintenance=True))


@pytest.mark.parametrize(
    ("state", "maintenance", "ended", "outdated"),
    [
        (State.VERIFIED, True, True, False),
        (State.VERIFIED, False, True, True),
        (State.VERIFIED, False, False, True),
        (State.VERIFIED, None, True, False),
        (State.UNSURE, True, True, True),
        (State.UNSURE, True, False, False),
        (State.UNSURE, False, True, False),
        (State.FAILED, True, True, True),
        (State.SUCCEEDED, True, True, True),
        (State.EXECUTING, True, False, False),
        (State.REFUSED, True, True, False),
        (State.CANCELLED, True, True, False),
    ],
)
def test_a_state_is_outdated_when_the_server_shows_otherwise(
    state: State, *, maintenance: bool | None, ended: bool, outdated: bool
) -> None:
    assert is_outdated(START, state, Server("A", maintenance=maintenance), ended=ended) is outdated
