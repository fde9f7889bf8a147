"""Which columns there are, and which of them fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.model.fleets import some_fleet
from tui.model.listing.catalog import Catalog
from tui.model.listing.columns import (
    COLUMNS,
    DEFAULT_LAYOUT,
    GAP,
    ColumnLayout,
    cell_text,
    find_column,
    parse_sort,
    sample,
    size_text,
)
from tui.model.server import Server

NATURAL = dict.fromkeys(COLUMNS, 10)
LAYOUTS = st.lists(
    st.tuples(st.sampled_from(list(COLUMNS)), st.one_of(st.none(), st.integers(1, 60))), max_size=14
).map(
    lambda items: ColumnLayout.parse([name if width is None else f"{name}:{width}" for name, width in items])
)


def test_a_layout_is_parsed_from_its_own_items() -> None:
    items = ["maint", "id:1", "name", "group:500"]
    assert ColumnLayout.parse(items).items() == items


@pytest.mark.parametrize(
    ("items", "becomes"),
    [
        ([], ["id", "maint"]),
        (["os"], ["id", "os", "maint"]),
        (["mem", "id", "Maintenance"], ["memory", "id", "maint"]),
    ],
)
def test_the_id_and_the_maintenance_state_are_always_included(items: list[str], becomes: list[str]) -> None:
    assert ColumnLayout.parse(items).items() == becomes


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("colour", "no column 'colour'; there are: id, group, power, maint"),
        ("id:0", "the width of column id must be 1 to 500, not '0'"),
        ("id:501", "the width of column id must be 1 to 500, not '501'"),
        ("mem:wide", "the width of column memory must be 1 to 500, not 'wide'"),
        ("id:-3", "the width of column id must be 1 to 500, not '-3'"),
    ],
)
def test_an_invalid_layout_item_is_explained(item: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ColumnLayout.parse([item])


@given(LAYOUTS, st.integers(0, 250), st.dictionaries(st.sampled_from(list(COLUMNS)), st.integers(0, 60)))
def test_shown_columns_fit_and_include_id_and_maintenance(
    layout: ColumnLayout, available: int, natural: dict[str, int]
) -> None:
    shown = layout.fit(available, natural)
    names = [column.name for column, _ in shown]
    assert {"id", "maint"} <= set(names)
    assert [item.name for item in layout.columns if item.name in names] == names
    assert all(width >= 1 for _, width in shown)
    fixed = sum(item.width or 0 for item in layout.columns if item.name in ("id", "maint"))
    if available >= fixed + COLUMNS["id"].least + COLUMNS["maint"].least + GAP:
        assert sum(width for _, width in shown) + GAP * (len(shown) - 1) <= available


def test_narrow_terminals_drop_the_least_important_first() -> None:
    before = {column.name for column, _ in DEFAULT_LAYOUT.fit(300, NATURAL)}
    assert before == set(COLUMNS)
    for width in range(300, 0, -1):
        now = {column.name for column, _ in DEFAULT_LAYOUT.fit(width, NATURAL)}
        assert now <= before
        dropped, kept = before - now, now
        assert all(COLUMNS[one].priority > COLUMNS[other].priority for one in dropped for other in kept)
        before = now
    assert before == {"id", "maint"}


@pytest.mark.parametrize(
    ("available", "items", "shown"),
    [
        (27, "id maint op", "id:14 maint:11"),
        (37, "id maint op", "id:14 maint:11"),
        (38, "id maint op", "id:14 maint:11 op:9"),
        (80, "id maint op", "id:14 maint:11 op:9"),
        (80, "id:5 maint:20 name", "id:5 maint:20 name:10"),
        (28, "id:14 maint:5 cpu", "id:14 maint:5 cpu:3"),
        (39, "id maint name", "id:14 maint:11 name:10"),
        (40, "group id maint", "group:11 id:14 maint:11"),
        (36, "group id maint", "id:14 maint:11"),
        (56, "description group id maint", "description:13 group:12 id:14 maint:11"),
        (300, "description id maint", "description:200 id:14 maint:11"),
        (300, "os id maint", "os:4 id:14 maint:11"),
        (300, "dc id maint", "dc:1 id:14 maint:11"),
    ],
)
def test_columns_get_room_by_priority(available: int, items: str, shown: str) -> None:
    natural = {
        "id": 14,
        "maint": 11,
        "op": 9,
        "name": 10,
        "cpu": 3,
        "group": 12,
        "description": 999,
        "os": 4,
        "dc": 1,
    }
    fitted = ColumnLayout.parse(items.split()).fit(available, natural)
    assert " ".join(f"{column.name}:{width}" for column, width in fitted) == shown


def test_columns_without_content_are_left_out() -> None:
    def names(natural: dict[str, int]) -> list[str]:
        return [column.name for column, _ in DEFAULT_LAYOUT.fit(300, natural)]

    assert names(dict.fromkeys(COLUMNS, 0)) == ["id", "maint"]
    assert names(NATURAL | {"os": 0}) == [name for name in COLUMNS if name != "os"]
    assert names({}) == list(COLUMNS), "their content is not known"


@pytest.mark.parametrize(
    ("available", "widths"), [(33, [11, 20]), (28, [6, 20]), (27, [5, 20]), (26, [5, 19]), (3, [5, 1])]
)
def test_an_id_is_cut_only_if_nothing_else_can_be(available: int, widths: list[int]) -> None:
    shown = ColumnLayout.parse(["maint", "id"]).fit(available, {"id": 20, "maint": 11})
    assert [width for _, width in shown] == widths


def test_every_column_shows_its_field() -> None:
    catalog = Catalog(some_fleet())
    server = catalog.servers[catalog.rows["WA1ACMEWEB10"]]
    texts = {name: cell_text(column, server, catalog.paths) for name, column in COLUMNS.items()}
    assert texts == {
        "id": "WA1ACMEWEB10", "name": "web10", "group": "Web/Prod", "dc": "WA1", "power": "stopped",
        "maint": "off",
        "status": "active", "op": "", "os": "ubuntu", "cpu": "8", "memory": "8 GB", "ip": "10.0.0.10",
        "description": "mail relay", "changed": "2026-11-20 10:00",
    }  # fmt: skip
    assert cell_text(COLUMNS["changed"], Server("A", modified="2026-11-20T10Z"), {}) == "2026-11-20 10"
    unknown = catalog.servers[catalog.rows["VA1ACMEDB1"]]
    empty = ("maint", "power", "cpu", "memory", "group")
    assert [cell_text(COLUMNS[name], unknown, {}) for name in empty] == ["-", "", "", "", ""]


def test_sizes_have_the_largest_unit_that_divides_them() -> None:
    assert [size_text(size) for size in (None, 0, 512, 1024, 1536, 131072)] == [
        "", "0 MB", "512 MB", "1 GB", "1536 MB", "128 GB",
    ]  # fmt: skip


def test_names_and_aliases_of_columns_are_unique() -> None:
    names = [name for column in COLUMNS.values() for name in (column.name, *column.aliases)]
    assert len(names) == len(set(names))
    assert all(find_column(name.upper()) for name in names)


def test_a_sort_is_a_column_and_a_direction() -> None:
    assert [parse_sort(text) for text in ("cpu", "-MEM", "operation")] == [
        ("cpu", False), ("memory", True), ("op", False),
    ]  # fmt: skip
    for text in ("", "-", "--id", "color"):
        with pytest.raises(ValueError, match=f"no column '{text}'; there are: id, group"):
            parse_sort(text)


@pytest.mark.parametrize(
    ("count", "at_most", "taken"),
    [
        (0, 3, []),
        (2, 3, [0, 1]),
        (5, 3, [0, 1, 2]),
        (6, 3, [0, 2, 4]),
        (7, 3, [0, 2, 4]),
    ],
)
def test_a_sample_is_spread_evenly(count: int, at_most: int, taken: list[int]) -> None:
    assert sample(range(count), at_most) == taken
