"""Which servers of an operation can be tried again."""

import pytest

from tui.model.operation import Action, Operation, State, Target
from tui.model.plan import Skip
from tui.model.prior import PriorTarget
from tui.model.retry import plan_retry

NOW = 1_700_000_000.0
START, REBOOT = Action.START_MAINTENANCE, Action.REBOOT


def ended(action: Action, *targets: Target) -> Operation:
    operation = Operation("op-1", action, [target.server_id for target in targets], started=NOW)
    operation.restore(targets)
    operation.ended = NOW
    return operation


def later(action: Action, state: State) -> dict[str, PriorTarget]:
    return {"A": PriorTarget("op-2", action, state, NOW, NOW)}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("action", [START, REBOOT])
def test_what_did_not_end_well_is_tried_again_and_unknown_outcomes_are_read_first(
    action: Action, state: State
) -> None:
    found = plan_retry(ended(action, Target("A", state)), {}, NOW)
    unknown = state in {State.UNSURE, State.SUCCEEDED} and action is START
    again = state in {State.REFUSED, State.FAILED, State.CANCELLED} or unknown
    assert found.server_ids == (("A",) if again else ())
    assert found.unknown == (("A",) if unknown else ())
    unreadable = state is State.UNSURE and action is REBOOT
    assert found.counts == ({state.value: 1} if again or unreadable else {})
    assert [skip.server_id for skip in found.left_out] == (["A"] if unreadable else [])


def test_an_unsure_reboot_is_left_out_since_no_reading_can_settle_it() -> None:
    found = plan_retry(ended(REBOOT, Target("A", State.UNSURE), Target("B", State.FAILED)), {}, NOW)
    assert found.server_ids == ("B",)
    doubt = "unsure: a server does not show whether it was rebooted; look there"
    assert found.left_out == (Skip("A", doubt, open=True),)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (State.CANCELLED, "not sent: already in maintenance"),
        (State.CANCELLED, "not sent: not in maintenance"),
        (State.REFUSED, "already in maintenance, so there was nothing to do (refused)"),
    ],
)
def test_servers_that_already_were_as_requested_are_not_tried_again(state: State, message: str) -> None:
    assert plan_retry(ended(START, Target("A", state, message=message)), {}, NOW).counts == {}


def test_a_server_that_a_later_operation_has_is_left_out() -> None:
    operation = ended(REBOOT, Target("A", State.FAILED), Target("B", State.FAILED))
    found = plan_retry(operation, later(REBOOT, State.FAILED), NOW)
    assert found.server_ids == ("B",)
    (skip,) = found.left_out
    assert skip.reason.startswith("in a later operation: reboot of ")
    assert skip.reason.endswith(", op-2")
    (done,) = plan_retry(operation, later(REBOOT, State.SUCCEEDED), NOW).left_out
    assert done.reason.startswith("already done in a later operation: reboot of ")
    (other,) = plan_retry(operation, later(Action.RESET, State.SUCCEEDED), NOW).left_out
    assert other.reason.startswith("in a later operation: reset of ")
