"""What of a catalog is shown, and in which order."""

from collections.abc import Container, Mapping, Sequence
from itertools import compress

from tui.model.filter.parser import Query, parse
from tui.model.filter.predicates import Matcher, Scope
from tui.model.listing.catalog import Catalog
from tui.model.listing.columns import COLUMNS, Kind
from tui.model.operation import State, Target
from tui.model.selection import Selection

_BY_STATE = {state: index for index, state in enumerate(
    (State.FAILED, State.REFUSED, State.UNSURE, State.LOOKING, State.EXECUTING, State.QUEUED,
     State.SUBMITTING, State.PLANNED, State.SUCCEEDED, State.CANCELLED, State.VERIFIED)
)}  # fmt: skip
"""What wants attention first."""


class View:
    """Filter, group and order over a catalog; ``rows`` are what they let through, in that order.

    Changing one of them, or the catalog, changes nothing here until ``show`` or ``arrange``: finding
    what a filter matches may take a while, and whoever shows the view decides when.
    """

    def __init__(self, catalog: Catalog, states: Mapping[str, Target]) -> None:
        self.catalog = catalog
        self.states = states
        """Server id -> where it stands in its newest operation."""
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
        """Whether neither filter nor group keep anything out."""
        return not self.query and self.group_id is None

    @property
    def rule(self) -> str:
        """What decides what is shown, as text: the filter and the group."""
        return f"{self.query.text}\n{self.group_id or ''}"

    def missing(self) -> tuple[str, ...]:
        """The data centers that are not read and might have servers to show."""
        return self.catalog.fleet.missing(self.group_id)

    def hidden(self, marked: Selection) -> int:
        """How many of the marked servers are not shown."""
        return 0 if self.mask is None else len(marked) - marked.count_rows(self.mask)

    def matcher(self, marked: Container[str]) -> Matcher:
        """What finds the rows to show, among ascending rows: all at once or a slice at a time."""
        match = self.query.bind(Scope(self.catalog, marked, self.states))
        if self.group_id is None:
            return match
        groups, servers = self.catalog.fleet.subtree(self.group_id), self.catalog.servers
        return lambda rows: match([row for row in rows if servers[row].group_id in groups])

    def find(self, marked: Container[str]) -> list[int] | None:
        """All rows to show, ascending; None for all there are."""
        return None if self.is_everything else self.matcher(marked)(range(len(self.catalog)))

    def show(self, found: list[int] | None) -> None:
        """Let ``found`` (ascending; None for all) be what is shown."""
        if found is None or len(found) == len(self.catalog):
            self.mask = None
        else:
            mask = bytearray(len(self.catalog))
            for row in found:
                mask[row] = 1
            self.mask = bytes(mask)
        self.arrange(found)

    def arrange(self, found: list[int] | None = None) -> None:
        """Put what is shown into order; ``found`` are its rows, ascending, where they are at hand."""
        everything = range(len(self.catalog))
        mask = self.mask
        if COLUMNS[self.column].kind is Kind.STATE:
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
        return len(_BY_STATE) if target is None else _BY_STATE[target.state]
