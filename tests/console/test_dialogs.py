"""What dialogs have in common: a frame, a question, and choices that tab reaches and enter takes."""

import pytest
from textual.events import Paste

from tests.console.conftest import Console, OpenConsole
from tui.console.widgets.choice import Choice
from tui.console.widgets.column_chooser import ColumnChooser
from tui.console.widgets.line_list import LineList
from tui.console.widgets.ticket_preview import TicketPreview
from tui.model.listing.columns import DEFAULT_LAYOUT

SIZES = [(60, 15), (80, 24), (120, 40)]


async def open_dialog(c: Console, dialog: type) -> None:
    """Open a dialog."""
    if dialog is ColumnChooser:
        await c.press("C")
    else:
        c.servers.post_message(Paste("please take WA1ACMEWEB001 and WA1ACMEWEB002"))
    await c.until(lambda: isinstance(c.app.screen, dialog))
    await c.pilot.pause()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dialog", [ColumnChooser, TicketPreview])
async def test_all_parts_of_a_dialog_are_visible(
    console: OpenConsole, dialog: type, size: tuple[int, int]
) -> None:
    async with console(size=size) as c:
        await open_dialog(c, dialog)
        screen = c.app.screen
        frame = screen.query_one(".dialog")
        assert frame.styles.border_top[0] == "round"
        for part in (*screen.query(".question"), *screen.query(Choice), screen.query_one(LineList)):
            assert part.region.height >= 1
            assert frame.region.contains_region(part.region), part
        assert screen.query_one(LineList).page >= 2


@pytest.mark.parametrize("dialog", [ColumnChooser, TicketPreview])
async def test_tab_reaches_the_choices_and_enter_takes_one(console: OpenConsole, dialog: type) -> None:
    async with console() as c:
        await open_dialog(c, dialog)
        await c.press("tab", "tab", "enter")
        await c.until(lambda: not isinstance(c.app.screen, dialog))
        assert not c.marked()
        assert c.servers.servers.line.layout == DEFAULT_LAYOUT


async def test_columns_that_do_not_fit_are_labelled_no_room(console: OpenConsole) -> None:
    async with console(size=(80, 24)) as c:
        shown = {column.name for column, _ in c.servers.servers.line.columns}
        assert "description" not in shown
        await open_dialog(c, ColumnChooser)
        chooser = c.app.screen
        assert isinstance(chooser, ColumnChooser)
        for index, name in enumerate(chooser.lines.names):
            line = "".join(segment.text for segment in chooser.lines.draw_body(index))
            assert ("no room" in line) is (name not in shown and name != "name"), line
        while chooser.lines.name_here != "group":
            await c.press("down")
        await c.press("space")
        assert "no room" not in "".join(
            segment.text for segment in chooser.lines.draw_body(chooser.lines.names.index("changed"))
        )
