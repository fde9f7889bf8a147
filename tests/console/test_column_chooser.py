"""The dialog for choosing columns."""

from textual.app import App

from tests.console.list_host import lines
from tui.console.theme import THEME
from tui.console.widgets.column_chooser import ColumnChooser
from tui.model.listing.columns import COLUMNS, DEFAULT_LAYOUT, ColumnLayout


class Host(App[None]):
    def __init__(self, layout: ColumnLayout) -> None:
        super().__init__()
        self.register_theme(THEME)
        self.theme = THEME.name
        self.chooser = ColumnChooser(layout)
        self.answers: list[ColumnLayout | None] = []

    def on_mount(self) -> None:
        self.push_screen(self.chooser, self.answers.append)


async def test_columns_can_be_hidden_moved_and_widened() -> None:
    app = Host(ColumnLayout.parse(["id", "name", "power", "maint"]))
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("space", "down", "space", "down", "shift+down", "+", "+", "enter")
        assert app.answers[-1] is not None
        assert app.answers[-1].items() == ["id", "maint", "power:9"]


async def test_required_columns_cannot_be_hidden() -> None:
    app = Host(DEFAULT_LAYOUT)
    async with app.run_test(size=(100, 30)) as pilot:
        for _ in COLUMNS:
            await pilot.press("space", "down")
        await pilot.press("enter")
        assert app.answers[-1] == ColumnLayout.parse(["id", "maint"])


async def test_all_columns_are_listed_and_can_be_reset_to_the_default() -> None:
    app = Host(ColumnLayout.parse(["maint", "id:30"]))
    async with app.run_test(size=(100, 30 + len(COLUMNS))) as pilot:
        shown = lines(app.chooser.lines)
        assert [line.replace("▌", " ").split()[:2] for line in shown[:2]] == [
            ["✓", "Maintenance"],
            ["✓", "ID"],
        ]
        assert all(column.title in "\n".join(shown) for column in COLUMNS.values())
        await pilot.press("down", "0", "d", "enter")
        assert app.answers[-1] == DEFAULT_LAYOUT


async def test_escape_changes_no_columns() -> None:
    app = Host(DEFAULT_LAYOUT)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("down", "space", "escape")
        assert app.answers == [None]
