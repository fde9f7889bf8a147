"""The list of servers: keys in, lines out. Drawing is measured in lines drawn, never in time."""

from collections.abc import Callable, Container

import msgspec
import pytest
from textual import on
from textual.strip import Strip
from textual.widgets import Input

from tests.console.list_host import ListHost, fleet_of, lines, replace, server, server_list
from tui.console.widgets import change_signs, search
from tui.console.widgets.filter_bar import FilterBar
from tui.console.widgets.server_list import ServerList
from tui.model.filter.terms import Matcher
from tui.model.group import DataCenter
from tui.model.listing.columns import COLUMNS, ColumnLayout
from tui.model.listing.view import View
from tui.model.operation import State, Target
from tui.model.selection import Selection

WEB1, WEB2, WEB3 = "WA1ACMEWEB1", "WA1ACMEWEB2", "WA1ACMEWEB3"


def ids(*numbers: int) -> list[str]:
    return [f"WA1ACMEWEB{number}" for number in numbers]


async def test_servers_are_listed_in_natural_order_under_a_title() -> None:
    app = ListHost(server_list(30))
    async with app.run_test(size=(100, 20)):
        widget = app.query_one(ServerList)
        shown = lines(widget)
        assert shown[0] == "Servers ── 30"
        assert shown[1].startswith("   ID▲")
        assert shown[2].startswith("▌  " + WEB1)
        assert WEB2 in shown[3]
        assert "WA1ACMEWEB10" in shown[11]
        assert " on " in shown[4]


async def test_moving_the_cursor_and_marking_redraw_no_line() -> None:
    app = ListHost(server_list(100))
    async with app.run_test(size=(100, 20)) as pilot:
        widget = app.query_one(ServerList)
        await pilot.pause()
        before = widget.lines_drawn
        await pilot.press("down", "down", "up", "shift+down")
        marking = widget.marking
        for change in (
            *(marking.toggle_at_cursor, marking.mark_all, marking.invert),
            *(marking.unmark_all, marking.undo, marking.mark_to_cursor),
        ):
            change()
            await pilot.pause()
        assert widget.lines_drawn == before
        assert (widget.cursor_server and widget.cursor_server.id) == "WA1ACMEWEB4"
        await pilot.press("pagedown")
        assert widget.lines_drawn == before + widget.page


async def test_movement_keys_reach_every_line() -> None:
    app = ListHost(server_list(100))
    async with app.run_test(size=(100, 22)) as pilot:
        widget = app.query_one(ServerList)
        await pilot.press("end")
        assert widget.cursor == 99
        assert "WA1ACMEWEB100" in lines(widget)[-1]
        await pilot.press("pageup")
        assert (widget.cursor, widget.first) == (79, 60)
        await pilot.press("home", "up")
        assert (widget.cursor, widget.first) == (0, 0)
        await pilot.press(*["down"] * 25)
        assert (widget.cursor, widget.first) == (25, 6)
        assert app.last(ServerList.CursorMoved).server_id == "WA1ACMEWEB26"


async def test_a_mark_advances_the_cursor_and_is_counted_in_the_title() -> None:
    app = ListHost(server_list())
    async with app.run_test(size=(100, 20)) as pilot:
        widget = app.query_one(ServerList)
        widget.marking.toggle_at_cursor()
        widget.marking.toggle_at_cursor()
        await pilot.pause()
        assert list(widget.selection) == ids(1, 2)
        assert widget.cursor == 2
        assert lines(widget)[0] == "Servers ── 30 · 2 marked"
        assert [line[:2] for line in lines(widget)[2:6]] == [" ✓", " ✓", "▌ ", "  "]
        widget.marking.unmark_all()
        assert list(widget.selection) == []
        await pilot.pause()
        assert app.last(ServerList.MarksChanged).vanished == ()


async def test_shift_and_arrows_mark_a_range_that_is_undone_as_one() -> None:
    app = ListHost(server_list())
    async with app.run_test(size=(100, 20)) as pilot:
        widget = app.query_one(ServerList)
        await pilot.press("down", "shift+down", "shift+down", "shift+down", "shift+up")
        assert list(widget.selection) == ids(2, 3, 4)
        await pilot.press("down", "down", "shift+up")
        assert list(widget.selection) == ids(2, 3, 4, 5, 6)
        await pilot.press("down")
        widget.marking.undo()
        assert list(widget.selection) == ids(2, 3, 4)
        widget.marking.undo()
        assert list(widget.selection) == []


async def test_a_range_follows_the_cursor_until_it_is_ended() -> None:
    app = ListHost(server_list())
    async with app.run_test(size=(100, 20)) as pilot:
        widget = app.query_one(ServerList)
        widget.marking.mark_ids([WEB1])
        await pilot.press("down", "down")
        widget.marking.toggle_range()
        await pilot.press("down", "down", "up")
        assert list(widget.selection) == ids(1, 3, 4)
        assert lines(widget)[0].endswith("3 marked · range")
        widget.marking.toggle_range()
        await pilot.press("down", "down")
        assert list(widget.selection) == ids(1, 3, 4)
        assert "range" not in lines(widget)[0]
        widget.marking.undo()
        assert list(widget.selection) == [WEB1]


async def test_mark_to_cursor_starts_at_the_last_mark() -> None:
    app = ListHost(server_list())
    async with app.run_test(size=(100, 20)) as pilot:
        widget = app.query_one(ServerList)
        await pilot.press("down", "down")
        widget.marking.toggle_at_cursor()
        await pilot.press("down", "down")
        widget.marking.mark_to_cursor()
        assert list(widget.selection) == ids(3, 4, 5, 6)
        await pilot.press("home")
        widget.marking.mark_to_cursor()
        assert list(widget.selection) == ids(1, 2, 3, 4, 5, 6)


async def test_marks_survive_a_filter_and_mark_all_marks_the_shown_only() -> None:
    app = ListHost(server_list(30))
    async with app.run_test(size=(100, 20)) as pilot:
        widget = app.query_one(ServerList)
        widget.marking.mark_ids(ids(1, 2))
        assert widget.set_filter("maint:on") is None
        widget.marking.mark_all()
        await pilot.pause()
        assert lines(widget)[0] == "Servers ── 10 of 30 shown · 12 marked (2 hidden)"
        widget.marking.invert()
        assert list(widget.selection) == ids(1, 2)
        assert widget.set_filter("") is None
        assert lines(widget)[0] == "Servers ── 30 · 2 marked"


async def test_a_group_restricts_the_list_and_is_named_in_the_title() -> None:
    app = ListHost(server_list(30))
    async with app.run_test(size=(100, 20)):
        widget = app.query_one(ServerList)
        widget.set_filter("maint:on")
        widget.restrict("g0")
        assert lines(widget)[0] == "Servers in Web ── 7 of 30 shown"
        assert {widget.catalog.text(COLUMNS["group"], row).split("/")[0] for row in widget.view} == {"Web"}
        widget.restrict(None)
        assert lines(widget)[0] == "Servers ── 10 of 30 shown"


async def test_a_filter_that_does_not_parse_changes_nothing() -> None:
    app = ListHost(server_list())
    async with app.run_test(size=(100, 20)):
        widget = app.query_one(ServerList)
        widget.set_filter("maint:on")
        error = widget.set_filter("maint:")
        assert error is not None
        assert error.position == 6
        assert widget.line_count() == 10
        assert widget.filter.text == "maint:on"


async def test_the_cursor_stays_on_its_server_through_filter_and_sort() -> None:
    app = ListHost(server_list(60))
    async with app.run_test(size=(100, 20)) as pilot:
        widget = app.query_one(ServerList)
        await pilot.press(*["down"] * 29)
        changes: list[Callable[[], object]] = [
            lambda: widget.set_filter("maint:on"),
            lambda: widget.sort("name", reverse=True),
            lambda: widget.set_filter(""),
            lambda: widget.restrict("g2"),
            lambda: widget.restrict(None),
            lambda: widget.sort("id"),
        ]
        for change in changes:
            change()
            await pilot.pause()
            assert (widget.cursor_server and widget.cursor_server.id) == "WA1ACMEWEB30"
            assert widget.cursor in widget.seen()
        widget.set_filter("!web30")
        await pilot.pause()
        assert (widget.cursor_server and widget.cursor_server.id) == "WA1ACMEWEB31"
        displaced = app.last(ServerList.CursorDisplaced)
        assert (displaced.before, displaced.now) == ("WA1ACMEWEB30", "WA1ACMEWEB31")
        widget.set_filter("web2")
        assert (widget.cursor_server and widget.cursor_server.id) == "WA1ACMEWEB29", (
            "no shown server is below: the one above"
        )


async def test_long_lists_are_filtered_in_slices_and_the_newest_filter_wins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "SLICED_ABOVE", 10)
    monkeypatch.setattr(search, "SLICE", 7)
    app = ListHost(server_list(60))
    async with app.run_test(size=(100, 20)) as pilot:
        widget = app.query_one(ServerList)
        widget.set_filter("maint:off")
        assert widget.line_count() == 60  # the typed key is drawn before the search starts
        widget.set_filter("maint:on")
        while widget.line_count() == 60:
            await pilot.pause()
        assert widget.shown_ids() == ids(*range(3, 61, 3))
        widget.set_filter("maint:off")
        widget.set_filter("")
        await pilot.pause(0.1)
        assert widget.line_count() == 60


async def test_a_running_filter_survives_a_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SLICED_ABOVE", 10)
    monkeypatch.setattr(search, "SLICE", 7)
    app = ListHost(server_list(60))
    async with app.run_test(size=(100, 20)) as pilot:
        widget = app.query_one(ServerList)
        widget.set_filter("maint:on")
        replace(widget.fleet, [server(number) for number in range(31, 61)])
        widget.reload()
        await pilot.pause(0.1)
        assert widget.shown_ids() == ids(*range(33, 61, 3))


async def test_text_that_the_filter_matched_is_underlined() -> None:
    app = ListHost(server_list())
    async with app.run_test(size=(160, 20)):
        widget = app.query_one(ServerList)
        widget.set_filter("web12")
        underlined = [
            segment.text for segment in widget.render_line(2) if segment.style and segment.style.underline
        ]
        assert underlined == ["WEB12", "web12"]


async def test_sorting_moves_between_columns_and_can_be_reversed() -> None:
    app = ListHost(server_list(12))
    async with app.run_test(size=(120, 20)):
        widget = app.query_one(ServerList)
        widget.action_sort_reverse()
        assert widget.shown_ids() == ids(*range(12, 0, -1))
        assert "ID▼" in lines(widget)[1]
        widget.action_sort_next()
        assert widget.shown.column == "group"
        assert "Group▲" in lines(widget)[1]
        widget.action_sort_previous()
        widget.action_sort_previous()
        assert widget.shown.column == widget.line.columns[-1][0].name
        widget.sort("maint")
        assert widget.shown_ids()[:4] == ids(3, 6, 9, 12)
        with pytest.raises(KeyError):
            widget.sort("colour")


async def test_sorting_by_state_lists_failures_first() -> None:
    app = ListHost(server_list(5))
    async with app.run_test(size=(120, 20)):
        widget = app.query_one(ServerList)
        states = {WEB1: State.VERIFIED, WEB3: State.FAILED, WEB2: State.QUEUED}
        widget.set_operation_states({id_: Target(id_, state) for id_, state in states.items()})
        widget.sort("op")
        assert widget.shown_ids() == ids(3, 2, 1, 4, 5)


async def test_operation_states_redraw_only_visible_lines() -> None:
    app = ListHost(server_list(100))
    async with app.run_test(size=(120, 12)) as pilot:
        widget = app.query_one(ServerList)
        await pilot.pause()
        before = widget.lines_drawn
        widget.set_operation_states({id_: Target(id_, State.QUEUED) for id_ in ids(2, 90, 91, 92)})
        await pilot.pause()
        assert "… queued" in lines(widget)[3]
        assert widget.lines_drawn == before + 1
        await pilot.press("end")
        assert sum("queued" in line for line in lines(widget)) == 2 + (widget.first < 90)


async def test_an_update_redraws_only_visible_lines_and_moves_nothing() -> None:
    app = ListHost(server_list(100))
    async with app.run_test(size=(120, 12)) as pilot:
        widget = app.query_one(ServerList)
        widget.set_filter("maint:on")
        await pilot.pause()
        before = widget.lines_drawn
        changed = [msgspec.structs.replace(server(number), maintenance=False) for number in (3, 99)]
        widget.fleet.update(changed)
        widget.update_servers([one.id for one in changed])
        await pilot.pause()
        assert " off " in lines(widget)[2]
        assert lines(widget)[2].startswith("▌ •")
        assert widget.lines_drawn == before + 1
        assert len(widget.shown_ids()) == 33


async def test_a_refresh_keeps_cursor_and_marks_and_shows_signs_of_change() -> None:
    app = ListHost(server_list(60))
    async with app.run_test(size=(120, 20)) as pilot:
        widget = app.query_one(ServerList)
        await pilot.press(*["down"] * 29)
        widget.marking.mark_ids(ids(2, 30, 31))
        offset = widget.cursor - widget.first
        now = [server(number) for number in range(1, 63) if number not in (2, 29)]
        now[27] = msgspec.structs.replace(now[27], power="stopped")
        assert now[27].id == "WA1ACMEWEB30"
        replace(widget.fleet, now)
        widget.reload()
        await pilot.pause()
        assert (widget.cursor_server and widget.cursor_server.id) == "WA1ACMEWEB30"
        assert widget.cursor - widget.first == offset
        assert list(widget.selection) == ids(30, 31)
        assert app.last(ServerList.MarksChanged).vanished == (WEB2,)
        line = lines(widget)[2 + offset]
        assert line.startswith("▌✓•")
        await pilot.press("end")
        assert lines(widget)[-1].startswith("▌ +")


async def test_servers_of_a_newly_read_data_center_have_no_sign_of_change() -> None:
    app = ListHost(server_list(3))
    async with app.run_test(size=(120, 20)) as pilot:
        widget = app.query_one(ServerList)
        other = [server(number, data_center="VA1") for number in range(4, 7)]
        widget.fleet.replace(DataCenter("VA1"), (), other, at=1.0)
        widget.reload()
        await pilot.pause()
        assert len(widget.view) == 6
        assert [line[2] for line in lines(widget)[2:8]] == [" "] * 6


async def test_signs_of_change_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_signs, "CHANGES_SHOWN", 0.05)
    app = ListHost(server_list(10))
    async with app.run_test(size=(120, 20)) as pilot:
        widget = app.query_one(ServerList)
        for number in (1, 2):
            widget.fleet.update([msgspec.structs.replace(server(number), power="stopped")])
            widget.update_servers(ids(number))
        assert [line[2] for line in lines(widget)[2:5]] == ["•", "•", " "]
        while widget.signs:
            await pilot.pause(0.02)
        assert [line[2] for line in lines(widget)[2:5]] == [" ", " ", " "]


async def test_a_refresh_without_changes_draws_nothing() -> None:
    app = ListHost(server_list(60))
    async with app.run_test(size=(120, 20)) as pilot:
        widget = app.query_one(ServerList)
        widget.set_filter("web")
        await pilot.pause()
        texts, bodies = list(widget.catalog.texts()), widget.lines_drawn
        replace(widget.fleet, [server(number) for number in range(1, 61)])
        drawn: list[int] = []
        draw = widget.render_line
        widget.render_line = lambda y: drawn.append(y) or draw(y)  # type: ignore[method-assign,func-returns-value]
        widget.reload()
        await pilot.pause()
        assert drawn == []
        assert widget.lines_drawn == bodies
        assert all(one is other for one, other in zip(widget.catalog.texts(), texts, strict=True))


async def test_the_mouse_marks_in_the_gutter_sorts_in_the_heading_and_opens() -> None:
    app = ListHost(server_list(30))
    async with app.run_test(size=(120, 20)) as pilot:
        widget = app.query_one(ServerList)
        await pilot.click(ServerList, offset=(1, 4))
        assert list(widget.selection) == [WEB3]
        await pilot.click(ServerList, offset=(20, 6))
        assert list(widget.selection) == [WEB3]
        assert widget.cursor == 4
        await pilot.click(ServerList, offset=(20, 7), shift=True)
        assert list(widget.selection) == ids(3, 4, 5, 6)
        await pilot.click(ServerList, offset=(4, 1))
        assert (widget.shown.column, widget.shown.descending) == ("id", True)
        await pilot.click(ServerList, offset=(30, 3), times=2)
        assert app.last(ServerList.Opened).server_id in lines(widget)[3]


async def test_pasted_text_is_posted_as_a_message() -> None:
    app = ListHost(server_list(3))
    async with app.run_test(size=(120, 20)) as pilot:
        from textual.events import Paste

        app.query_one(ServerList).post_message(Paste("WA1ACMEWEB1\nWA1ACMEWEB2"))
        await pilot.pause()
        assert app.last(ServerList.Pasted).text == "WA1ACMEWEB1\nWA1ACMEWEB2"


@pytest.mark.parametrize(
    "name",
    [
        "日本語サーバー", "e\u0301" * 10, "שלום עולם", "مرحبا", "[bold red]x[/]", "[/]", "a\tb\nc",
        "\x1b[31mred\x1b[0m", "\u202eevil", "👩\u200d👩\u200d👧 family", "☎\ufe0f", "\u200b\u200bzero",
        "x" * 500, "🏴\U000e0067\U000e0062\U000e007f", "\ud800", "",
    ],
)  # fmt: skip
async def test_unusual_characters_in_a_name_stay_in_its_column(name: str) -> None:
    plain, strange = server(1), msgspec.structs.replace(server(2), name=name, description=name)
    widget = ServerList(fleet_of([plain, strange]), Selection())
    app = ListHost(widget)
    async with app.run_test(size=(160, 20)):
        strips = [widget.render_line(y) for y in (2, 3)]
        assert {strip.cell_length for strip in strips} == {159}
        text = strips[1].text
        assert all(char.isprintable() for char in text)
        assert not {"\x1b", "\u202e", "\u200b", "\u200d"} & set(text)
        if "[" in name and name.isprintable():
            assert name in text
        at = strips[0].text.index("Web")  # the group's column starts at the same cell in both lines
        assert strips[1].crop(at, at + 3).text in ("Web", "Mai")


@pytest.mark.parametrize(
    ("width", "wanted"),
    [(160, {"id", "maint", "description"}), (80, {"id", "maint", "op"}), (24, {"id", "maint"})],
)
async def test_narrow_terminals_keep_the_important_columns(width: int, wanted: set[str]) -> None:
    app = ListHost(server_list(5))
    async with app.run_test(size=(width, 20)) as pilot:
        widget = app.query_one(ServerList)
        assert wanted <= {column.name for column, _ in widget.line.columns}
        assert WEB1 in lines(widget)[2]
        await pilot.resize_terminal(160, 20)
        await pilot.pause()
        assert "description" in {column.name for column, _ in widget.line.columns}


async def test_the_layout_decides_columns_order_and_widths() -> None:
    app = ListHost(server_list(5))
    async with app.run_test(size=(120, 20)):
        widget = app.query_one(ServerList)
        widget.set_layout(ColumnLayout.parse(["maint", "memory:9", "id"]))
        assert lines(widget)[1].split() == ["Maintenance", "Memory", "ID▲"]
        assert lines(widget)[2].split() == ["▌", "off", "4", "GB", WEB1]


async def test_every_action_works_on_an_empty_list() -> None:
    app = ListHost(server_list(0))
    async with app.run_test(size=(100, 20)) as pilot:
        widget = app.query_one(ServerList)
        await pilot.press("down", "end", "pagedown", "shift+down", "shift+up")
        marking = widget.marking
        for action in (
            *(marking.toggle_at_cursor, marking.mark_all, marking.invert, marking.unmark_all, marking.undo),
            *(marking.toggle_range, marking.mark_to_cursor, widget.action_open),
            *(widget.action_sort_next, widget.action_sort_previous, widget.action_sort_reverse),
        ):
            action()
        assert widget.set_filter("web") is None
        assert widget.cursor_server is None
        assert lines(widget)[0] == "Servers ── 0"
        replace(widget.fleet, [server(1)])
        widget.reload()
        await pilot.pause()
        widget.set_filter("")
        assert widget.cursor_server is not None
        assert widget.cursor_server.id == WEB1


async def test_texts_for_filters_and_sorts_are_prepared_in_advance() -> None:
    app = ListHost(server_list(30))
    async with app.run_test(size=(120, 20)) as pilot:
        catalog = app.query_one(ServerList).catalog
        while not all(catalog.texts(0)):
            await pilot.pause(0.05)
        replace(catalog.fleet, [server(number) for number in range(2, 40)])
        app.query_one(ServerList).reload()
        assert [text for text in catalog.texts(0) if not text] == [""] * 9
        while not all(catalog.texts(0)):
            await pilot.pause(0.05)


class FilterAndList(ListHost):
    """The filter bar and the list, connected as in the console."""

    @on(FilterBar.Changed)
    def filter(self, event: FilterBar.Changed) -> None:
        self.query_one(ServerList).set_filter(event.text)


async def test_a_typed_key_is_drawn_before_a_long_list_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SLICED_ABOVE", 10)
    drawn: list[str] = []
    searched: list[tuple[str, bool]] = []
    draw, match = Input.render_line, View.matcher

    def render_line(self: Input, y: int) -> Strip:
        drawn.append(self.value)
        return draw(self, y)

    def matcher(self: View, marked: Container[str]) -> Matcher:
        searched.append((self.query.text, self.query.text in drawn))
        return match(self, marked)

    monkeypatch.setattr(Input, "render_line", render_line)
    monkeypatch.setattr(View, "matcher", matcher)
    app = FilterAndList(FilterBar(), server_list(60))
    async with app.run_test(size=(100, 20)) as pilot:
        app.query_one(Input).focus()
        for keys in ("w", "e", "b", "1"):
            await pilot.press(keys)
            while not searched or searched[-1][0] != app.query_one(FilterBar).text:
                await pilot.pause(0.02)
        assert searched == [("w", True), ("we", True), ("web", True), ("web1", True)]
