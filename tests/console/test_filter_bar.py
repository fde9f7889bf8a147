"""The input line for the filter."""

from textual.pilot import Pilot
from textual.widgets import Input, Static

from tests.console.list_host import ListHost
from tests.console.textual_screen import screen_lines
from tui.console.widgets.filter_bar import FilterBar
from tui.model.filter.values import QueryError


async def wait_for_change(app: ListHost, pilot: Pilot[None], text: str) -> None:
    """Wait until the bar has posted the filter ``text``."""
    while not [
        message for message in app.messages if isinstance(message, FilterBar.Changed) and message.text == text
    ]:
        await pilot.pause(0.01)


def note(app: ListHost) -> str:
    return str(app.query_one(FilterBar).query_one(Static).render())


async def test_fast_typing_posts_one_change() -> None:
    app = ListHost(FilterBar())
    async with app.run_test(size=(80, 5)) as pilot:
        for end in range(1, 9):
            app.query_one(Input).value = "web prod"[:end]
        await wait_for_change(app, pilot, "web prod")
        assert len(app.messages) == 1
        assert app.query_one(Input).cursor_blink is False


async def test_enter_keeps_the_filter_and_escape_clears_it_before_leaving() -> None:
    app = ListHost(FilterBar())
    async with app.run_test(size=(80, 5)) as pilot:
        await pilot.press(*"web", "enter")
        await wait_for_change(app, pilot, "web")
        app.last(FilterBar.Closed)
        app.messages.clear()
        await pilot.press("escape")
        await wait_for_change(app, pilot, "")
        assert not [message for message in app.messages if isinstance(message, FilterBar.Closed)]
        await pilot.press("escape")
        app.last(FilterBar.Closed)


async def test_up_and_down_browse_the_filter_history() -> None:
    app = ListHost(FilterBar(history=["dc:wa1", "maint:on"]))
    async with app.run_test(size=(80, 5)) as pilot:
        bar = app.query_one(FilterBar)
        await pilot.press("w", "up")
        assert bar.text == "maint:on"
        await pilot.press("up", "up")
        assert bar.text == "dc:wa1"
        await pilot.press("down", "down")
        assert bar.text == "w"


async def test_an_error_is_shown_beneath_its_position() -> None:
    app = ListHost(FilterBar())
    async with app.run_test(size=(80, 5)) as pilot:
        bar = app.query_one(FilterBar)
        await pilot.press(*"web cpu:[x]")
        bar.show_error(QueryError("takes a number, not '[x]'", 8))
        await pilot.pause()
        assert note(app) == "        ^ takes a number, not '[x]'"
        bar.show_error(QueryError("long " * 30 + "end", 8))
        await pilot.pause()
        assert note(app).startswith("at 9: long long")
        shown = "".join(strip.text for strip in screen_lines(app))
        assert shown.count("long") == 30
        assert "end" in shown
        bar.show_error(QueryError("takes a number", 8))
        await pilot.pause()
        assert bar.size.height == 2
        bar.show_error(None)
        bar.show_note("12 of 30")
        assert note(app) == "12 of 30"


async def test_a_filter_that_does_not_parse_does_not_enter_the_history() -> None:
    app = ListHost(FilterBar())
    async with app.run_test(size=(80, 5)) as pilot:
        bar = app.query_one(FilterBar)
        await pilot.press(*"cpu:")
        bar.show_error(QueryError("needs a value", 4))
        await pilot.press("enter")
        assert bar.history.lines == []


async def test_a_filter_set_by_name_posts_a_change_like_a_typed_one() -> None:
    app = ListHost(FilterBar())
    async with app.run_test(size=(80, 5)) as pilot:
        app.query_one(FilterBar).set_text("group:web maint:on")
        await wait_for_change(app, pilot, "group:web maint:on")
