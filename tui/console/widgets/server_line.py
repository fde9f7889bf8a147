"""How one server is drawn: which columns fit, and what stands in them."""

from collections.abc import Callable, Mapping

from rich.segment import Segment
from rich.style import Style

from tui.console.widgets.cells import fit, width_of
from tui.model.catalog import Catalog
from tui.model.columns import COLUMNS, DEFAULT_LAYOUT, Column, ColumnLayout, Kind, sample
from tui.model.operation import LOOKS, Target
from tui.model.query import Query
from tui.model.server import Server

USUAL = 0.95
"""The share of the values that a column is made wide enough for; ids are never cut for a few long ones."""
Look = Callable[[str], Style]
"""The style of a component class; of plain text for an empty name."""


class ServerLine:
    """The columns of a server list, as wide as fits. Positions are in cells from the first column."""

    def __init__(self, layout: ColumnLayout) -> None:
        self.layout = layout
        self.columns: list[tuple[Column, int]] = []
        """What is shown, and how wide."""
        self._natural: Mapping[str, int] = {}

    def measure(self, catalog: Catalog) -> None:
        """Guess from a sample of the servers how wide each column would like to be."""
        rows = sample(range(len(catalog)))
        natural = {}
        for item in self.layout.columns:
            column = COLUMNS[item.name]
            if column.kind is Kind.STATE:
                natural[column.name] = column.most
                continue
            widths = sorted(width_of(catalog.text(column, row)) for row in rows) or [0]
            most = widths[-1] if column.name == "id" else widths[int(len(widths) * USUAL)]
            natural[column.name] = max(most, min(len(column.title), column.most))
        if self.layout == DEFAULT_LAYOUT and all(_named_as_id(catalog.servers[row]) for row in rows):
            natural["name"] = 0  # it would say everything twice
        self._natural = natural

    def fit(self, width: int) -> bool:
        """Choose columns and widths for ``width`` cells; returns whether they are others than before."""
        before, self.columns = self.columns, self.layout.fit(width, self._natural)
        return self.columns != before

    def cells_of(self, name: str) -> tuple[int, int]:
        """Where a column starts, and its width; width 0 if it is not shown."""
        start = 0
        for column, width in self.columns:
            if column.name == name:
                return start, width
            start += width + 1
        return 0, 0

    def column_at(self, x: int) -> str | None:
        """The column that cell ``x`` belongs to."""
        for column, width in self.columns:
            start, _ = self.cells_of(column.name)
            if start <= x < start + width:
                return column.name
        return None

    def heading(self, sorted_by: str, descending: bool) -> str:
        """The titles, with the arrow of the order."""
        titles = []
        for column, width in self.columns:
            title = column.title if width >= len(column.title) else column.short or column.title
            if column.name == sorted_by:
                title = fit(title, min(len(title), max(1, width - 1))) + ("▼" if descending else "▲")
            titles.append(fit(title, width, right=_is_number(column)))
        return " ".join(titles)

    def draw(
        self, catalog: Catalog, row: int, target: Target | None, query: Query, look: Look
    ) -> list[Segment]:
        """The cells; what the filter found is set off, and so are maintenance and the operation's state."""
        segments: list[Segment] = []
        plain = gap = ""
        for column, width in self.columns:
            text, style = _cell(catalog, row, target, column)
            cell = fit(text, width, right=_is_number(column))
            plain, gap = plain + gap, " "
            last = 0
            spans = query.spans(column.name, cell) if query.highlights else []
            for start, end in [(0, len(cell))] if style else spans:
                segments.append(Segment(plain + cell[last:start], look("")))
                segments.append(Segment(cell[start:end], look(style or "line--match")))
                plain, last = "", end
            plain += cell[last:]
        segments.append(Segment(plain, look("")))
        return [segment for segment in segments if segment.text]


def _cell(catalog: Catalog, row: int, target: Target | None, column: Column) -> tuple[str, str]:
    """What stands in a cell, and the name of its style where that is not the plain one."""
    if column.kind is Kind.STATE:
        if target is None:
            return "", ""
        look = LOOKS[target.state]
        return f"{look.sign} {look.word}", f"state--{look.colour}"
    on = column.kind is Kind.FLAG and catalog.servers[row].maintenance
    return catalog.text(column, row), "state--maintenance" if on else ""


def _named_as_id(server: Server) -> bool:
    return server.name.upper() == server.id


def _is_number(column: Column) -> bool:
    return column.kind in (Kind.NUMBER, Kind.SIZE)
