"""Searching the rows that a view shows: all at once, or in slices so that keys are still drawn."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator

from textual.widget import Widget

from tui.console.later import later
from tui.model.listing.catalog import Catalog
from tui.model.listing.view import View
from tui.model.selection import Selection

SLICED_ABOVE = 20_000
"""Rows above which a search works in slices."""
SLICE = 4096
"""Rows of one slice."""
YIELD_AFTER = 0.008
"""Seconds of searching after which the event loop runs."""
PREPARE_AFTER = 0.1
"""Seconds after a change of the servers before the next search is prepared."""
PAUSE = 0.01
"""Seconds between two steps of that."""


class Search:
    """The search for the rows that the view's filter and group let through; the newest one wins.

    ``found`` is called with the rows, ascending, or None for all of them: at once where there are few,
    else after the next refresh of ``widget``, so that the key that was typed is drawn first.
    """

    def __init__(
        self, widget: Widget, view: View, selection: Selection, found: Callable[[list[int] | None], None]
    ) -> None:
        self._widget = widget
        self._view = view
        self._selection = selection
        self._found = found
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start a search for the view's current filter and group."""
        self.cancel()
        if len(self._view.catalog) <= SLICED_ABOVE or self._view.is_everything:
            self._search()
        else:
            self._task = asyncio.create_task(self._search_in_slices())

    def finish(self) -> None:
        """Complete the search that is under way, if there is one, at once."""
        if self._task is not None and not self._task.done():
            self.cancel()
            self._search()

    def cancel(self) -> None:
        """Cancel the search that is under way, if there is one."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _search(self) -> None:
        self._found(self._view.find(self._selection))

    async def _search_in_slices(self) -> None:
        drawn = asyncio.Event()
        self._widget.call_after_refresh(drawn.set)
        await drawn.wait()
        total = len(self._view.catalog)
        match, rows = self._view.matcher(self._selection), list[int]()
        since = time.perf_counter()
        for start in range(0, total, SLICE):
            rows += match(range(start, min(start + SLICE, total)))
            if time.perf_counter() - since > YIELD_AFTER:
                await asyncio.sleep(0)
                since = time.perf_counter()
        self._found(rows)


class Preparation:
    """Makes a catalog ready for the next search or sort in small steps, when there is time."""

    def __init__(self, widget: Widget, catalog: Catalog) -> None:
        self._widget = widget
        self._catalog = catalog
        self._steps: Iterator[None] | None = None

    def start(self, columns: Iterable[str]) -> None:
        """Prepare the catalog, to be sorted by these columns too; the newest start wins."""
        if self._widget.is_attached:
            steps = self._steps = self._catalog.prepare(columns)
            later(self._widget, PREPARE_AFTER, lambda: self._step(steps))

    def _step(self, steps: Iterator[None]) -> None:
        if steps is self._steps and next(steps, self) is None:
            later(self._widget, PAUSE, lambda: self._step(steps))
