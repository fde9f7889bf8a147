"""The fleet: replaced, updated and searched."""

import pytest

from tui.model.fleet import Changes, Fleet
from tui.model.group import DataCenter, Group
from tui.model.server import Server

WA1, DE1 = DataCenter("WA1", "WA1 - US West"), DataCenter("DE1", "DE1 - Germany")
GROUPS = [
    Group("root", "WA1 Hardware", "WA1", None, "WA1 Hardware"),
    Group("web", "Web", "WA1", "root", "Web"),
    Group("prod", "Prod", "WA1", "web", "Web/Prod"),
    Group("db", "Databases", "WA1", "root", "Databases"),
]


def server(id_: str, group: str = "prod", maintenance: bool | None = False) -> Server:
    return Server(id_, group_id=group, data_center=id_[:3], maintenance=maintenance)


def loaded() -> Fleet:
    fleet = Fleet("ACME")
    fleet.replace(WA1, GROUPS, [server("WA1A"), server("WA1B", "web", maintenance=True)], at=1.0)
    fleet.replace(DE1, [], [server("DE1A", "elsewhere")], at=1.0)
    return fleet


def test_a_refresh_returns_added_removed_and_changed_servers() -> None:
    fleet = loaded()
    changes = fleet.replace(WA1, GROUPS, [server("WA1A", maintenance=True), server("WA1C")], at=2.0)
    assert (changes.added, changes.removed, changes.changed) == (("WA1C",), ("WA1B",), ("WA1A",))
    assert set(fleet.servers) == {"WA1A", "WA1C", "DE1A"}
    assert fleet.read_at == {"WA1": 2.0, "DE1": 1.0}


@pytest.mark.parametrize("part", ["added", "removed", "changed"])
def test_a_change_of_any_kind_is_a_change(part: str) -> None:
    assert Changes(**{part: ("WA1A",)})
    assert not Changes()


def test_a_refresh_without_changes_keeps_the_same_objects() -> None:
    fleet = loaded()
    before = fleet.servers["WA1A"]
    assert not fleet.replace(WA1, GROUPS, [server("WA1A"), server("WA1B", "web", maintenance=True)], at=2.0)
    assert fleet.servers["WA1A"] is before


def test_a_successful_reading_clears_the_earlier_problem() -> None:
    fleet = loaded()
    fleet.problems["WA1"] = "500"
    fleet.replace(WA1, [], [], at=2.0)
    assert fleet.problems == {}


def test_data_centers_that_are_not_listed_any_more_are_dropped() -> None:
    fleet = loaded()
    fleet.fail(["DE1", "UC1"], "500")
    fleet.unlisted = "500"
    assert fleet.expect(["WA1", "UC1"])
    assert (set(fleet.servers), set(fleet.data_centers), set(fleet.read_at)) == (
        {"WA1A", "WA1B"}, {"WA1"}, {"WA1"},
    )  # fmt: skip
    assert (fleet.problems, fleet.unlisted) == ({"UC1": "500"}, "")
    assert not fleet.expect(["WA1"]), "UC1 was never read"
    assert (fleet.expected, fleet.problems) == (("WA1",), {})


def test_data_centers_that_are_not_read_or_failed_are_missing() -> None:
    fleet = loaded()
    assert (fleet.unlisted, fleet.missing()) == ("", ())
    fleet.expect(["UC1", "WA1", "DE1"])
    fleet.fail(["DE1", "NY1"], "500")
    assert fleet.problems == {"DE1": "500", "NY1": "500"}
    assert fleet.missing() == ("UC1", "DE1", "NY1")
    assert fleet.missing("prod") == (), "its data center is read"
    assert fleet.missing("gone") == ("UC1", "DE1", "NY1")
    fleet.fail(["WA1"], "500")
    assert fleet.missing("prod") == ("WA1",)
    fleet.replace(WA1, GROUPS, [], at=2.0)
    fleet.unlisted = "500"
    assert fleet.missing() == ("UC1", "WA1", "DE1", "NY1"), "nothing is certain without the list"


def test_single_servers_update_in_place() -> None:
    fleet = loaded()
    assert fleet.update([server("WA1A", maintenance=True), server("DE1A", "elsewhere")]) == ("WA1A",)
    assert fleet.servers["WA1A"].maintenance is True


def test_groups_form_a_tree() -> None:
    fleet = loaded()
    assert [group.name for group in fleet.children(None)] == ["WA1 Hardware"]
    assert [group.name for group in fleet.children("root")] == ["Databases", "Web"]
    assert fleet.subtree("web") == {"web", "prod"}
    assert fleet.path(fleet.servers["WA1A"]) == "Web/Prod"
    assert fleet.path(fleet.servers["DE1A"]) == ""


def test_groups_that_contain_each_other_do_not_hang() -> None:
    fleet = Fleet()
    fleet.replace(WA1, [Group("a", "A", "WA1", "b"), Group("b", "B", "WA1", "a")], [], at=0.0)
    assert fleet.subtree("a") == {"a", "b"}


def test_ids_resolve_in_any_case_and_unknown_ones_are_returned_as_given() -> None:
    found, unknown = loaded().resolve(["wa1a", " WA1A ", "nope", "NOPE", "", "gone"])
    assert [server.id for server in found] == ["WA1A"]
    assert unknown == ["nope", "gone"]


def test_counts_are_per_group_and_in_total() -> None:
    fleet = loaded()
    total, maintenance = fleet.counts()
    assert (total["prod"], total["web"], maintenance["web"], maintenance["prod"]) == (1, 1, 1, 0)
    assert fleet.in_maintenance() == 1
    assert fleet.in_maintenance(["WA1A", "GONE"]) == 0
    assert fleet.in_maintenance(["WA1A", "WA1B"]) == 1
    fleet.update([server("WA1C", "web", maintenance=True)])
    total, maintenance = fleet.counts()
    assert (total["web"], maintenance["web"]) == (2, 2)
