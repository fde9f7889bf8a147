"""The line under the cursor is highlighted as a whole, and only in the pane that has the focus."""

from collections.abc import Callable

import pytest
from rich.segment import Segment

from tests.console.conftest import OpenConsole
from tests.console.list_host import ListHost, server, server_list
from tests.console.list_host import fleet_of as list_fleet_of
from tui.console.widgets.column_chooser import ColumnLines
from tui.console.widgets.group_tree import GroupTree
from tui.console.widgets.line_list import LineList
from tui.console.widgets.ticket_preview import FoundList
from tui.model.listing.columns import DEFAULT_LAYOUT
from tui.model.ticket import Found

FLEET = list_fleet_of(server(number) for number in range(1, 9))
FOUND = Found(ids=("WA1ACMEWEB1", "WA1ACMEWEB2"), marked=(), unknown=("WA1ACMEWEB99",), ambiguous=())
LISTS: list[Callable[[], LineList]] = [
    lambda: server_list(8),
    lambda: GroupTree(FLEET),
    lambda: ColumnLines(DEFAULT_LAYOUT),
    lambda: FoundList(FOUND, FLEET),
]


def segments(widget: LineList, index: int) -> list[Segment]:
    """One line as drawn."""
    return list(widget.render_line(index + widget.heading))


def is_highlighted(widget: LineList, index: int) -> bool:
    """Whether every cell of a line differs from the background."""
    background = widget.base_style.bgcolor
    return all(
        segment.style is not None and (segment.style.reverse or segment.style.bgcolor != background)
        for segment in segments(widget, index)
    )


@pytest.mark.parametrize("make", LISTS, ids=["servers", "groups", "columns", "found"])
async def test_the_whole_line_under_the_cursor_is_highlighted(make: Callable[[], LineList]) -> None:
    async with ListHost(widget := make()).run_test(size=(70, 20)) as pilot:
        widget.focus()
        await pilot.press("down")
        assert [is_highlighted(widget, index) for index in range(3)] == [False, True, False]
        widget.blur()
        await pilot.pause()
        assert not is_highlighted(widget, 1)
        assert segments(widget, 1)[0].text.startswith("▏")


async def test_without_colours_the_cursor_line_is_drawn_in_reverse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with ListHost(widget := server_list(8)).run_test(size=(70, 20)) as pilot:
        widget.focus()
        await pilot.pause()
        assert all(segment.style and segment.style.reverse for segment in segments(widget, 0))
        assert not any(segment.style and segment.style.reverse for segment in segments(widget, 1))


async def test_only_the_focused_pane_has_a_bold_title_and_a_solid_cursor(
    console: OpenConsole,
) -> None:
    async with console() as c:
        panes: list[LineList] = [c.servers.groups, c.servers.servers, c.servers.results]
        for _ in range(3):
            for pane in panes:
                bold = [
                    segment.style and segment.style.bold for segment in pane.render_line(0) if segment.text
                ]
                assert bool(bold[0]) is pane.has_focus
            solid = [line for line in c.text().splitlines() if "▌" in line]
            focused = next(pane for pane in panes if pane.has_focus)
            assert len(solid) == min(1, focused.line_count())
            await c.press("tab")


async def test_the_cursor_line_of_the_results_is_highlighted(console: OpenConsole) -> None:
    async with console(8, size=(100, 30)) as c:
        results = c.servers.results
        await c.press("space", "space", "s", "enter", "y")
        await c.until(lambda: results.line_count() == 2)
        results.focus()
        await c.until(lambda: [is_highlighted(results, index) for index in range(2)] == [False, True])


async def test_maintenance_on_is_bold_and_off_is_subdued() -> None:
    async with ListHost(widget := server_list(8)).run_test(size=(100, 20)) as pilot:
        await pilot.pause()
        start, _ = widget.line.cells_of("maint")
        styles = {}
        for index in range(3):
            at = 0
            for segment in segments(widget, index):
                word = segment.text.lstrip(" ▏").split(" ")[0]
                if word in ("on", "off"):
                    assert at + len(segment.text) - len(segment.text.lstrip()) == start + widget.gutter_width
                    styles[word] = segment.style
                at += len(segment.text)
        assert styles["on"] == widget.style("flag--on")
        assert styles["on"].bold
        assert styles["off"] == widget.style("line--quiet")


@pytest.mark.parametrize("width", [60, 80, 120])
async def test_columns_are_at_least_two_cells_apart(width: int) -> None:
    async with ListHost(widget := server_list(8)).run_test(size=(width, 20)) as pilot:
        await pilot.pause()
        starts = [widget.line.cells_of(column.name)[0] for column, _ in widget.line.columns]
        ends = [sum(widget.line.cells_of(column.name)) for column, _ in widget.line.columns]
        assert all(start - end >= 2 for start, end in zip(starts[1:], ends, strict=False))
