"""When a server's request left, and when its outcome was known."""

from datetime import UTC, datetime, timedelta

import pytest

from tui.model.operation import Action, State
from tui.model.report import Transition, outcome_times

BEGIN = datetime(2027, 1, 15, tzinfo=UTC)
START, REBOOT = Action.START_MAINTENANCE, Action.REBOOT


def states(*names: str) -> list[Transition]:
    """These states, a second each."""
    return [
        Transition(state=State(name), at=BEGIN + timedelta(seconds=number), message="")
        for number, name in enumerate(names)
    ]


@pytest.mark.parametrize(
    ("action", "names", "started", "ended"),
    [
        (START, "submitting queued executing succeeded verified", 0, 4),
        (START, "submitting queued executing executing failed failed", 0, 4),
        (START, "submitting queued executing succeeded", 0, None),
        (REBOOT, "submitting queued executing succeeded", 0, 3),
        (START, "submitting unsure", 0, None),
        (START, "submitting planned submitting refused", 2, 3),
        (START, "submitting planned", None, None),
        (START, "submitting planned cancelled", 0, 2),
        (START, "cancelled", None, 0),
    ],
)
def test_start_and_end_are_those_of_the_newest_request(
    action: Action, names: str, started: int | None, ended: int | None
) -> None:
    changes = states(*names.split())
    found = outcome_times(action, changes[-1].state, changes)
    assert [None if at is None else (at - BEGIN).seconds for at in found[:2]] == [started, ended]
    assert found[2] == (None if started is None or ended is None else ended - started)


def test_a_server_that_was_never_sent_has_neither() -> None:
    assert outcome_times(START, State.PLANNED, ()) == (None, None, None)


def test_a_clock_that_was_set_back_makes_no_negative_duration() -> None:
    first, second = states("submitting", "verified")
    swapped = [
        Transition(state=first.state, at=second.at, message=""),
        Transition(state=second.state, at=first.at, message=""),
    ]
    assert outcome_times(START, State.VERIFIED, swapped)[2] == 0
