"""The rows of a catalog that the list shows: filtered, restricted to a group, sorted."""

from collections.abc import Container, Mapping, Sequence
from itertools import compress

from tui.model.filter.query import Query, parse
from tui.model.filter.terms import Matcher, Scope
from tui.model.listing.catalog import Catalog
from tui.model.listing.columns import COLUMNS, ColumnType
from tui.model.operation import BY_URGENCY, Target
from tui.model.selection import Selection
from tui.model.window import Hold

_URGENCY = {state: rank for rank, state in enumerate(BY_URGENCY)}


class View:
    """A filter, a group and an order over a catalog; ``rows`` are the result.

    A change of them, or of the catalog, takes effect with ``show`` or ``arrange`` only: finding the rows that
    match may take a while, and the caller decides when.
    """

    def __init__(self, catalog: Catalog, states: Mapping[str, Target]) -> None:
        self.catalog = catalog
        self.states = states
        """Server id -> its target in its newest operation."""
        self.holds: Mapping[str, Hold] = {}
        """Server id -> the window that holds it in maintenance."""
        self.query: Query = parse("")
        self.group_id: str | None = None
        self.column = "id"
        self.descending = False
        self.rows: Sequence[int] = range(0)
        self.mask: bytes | None = None
        """One byte per row of the catalog, 1 where it is shown; None while all are."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def is_everything(self) -> bool:
        """Whether neither the filter nor the group excludes a server."""
        return not self.query and self.group_id is None

    @property
    def rule(self) -> str:
        """The filter and the group as one text, to compare and to store."""
        return f"{self.query.text}\n{self.group_id or ''}"

    def missing(self) -> tuple[str, ...]:
        """Ids of the data centers that are not read and might have servers to show."""
        return self.catalog.fleet.missing(self.group_id)

    def hidden(self, marked: Selection) -> int:
        """The number of marked servers that are not shown."""
        return 0 if self.mask is None else len(marked) - marked.count_rows(self.mask)

    def matcher(self, marked: Container[str]) -> Matcher:
        """Return a function that takes ascending rows, all or a slice of them, and returns those to show."""
        match = self.query.bind(Scope(self.catalog, marked, self.states, self.holds))
        if self.group_id is None:
            return match
        groups, servers = self.catalog.fleet.subtree(self.group_id), self.catalog.servers
        return lambda rows: match([row for row in rows if servers[row].group_id in groups])

    def find(self, marked: Container[str]) -> list[int] | None:
        """Find the rows to show, ascending; None stands for every row."""
        return None if self.is_everything else self.matcher(marked)(range(len(self.catalog)))

    def show(self, found: list[int] | None) -> None:
        """Show the rows ``found``, ascending; None stands for every row."""
        if found is None or len(found) == len(self.catalog):
            self.mask = None
        else:
            mask = bytearray(len(self.catalog))
            for row in found:
                mask[row] = 1
            self.mask = bytes(mask)
        self.arrange(found)

    def arrange(self, found: list[int] | None = None) -> None:
        """Sort the rows that are shown. ``found`` are those rows, ascending, if the caller has them."""
        everything = range(len(self.catalog))
        mask = self.mask
        if COLUMNS[self.column].type is ColumnType.STATE:
            shown = everything if mask is None else compress(everything, mask)
            self.rows = sorted(shown, key=self._urgency, reverse=self.descending)
        elif mask is None:
            self.rows = self.catalog.order(self.column, self.descending)
        elif self.column == "id":
            ascending = list(compress(everything, mask)) if found is None else found
            self.rows = ascending[::-1] if self.descending else ascending
        else:
            self.rows = [row for row in self.catalog.order(self.column, self.descending) if mask[row]]

    def shows(self, row: int) -> bool:
        """Whether a row of the catalog is shown."""
        return self.mask is None or bool(self.mask[row])

    def _urgency(self, row: int) -> int:
        target = self.states.get(self.catalog.ids[row])
        return len(_URGENCY) if target is None else _URGENCY[target.state]
