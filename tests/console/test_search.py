"""Searches at once and in slices, and how they are finished or cancelled."""

import pytest
from textual.app import App
from textual.widget import Widget

from tests.console.list_host import fleet_of, server
from tui.console.widgets import search
from tui.console.widgets.search import Search
from tui.model.filter.query import parse
from tui.model.listing.catalog import Catalog
from tui.model.listing.view import View
from tui.model.selection import Selection

Found = list[list[int] | None]


def make_search(widget: Widget, count: int = 30) -> tuple[Search, View, Found]:
    view = View(Catalog(fleet_of(server(number) for number in range(1, count + 1))), {})
    found: Found = []
    return Search(widget, view, Selection(), found.append), view, found


async def test_a_short_list_is_searched_at_once() -> None:
    search_, view, found = make_search(Widget())
    search_.start()
    view.query = parse("maint:on")
    search_.start()
    assert found == [None, list(range(2, 30, 3))]


async def test_a_long_list_is_searched_later_and_the_newest_search_wins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "SLICED_ABOVE", 10)
    monkeypatch.setattr(search, "SLICE", 7)
    monkeypatch.setattr(search, "YIELD_AFTER", 0.0)
    app = App[None]()
    async with app.run_test() as pilot:
        search_, view, found = make_search(app.screen)
        for text in ("maint:off", "maint:on"):
            view.query = parse(text)
            search_.start()
        assert found == []
        while not found:
            await pilot.pause()
        assert found == [list(range(2, 30, 3))]
        search_.finish()
        assert len(found) == 1, "there was nothing left to finish"


async def test_a_sliced_search_can_be_finished_at_once_or_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SLICED_ABOVE", 10)
    app = App[None]()
    async with app.run_test() as pilot:
        search_, view, found = make_search(app.screen)
        view.query = parse("maint:on")
        search_.start()
        search_.finish()
        assert found == [list(range(2, 30, 3))]
        search_.start()
        search_.cancel()
        search_.finish()
        await pilot.pause()
        assert len(found) == 1
