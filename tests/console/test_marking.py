"""Marking servers, on a list that only records which lines it redraws."""

import pytest

from tests.console.list_host import fleet_of, server
from tui.console.widgets.marking import Marking
from tui.model.listing.catalog import Catalog
from tui.model.listing.view import View
from tui.model.selection import Selection


class Lines:
    """A list for marking: at most four of its lines are visible."""

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
        """The marked lines."""
        return [index for index, row in enumerate(self.view) if self.selection.flags[row]]


@pytest.fixture
def lines() -> Lines:
    return Lines(6)


def test_a_mark_redraws_one_line_and_advances_the_cursor(lines: Lines) -> None:
    lines.marking.toggle_at_cursor()
    assert (lines.marked(), lines.drawn, lines.cursor, lines.changes) == ([0], [0], 1, 1)


def test_a_range_redraws_only_changed_marks_and_is_undone_as_one(lines: Lines) -> None:
    lines.marking.mark_ids([lines.id_at(2)])
    lines.drawn.clear()
    for _ in range(3):
        lines.marking.extend(1)
    assert lines.marked() == [0, 1, 2, 3]
    lines.marking.extend(-1)
    assert lines.marked() == [0, 1, 2]
    assert lines.drawn == [0, 1, 3, 3], "the line marked before is not redrawn"
    lines.move_cursor(5)
    assert lines.marked() == [0, 1, 2], "moving without shift ends the range"
    lines.marking.undo()
    assert lines.marked() == [2]


def test_a_range_at_the_end_of_the_list_marks_the_line_under_the_cursor(lines: Lines) -> None:
    lines.cursor = 5
    lines.marking.extend(1)
    assert lines.marked() == [5]


def test_a_range_ends_when_toggled_or_when_other_marks_change(lines: Lines) -> None:
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


def test_a_span_starts_at_the_cursor_when_the_last_mark_is_hidden(lines: Lines) -> None:
    lines.marking.toggle(0)
    lines.shown.show([2, 3, 4, 5])
    lines.cursor = 1
    lines.marking.mark_to(3)
    assert lines.marked() == [1, 2, 3]


def test_a_rule_is_kept_with_its_missing_data_centers(lines: Lines) -> None:
    assert lines.marking.mark_ids([lines.id_at(1)], rule="group g1", missing=("VA1",)) == 1
    assert lines.selection.missing == ("VA1",)
    lines.marking.invert_ids([lines.id_at(0), lines.id_at(1)])
    assert lines.marked() == [0]


def test_marking_in_an_empty_list_changes_nothing() -> None:
    lines = Lines(0)
    marking = lines.marking
    for change in (marking.toggle_at_cursor, marking.mark_to_cursor, marking.toggle_range):
        change()
    marking.extend(1)
    assert (lines.marked(), lines.changes) == ([], 0)
