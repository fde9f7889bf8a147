"""Which columns the server list shows, in what order and how wide."""

from collections.abc import Callable, Container, Hashable

from rich.segment import Segment
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from tui.cells import fit
from tui.console.dialog import Dialog
from tui.console.widgets.choice import Choice
from tui.console.widgets.line_list import LineList
from tui.model.listing.columns import COLUMNS, DEFAULT_LAYOUT, ColumnLayout, Shown

Fitting = Callable[[ColumnLayout], Container[str]]
"""Returns the columns of a layout that there is room for."""
KEYS = "space show · shift+↑ shift+↓ move · + - width · 0 auto · d default"
ALWAYS = frozenset(column.name for column in COLUMNS.values() if column.priority == 0)
"""Columns that cannot be hidden."""


class ColumnLines(LineList):
    """The list of all columns: first the shown ones in their order."""

    gutter_width = 2

    def __init__(self, layout: ColumnLayout, fitting: Fitting = lambda _: COLUMNS) -> None:
        super().__init__()
        self.fitting = fitting
        self.shown: set[str] = set()
        self.widths: dict[str, int | None] = {}
        self.names: list[str] = []
        self.set_layout(layout)

    def set_layout(self, layout: ColumnLayout) -> None:
        """List the columns of a layout."""
        self.shown = {item.name for item in layout.columns}
        self.widths = {item.name: item.width for item in layout.columns}
        self.names = [item.name for item in layout.columns]
        self.names += [name for name in COLUMNS if name not in self.shown]

    @property
    def column_layout(self) -> ColumnLayout:
        """The layout that is chosen."""
        return ColumnLayout(
            tuple(Shown(name, self.widths.get(name)) for name in self.names if name in self.shown)
        )

    @property
    def name_here(self) -> str:
        """The column under the cursor."""
        return self.names[self.cursor]

    def line_count(self) -> int:
        """How many columns there are."""
        return len(self.names)

    def line_key(self, index: int) -> Hashable:
        """Another column, or another choice for it, is another line."""
        name = self.names[index]
        return name, name in self.shown, self.widths.get(name), self._hidden(name)

    def _hidden(self, name: str) -> bool:
        """Whether a column is chosen but there is no room for it."""
        return name in self.shown and name not in self.fitting(self.column_layout)

    def draw_body(self, index: int) -> list[Segment]:
        """Draw whether the column is shown, its title, width and meaning."""
        column = COLUMNS[self.names[index]]
        sign = "✓" if column.name in self.shown else " "
        width = self.widths.get(column.name)
        note = "no room for it now" if self._hidden(column.name) else column.help
        text = f"{sign} {fit(column.title, 12)} {fit('auto' if width is None else str(width), 5)} "
        seen = column.name in self.shown and note == column.help
        text += fit(note, max(1, self.body_width - len(text)))
        return [Segment(text, self.base_style if seen else self.style("line--quiet"))]

    def toggle(self) -> None:
        """Show or hide the column under the cursor."""
        if self.name_here not in ALWAYS:
            self.shown ^= {self.name_here}
            self.refresh_lines_seen()

    def move(self, step: int) -> None:
        """Move the column under the cursor up or down."""
        at, to = self.cursor, self.cursor + step
        if 0 <= to < len(self.names):
            self.names[at], self.names[to] = self.names[to], self.names[at]
            self.refresh_lines_seen()
            self.move_cursor(to)

    def widen(self, step: int | None) -> None:
        """Change the width of the column under the cursor; None lets the program choose it."""
        column = COLUMNS[self.name_here]
        now = self.widths.get(column.name)
        start = min(column.most, max(column.least, len(column.title))) if now is None else now
        self.widths[column.name] = None if step is None else max(1, min(500, start + step))
        self.refresh_lines_seen()


class ColumnChooser(Dialog[ColumnLayout | None]):
    """The dialog to choose columns. Returns the layout, or None for no change."""

    BINDINGS = [
        Binding("space", "show_or_hide", "Show or hide"),
        Binding("shift+up,K", "move(-1)", "Up"),
        Binding("shift+down,J", "move(1)", "Down"),
        Binding("plus,right", "widen(1)", "Wider"),
        Binding("minus,left", "widen(-1)", "Narrower"),
        Binding("0", "automatic", "Automatic width"),
        Binding("d", "default", "Default"),
        Binding("enter", "keep", "Keep"),
        Binding("escape,q", "leave", "Leave"),
        Binding("tab", "app.focus_next", show=False),
        Binding("shift+tab", "app.focus_previous", show=False),
    ]

    def __init__(self, layout: ColumnLayout, fitting: Fitting = lambda _: COLUMNS) -> None:
        super().__init__()
        self.lines = ColumnLines(layout, fitting)

    def compose(self) -> ComposeResult:
        """Textual: the parts."""
        with Vertical(classes="dialog -list"):
            yield Static("Which columns, in what order, how wide?", classes="question", markup=False)
            yield self.lines
            yield Static(KEYS, classes="keys", markup=False)
            with Horizontal(classes="choices"):
                yield Choice("enter", "keep", id="yes")
                yield Choice("esc", "leave it", id="no")

    def action_show_or_hide(self) -> None:
        """Show or hide a column."""
        self.lines.toggle()

    def action_move(self, step: int) -> None:
        """Move a column."""
        self.lines.move(step)

    def action_widen(self, step: int) -> None:
        """Change a column's width."""
        self.lines.widen(step)

    def action_automatic(self) -> None:
        """Let the program choose a column's width."""
        self.lines.widen(None)

    def action_default(self) -> None:
        """Choose the default columns."""
        self.lines.set_layout(DEFAULT_LAYOUT)
        self.lines.refresh_lines_seen()

    @on(Choice.Pressed, "#yes")
    def action_keep(self) -> None:
        """Close and return the chosen layout."""
        self.dismiss(self.lines.column_layout)

    @on(Choice.Pressed, "#no")
    def action_leave(self) -> None:
        """Close without a change."""
        self.dismiss(None)
