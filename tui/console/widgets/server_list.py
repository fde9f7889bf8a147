"""The list of servers: marks, filter, sort, and what runs on each, at any number of them."""

import asyncio
import time
from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.message import Message

from tui.console.later import later
from tui.console.widgets.line_list import LineList
from tui.console.widgets.list_title import list_title
from tui.console.widgets.marking import Marking
from tui.console.widgets.server_line import ServerLine
from tui.model.filter.parser import Query, QueryError, parse
from tui.model.fleet import Fleet
from tui.model.listing.catalog import Catalog
from tui.model.listing.columns import DEFAULT_LAYOUT, ColumnLayout, find_column
from tui.model.listing.view import View
from tui.model.operation import State, Target
from tui.model.selection import Selection
from tui.model.server import Server

AT_ONCE = 20_000
"""Fleets up to this size are filtered at one go; larger ones in slices, so that typing goes on."""
SLICE = 4096
PAUSE_AFTER = 0.008
"""Seconds of searching after which others get their turn."""
CHANGES_SHOWN = 20.0
"""Seconds that the signs of what changed stay."""
NEW, CHANGED = "+", "•"
NEWS = 2
"""The cell of the gutter that those signs stand in, after cursor and mark."""


class _Place(NamedTuple):
    """Where the cursor was before the view changed."""

    server: Server | None
    line: int
    offset: int
    """Lines below the top of what was seen."""
    view: Sequence[int]
    ids: Sequence[str]


class ServerList(Marking, LineList):
    """Servers of a fleet, one a line.

    The fleet and the selection are shared with the screen; after changing the fleet it calls
    ``reload`` or ``update_servers``, after changing the selection ``marks_changed``. Rows keep their
    place when a server changes: only ``reload``, a new filter or a new order move them.
    """

    class CursorDisplaced(Message):
        """The server under the cursor is not shown any more, so the cursor is on another one."""

        def __init__(self, before: str, now: str | None, *, asked: bool) -> None:
            super().__init__()
            self.before = before
            self.now = now
            self.asked = asked
            """Whether the operator asked for another view; else the servers changed by themselves."""

    class RangeEnded(Message):
        """The servers changed while a range was being drawn; what it marked stays marked."""

    class CursorMoved(Message):
        """The cursor is on another server; None where nothing is shown."""

        def __init__(self, server_id: str | None) -> None:
            super().__init__()
            self.server_id = server_id

        def can_replace(self, message: Message) -> bool:
            """Only where the cursor is now matters."""
            return isinstance(message, ServerList.CursorMoved)

    class MarksChanged(Message):
        """Servers were marked or unmarked; ``vanished`` are marked ones that are no longer there."""

        def __init__(self, vanished: Sequence[str] = ()) -> None:
            super().__init__()
            self.vanished = tuple(vanished)

    class Opened(Message):
        """The operator wants to see everything about a server."""

        def __init__(self, server_id: str) -> None:
            super().__init__()
            self.server_id = server_id

    class ViewChanged(Message):
        """Other servers are shown, or in another order."""

    class Pasted(Message):
        """Text was pasted onto the list."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    BINDINGS = [
        Binding("shift+up", "extend_up", "Mark upwards", show=False),
        Binding("shift+down", "extend_down", "Mark downwards", show=False),
    ]

    heading = 2
    gutter_width = 3

    def __init__(
        self,
        fleet: Fleet,
        selection: Selection,
        *,
        layout: ColumnLayout = DEFAULT_LAYOUT,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.fleet = fleet
        self.selection = selection
        self.catalog = Catalog(fleet)
        self.states: dict[str, Target] = {}
        self.named_filters: Mapping[str, str] = {}
        """What ``@name`` means in a filter."""
        self.shown = View(self.catalog, self.states)
        self.line = ServerLine(layout)
        self._news: dict[str, str] = {}
        """Server id -> the sign of what happened to it a moment ago."""
        self._news_timer: asyncio.TimerHandle | None = None
        self.first_reading = False
        """Whether the fleet is being read for the first time: until the operator moves there is no cursor."""
        self._version = 0
        """Rises when lines look different though their servers do not."""
        self.note = ""
        """Said in the title behind how many data centers were read, while not all are."""
        self._titled = ""
        self._typing_from: tuple[_Place, str | None] | None = None
        """Where the cursor was before the filter being typed hid its server, and where it is since."""
        self._preparing: Iterator[None] | None = None
        self._search: asyncio.Task[None] | None = None
        self.selection.rebase(self.catalog.ids, self.catalog.rows)
        self.line.measure(self.catalog)
        self.shown.show(None)

    # -- what is shown

    @property
    def view(self) -> Sequence[int]:
        """The rows of the catalog that are shown, in their order."""
        return self.shown.rows

    @property
    def filter(self) -> Query:
        """The filter in force."""
        return self.shown.query

    @property
    def cursor_server(self) -> Server | None:
        """The server under the cursor."""
        return self.catalog.servers[self.view[self.cursor]] if self.view and self.has_cursor else None

    @property
    def has_cursor(self) -> bool:
        """Whether there is a cursor: while servers still come in, only once the operator moved it."""
        return self.moved or not self.first_reading

    def set_first_reading(self, first_reading: bool) -> None:
        """Say whether the fleet is being read for the first time."""
        if first_reading != self.first_reading:
            self.first_reading = first_reading
            self.refresh_gutter(self.cursor)
            self.cursor_moved()

    def id_at(self, index: int) -> str:
        """The id of the server on a line."""
        return self.catalog.ids[self.view[index]]

    def index_of(self, server_id: str) -> int | None:
        """The line that a server is on; None where it is not shown."""
        row = self.catalog.rows.get(server_id)
        return self.view.index(row) if row is not None and self.shown.shows(row) else None

    def shown_ids(self) -> list[str]:
        """The ids of the servers shown, in the order shown."""
        return [self.catalog.ids[row] for row in self.view]

    def seen_ids(self) -> list[str]:
        """The ids of the servers that are on the screen."""
        return [self.catalog.ids[self.view[index]] for index in self.seen()]

    def title(self) -> str:
        """What is shown, marked, and missing."""
        return list_title(self.shown, self.selection, self.note) + (" · range" if self.ranging else "")

    def reload(self) -> None:
        """The fleet was replaced or changed in bulk: show it as it is now.

        Cursor, marks, scroll, filter and order stay, by id. New and changed servers carry a sign for a while.
        """
        self._stop_search()
        was = self._where()
        paths, view, servers, rows = self.catalog.paths, self.view, self.catalog.servers, self.catalog.rows
        changed = self.catalog.reload()
        vanished: list[str] = []
        if changed is not None:
            news = {self.catalog.ids[row]: CHANGED for row in changed}
        else:
            self._lose_range()
            vanished = self.selection.rebase(self.catalog.ids, self.catalog.rows)
            now = self.fleet.servers
            known = {one.data_center for one in servers}  # what is read for the first time is no news
            news = {
                one.id: NEW for one in self.catalog.servers if one.id not in rows and one.data_center in known
            }
            news |= {one.id: CHANGED for one in servers if now.get(one.id, one) is not one}
        self.line.measure(self.catalog)
        self._version += paths != self.catalog.paths
        self.shown.show(self.shown.find(self.selection))
        self._fit_columns()
        self._set_news({**self._news, **news})
        if changed is not None and view == self.view and paths == self.catalog.paths:
            self._refresh_servers(news, self.width - NEWS)
        else:
            self._lose_range()
            self._land(was, asked=False)
        self._prepare_soon()
        if vanished:
            self.post_message(self.MarksChanged(vanished))

    def update_servers(self, ids: Iterable[str]) -> None:
        """Some servers of the fleet changed: draw again what is seen of them, with a sign. Nothing moves."""
        ids = list(ids)
        servers = self.catalog.servers
        before = {id_: servers[row] for id_ in ids if (row := self.catalog.rows.get(id_)) is not None}
        rows = self.catalog.update(ids)
        changed = {self.catalog.ids[row] for row in rows if servers[row] is not before[self.catalog.ids[row]]}
        if changed:
            self._set_news({**self._news, **dict.fromkeys(changed, CHANGED)})
            self._refresh_servers(changed, self.width - NEWS)

    def set_operation_states(self, states: Mapping[str, Target | None]) -> None:
        """Take in the newest state of servers in operations, None for none; others keep theirs."""
        x, width = self.line.cells_of("op")
        before = {id_: self.states.get(id_) for id_ in states}
        other = {id_ for id_, new in states.items() if _state(before[id_]) is not _state(new)}
        for id_, new in states.items():
            if new is None:
                self.states.pop(id_, None)
            else:
                self.states[id_] = new
        for index in self.seen():
            if self.catalog.ids[self.view[index]] in other:
                self.refresh_cells(index, self.gutter_width + x, width)

    def set_filter(self, text: str) -> QueryError | None:
        """Show what ``text`` asks for; returns what is wrong with it, and then shows what it did before."""
        try:
            query = parse(text, self.named_filters)
        except QueryError as error:
            return error
        self.shown.query = query
        self._refilter()
        return None

    def finish_search(self) -> None:
        """Show at once what the filter asks for: what is done next is meant for that."""
        if self._search is not None and not self._search.done():
            self._stop_search()
            self._found(self.shown.find(self.selection))

    def keep_search(self) -> None:
        """Finish the search and keep its cursor: the filter is not being typed any more."""
        self.finish_search()
        self._typing_from = None

    def restrict(self, group_id: str | None) -> None:
        """Show only the servers below a group; None lifts that."""
        self.shown.group_id = group_id
        self._refilter()
        self.keep_search()

    def sort(self, column: str, reverse: bool = False) -> None:
        """Order by a column, ties by id. Raises KeyError where there is no such column."""
        found = find_column(column)
        if found is None:
            raise KeyError(column)
        self._end_range()
        was = self._where()
        self.shown.column, self.shown.descending = found.name, reverse
        self.shown.arrange()
        self.refresh_heading(1)
        self._land(was, keep_offset=False)

    def set_layout(self, layout: ColumnLayout) -> None:
        """Show other columns, or in another order or width."""
        self.line.layout = layout
        self.line.measure(self.catalog)
        self._fit_columns()

    # -- actions

    def action_sort_next(self) -> None:
        """Sort by the column to the right."""
        self._sort_beside(1)

    def action_sort_previous(self) -> None:
        """Sort by the column to the left."""
        self._sort_beside(-1)

    def action_sort_reverse(self) -> None:
        """The same column the other way round."""
        self.sort(self.shown.column, not self.shown.descending)

    def action_open(self) -> None:
        """Show everything about the server under the cursor."""
        if self.cursor_server:
            self.post_message(self.Opened(self.cursor_server.id))

    def on_paste(self, event: events.Paste) -> None:
        """Textual: text was pasted; whoever shows the list looks for servers in it."""
        event.stop()
        self.post_message(self.Pasted(event.text))

    def on_mount(self) -> None:
        """Textual: on the screen."""
        self._prepare_soon()

    def on_resize(self) -> None:
        """Textual: other columns may fit now."""
        self._inside = self.scrollable_content_region.size
        self._fit_columns()
        super().on_resize()

    # -- drawing

    def line_count(self) -> int:
        """How many servers are shown."""
        return len(self.view)

    def line_key(self, index: int) -> Hashable:
        """A line is drawn again when its server, its operation's state, the columns or the filter changed."""
        server = self.catalog.servers[self.view[index]]
        target = self.states.get(server.id)
        return server, target and target.state, self._version

    def draw_gutter(self, index: int) -> list[Segment]:
        """The cursor, the mark, and the sign of what the last refresh changed."""
        row = self.view[index]
        cursor = self.cursor_sign(index)
        mark = "✓" if self.selection.flags[row] else " "
        news = self._news.get(self.catalog.ids[row], " ") if self._news else " "
        if cursor != " " or mark != " ":
            return [Segment(cursor + mark, self.look("line--cursor")), Segment(news, self.base)]
        return [Segment(cursor + mark + news, self.base)]

    def draw_body(self, index: int) -> list[Segment]:
        """The columns."""
        row = self.view[index]
        target = self.states.get(self.catalog.ids[row])
        return self.line.draw(self.catalog, row, target, self.filter, self.look)

    def draw_heading(self, y: int) -> list[Segment]:
        """The title, and the names of the columns with the arrow of the order."""
        if y == 0:
            self._titled = self.title()
            return [Segment(self._titled, self.title_look)]
        text = self.line.heading(self.shown.column, self.shown.descending)
        return [Segment(" " * self.gutter_width + text, self.look("line--heading"))]

    def refresh_title(self) -> None:
        """Draw again what changed in the title."""
        before, now = self._titled, self.title()
        if before == now:
            return
        same = 0
        for one, other in zip(before, now, strict=False):
            if one != other:
                break
            same += 1
        self.refresh_heading(0, same, max(len(before), len(now)) - same)

    def _marks_told(self) -> None:
        self.refresh_title()
        self.post_message(self.MarksChanged())

    def cursor_moved(self) -> None:
        """Tell which server the cursor is on."""
        super().cursor_moved()
        self.post_message(self.CursorMoved(self.cursor_server.id if self.cursor_server else None))

    # -- mouse

    def line_clicked(self, index: int, x: int, event: events.Click) -> None:
        """In the gutter a click marks, with shift from the last mark to here; beside it the cursor moves."""
        if event.shift:
            self.mark_span(index)
        self.move_cursor(index, scroll=False)
        if event.shift:
            return
        if x < self.gutter_width:
            self.toggle(index)
        elif event.chain == 2:
            self.action_open()

    def heading_clicked(self, y: int, x: int) -> None:
        """A click on a column sorts by it; again, the other way round."""
        column = self.line.column_at(x - self.gutter_width) if y == 1 else None
        if column is not None:
            self.sort(column, column == self.shown.column and not self.shown.descending)

    # -- within

    def _stop_search(self) -> None:
        if self._search is not None:
            self._search.cancel()
            self._search = None

    def _refilter(self) -> None:
        self._stop_search()
        if len(self.catalog) <= AT_ONCE or self.shown.is_everything:
            self._found(self.shown.find(self.selection))
        else:
            self._search = asyncio.create_task(self._search_in_slices())

    async def _search_in_slices(self) -> None:
        drawn = asyncio.Event()
        self.call_after_refresh(drawn.set)
        await drawn.wait()
        match, found = self.shown.matcher(self.selection), list[int]()
        since = time.perf_counter()
        for start in range(0, len(self.catalog), SLICE):
            found += match(range(start, min(start + SLICE, len(self.catalog))))
            if time.perf_counter() - since > PAUSE_AFTER:
                await asyncio.sleep(0)
                since = time.perf_counter()
        self._found(found)

    def _found(self, rows: list[int] | None) -> None:
        was, here = self._where(), self._cursor_id()
        if self._typing_from is not None and here == self._typing_from[1]:
            was = self._typing_from[0]  # what half a filter hid counts no more: typing speed moves no cursor
        self._lose_range()
        self._version += 1
        self.shown.show(rows)
        self._land(was)
        now = self._cursor_id()
        self._typing_from = (was, now) if was.server is not None and now != was.server.id else None

    def _cursor_id(self) -> str | None:
        return self.cursor_server.id if self.cursor_server else None

    def _where(self) -> "_Place":
        """Where the cursor is, to be found again when the view has changed."""
        return _Place(self.cursor_server, self.cursor, self.cursor - self.first, self.view, self.catalog.ids)

    def _land(self, was: "_Place", *, keep_offset: bool = True, asked: bool = True) -> None:
        """After the view changed: the cursor on the same server, as far from the top as it was.

        Where that server is not shown any more, on the next one that was below it, else the one above.
        """
        keep = was.server.id if was.server else None
        if was.server is not None:
            index = self.index_of(was.server.id)
            self.cursor = self._neighbour(was) if index is None else index
        self.lines_changed()
        if keep_offset and self.is_mounted and self.cursor:
            self.scroll_to(y=max(0, self.cursor - was.offset), animate=False, force=True)
        self.show_cursor()
        self.refresh_title()
        self.post_message(self.ViewChanged())
        server = self.cursor_server
        if (server.id if server else None) != keep:
            self.cursor_moved()
            if keep is not None:
                self.post_message(self.CursorDisplaced(keep, server.id if server else None, asked=asked))

    def _neighbour(self, was: "_Place") -> int:
        """The line of the server nearest to where the cursor was that is still shown; 0 without any."""
        for index in chain(range(was.line + 1, len(was.view)), range(was.line - 1, -1, -1)):
            if (found := self.index_of(was.ids[was.view[index]])) is not None:
                return found
        return 0

    def _lose_range(self) -> None:
        """The lines are not what they were: a range over them is over, and that is said."""
        if self.ranging:
            self.post_message(self.RangeEnded())
        self._end_range()

    def _sort_beside(self, step: int) -> None:
        names = [column.name for column, _ in self.line.columns] or ["id"]
        at = names.index(self.shown.column) if self.shown.column in names else 0
        self.sort(names[(at + step) % len(names)])

    def _fit_columns(self) -> None:
        if self.line.fit(self.body_width):
            self._version += 1
            if self.is_mounted:
                self.refresh_heading(1)
                self.refresh_lines_seen()

    def _set_news(self, news: dict[str, str]) -> None:
        """Show these signs; all go together, some seconds after the first of them came."""
        before, self._news = self._news, news
        self._refresh_servers({id_ for id_, sign in before.items() if news.get(id_) != sign}, 1)
        if news and self._news_timer is None:
            self._news_timer = later(self, CHANGES_SHOWN, self._forget_news)

    def _forget_news(self) -> None:
        self._news_timer = None
        self._set_news({})

    def _refresh_servers(self, ids: Container[str], width: int) -> None:
        """Draw again what is seen of some servers: ``width`` cells from the sign of change on."""
        for index in self.seen():
            if self.catalog.ids[self.view[index]] in ids:
                self.refresh_cells(index, NEWS, width)

    def _prepare_soon(self) -> None:
        """Do what the next filter or sort would have to do, in small steps, when there is time."""
        if self.is_attached:
            columns = [column.name for column, _ in self.line.columns]
            steps = self._preparing = self.catalog.prepare(columns)
            later(self, 0.1, lambda: self._prepare(steps))

    def _prepare(self, steps: Iterator[None]) -> None:
        if steps is self._preparing and next(steps, self) is None:
            later(self, 0.01, lambda: self._prepare(steps))


def _state(target: Target | None) -> State | None:
    return target.state if target is not None else None
