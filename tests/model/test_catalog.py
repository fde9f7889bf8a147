"""The catalog: rows, searchable texts and orders."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.model.fleets import GROUPS, make_fleet, some_fleet
from tui.model.filter.query import Scope, parse
from tui.model.fleet import Fleet
from tui.model.group import DataCenter
from tui.model.listing.catalog import Catalog
from tui.model.listing.columns import COLUMNS, SEARCHED_COLUMNS
from tui.model.server import Server


def names(catalog: Catalog, column: str, descending: bool = False) -> list[str]:
    return [catalog.servers[row].name for row in catalog.order(column, descending)]


def test_rows_are_in_natural_order_of_id() -> None:
    assert Catalog(some_fleet()).ids == [
        "VA1ACMEDB1",
        "VA1ACMEDB2",
        "WA1ACMEMAIL1",
        "WA1ACMEWEB2",
        "WA1ACMEWEB10",
    ]


@pytest.mark.parametrize(
    ("column", "ascending", "descending"),
    [
        ("id", "db1 db2 mail1 web2 web10", "web10 web2 mail1 db2 db1"),
        ("name", "db1 db2 mail1 web2 web10", "web10 web2 mail1 db2 db1"),
        ("group", "db1 db2 web2 web10 mail1", "mail1 web10 web2 db1 db2"),
        ("dc", "db1 db2 mail1 web2 web10", "mail1 web2 web10 db1 db2"),
        ("power", "db2 mail1 web2 web10 db1", "db1 web10 mail1 web2 db2"),
        ("maint", "web2 mail1 web10 db1 db2", "db1 db2 mail1 web10 web2"),
        ("cpu", "web2 mail1 web10 db2 db1", "db1 db2 web10 mail1 web2"),
        ("memory", "mail1 web2 web10 db2 db1", "db1 db2 web10 web2 mail1"),
        ("ip", "web2 web10 mail1 db2 db1", "db1 db2 mail1 web10 web2"),
        ("changed", "mail1 web10 db1 db2 web2", "db1 db2 web2 web10 mail1"),
    ],
)
def test_sorts_by_any_column_with_ties_by_id(column: str, ascending: str, descending: str) -> None:
    catalog = Catalog(some_fleet())
    assert " ".join(names(catalog, column)) == ascending
    assert " ".join(names(catalog, column, descending=True)) == descending


def test_a_change_shows_in_existing_orders_and_filters() -> None:
    fleet = some_fleet()
    catalog = Catalog(fleet)
    for column in COLUMNS:
        catalog.order(column)
    find = parse("quarantine").bind(Scope(catalog))
    everything = range(len(catalog))
    assert find(everything) == []
    changed = msgspec.structs.replace(fleet.servers["WA1ACMEWEB2"], cpu=99, description="quarantine")
    fleet.update([changed])
    row = catalog.rows["WA1ACMEWEB2"]
    assert catalog.update(["VA1ACMEDB1", "WA1ACMEWEB2", "NOT-THERE"]) == [0, row]
    assert find(everything) == [row]
    assert names(catalog, "cpu") == ["mail1", "web10", "db2", "web2", "db1"]


def test_a_change_before_the_first_search_is_found() -> None:
    fleet = some_fleet()
    catalog = Catalog(fleet)
    fleet.update([msgspec.structs.replace(fleet.servers["VA1ACMEDB2"], description="quarantine")])
    rows = catalog.update(["VA1ACMEDB2"])
    assert parse("quarantine").bind(Scope(catalog))(range(len(catalog))) == rows
    assert parse("win2012").bind(Scope(catalog))(range(len(catalog))) == rows


def test_a_server_of_an_unknown_group_sorts_last() -> None:
    fleet = some_fleet()
    fleet.update([Server("VA1ACMEDB0", "db0", "gone", "VA1")])
    assert names(Catalog(fleet), "group")[-1] == "db0"


def test_servers_that_come_or_go_wait_for_the_next_reload() -> None:
    fleet = some_fleet()
    catalog = Catalog(fleet)
    fleet.update([Server("WA1ACMENEW1", "new1", "web", "WA1")])
    del fleet.servers["VA1ACMEDB1"]
    assert catalog.update(["WA1ACMENEW1", "VA1ACMEDB1", "VA1ACMEDB2"]) == [1]
    assert catalog.reload() is None
    assert catalog.ids[0] == "VA1ACMEDB2"


def test_a_refresh_recomputes_only_what_changed() -> None:
    fleet = some_fleet()
    catalog = Catalog(fleet)
    texts, order = list(catalog.texts()), catalog.order("os")
    changed = msgspec.structs.replace(fleet.servers["WA1ACMEWEB2"], description="new")
    fleet.update([changed])
    assert catalog.reload() == [catalog.rows["WA1ACMEWEB2"]]
    assert catalog.order("os") is order
    assert sum(one is not other for one, other in zip(catalog.texts(), texts, strict=True)) == 1
    assert catalog.reload() == []


def test_added_and_removed_servers_keep_the_texts_of_the_others() -> None:
    fleet = some_fleet()
    catalog = Catalog(fleet)
    texts = dict(zip(catalog.ids, catalog.texts(), strict=True))
    fleet.update([Server("WA1ACMEWEB3", "web3", "web", "WA1")])
    del fleet.servers["VA1ACMEDB1"]
    assert catalog.reload() is None
    now = dict(zip(catalog.ids, catalog.texts(), strict=True))
    assert list(now) == ["VA1ACMEDB2", "WA1ACMEMAIL1", "WA1ACMEWEB2", "WA1ACMEWEB3", "WA1ACMEWEB10"]
    assert all(now[id_] is texts[id_] for id_ in now if id_ in texts)


def test_a_renamed_group_is_found_by_its_new_name() -> None:
    fleet = some_fleet()
    catalog = Catalog(fleet)
    catalog.texts()
    catalog.order("group")
    fleet.groups["prod"] = msgspec.structs.replace(fleet.groups["prod"], path="Zebra")
    catalog.reload()

    def found(text: str) -> list[int]:
        return parse(text).bind(Scope(catalog))(range(len(catalog)))

    assert (found("zebra"), found("db1")) == ([catalog.rows["WA1ACMEWEB10"]], [0])
    assert names(catalog, "group")[-1] == "web10"
    fleet.groups["prod"] = msgspec.structs.replace(fleet.groups["prod"], path="Yak")
    fleet.update([Server("WA1ACMEAPP1", "app1", "web", "WA1")])
    assert catalog.reload() is None
    assert (found("zebra"), found("yak")) == ([], [catalog.rows["WA1ACMEWEB10"]])


def test_an_empty_fleet_has_no_rows() -> None:
    catalog = Catalog(Fleet("ACME"))
    assert (len(catalog), list(catalog.order("name"))) == (0, [])


@given(
    st.lists(st.tuples(st.text("aB01\n", max_size=4), st.one_of(st.none(), st.integers(0, 3))), max_size=12)
)
def test_every_order_has_every_row_once(values: list[tuple[str, int | None]]) -> None:
    servers = [Server(f"S{i}", name, "web", "WA1", cpu=cpu) for i, (name, cpu) in enumerate(values)]
    catalog = Catalog(make_fleet(*servers, groups=GROUPS))
    for column in COLUMNS:
        for descending in (False, True):
            assert sorted(catalog.order(column, descending)) == list(range(len(servers)))


def test_prepared_texts_and_orders_equal_those_made_on_demand() -> None:
    prepared, fresh = Catalog(some_fleet()), Catalog(some_fleet())
    for _ in prepared.prepare(COLUMNS):
        pass
    assert list(prepared.texts()) == list(fresh.texts())
    for column in COLUMNS:
        for descending in (False, True):
            assert list(prepared.order(column, descending)) == list(fresh.order(column, descending))


def test_what_is_prepared_in_parts_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 4_100
    servers = [Server(f"WA1X{n}", f"n{count - n}", "web", "WA1", "active", os="same") for n in range(count)]
    catalog = Catalog(make_fleet(*servers))
    assert len(list(catalog.prepare([]))) == 2, "the texts, in two parts"
    assert len(list(catalog.prepare(["cpu", "os", "id", "name"]))) == 1 + 4
    monkeypatch.setattr("tui.model.listing.catalog.natural_keys", None)
    assert list(catalog.order("name")) == list(catalog.order("id", descending=True))


def test_a_change_during_the_preparation_is_not_lost() -> None:
    fleet = some_fleet()
    catalog = Catalog(fleet)
    for step, _ in enumerate(catalog.prepare(["name"])):
        if step == 2:
            fleet.update([msgspec.structs.replace(fleet.servers["VA1ACMEDB1"], name="zebra")])
            catalog.update(["VA1ACMEDB1"])
    assert names(catalog, "name")[-1] == "zebra"


@given(st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40)))
def test_a_reloaded_catalog_equals_a_new_one(before: set[int], after: set[int]) -> None:
    def servers(numbers: set[int]) -> list[Server]:
        return [Server(f"WA1X{number:0{1 + number % 2}}", f"n{number}", "web", "WA1") for number in numbers]

    fleet = make_fleet(*servers(before))
    catalog = Catalog(fleet)
    list(catalog.texts())
    fleet.replace(DataCenter("WA1"), [], servers(after), at=2.0)
    catalog.reload()
    fresh = Catalog(fleet)
    assert (catalog.ids, catalog.rows, list(catalog.texts())) == (fresh.ids, fresh.rows, list(fresh.texts()))


def test_many_new_servers_are_in_natural_order() -> None:
    fleet = some_fleet()
    catalog = Catalog(fleet)
    fleet.update([Server(f"WA1ACMEWEB{number}", "", "web", "WA1") for number in range(1_020, 11, -1)])
    catalog.reload()
    assert catalog.ids == Catalog(fleet).ids
    assert catalog.ids[2:6] == ["WA1ACMEMAIL1", "WA1ACMEWEB2", "WA1ACMEWEB10", "WA1ACMEWEB12"]


def test_unknown_values_and_a_name_equal_to_the_id_are_empty_lines() -> None:
    (text,) = Catalog(make_fleet(Server("WA1ACMEX1", "wa1acmex1", "gone", "WA1"))).texts()
    assert text == "wa1acmex1\n\n\nwa1" + 6 * "\n"


def test_a_searchable_text_has_a_line_for_each_searched_column() -> None:
    catalog = Catalog(some_fleet())
    for row, text in enumerate(catalog.texts()):
        lines = text.split("\n")
        assert len(lines) == len(SEARCHED_COLUMNS)
        for name in SEARCHED_COLUMNS - {"name", "changed"}:
            assert catalog.text(COLUMNS[name], row).casefold() in lines
