"""Marking, on a list that only counts what it is asked to draw."""

import pytest

from tests.console.list_host import fleet_of, server
from tui.console.widgets.marking import Marking
from tui.model.listing.catalog import Catalog
from tui.model.listing.view import View
from tui.model.selection import Selection


class Lines:
    """The list that marking acts on: four lines on the screen."""

    def __init__(self, count: int) -> None:
        self.shown = View(Catalog(fleet_of(server(number) for number in range(1, count + 1))), {})
        self.shown.show(None)
        self.selection = Selection()
        self.selection.rebase(self.shown.catalog.ids, self.shown.catalog.rows)
        self.cursor = 0
        self.changes = 0
        self.drawn: list[int] = []
        self.marking = Marking(self, self.selection, self._changed)

    @property
    def view(self) -> list[int]:
        return list(self.shown.rows)

    def id_at(self, index: int) -> str:
        return self.shown.catalog.ids[self.view[index]]

    def index_of(self, server_id: str) -> int | None:
        row = self.shown.catalog.rows[server_id]
        return self.view.index(row) if row in self.view else None

    def seen(self) -> range:
        return range(min(4, len(self.view)))

    def move_cursor(self, index: int) -> bool:
        before, self.cursor = self.cursor, max(0, min(index, len(self.view) - 1))
        if self.cursor != before:
            self.marking.cursor_moved()
        return self.cursor != before

    def refresh_cells(self, index: int, x: int, width: int) -> None:
        self.drawn.append(index)

    def refresh_gutters(self, x: int, width: int) -> None:
        self.drawn += self.seen()

    def _changed(self) -> None:
        self.changes += 1

    def marked(self) -> list[int]:
        """The lines that are marked."""
        return [index for index, row in enumerate(self.view) if self.selection.flags[row]]


@pytest.fixture
def lines() -> Lines:
    return Lines(6)


def test_one_mark_draws_one_line_and_the_cursor_goes_on(lines: Lines) -> None:
    lines.marking.toggle_at_cursor()
    assert (lines.marked(), lines.drawn, lines.cursor, lines.changes) == ([0], [0], 1, 1)


def test_a_range_draws_only_marks_that_differ_and_is_one_change(lines: Lines) -> None:
    lines.marking.mark_ids([lines.id_at(2)])
    lines.drawn.clear()
    for _ in range(3):
        lines.marking.extend(1)
    assert lines.marked() == [0, 1, 2, 3]
    lines.marking.extend(-1)
    assert lines.marked() == [0, 1, 2]
    assert lines.drawn == [0, 1, 3, 3], "what was marked before is not drawn again"
    lines.move_cursor(5)
    assert lines.marked() == [0, 1, 2], "movement without shift ends it"
    lines.marking.undo()
    assert lines.marked() == [2]


def test_a_range_at_the_end_of_the_list_marks_the_line_under_the_cursor(lines: Lines) -> None:
    lines.cursor = 5
    lines.marking.extend(1)
    assert lines.marked() == [5]


def test_a_range_that_follows_the_cursor_ends_when_asked_or_when_other_marks_change(lines: Lines) -> None:
    lines.marking.toggle_range()
    lines.move_cursor(2)
    assert lines.marking.range_follows_cursor
    lines.marking.toggle_range()
    lines.move_cursor(4)
    assert lines.marked() == [0, 1, 2]
    lines.marking.toggle_range()
    lines.marking.toggle(5)
    assert not lines.marking.range_follows_cursor
    assert lines.marked() == [0, 1, 2, 4, 5]


def test_a_span_begins_at_the_cursor_where_the_last_mark_is_not_shown(lines: Lines) -> None:
    lines.marking.toggle(0)
    lines.shown.show([2, 3, 4, 5])
    lines.cursor = 1
    lines.marking.mark_to(3)
    assert lines.marked() == [1, 2, 3]


def test_a_rule_is_kept_with_what_was_missing_to_it(lines: Lines) -> None:
    assert lines.marking.mark_ids([lines.id_at(1)], rule="group g1", missing=("VA1",)) == 1
    assert lines.selection.missing == ("VA1",)
    lines.marking.invert_ids([lines.id_at(0), lines.id_at(1)])
    assert lines.marked() == [0]


def test_an_empty_list_has_nothing_to_mark() -> None:
    lines = Lines(0)
    marking = lines.marking
    for change in (marking.toggle_at_cursor, marking.mark_to_cursor, marking.toggle_range):
        change()
    marking.extend(1)
    assert (lines.marked(), lines.changes) == ([], 0)
