"""The lines above the results: a title, and how far each operation has come."""

from collections.abc import Iterator
from typing import NamedTuple

from rich.segment import Segment

from tui.cells import cell_width
from tui.console.store import Store
from tui.console.widgets.line_styles import StyleLookup
from tui.console.widgets.progress import progress
from tui.model.operation import Operation

PROGRESS_LINES = 3
"""Operations whose progress is shown at the same time."""
HINT = "  Nothing started yet. Mark servers with space; s starts maintenance."


class Listing(NamedTuple):
    """What the list below the header shows."""

    operation_id: str = ""
    following: bool = True
    failures_first: bool = False
    unseen: int = 0
    """Servers that changed while the list was not following."""


class ProgressHeader:
    """Draws the header from the store and from what is listed below; it has no state of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def operations(self, listed: str) -> list[Operation]:
        """The operations that have a progress line, newest last: the listed one, and what is under way."""
        shown = self._store.operations.get(listed)
        others = [operation for operation in self._store.running() if operation is not shown]
        lines = [*others[-(PROGRESS_LINES - 1) :], *([shown] if shown else [])]
        return sorted(lines, key=lambda operation: operation.started)

    def height(self, listed: str) -> int:
        """How many lines the header has."""
        return 1 + (len(self.operations(listed)) or 1)

    def ticking(self, listed: str) -> Iterator[int]:
        """The lines whose elapsed time changes by itself."""
        for y, operation in enumerate(self.operations(listed), 1):
            if operation.ended is None:
                yield y

    def draw(
        self, y: int, listing: Listing, width: int, style: StyleLookup, *, focused: bool
    ) -> list[Segment]:
        """Line ``y``, in ``width`` cells."""
        if y == 0:
            return self._draw_title(listing, width, style, focused)
        operations = self.operations(listing.operation_id)
        if not operations:
            return [Segment(HINT, style("line--quiet"))]
        if y > len(operations):
            return []
        operation = operations[y - 1]
        listed = operation.id == listing.operation_id and len(operations) > 1
        name = ("▸ " if listed else "  ") + operation.action.label
        elsewhere = operation.id in self._store.elsewhere
        parts = progress(operation, name, width, self._store.clock(), elsewhere=elsewhere)
        return [Segment(text, style(name)) for text, name in parts]

    def _draw_title(self, listing: Listing, width: int, style: StyleLookup, focused: bool) -> list[Segment]:
        rule = style("line--cursor" if focused else "line--quiet")
        title = " Results "
        ids = list(self._store.operations)
        if len(ids) > 1 and listing.operation_id in ids:
            title += f"─ {ids.index(listing.operation_id) + 1} of {len(ids)} operations "
        note = self._note(listing)
        between = max(0, width - cell_width(title) - cell_width(note) - 2)
        return [
            Segment("─" + title, style("line--title-focus" if focused else "line--title")),
            Segment("─" * between, rule),
            Segment(note, rule),
            Segment("─", rule),
        ]

    def _note(self, listing: Listing) -> str:
        """Whether the list follows changes, and the key that makes it."""
        if listing.operation_id not in self._store.operations:
            return ""
        if listing.failures_first:
            return " failures first "
        if listing.following:
            return " following "
        return f" +{listing.unseen:,} new · end follows " if listing.unseen else " staying · end follows "
