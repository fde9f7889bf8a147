"""The rows that a view shows, and their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.model.fleets import GROUPS, some_fleet
from tui.model.filter.query import parse
from tui.model.listing.catalog import Catalog
from tui.model.listing.columns import COLUMNS
from tui.model.listing.view import View
from tui.model.operation import State, Target
from tui.model.selection import Selection

FILTERS = st.sampled_from(["", "web", "power:started", "!web", "nothing-at-all", "marked:yes or op:failed"])


GROUP_IDS = st.sampled_from([None, *(group.id for group in GROUPS)])


@given(FILTERS, GROUP_IDS, st.sampled_from(list(COLUMNS)), st.booleans())
def test_filter_group_and_order_combine(text: str, group: str | None, column: str, descending: bool) -> None:
    fleet = some_fleet()
    states = {"VA1ACMEDB1": Target("VA1ACMEDB1", State.FAILED)}
    view = View(Catalog(fleet), states)
    view.query, view.group_id, view.column, view.descending = parse(text), group, column, descending
    found = view.find({"WA1ACMEWEB2"})
    view.show(found)
    wanted = set(range(5)) if found is None else set(found)
    assert set(view.rows) == wanted
    assert len(view.rows) == len(wanted)
    assert {row for row in range(5) if view.shows(row)} == wanted
    if group is not None:
        subtree = fleet.subtree(group)
        assert all(view.catalog.servers[row].group_id in subtree for row in view.rows)
    before = list(view.rows)
    view.arrange()
    assert list(view.rows) == before
    if column != "op":
        assert before == [row for row in view.catalog.order(column, descending) if row in wanted]


def test_a_new_view_will_show_everything_by_id() -> None:
    view = View(Catalog(some_fleet()), {})
    assert (len(view), view.rule, view.is_everything, view.shows(4)) == (0, "\n", True, True)
    found = view.find(())
    assert found is None
    view.show(found)
    assert list(view.rows) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("text", "column", "ascending", "descending"),
    [
        ("", "id", "db1 db2 mail1 web2 web10", "web10 web2 mail1 db2 db1"),
        ("", "cpu", "web2 mail1 web10 db2 db1", "db1 db2 web10 mail1 web2"),
        ("", "op", "web10 db2 db1 mail1 web2", "db1 mail1 web2 db2 web10"),
        ("web", "id", "mail1 web2 web10", "web10 web2 mail1"),
        ("web", "cpu", "web2 mail1 web10", "web10 mail1 web2"),
        ("web", "op", "web10 mail1 web2", "mail1 web2 web10"),
        ("marked:yes", "id", "db1 web2", "web2 db1"),
        ("marked:no op:*", "id", "db2 web10", "web10 db2"),
    ],
)
def test_what_is_shown_is_sorted(text: str, column: str, ascending: str, descending: str) -> None:
    states = {id_: Target(id_, state) for id_, state in [
        ("WA1ACMEWEB10", State.FAILED), ("VA1ACMEDB2", State.EXECUTING),
    ]}  # fmt: skip
    view = View(Catalog(some_fleet()), states)
    view.query, view.column = parse(text), column
    found = view.find({"VA1ACMEDB1", "WA1ACMEWEB2"})
    for view.descending, names in ((False, ascending), (True, descending)):
        view.show(found)
        assert " ".join(view.catalog.servers[row].name for row in view.rows) == names


def test_sorting_by_operation_puts_failures_first() -> None:
    ended = {"VA1ACMEDB1": State.VERIFIED, "WA1ACMEWEB10": State.FAILED}
    states = {id_: Target(id_, state) for id_, state in ended.items()}
    view = View(Catalog(some_fleet()), states)
    view.column = "op"
    view.show(None)
    ids = [view.catalog.ids[row] for row in view.rows]
    assert ids == ["WA1ACMEWEB10", "VA1ACMEDB1", "VA1ACMEDB2", "WA1ACMEMAIL1", "WA1ACMEWEB2"]


def test_marked_servers_outside_the_filter_are_hidden() -> None:
    view = View(Catalog(some_fleet()), {})
    marked = Selection(view.catalog.ids)
    marked.mark(["VA1ACMEDB1", "VA1ACMEDB2", "WA1ACMEWEB2"])
    assert view.hidden(marked) == 0
    view.query = parse("web")
    view.show(view.find(marked))
    assert view.hidden(marked) == 2
    view.query = parse("")
    view.show(view.find(marked))
    assert view.hidden(marked) == 0


def test_only_the_data_center_of_the_group_can_be_missing() -> None:
    fleet = some_fleet()
    view = View(Catalog(fleet), {})
    fleet.fail(["WA1", "UC1"], "500")
    assert view.missing() == ("WA1", "UC1")
    view.query, view.group_id = parse("web"), "db"
    assert view.missing() == ()
    assert view.rule == "web\ndb"
