"""Operations, and the state machine of a target."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.model.job import JobOutcome, is_waiting, job_outcome
from tui.model.operation import (
    BY_URGENCY,
    ENDED,
    STATE_STYLES,
    TRANSITIONS,
    Action,
    IllegalTransitionError,
    Operation,
    State,
    Target,
    style_of,
)
from tui.model.server import Server


def operation(count: int = 3) -> Operation:
    return Operation("op-1", Action.START_MAINTENANCE, [f"WA1{n}" for n in range(count)], started=1.0)


def test_every_server_starts_as_planned() -> None:
    run = operation()
    assert run.summary() == {"planned": 3}
    assert run.targets["WA11"] == Target("WA11", State.PLANNED, at=1.0)
    assert run.ended is None


def test_an_operation_knows_what_it_was_started_with() -> None:
    run = Operation("op-1", Action.PAUSE, [], account="ACME", window_id="w1", reason="CHG-1", started=7.0)
    assert (run.id, run.action, run.started) == ("op-1", Action.PAUSE, 7.0)
    assert (run.account, run.window_id, run.reason) == ("ACME", "w1", "CHG-1")
    bare = Operation("op-1", Action.PAUSE, [])
    assert (bare.account, bare.window_id, bare.reason, bare.started) == ("", "", "", 0.0)


def test_restored_targets_skip_the_transitions_but_are_counted() -> None:
    run = operation(4)
    run.restore([Target(f"WA1{number}", State.VERIFIED, at=2.0) for number in range(3)])
    run.restore([Target("WA12", State.UNSURE)])
    assert run.summary() == {"planned": 1, "verified": 2, "unsure": 1}
    assert run.ids(State.VERIFIED) == ["WA10", "WA11"]
    assert run.targets["WA10"].at == 2.0


def test_counts_follow_the_states_of_the_servers() -> None:
    run = operation()
    run.apply(Target("WA10", State.SUBMITTING))
    run.apply(Target("WA10", State.QUEUED, job_id="wa1-1"))
    run.apply(Target("WA11", State.CANCELLED))
    assert run.summary() == {"planned": 1, "queued": 1, "cancelled": 1}
    assert run.ids(State.QUEUED) == ["WA10"]
    assert run.targets["WA10"].job_id == "wa1-1"


def test_an_ended_target_cannot_start_again() -> None:
    run = operation()
    run.apply(Target("WA10", State.CANCELLED))
    with pytest.raises(IllegalTransitionError, match="WA10: cancelled cannot become submitting"):
        run.apply(Target("WA10", State.SUBMITTING))
    assert run.summary() == {"planned": 2, "cancelled": 1}


def test_a_state_may_be_repeated_with_a_message() -> None:
    run = operation()
    run.apply(Target("WA10", State.PLANNED, message="waiting for the link"))
    assert run.targets["WA10"].message == "waiting for the link"
    assert run.count(State.PLANNED) == 3


def test_a_server_outside_the_operation_raises() -> None:
    with pytest.raises(KeyError):
        operation().apply(Target("DE1X", State.SUBMITTING))


@given(st.lists(st.tuples(st.sampled_from(range(3)), st.sampled_from(list(State))), max_size=40))
def test_counts_are_right_whatever_is_applied(steps: list[tuple[int, State]]) -> None:
    run = operation()
    for number, state in steps:
        before = dict(run.targets)
        try:
            run.apply(Target(f"WA1{number}", state))
        except IllegalTransitionError:
            assert run.targets == before
    assert sum(run.summary().values()) == 3
    assert all(run.count(state) == len(run.ids(state)) for state in State)


START, REBOOT = Action.START_MAINTENANCE, Action.REBOOT


@pytest.mark.parametrize(
    ("action", "states", "succeeded", "doubtful"),
    [
        (START, [], True, False),
        (START, [State.VERIFIED, State.VERIFIED], True, False),
        (START, [State.VERIFIED, State.FAILED], False, False),
        (START, [State.VERIFIED, State.UNSURE], False, True),
        (START, [State.VERIFIED, State.SUCCEEDED], False, True),
        (START, [State.QUEUED, State.LOOKING], False, True),
        (START, [State.PLANNED, State.PLANNED], False, False),
        (REBOOT, [State.SUCCEEDED, State.SUCCEEDED], True, False),
        (REBOOT, [State.SUCCEEDED, State.VERIFIED], True, False),
        (REBOOT, [State.SUCCEEDED, State.CANCELLED], False, False),
        (REBOOT, [State.SUCCEEDED, State.EXECUTING], False, True),
        (REBOOT, [State.SUCCEEDED, State.UNSURE], False, True),
    ],
)
def test_an_operation_succeeded_or_is_doubtful_by_its_servers(
    action: Action, states: list[State], *, succeeded: bool, doubtful: bool
) -> None:
    run = Operation("op-1", action, [str(number) for number in range(len(states))])
    run.restore(Target(str(number), state) for number, state in enumerate(states))
    assert (run.succeeded, run.doubtful) == (succeeded, doubtful)
    assert run.unsent == states.count(State.PLANNED)


@pytest.mark.parametrize("action", list(Action))
def test_what_an_action_changes_shows_whether_it_took_place(action: Action) -> None:
    assert action.is_maintenance is (action in {START, Action.STOP_MAINTENANCE})
    assert action.leaves_trace is (action not in {REBOOT, Action.RESET})


@pytest.mark.parametrize("action", list(Action))
def test_what_cannot_be_verified_is_said_and_shown_as_done(action: Action) -> None:
    traced = action not in {REBOOT, Action.RESET}
    assert (action.unverifiable == "") is traced
    assert style_of(action, State.SUCCEEDED).word == ("checking" if traced else "done")
    others = set(State) - {State.SUCCEEDED}
    assert all(style_of(action, state) is STATE_STYLES[state] for state in others)


def test_what_loses_data_or_ends_services_for_long_is_drastic() -> None:
    drastic = {action for action in Action if action.drastic}
    assert drastic == {Action.POWER_OFF, Action.RESET, Action.SHUT_DOWN}
    assert all(action.warning for action in drastic)


def test_every_state_leads_to_an_end_and_has_a_style() -> None:
    assert set(TRANSITIONS) == set(STATE_STYLES) == set(BY_URGENCY) == set(State)
    assert len(BY_URGENCY) == len(State)
    for state in State:
        reached, waiting = {state}, [state]
        while waiting:
            new = TRANSITIONS[waiting.pop()] - reached
            reached |= new
            waiting.extend(new)
        assert reached & ENDED
    for attribute in ("word", "sign", "ascii"):
        assert len({getattr(style, attribute) for style in STATE_STYLES.values()}) == len(State)
    assert all(style.ascii.isascii() and len(style.ascii) == 1 for style in STATE_STYLES.values())


@pytest.mark.parametrize(
    ("action", "server", "settled"),
    [
        (Action.START_MAINTENANCE, Server("A", maintenance=True), True),
        (Action.START_MAINTENANCE, Server("A"), None),
        (Action.STOP_MAINTENANCE, Server("A", maintenance=False), True),
        (Action.STOP_MAINTENANCE, Server("A"), None),
        (Action.POWER_OFF, Server("A", power="started"), False),
        (Action.PAUSE, Server("A", power="paused"), True),
        (Action.POWER_ON, Server("A"), None),
        (Action.RESET, Server("A", power="started"), None),
    ],
)
def test_whether_a_server_is_in_the_requested_state(
    action: Action, server: Server, settled: bool | None
) -> None:
    assert action.settled(server) is settled


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("succeeded", JobOutcome.SUCCEEDED),
        ("Failed", JobOutcome.FAILED),
        ("UNKNOWN", JobOutcome.UNKNOWN),
        ("notStarted", None),
        ("executing", None),
        ("resumed", None),
        ("running", None),
        ("a status nobody has seen", None),
        ("", None),
    ],
)
def test_only_three_statuses_end_a_job(status: str, outcome: JobOutcome | None) -> None:
    assert job_outcome(status) is outcome


def test_two_statuses_mean_that_a_job_is_waiting() -> None:
    assert [is_waiting(status) for status in ("notStarted", "queued", "executing")] == [True, True, False]
