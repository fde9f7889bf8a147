"""Sentences about a fleet of which some data centers could not be read."""

import pytest

from tui.model.completeness import (
    failures,
    listed,
    names_typed,
    partial_note,
    read_note,
    read_of,
    state_of,
)
from tui.model.fleet import Fleet
from tui.model.group import DataCenter


def fleet_with(*, read: str = "", failed: str = "", expected: str = "WA1 UC1 DE1") -> Fleet:
    """A fleet of some data centers, given by their ids."""
    fleet = Fleet("ACME")
    fleet.expect(expected.split())
    for id_ in read.split():
        fleet.replace(DataCenter(id_), [], [], at=1.0)
    fleet.fail(failed.split(), "500")
    return fleet


@pytest.mark.parametrize(
    ("fleet", "note"),
    [
        (Fleet(), ""),
        (fleet_with(read="WA1 UC1 DE1"), ""),
        (fleet_with(), "0 of 3 data centers read"),
        (fleet_with(read="WA1", failed="UC1"), "1 of 3 data centers read"),
        (fleet_with(read="WA1", failed="NY1", expected="WA1"), "1 of 2 data centers read"),
    ],
)
def test_a_note_says_how_many_data_centers_are_read(fleet: Fleet, note: str) -> None:
    assert read_of(fleet) == note
    assert read_note(fleet) == (f" ({note})" if note else "")


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        ("WA1", "WA1"),
        ("WA1 UC1", "WA1 and UC1"),
        ("WA1 UC1 DE1 NY1", "WA1, UC1, DE1 and NY1"),
        ("WA1 UC1 DE1 NY1 VA1", "5 data centers"),
    ],
)
def test_a_few_data_centers_are_named_and_many_are_counted(ids: str, text: str) -> None:
    assert listed(ids.split()) == text


@pytest.mark.parametrize(
    ("data_center", "text"),
    [
        ("WA1", "WA1 has been read since"),
        ("UC1", "UC1 could not be read: 500"),
        ("VA1", "VA1 could not be read again: 500"),
        ("DE1", "DE1 is not read yet"),
    ],
)
def test_the_state_of_a_data_center_is_a_clause(data_center: str, text: str) -> None:
    assert state_of(fleet_with(read="WA1 VA1", failed="UC1 VA1"), data_center) == text


def test_without_a_list_of_data_centers_none_counts_as_read() -> None:
    fleet = fleet_with(read="WA1")
    fleet.unlisted = "503"
    assert state_of(fleet, "WA1") == "WA1 could not be read again: 503"
    assert state_of(fleet, "DE1") == "DE1 could not be read: 503"


def test_data_centers_with_the_same_reason_share_a_sentence() -> None:
    fleet = fleet_with(failed="WA1 DE1")
    fleet.fail(["UC1"], "timeout")
    assert failures(fleet, ["WA1", "UC1", "DE1", "NY1"]) == [
        "WA1 and DE1 could not be read: 500", "UC1 could not be read: timeout", "NY1 could not be read: ",
    ]  # fmt: skip


def test_a_partial_choice_comes_with_advice() -> None:
    fleet = fleet_with(read="WA1", failed="UC1")
    assert partial_note(fleet, ["UC1", "DE1"]) == (
        "Chosen without UC1 and DE1: servers there may belong to it (wait or refresh, then mark again). "
        "UC1 could not be read: 500; DE1 is not read yet"
    )
    assert partial_note(fleet, ["WA1"]) == (
        "Chosen without WA1: servers there may belong to it (mark again to take them in). "
        "WA1 has been read since"
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [("uc1 DE1", True), ("de1, Uc1!", True), ("uc1", False), ("uc1 de1 wa1", False), ("", False)],
)
def test_every_missing_data_center_has_to_be_named(text: str, *, named: bool) -> None:
    assert names_typed(text, ("UC1", "DE1")) is named
