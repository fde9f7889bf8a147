"""Windows: which servers they hold in maintenance, when they are resumed and end, what they are called."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.model.operation import Action, State
from tui.model.server import Server
from tui.model.window import (
    MAY_HAVE_CHANGED,
    Hold,
    MaintenanceStep,
    Window,
    WindowNameError,
    WindowStatus,
    find_status,
    find_window,
    held_in_maintenance,
    is_mine,
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
    with pytest.raises(WindowNameError) as error:
        find_window(WINDOWS, "CHG")
    assert str(error.value).startswith(
        "there is no window 'CHG'; the newest are: win-3 (CHG-12, account ACME, "
    )


def test_a_name_of_two_windows_is_an_error_that_says_their_ids() -> None:
    twice = [*WINDOWS, named("win-5", "chg-1", 9.0)]
    with pytest.raises(WindowNameError) as error:
        find_window(twice, "CHG-1")
    text = str(error.value)
    assert text.startswith("2 windows are named 'CHG-1'; say the id of one: win-5 (")
    assert "win-1 (" in text


def test_a_name_among_many_windows_lists_a_few() -> None:
    with pytest.raises(WindowNameError, match=r"and 15 older$"):
        find_window([named(f"win-{number}") for number in range(20)], "x")


def test_an_empty_journal_has_no_window() -> None:
    with pytest.raises(WindowNameError, match="no window yet"):
        find_window([], "CHG-1")


def test_a_hostile_reason_is_listed_as_plain_text() -> None:
    with pytest.raises(WindowNameError) as error:
        find_window([named("win-1", "\x1b[2J\nevil")], "\x1b]0;x\x07")
    assert str(error.value).isprintable()


HOUR, DAY = 3_600.0, 86_400.0
OPENED = 1_000_000.0


def status(
    id_: str = "win-1",
    *,
    reason: str = "",
    end: float | None = None,
    closed: float | None = None,
    **more: Any,
) -> WindowStatus:
    """A window that was opened at ``OPENED``, with one operation then."""
    window = Window(id_, "https://one.example", "ACME", "op", OPENED, reason, end, closed)
    return WindowStatus(window, **({"operations": 1, "newest": OPENED} | more))


def test_a_window_without_a_reason_is_resumed_the_same_night_only() -> None:
    assert status().is_resumed(OPENED + 5 * HOUR)
    assert not status().is_resumed(OPENED + DAY)
    assert not status(held=("A",)).is_resumed(OPENED + DAY)
    assert status(newest=OPENED + 4 * HOUR).is_resumed(OPENED + 8 * HOUR)
    assert status(end=OPENED + 20 * HOUR).is_resumed(OPENED + 19 * HOUR)


def test_a_window_with_a_reason_is_resumed_until_it_ends() -> None:
    assert status(reason="CHG-1").is_resumed(OPENED + 30 * DAY)
    assert status(reason="CHG-1", end=OPENED + HOUR, held=("A",)).is_resumed(OPENED + DAY)
    assert not status(reason="CHG-1", end=OPENED + HOUR).is_resumed(OPENED + DAY)
    assert not status(reason="CHG-1", closed=OPENED + HOUR).is_resumed(OPENED + 2 * HOUR)


def test_a_window_ends_once_nothing_is_held_and_its_planned_end_has_passed() -> None:
    end = OPENED + 2 * HOUR
    assert status(reason="CHG-1", end=end).closed_at(end - 1) is None
    assert status(reason="CHG-1", end=end).closed_at(end) == end
    assert status(reason="CHG-1", end=end, held=("A",)).closed_at(end + DAY) is None
    assert status(reason="CHG-1", end=end, unfinished=1).closed_at(end + DAY) is None
    late = status(reason="CHG-1", end=end, newest=end + HOUR)
    assert late.closed_at(end + DAY) == end + HOUR
    assert status(reason="CHG-1").closed_at(OPENED + 90 * DAY) is None
    assert status().closed_at(OPENED + DAY) == OPENED
    assert status().closed_at(OPENED + HOUR) is None


def test_a_window_is_overdue_while_it_is_open_past_its_end_and_holds_servers() -> None:
    end = OPENED + HOUR
    assert status(end=end, held=("A",)).is_overdue(end)
    assert not status(end=end, held=("A",)).is_overdue(end - 1)
    assert not status(end=end).is_overdue(end)
    assert not status(held=("A",)).is_overdue(OPENED + DAY)
    assert not status(end=end, held=("A",), closed=end).is_overdue(end + 1)


def test_a_window_is_found_by_its_id_or_its_reason() -> None:
    one, two = status("win-1", reason="CHG-1"), status("win-2", reason="Disk swap", closed=OPENED)
    for name, found in (("win-1", one), ("chg-1", one), (" WIN-2 ", two), ("disk swap", two)):
        assert find_status([one, two], name, OPENED) is found


def test_an_open_window_goes_before_closed_ones_of_the_same_reason() -> None:
    old, now = status("win-1", reason="weekly", closed=OPENED), status("win-2", reason="weekly")
    assert find_status([old, now], "weekly", OPENED) is now


@pytest.mark.parametrize("name", ["", "CHG", "win", "nosuch\x1b[31m"])
def test_a_window_that_does_not_exist_is_an_error(name: str) -> None:
    with pytest.raises(WindowNameError, match="there is no window") as caught:
        find_status([status("win-1", reason="CHG-1"), status("win-2")], name, OPENED)
    assert str(caught.value).isprintable()


def test_a_name_of_two_windows_with_progress_is_an_error_that_names_both() -> None:
    both = [status("win-1", reason="CHG-1"), status("win-2", reason="chg-1")]
    with pytest.raises(
        WindowNameError, match=r"2 windows are named 'CHG-1'; say the id of one: win-\d .*, win-\d "
    ):
        find_status(both, "CHG-1", OPENED)
    assert find_status(both, "win-2", OPENED) is both[1]


def test_a_server_is_mine_while_a_window_holds_it_and_it_is_not_seen_out_of_maintenance() -> None:
    holds = {"A": Hold("win-1")}
    assert is_mine(Server(id="A", maintenance=True), holds)
    assert is_mine(Server(id="A", maintenance=None), holds)
    assert not is_mine(Server(id="A", maintenance=False), holds)
    assert not is_mine(Server(id="B", maintenance=True), holds)
