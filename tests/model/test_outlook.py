"""What a plan means: its counts and its warnings."""

from typing import Any

import pytest

from tests.model.fleets import GROUPS, make_fleet
from tui.model.fleet import Fleet
from tui.model.group import Group
from tui.model.operation import Action, State
from tui.model.outlook import (
    Outlook,
    Protection,
    WarningKind,
    facts,
    group_counts,
    look_ahead,
    warning_words,
)
from tui.model.plan import PlanContext, make_plan
from tui.model.prior import PriorTarget
from tui.model.server import Server

NOW = 1_700_000_000.0
START, STOP = Action.START_MAINTENANCE, Action.STOP_MAINTENANCE


def active(id_: str, group: str = "web", **fields: Any) -> Server:
    """A server that is eligible for any action but ending maintenance."""
    defaults: dict[str, Any] = {"power": "started", "maintenance": False, "status": "active"}
    return Server(id_, group_id=group, data_center=id_[:3], **defaults | fields)


def fleet_of(*servers: Server, groups: tuple[Group, ...] = GROUPS) -> Fleet:
    return make_fleet(*servers, groups=groups)


def ahead(
    action: Action,
    fleet: Fleet,
    *ids: str,
    context: PlanContext = PlanContext(),  # noqa: B008 - immutable
    wave_size: int | None = None,
    protected: str = "",
    **filters: str,
) -> Outlook:
    """The outlook of ``action`` on these servers, by default on all."""
    plan = make_plan(action, ids or fleet.servers, fleet, context=context, wave_size=wave_size)
    return look_ahead(plan, fleet, context=context, protection=Protection(protected, filters))


def texts(outlook: Outlook, kind: WarningKind) -> list[str]:
    return [warning.text for warning in outlook.warnings if warning.kind is kind]


def test_counts_are_of_the_servers_that_go_by_data_center_and_by_group() -> None:
    fleet = fleet_of(
        active("WA1A"), active("WA1B", "prod"), active("WA1C", "prod"), active("WA1D", maintenance=True),
        active("VA1A", "db"), active("VA1B", "gone"),
    )  # fmt: skip
    outlook = ahead(START, fleet)
    assert outlook.data_centers == {"VA1": 2, "WA1": 3}
    assert next(iter(outlook.groups.items())) == ("Web/Prod", 2)
    assert outlook.groups == {"Web/Prod": 2, "Data Base": 1, "no known group": 1, "Web": 1}
    assert [label for label, _ in facts(outlook)] == ["Where", "Groups", "Takes"]


def test_groups_of_the_same_path_are_told_apart_by_their_data_centers() -> None:
    groups = (Group("a", "Web", "WA1", None, "Web"), Group("b", "Web", "VA1", None, "Web"))
    fleet = fleet_of(active("WA1A", "a"), active("VA1A", "b"), groups=groups)
    assert ahead(START, fleet).groups == {"Web (WA1)": 1, "Web (VA1)": 1}
    assert ahead(START, fleet, "WA1A").groups == {"Web": 1}, "nobody asks about the other"


def test_many_groups_are_counted_together() -> None:
    counts = {"A": 5, "B": 4, "C": 3, "D": 2}
    assert group_counts(counts, 2) == "5 in A, 4 in B and 5 in 2 more groups"
    assert group_counts(counts, 3) == "5 in A, 4 in B, 3 in C, 2 in D"


def test_nothing_to_send_has_no_counts_and_no_warnings() -> None:
    fleet = fleet_of(active("WA1A", maintenance=True, public_ip=True))
    assert ahead(START, fleet, protected="web or WA1A") == Outlook()


# -- half of a group


def test_half_or_more_of_a_group_at_once_is_named_with_its_counts() -> None:
    fleet = fleet_of(
        *(active(f"WA1W{n}") for n in range(4)), *(active(f"WA1P{n}", "prod") for n in range(5)),
        active("VA1D0", "db"), active("VA1D1", "db"),
    )  # fmt: skip
    outlook = ahead(START, fleet, "WA1W0", "WA1W1", "WA1P0", "WA1P1", "VA1D0", "VA1D1")
    assert texts(outlook, WarningKind.GROUP) == [
        "half or more of 2 groups in service goes at once: Data Base (2 of 2), Web (2 of 4)"
    ]
    (warning,) = outlook.warnings
    assert warning.groups == ("Data Base", "Web")
    assert warning.server_ids == ("VA1D0", "VA1D1", "WA1W0", "WA1W1")


def test_servers_that_are_out_of_service_already_do_not_count_as_left() -> None:
    """Two by hand, then two more: after that most of the group is out."""
    rest = [active(f"WA1W{n}") for n in range(5)]
    gone = [
        active("WA1X1", maintenance=True),
        active("WA1X2", power="stopped"),
        active("WA1X3", status="archived"),
    ]
    assert texts(ahead(START, fleet_of(*rest, *gone), "WA1W0", "WA1W1", "WA1W2"), WarningKind.GROUP) == [
        "half or more of a group in service goes at once: Web (3 of 5)"
    ]
    assert not ahead(START, fleet_of(*rest, *gone), "WA1W0", "WA1W1").warnings


def test_the_last_server_in_service_of_a_group_counts_as_all_of_it() -> None:
    fleet = fleet_of(active("WA1A"), active("WA1B", maintenance=True))
    assert "Web (1 of 1)" in texts(ahead(START, fleet, "WA1A"), WarningKind.GROUP)[0]


def test_a_group_of_one_server_is_no_group_to_warn_of() -> None:
    assert not ahead(START, fleet_of(active("WA1A"))).warnings


def test_what_is_not_in_service_can_go_without_a_warning() -> None:
    fleet = fleet_of(active("WA1A", power="stopped"), active("WA1B"), active("WA1C"))
    assert not ahead(START, fleet, "WA1A").warnings


@pytest.mark.parametrize("action", [STOP, Action.POWER_ON])
def test_bringing_a_whole_group_back_is_no_reason_to_warn(action: Action) -> None:
    fleet = fleet_of(
        *(active(f"WA1{n}", maintenance=True, power="stopped", public_ip=True) for n in range(3))
    )
    assert not ahead(action, fleet).warnings


def test_waves_help_only_where_a_server_comes_back_by_itself() -> None:
    fleet = fleet_of(*(active(f"WA1{n}") for n in range(4)))
    assert not ahead(Action.REBOOT, fleet, wave_size=1).warnings
    assert "Web (2 of 4)" in texts(ahead(Action.REBOOT, fleet, wave_size=2), WarningKind.GROUP)[0]
    assert "Web (4 of 4)" in texts(ahead(START, fleet, wave_size=1), WarningKind.GROUP)[0], (
        "those of earlier waves stay in maintenance"
    )


# -- servers


def test_servers_with_a_public_address_are_counted_and_named() -> None:
    fleet = fleet_of(
        *(active(f"WA1{n}", public_ip=n < 4) for n in range(4)), *(active(f"VA1{n}") for n in range(9))
    )
    outlook = ahead(START, fleet)
    assert texts(outlook, WarningKind.PUBLIC_IP) == [
        "4 of these 13 (WA10, WA11, WA12 and 1 more) have a public IP address"
    ]
    assert texts(ahead(START, fleet, "WA10"), WarningKind.PUBLIC_IP) == [
        "1 of these 1 (WA10) has a public IP address"
    ]


def test_protected_servers_are_those_that_go_and_that_the_filter_matches() -> None:
    fleet = fleet_of(
        active("WA1A", "prod"),
        active("WA1B", "web"),
        active("WA1C", "prod", maintenance=True),
        active("VA1A", "db"),
    )
    outlook = ahead(START, fleet, "WA1A", "WA1B", "WA1C", protected="group:*/Prod*")
    assert outlook.protected == ("WA1A",)
    assert texts(outlook, WarningKind.PROTECTED) == ["1 of these 2 (WA1A) is protected: group:*/Prod*"]
    assert ahead(START, fleet, "WA1B", protected="group:*/Prod*").protected == ()
    assert ahead(STOP, fleet, "WA1C", protected="@prod", prod="group:*/Prod*").protected == ("WA1C",)


@pytest.mark.parametrize("protected", ["", "  "])
def test_without_a_filter_nothing_is_protected(protected: str) -> None:
    assert ahead(START, fleet_of(active("WA1A")), protected=protected).protected == ()


def test_where_the_filter_cannot_be_read_every_server_counts_as_protected() -> None:
    outlook = ahead(START, fleet_of(active("WA1A"), active("VA1A", "db")), protected="@gone")
    assert outlook.protected == ("VA1A", "WA1A")
    assert "does not parse (there is no filter named 'gone'" in texts(outlook, WarningKind.PROTECTED)[0]


def unsure(*ids: str) -> PlanContext:
    """A context in which the last operation may have reached these servers."""
    prior = PriorTarget("op-1", START, State.UNSURE, NOW, NOW, "CHG-1")
    return PlanContext(NOW, dict.fromkeys(ids, prior), mine=frozenset(ids))


def test_servers_of_an_unsure_operation_are_to_be_looked_at_first() -> None:
    fleet = fleet_of(active("WA1A"), active("WA1B"), active("WA1C"))
    outlook = ahead(START, fleet, context=unsure("WA1A", "WA1C"))
    assert texts(outlook, WarningKind.UNSURE) == [
        "2 of these 3 (WA1A, WA1C) are unsure: whether the last start maintenance reached them is not known; "
        "look first"
    ]
    assert outlook.warnings[0].server_ids == ("WA1A", "WA1C")


def test_a_warning_on_one_server_is_in_the_singular() -> None:
    outlook = ahead(START, fleet_of(active("WA1A"), active("WA1B")), context=unsure("WA1A"))
    assert texts(outlook, WarningKind.UNSURE) == [
        "1 of these 2 (WA1A) is unsure: whether the last start maintenance reached it is not known; "
        "look first"
    ]


def test_servers_put_into_maintenance_by_others_are_counted_and_named() -> None:
    fleet = fleet_of(*(active(f"WA1{n}", maintenance=True) for n in range(9)))
    context = PlanContext(NOW, {}, frozenset({"WA10"}))
    outlook = ahead(STOP, fleet, context=context)
    assert texts(outlook, WarningKind.NOT_MINE) == [
        "8 of these 9 (WA11, WA12, WA13, WA14, WA15, WA16 and 2 more) are not yours: "
        "put into maintenance by others, or not from here"
    ]
    assert outlook.warnings[0].server_ids == tuple(f"WA1{n}" for n in range(1, 9))
    assert ahead(STOP, fleet, "WA10", context=context).warnings == ()
    assert not texts(ahead(Action.REBOOT, fleet, context=context), WarningKind.NOT_MINE)
    assert ahead(STOP, fleet).warnings == (), "without a context the owners are not known"


def test_each_server_has_a_word_for_every_warning_about_it() -> None:
    fleet = fleet_of(active("WA1A", "prod", public_ip=True), active("WA1B", "prod"))
    outlook = ahead(START, fleet, protected="prod", context=unsure("WA1B"))
    assert warning_words(outlook.warnings) == {
        "WA1A": ["protected", "half of its group", "public IP"],
        "WA1B": ["protected", "unsure", "half of its group"],
    }
