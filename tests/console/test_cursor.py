"""Where one is: the line under the cursor is set off as a whole, and only in the pane that has the focus."""

from collections.abc import Callable

import pytest
from rich.segment import Segment

from tests.console.conftest import OpenConsole
from tests.console.list_host import ListHost, server, server_list
from tests.console.list_host import fleet_of as fleet_with
from tui.console.widgets.column_chooser import ColumnLines
from tui.console.widgets.group_tree import GroupTree
from tui.console.widgets.line_list import LineList
from tui.console.widgets.ticket_preview import FoundList
from tui.model.listing.columns import DEFAULT_LAYOUT
from tui.model.ticket import Found

FLEET = fleet_with(server(number) for number in range(1, 9))
FOUND = Found(ids=("WA1ACMEWEB1", "WA1ACMEWEB2"), marked=(), unknown=("WA1ACMEWEB99",), ambiguous=())
LISTS: list[Callable[[], LineList]] = [
    lambda: server_list(8),
    lambda: GroupTree(FLEET),
    lambda: ColumnLines(DEFAULT_LAYOUT),
    lambda: FoundList(FOUND, FLEET),
]


def cells(widget: LineList, index: int) -> list[Segment]:
    """One line as it is drawn."""
    return list(widget.render_line(index + widget.heading))


def set_off(widget: LineList, index: int) -> bool:
    """Whether every cell of a line looks other than the screen around it."""
    ground = widget.base_style.bgcolor
    return all(
        segment.style is not None and (segment.style.reverse or segment.style.bgcolor != ground)
        for segment in cells(widget, index)
    )


@pytest.mark.parametrize("make", LISTS, ids=["servers", "groups", "columns", "found"])
async def test_the_whole_line_under_the_cursor_is_set_off(make: Callable[[], LineList]) -> None:
    async with ListHost(widget := make()).run_test(size=(70, 20)) as pilot:
        widget.focus()
        await pilot.press("down")
        assert [set_off(widget, index) for index in range(3)] == [False, True, False]
        widget.blur()
        await pilot.pause()
        assert not set_off(widget, 1)
        assert cells(widget, 1)[0].text.startswith("▏")


async def test_without_colours_the_line_is_turned_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with ListHost(widget := server_list(8)).run_test(size=(70, 20)) as pilot:
        widget.focus()
        await pilot.pause()
        assert all(segment.style and segment.style.reverse for segment in cells(widget, 0))
        assert not any(segment.style and segment.style.reverse for segment in cells(widget, 1))


async def test_only_the_pane_with_the_focus_has_a_bright_title_and_a_solid_cursor(
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
            assert len(solid) <= 1
            await c.press("tab")


async def test_the_line_of_a_result_is_set_off(console: OpenConsole) -> None:
    async with console(8, size=(100, 30)) as c:
        results = c.servers.results
        await c.press("space", "space", "s", "enter", "y")
        await c.until(lambda: results.line_count() == 2)
        results.focus()
        await c.until(lambda: [set_off(results, index) for index in range(2)] == [False, True])


async def test_maintenance_stands_out_and_none_is_quiet() -> None:
    async with ListHost(widget := server_list(8)).run_test(size=(100, 20)) as pilot:
        await pilot.pause()
        start, _ = widget.line.cells_of("maint")
        looks = {}
        for index in range(3):
            at = 0
            for segment in cells(widget, index):
                word = segment.text.lstrip(" ▏").split(" ")[0]
                if word in ("on", "off"):
                    assert at + len(segment.text) - len(segment.text.lstrip()) == start + widget.gutter_width
                    looks[word] = segment.style
                at += len(segment.text)
        assert looks["on"] == widget.style("flag--on")
        assert looks["on"].bold
        assert looks["off"] == widget.style("line--quiet")


@pytest.mark.parametrize("width", [60, 80, 120])
async def test_columns_have_air_between_them(width: int) -> None:
    async with ListHost(widget := server_list(8)).run_test(size=(width, 20)) as pilot:
        await pilot.pause()
        starts = [widget.line.cells_of(column.name)[0] for column, _ in widget.line.columns]
        ends = [sum(widget.line.cells_of(column.name)) for column, _ in widget.line.columns]
        assert all(start - end >= 2 for start, end in zip(starts[1:], ends, strict=False))
