"""How one server is drawn: which columns fit, and their cells."""

from collections.abc import Mapping

from rich.segment import Segment

from tui.cells import cell_width, fit
from tui.console.widgets.line_styles import StyleLookup
from tui.model.filter.query import Query
from tui.model.listing.catalog import Catalog
from tui.model.listing.columns import COLUMNS, DEFAULT_LAYOUT, GAP, Column, ColumnLayout, ColumnType, sample
from tui.model.operation import STATE_STYLES, Target
from tui.model.server import Server

USUAL = 0.95
"""The share of the values that a column is wide enough for; ids are always whole."""
QUIET_PRIORITY = 5
"""Columns of this priority and above are drawn in the quiet style."""
USUAL_STATUS = "active"
PLAIN = ("", "line--quiet")
"""The styles in which matches are underlined; the others have a meaning of their own."""


class ServerLine:
    """The columns of a server list, as wide as fits. Positions are in cells from the first column."""

    def __init__(self, layout: ColumnLayout) -> None:
        self.layout = layout
        self.columns: list[tuple[Column, int]] = []
        """The columns that fit, and their widths."""
        self._natural: Mapping[str, int] = {}

    def measure(self, catalog: Catalog) -> None:
        """Estimate the width that each column needs from a sample of the servers."""
        rows = sample(range(len(catalog)))
        natural = {}
        for item in self.layout.columns:
            column = COLUMNS[item.name]
            if column.type is ColumnType.STATE:
                natural[column.name] = column.most
                continue
            widths = sorted(cell_width(catalog.text(column, row)) for row in rows) or [0]
            most = widths[-1] if column.name == "id" else widths[int(len(widths) * USUAL)]
            natural[column.name] = max(most, min(len(column.title), column.most))
        if self.layout == DEFAULT_LAYOUT and all(_named_as_id(catalog.servers[row]) for row in rows):
            natural["name"] = 0  # it would repeat the ids
        self._natural = natural

    def fit(self, width: int) -> bool:
        """Choose columns and widths for ``width`` cells; return whether they changed."""
        before, self.columns = self.columns, self.layout.fit(width, self._natural)
        return self.columns != before

    def fitting(self, layout: ColumnLayout, width: int) -> set[str]:
        """Return the columns of another layout that fit in ``width`` cells, or that have nothing to show."""
        silent = {name for name, cells in self._natural.items() if not cells}
        return silent | {column.name for column, _ in layout.fit(width, self._natural)}

    def cells_of(self, name: str) -> tuple[int, int]:
        """Return where a column starts and its width, which is 0 if it is not shown."""
        start = 0
        for column, width in self.columns:
            if column.name == name:
                return start, width
            start += width + GAP
        return 0, 0

    def column_at(self, x: int) -> str | None:
        """Return the column that cell ``x`` belongs to."""
        for column, width in self.columns:
            start, _ = self.cells_of(column.name)
            if start <= x < start + width:
                return column.name
        return None

    def heading(self, sorted_by: str, descending: bool) -> str:
        """Return the titles of the columns, with an arrow at the one that is sorted by."""
        titles = []
        for column, width in self.columns:
            title = column.title if width >= len(column.title) else column.short or column.title
            if column.name == sorted_by:
                title = fit(title, min(len(title), max(1, width - 1))) + ("▼" if descending else "▲")
            titles.append(fit(title, width, right=_is_number(column)))
        return (" " * GAP).join(titles)

    def draw(
        self, catalog: Catalog, row: int, target: Target | None, query: Query, style_of: StyleLookup
    ) -> list[Segment]:
        """Draw the cells, with matches of the filter, maintenance and the operation's state in styles.

        Neighbours of one style are one segment: the colours of each segment are sent to the terminal.
        """
        runs: list[tuple[str, str]] = []
        for column, width in self.columns:
            text, style = _cell(catalog, row, target, column)
            cell = fit(text, width, right=_is_number(column))
            spans = query.spans(column.name, cell) if query.highlights and style in PLAIN else []
            last = 0
            for start, end in spans:
                runs += [(cell[last:start], style), (cell[start:end], "line--match")]
                last = end
            runs += [(cell[last:], style), (" " * GAP, "")]
        segments: list[Segment] = []
        match = style_of("line--match")
        for text, style in runs:
            before = segments[-1].style if segments else None
            if before is style_of(style) or (text.isspace() and before not in (None, match)):
                segments[-1] = Segment(segments[-1].text + text, before)
            elif text:
                segments.append(Segment(text, style_of(style)))
        return segments


def _cell(catalog: Catalog, row: int, target: Target | None, column: Column) -> tuple[str, str]:
    """The text of a cell and the name of its style; empty for plain text."""
    if column.type is ColumnType.STATE:
        if target is None:
            return "", ""
        state = STATE_STYLES[target.state]
        return f"{state.sign} {state.word}", f"state--{state.colour}"
    text = catalog.text(column, row)
    if column.type is ColumnType.FLAG:
        return text, "flag--on" if catalog.servers[row].maintenance else "line--quiet"
    quiet = column.priority >= QUIET_PRIORITY or text == USUAL_STATUS
    return text, "line--quiet" if quiet else ""


def _named_as_id(server: Server) -> bool:
    return server.name.upper() == server.id


def _is_number(column: Column) -> bool:
    return column.type in (ColumnType.NUMBER, ColumnType.SIZE)
