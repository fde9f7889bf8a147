"""The list of servers, with marks, filter, sort order, and the state of the operation on each."""

from collections.abc import Container, Hashable, Iterable, Mapping, Sequence

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.message import Message

from tui.console.widgets.change_signs import CHANGED, ChangeSigns, signs_between
from tui.console.widgets.cursor_place import CursorPlace, FilterOrigin
from tui.console.widgets.line_list import LineList
from tui.console.widgets.list_title import list_title
from tui.console.widgets.marking import Marking
from tui.console.widgets.search import Preparation, Search
from tui.console.widgets.server_line import ServerLine
from tui.model.filter.query import Query, QueryError, parse
from tui.model.fleet import Fleet
from tui.model.listing.catalog import Catalog
from tui.model.listing.columns import DEFAULT_LAYOUT, ColumnLayout, find_column
from tui.model.listing.view import View
from tui.model.operation import State, Target
from tui.model.selection import Selection
from tui.model.server import Server
from tui.model.window import Hold

SIGN = 2
"""The cell of the gutter for the sign of a change, after cursor and mark."""


class ServerList(LineList):
    """The servers of a fleet, one per line.

    The fleet and the selection are shared with the screen; after changing the fleet it calls
    ``reload`` or ``update_servers``, and it changes the selection through ``marking``. Rows keep their
    place when a server changes: only ``reload``, a new filter or a new order move them.
    """

    class CursorDisplaced(Message):
        """The cursor moved to another server because its own is not shown any more."""

        def __init__(self, before: str, now: str | None, *, by_operator: bool) -> None:
            super().__init__()
            self.before = before
            self.now = now
            self.by_operator = by_operator
            """Whether the operator changed the view; else the fleet changed."""

    class RangeEnded(Message):
        """A range ended because the lines changed; its marks stay."""

    class CursorMoved(Message):
        """The cursor moved to another server; None where there is no cursor."""

        def __init__(self, server_id: str | None) -> None:
            super().__init__()
            self.server_id = server_id

        def can_replace(self, message: Message) -> bool:
            """Textual: only the newest position matters."""
            return isinstance(message, ServerList.CursorMoved)

    class MarksChanged(Message):
        """Servers were marked or unmarked; ``vanished`` are marked ones that no longer exist."""

        def __init__(self, vanished: Sequence[str] = ()) -> None:
            super().__init__()
            self.vanished = tuple(vanished)

    class Opened(Message):
        """The operator opened the details of a server."""

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
        Binding("shift+up", "extend(-1)", "Mark upwards", show=False),
        Binding("shift+down", "extend(1)", "Mark downwards", show=False),
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
        """Name -> filter, for ``@name`` in a filter."""
        self.shown = View(self.catalog, self.states)
        self.line = ServerLine(layout)
        self.marking = Marking(self, selection, self._marks_changed)
        self.search = Search(self, self.shown, selection, self._show_found)
        self.signs = ChangeSigns(self, lambda ids: self._refresh_servers(ids, 1))
        self._origin = FilterOrigin()
        self.first_reading = False
        """Whether the fleet is read for the first time: there is no cursor until the operator moves it."""
        self._version = 0
        """Rises when lines have to be drawn again though their servers are the same."""
        self.note = ""
        """Follows the number of data centers read in the title, while not all are."""
        self._titled = ""
        self._preparation = Preparation(self, self.catalog)
        self.selection.rebase(self.catalog.ids, self.catalog.rows)
        self.line.measure(self.catalog)
        self.shown.show(None)

    # -- the view

    @property
    def view(self) -> Sequence[int]:
        """The rows of the catalog that are shown, in order."""
        return self.shown.rows

    @property
    def filter(self) -> Query:
        """The filter in force."""
        return self.shown.query

    @property
    def cursor_server(self) -> Server | None:
        """The server under the cursor; None without a cursor."""
        return self.catalog.servers[self.view[self.cursor]] if self.view and self.has_cursor else None

    @property
    def has_cursor(self) -> bool:
        """Whether there is a cursor: during the first reading only once the operator moved it."""
        return self.moved or not self.first_reading

    def set_first_reading(self, first_reading: bool) -> None:
        """Set whether the fleet is being read for the first time."""
        if first_reading != self.first_reading:
            self.first_reading = first_reading
            self.refresh_gutter(self.cursor)
            self.cursor_moved()

    def id_at(self, index: int) -> str:
        """The id of the server on a line."""
        return self.catalog.ids[self.view[index]]

    def index_of(self, server_id: str) -> int | None:
        """The line of a server; None where it is not shown."""
        row = self.catalog.rows.get(server_id)
        return self.view.index(row) if row is not None and self.shown.shows(row) else None

    def shown_ids(self) -> list[str]:
        """The ids of the servers shown, in the order shown."""
        return [self.catalog.ids[row] for row in self.view]

    def title(self) -> str:
        """The title: how many servers are shown, marked, and missing."""
        return list_title(self.shown, self.selection, self.note) + (
            " · range" if self.marking.range_follows_cursor else ""
        )

    def reload(self) -> None:
        """Show the fleet after it was replaced or changed in bulk.

        Cursor, marks, scroll position, filter and order stay, by id. New and changed servers get a sign.
        """
        self.search.cancel()
        was = self._place()
        paths, view, servers, rows = self.catalog.paths, self.view, self.catalog.servers, self.catalog.rows
        changed = self.catalog.reload()
        vanished: list[str] = []
        if changed is not None:
            signs = {self.catalog.ids[row]: CHANGED for row in changed}
        else:
            self._break_range()
            vanished = self.selection.rebase(self.catalog.ids, self.catalog.rows)
            signs = signs_between(servers, rows, self.catalog.servers)
        self.line.measure(self.catalog)
        self._version += paths != self.catalog.paths
        self.shown.show(self.shown.find(self.selection))
        self._fit_columns()
        self.signs.add(signs)
        if changed is not None and view == self.view and paths == self.catalog.paths:
            self._refresh_servers(signs, self.width - SIGN)
        else:
            self._break_range()
            self._land(was, by_operator=False)
        self._preparation.start([column.name for column, _ in self.line.columns])
        if vanished:
            self.post_message(self.MarksChanged(vanished))

    def update_servers(self, ids: Iterable[str]) -> None:
        """Draw servers again that changed in the fleet, with a sign; no line moves."""
        ids = list(ids)
        servers = self.catalog.servers
        before = {id_: servers[row] for id_ in ids if (row := self.catalog.rows.get(id_)) is not None}
        rows = self.catalog.update(ids)
        changed = {self.catalog.ids[row] for row in rows if servers[row] is not before[self.catalog.ids[row]]}
        if changed:
            self.signs.add(dict.fromkeys(changed, CHANGED))
            self._refresh_servers(changed, self.width - SIGN)

    def set_operation_states(self, states: Mapping[str, Target | None]) -> None:
        """Set the newest targets of some servers, None for none; the others keep theirs."""
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

    def set_holds(self, holds: Mapping[str, Hold]) -> None:
        """Set which windows hold which servers; it counts from the next filtering on."""
        self.shown.holds = holds

    def set_filter(self, text: str) -> QueryError | None:
        """Filter by ``text``; returns the error where it does not parse, and then changes nothing."""
        try:
            query = parse(text, self.named_filters)
        except QueryError as error:
            return error
        self.shown.query = query
        self.search.start()
        return None

    def end_typing(self) -> None:
        """Finish the search, and let the cursor stay where it is: the filter is typed to its end."""
        self.search.finish()
        self._origin.forget()

    def restrict(self, group_id: str | None) -> None:
        """Show only the servers below a group; None ends the restriction."""
        self.shown.group_id = group_id
        self.search.start()
        self.end_typing()

    def sort(self, column: str, reverse: bool = False) -> None:
        """Sort by a column, ties by id.

        Raises:
            KeyError: There is no such column.
        """
        found = find_column(column)
        if found is None:
            raise KeyError(column)
        self.marking.end_range()
        was = self._place()
        self.shown.column, self.shown.descending = found.name, reverse
        self.shown.arrange()
        self.refresh_heading(1)
        self._land(was, keep_offset=False)

    def set_layout(self, layout: ColumnLayout) -> None:
        """Set the columns, their order and widths."""
        self.line.layout = layout
        self.line.measure(self.catalog)
        self._fit_columns()

    # -- actions

    def action_extend(self, step: int) -> None:
        """Mark the server under the cursor and the one above (-1) or below (1)."""
        self.marking.extend(step)

    def action_sort_next(self) -> None:
        """Sort by the column to the right."""
        self._sort_beside(1)

    def action_sort_previous(self) -> None:
        """Sort by the column to the left."""
        self._sort_beside(-1)

    def action_sort_reverse(self) -> None:
        """Sort by the same column in reverse."""
        self.sort(self.shown.column, not self.shown.descending)

    def action_open(self) -> None:
        """Open the details of the server under the cursor."""
        if self.cursor_server:
            self.post_message(self.Opened(self.cursor_server.id))

    def on_paste(self, event: events.Paste) -> None:
        """Textual: post the pasted text; the screen looks for servers in it."""
        event.stop()
        self.post_message(self.Pasted(event.text))

    def on_mount(self) -> None:
        """Textual: begin to prepare filters and sorting."""
        self._preparation.start([column.name for column, _ in self.line.columns])

    def on_resize(self) -> None:
        """Textual: choose the columns for the new width."""
        self._inside = self.scrollable_content_region.size
        self._fit_columns()
        super().on_resize()

    # -- drawing

    def line_count(self) -> int:
        """How many servers are shown."""
        return len(self.view)

    def line_key(self, index: int) -> Hashable:
        """Another server, state of its operation, set of columns or filter is another line."""
        server = self.catalog.servers[self.view[index]]
        target = self.states.get(server.id)
        return server, target and target.state, self._version

    def draw_gutter(self, index: int) -> list[Segment]:
        """Draw the cursor, the mark, and the sign of a change."""
        row = self.view[index]
        cursor = self.cursor_sign(index)
        mark = "✓" if self.selection.flags[row] else " "
        sign = self.signs.of(self.catalog.ids[row])
        if cursor != " " or mark != " ":
            return [Segment(cursor + mark, self.style("line--cursor")), Segment(sign, self.base_style)]
        return [Segment(cursor + mark + sign, self.base_style)]

    def draw_body(self, index: int) -> list[Segment]:
        """Draw the columns."""
        row = self.view[index]
        target = self.states.get(self.catalog.ids[row])
        return self.line.draw(self.catalog, row, target, self.filter, self.style)

    def draw_heading(self, y: int) -> list[Segment]:
        """Draw the title, and the titles of the columns."""
        if y == 0:
            self._titled = self.title()
            return [Segment(self._titled, self.title_style)]
        text = self.line.heading(self.shown.column, self.shown.descending)
        return [Segment(" " * self.gutter_width + text, self.style("line--heading"))]

    def refresh_title(self) -> None:
        """Draw the title again from where its text differs."""
        before, now = self._titled, self.title()
        if before == now:
            return
        same = 0
        for one, other in zip(before, now, strict=False):
            if one != other:
                break
            same += 1
        self.refresh_heading(0, same, max(len(before), len(now)) - same)

    def cursor_moved(self) -> None:
        """Extend or end a range, and post which server the cursor is on."""
        self.marking.cursor_moved()
        self.post_message(self.CursorMoved(self.cursor_server.id if self.cursor_server else None))

    # -- mouse

    def line_clicked(self, index: int, x: int, event: events.Click) -> None:
        """Mark in the gutter, or with shift from the last mark to the line; elsewhere move the cursor."""
        if event.shift:
            self.marking.mark_to(index)
        self.move_cursor(index, scroll=False)
        if event.shift:
            return
        if x < self.gutter_width:
            self.marking.toggle(index)
        elif event.chain == 2:
            self.action_open()

    def heading_clicked(self, y: int, x: int) -> None:
        """Sort by the column that was clicked, or in reverse if the list is sorted by it."""
        column = self.line.column_at(x - self.gutter_width) if y == 1 else None
        if column is not None:
            self.sort(column, column == self.shown.column and not self.shown.descending)

    # -- within

    def _marks_changed(self) -> None:
        self.refresh_title()
        self.post_message(self.MarksChanged())

    def _show_found(self, rows: list[int] | None) -> None:
        before = self._origin.before(self._place())
        self._break_range()
        self._version += 1
        self.shown.show(rows)
        self._land(before)
        self._origin.moved(before, self._cursor_id())

    def _cursor_id(self) -> str | None:
        return self.cursor_server.id if self.cursor_server else None

    def _place(self) -> CursorPlace:
        offset = self.cursor - self.first
        return CursorPlace(self._cursor_id(), self.cursor, offset, self.view, self.catalog.ids)

    def _land(self, before: CursorPlace, *, keep_offset: bool = True, by_operator: bool = True) -> None:
        """Put the cursor back on its server in the new view, as far from the top as it was."""
        if before.server_id is not None:
            self.cursor = before.find(self.index_of)
        self.lines_changed()
        if keep_offset and self.is_mounted and self.cursor:
            self.scroll_to(y=max(0, self.cursor - before.offset), animate=False, force=True)
        self.show_cursor()
        self.refresh_title()
        self.post_message(self.ViewChanged())
        now = self._cursor_id()
        if now != before.server_id:
            self.cursor_moved()
            if before.server_id is not None:
                self.post_message(self.CursorDisplaced(before.server_id, now, by_operator=by_operator))

    def _break_range(self) -> None:
        """End a range because its lines changed, and post that."""
        if self.marking.range_follows_cursor:
            self.post_message(self.RangeEnded())
        self.marking.end_range()

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

    def _refresh_servers(self, ids: Container[str], width: int) -> None:
        """Draw ``width`` cells of some servers again, from the sign of a change on."""
        for index in self.seen():
            if self.catalog.ids[self.view[index]] in ids:
                self.refresh_cells(index, SIGN, width)


def _state(target: Target | None) -> State | None:
    return target.state if target is not None else None
