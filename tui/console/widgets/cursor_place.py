"""Where a list's cursor was before its view changed, so that it can return to the same server."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple


class CursorPlace(NamedTuple):
    """Where the cursor is, in a view that is about to change."""

    server_id: str | None
    line: int
    offset: int
    """Lines below the top of the window."""
    view: Sequence[int]
    ids: Sequence[str]
    """The ids of the catalog's rows."""

    def find(self, index_of: Callable[[str], int | None]) -> int:
        """The line of the same server in the new view; ``index_of`` returns it.

        Where it is not shown, the next server below that is, else the nearest above; 0 without any.
        """
        below, above = range(self.line, len(self.view)), range(self.line - 1, -1, -1)
        for index in chain(below, above):
            if (found := index_of(self.ids[self.view[index]])) is not None:
                return found
        return 0


class FilterOrigin:
    """Remembers where the cursor was before a filter that is being typed hid its server.

    Half a filter may hide a server that the whole one shows, so the cursor must not depend on typing speed.
    """

    def __init__(self) -> None:
        self._place: CursorPlace | None = None
        self._since: str | None = None
        """The server that the cursor has been on since then."""

    def before(self, now: CursorPlace) -> CursorPlace:
        """Where the cursor belongs: to the remembered place, unless it moved from where the filter put it."""
        return self._place if self._place is not None and now.server_id == self._since else now

    def moved(self, before: CursorPlace, now: str | None) -> None:
        """Remember ``before`` if the filter moved the cursor from it to another server."""
        moved = before.server_id is not None and now != before.server_id
        self._place, self._since = (before, now) if moved else (None, None)

    def forget(self) -> None:
        """Forget the place: the filter is not being typed any more."""
        self._place = self._since = None
