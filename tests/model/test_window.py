"""Windows: the servers that they hold in maintenance, and what they are named by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.model.operation import Action, State
from tui.model.window import (
    MAY_HAVE_CHANGED,
    MaintenanceStep,
    NoSuchWindow,
    Window,
    find_window,
    held_in_maintenance,
)

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


def named(id_: str, reason: str = "", opened: float = 0.0) -> Window:
    return Window(id_, "https://cloud.example", "ACME", "op", opened, reason)


WINDOWS = [
    named("win-1", "CHG-1", 1.0),
    named("win-2", "patching for CHG-2, night", 2.0),
    named("win-3", "CHG-12", 4.0),
    named("win-4", "night", 3.0),
]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("", "win-3"),
        ("win-2", "win-2"),
        ("WIN-1", "win-1"),
        ("chg-1", "win-1"),
        (" CHG-12 ", "win-3"),
        ("CHG-2", "win-2"),
        ("night", "win-4"),
    ],
)
def test_a_window_is_found_by_id_by_reason_and_by_a_word_of_it(name: str, found: str) -> None:
    assert find_window(WINDOWS, name).id == found


def test_an_unknown_name_is_an_error_that_says_which_windows_there_are() -> None:
    with pytest.raises(NoSuchWindow) as error:
        find_window(WINDOWS, "CHG")
    assert str(error.value).startswith(
        "there is no window 'CHG'; the newest are: win-3 (CHG-12, account ACME, "
    )


def test_a_name_of_two_windows_is_an_error_that_says_their_ids() -> None:
    twice = [*WINDOWS, named("win-5", "chg-1", 9.0)]
    with pytest.raises(NoSuchWindow) as error:
        find_window(twice, "CHG-1")
    text = str(error.value)
    assert text.startswith("2 windows are named 'CHG-1'; say the id of one: win-5 (")
    assert "win-1 (" in text


def test_a_name_among_many_windows_lists_a_few() -> None:
    with pytest.raises(NoSuchWindow, match=r"and 15 older$"):
        find_window([named(f"win-{number}") for number in range(20)], "x")


def test_an_empty_journal_has_no_window() -> None:
    with pytest.raises(NoSuchWindow, match="no window yet"):
        find_window([], "CHG-1")


def test_a_hostile_reason_is_listed_as_plain_text() -> None:
    with pytest.raises(NoSuchWindow) as error:
        find_window([named("win-1", "\x1b[2J\nevil")], "\x1b]0;x\x07")
    assert str(error.value).isprintable()
