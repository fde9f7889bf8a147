"""The servers that windows hold in maintenance."""

from hypothesis import given
from hypothesis import strategies as st

from tui.model.operation import Action, State
from tui.model.window import MAY_HAVE_CHANGED, MaintenanceStep, held_in_maintenance

START, STOP = Action.START_MAINTENANCE, Action.STOP_MAINTENANCE


def test_a_server_is_held_until_its_return_is_verified() -> None:
    steps = [
        MaintenanceStep("w1", "A", START, State.VERIFIED, False),
        MaintenanceStep("w1", "B", START, State.VERIFIED, False),
        MaintenanceStep("w2", "A", STOP, State.VERIFIED, True),
        MaintenanceStep("w2", "B", STOP, State.UNSURE, True),
    ]
    assert held_in_maintenance(steps) == {"B": "w1"}


def test_a_server_that_was_in_maintenance_before_is_not_held() -> None:
    assert held_in_maintenance([MaintenanceStep("w1", "A", START, State.VERIFIED, True)]) == {}


def test_unsure_servers_are_held_and_unsent_ones_are_not() -> None:
    steps = [MaintenanceStep("w1", state.value, START, state, None) for state in State]
    assert set(held_in_maintenance(steps)) == {state.value for state in MAY_HAVE_CHANGED}


def test_other_actions_do_not_change_what_is_held() -> None:
    steps = [
        MaintenanceStep("w1", "A", START, State.VERIFIED, False),
        MaintenanceStep("w1", "A", Action.REBOOT, State.SUCCEEDED, True),
    ]
    assert held_in_maintenance(steps) == {"A": "w1"}


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.booleans()), max_size=20))
def test_servers_are_held_whose_last_verified_action_was_a_start(moves: list[tuple[str, bool]]) -> None:
    flags: dict[str, bool] = {}
    steps = []
    for server, on in moves:
        steps.append(
            MaintenanceStep("w", server, START if on else STOP, State.VERIFIED, flags.get(server, False))
        )
        flags[server] = on
    assert set(held_in_maintenance(steps)) == {server for server, on in flags.items() if on}
