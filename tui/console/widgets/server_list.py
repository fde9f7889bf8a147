"""The list of servers: marks, filter, sort, and what runs on each, at any number of them."""

import asyncio
import time
from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import compress

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.timer import Timer

from tui.console.widgets.cells import fit, width_of
from tui.console.widgets.line_list import LineList
from tui.console.widgets.marking import Marking
from tui.model.catalog import Catalog
from tui.model.columns import DEFAULT_LAYOUT, Column, ColumnLayout, Kind, find_column, sample
from tui.model.fleet import Fleet
from tui.model.matching import Matcher
from tui.model.operation import LOOKS, State, Target
from tui.model.query import Query, QueryError, Scope, parse
from tui.model.selection import Selection
from tui.model.server import Server

AT_ONCE = 20_000
"""Fleets up to this size are filtered at one go; larger ones in slices, so that typing goes on."""
SLICE = 4096
CHANGES_SHOWN = 20.0
"""Seconds that the signs of what a refresh changed stay."""
_BY_STATE = {state: index for index, state in enumerate(
    (State.FAILED, State.REFUSED, State.UNSURE, State.EXECUTING, State.QUEUED, State.SUBMITTING,
     State.PLANNED, State.SUCCEEDED, State.CANCELLED, State.VERIFIED)
)}  # fmt: skip
"""What wants attention first."""


class ServerList(Marking, LineList):
    """Servers of a fleet, one a line.

    The fleet and the selection are shared with the screen; after changing the fleet it calls
    ``reload`` or ``update_servers``, after changing the selection ``marks_changed``. Rows keep their
    place when a server changes: only ``reload``, a new filter or a new order move them.
    """

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
        self.column_layout = layout
        self.filter: Query = parse("")
        self.group_id: str | None = None
        self.sort_column, self.sort_reversed = "id", False
        self.view: Sequence[int] = range(0)
        """The rows of the catalog that are shown, in their order."""
        self._shown: bytes | None = None
        """One byte per row of the catalog, 1 where it is shown; None while all are."""
        self._news: dict[str, str] = {}
        """Server id -> the sign of what the last refresh did to it."""
        self._news_timer: Timer | None = None
        self._columns: list[tuple[Column, int]] = []
        self._natural: dict[str, int] = {}
        self._version = 0
        self._titled = ""
        self._preparing: Iterator[None] | None = None
        self._search: asyncio.Task[None] | None = None
        self.selection.rebase(self.catalog.ids, self.catalog.rows)
        self._natural = self._natural_widths()
        self._choose(None)

    # -- what is shown

    @property
    def cursor_server(self) -> Server | None:
        """The server under the cursor."""
        return self.catalog.servers[self.view[self.cursor]] if self.view else None

    def marked_or_cursor(self) -> list[str]:
        """What a command acts on: the marked servers, shown or not, else the one under the cursor."""
        server = self.cursor_server
        return list(self.selection) or ([server.id] if server else [])

    def shown_ids(self) -> list[str]:
        """The ids of the servers shown, in the order shown."""
        return [self.catalog.ids[row] for row in self.view]

    def seen_ids(self) -> list[str]:
        """The ids of the servers that are on the screen."""
        return [self.catalog.ids[self.view[index]] for index in self.seen()]

    def title(self) -> str:
        """How many are shown, marked, and marked but hidden."""
        total, shown, marked = len(self.catalog), len(self.view), len(self.selection)
        group = self.fleet.groups.get(self.group_id) if self.group_id is not None else None
        text = f"Servers in {group.path} ── " if group else "Servers ── "
        text += f"{shown:,} of {total:,} shown" if shown != total else f"{total:,}"
        if marked:
            hidden = 0 if self._shown is None else marked - self.selection.count_rows(self._shown)
            text += f" · {marked:,} marked" + (f" ({hidden:,} hidden)" if hidden else "")
        return text + (" · range" if self.ranging else "")

    def reload(self) -> None:
        """The fleet was replaced or changed in bulk: show it as it is now.

        Cursor, marks, scroll, filter and order stay, by id. New and changed servers carry a sign for a while.
        """
        at, offset = self.cursor_server, self.cursor - self.first
        paths, view, servers, rows = self.catalog.paths, self.view, self.catalog.servers, self.catalog.rows
        changed = self.catalog.reload()
        vanished: list[str] = []
        if changed is not None:
            news = {self.catalog.ids[row]: "•" for row in changed}
        else:
            vanished = self.selection.rebase(self.catalog.ids, self.catalog.rows)
            news = {id_: "+" for id_ in self.catalog.ids if id_ not in rows}
            news |= {
                server.id: "•"
                for server in servers
                if self.fleet.servers.get(server.id, server) is not server
            }
        self._set_news(news if servers else {})
        self._natural = self._natural_widths()
        if paths != self.catalog.paths:
            self._version += 1
        self._fit_columns()
        self._choose(self._select())
        if changed is not None and view == self.view and paths == self.catalog.paths:
            for index in self.seen():
                if self.catalog.ids[self.view[index]] in news:
                    self.refresh_cells(index, 2, self.width - 2)
        else:
            self._land(at.id if at else None, offset)
        self._prepare_soon()
        if vanished:
            self.post_message(self.MarksChanged(vanished))

    def update_servers(self, ids: Iterable[str]) -> None:
        """Some servers of the fleet changed: draw again what is seen of them, with a sign. Nothing moves."""
        ids = list(ids)
        servers = self.catalog.servers
        before = {id_: servers[row] for id_ in ids if (row := self.catalog.rows.get(id_)) is not None}
        changed = {
            row for row in self.catalog.update(ids) if servers[row] is not before[self.catalog.ids[row]]
        }
        if not changed:
            return
        self._set_news({**self._news, **{self.catalog.ids[row]: "•" for row in changed}})
        for index in self.seen():
            if self.view[index] in changed:
                self.refresh_cells(index, 2, self.width - 2)

    def set_operation_states(self, states: Mapping[str, Target]) -> None:
        """Take in the newest state of servers in operations; those not in ``states`` keep theirs."""
        self.states.update(states)
        x, width = self._cells_of("op")
        for index in self.seen():
            if self.catalog.ids[self.view[index]] in states:
                self.refresh_cells(index, x, width)

    def forget_operation_states(self) -> None:
        """No operation is shown any more."""
        self.states.clear()
        self.refresh_lines_seen()

    def set_filter(self, text: str) -> QueryError | None:
        """Show what ``text`` asks for; returns what is wrong with it, and then shows what it did before."""
        try:
            query = parse(text)
        except QueryError as error:
            return error
        self.filter = query
        self._refilter()
        return None

    def restrict(self, group_id: str | None) -> None:
        """Show only the servers below a group; None lifts that."""
        self.group_id = group_id
        self._refilter()

    def sort(self, column: str, reverse: bool = False) -> None:
        """Order by a column, ties by id. Raises KeyError where there is no such column."""
        found = find_column(column)
        if found is None:
            raise KeyError(column)
        self.sort_column, self.sort_reversed = found.name, reverse
        self.refresh_heading(1)
        self._end_range()
        at = self.cursor_server
        self._arrange(None if self._shown is None else list(compress(range(len(self._shown)), self._shown)))
        self._land(at.id if at else None, None)

    def set_layout(self, layout: ColumnLayout) -> None:
        """Show other columns, or in another order or width."""
        self.column_layout = layout
        self._natural = self._natural_widths()
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
        self.sort(self.sort_column, not self.sort_reversed)

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
        return server, self.states.get(server.id), self._version

    def draw_gutter(self, index: int) -> list[Segment]:
        """The cursor, the mark, and the sign of what the last refresh changed."""
        row = self.view[index]
        cursor = ("▌" if self.has_focus else "▏") if index == self.cursor else " "
        mark = "✓" if self.selection.flags[row] else " "
        news = self._news.get(self.catalog.ids[row], " ") if self._news else " "
        if index == self.cursor or mark != " ":
            return [Segment(cursor + mark, self.look("line--cursor")), Segment(news, self.base)]
        return [Segment(cursor + mark + news, self.base)]

    def draw_body(self, index: int) -> list[Segment]:
        """The columns; what the filter found is set off, and so are maintenance and the operation's state."""
        row = self.view[index]
        server = self.catalog.servers[row]
        target = self.states.get(server.id)
        segments: list[Segment] = []
        plain = gap = ""
        for column, width in self._columns:
            plain, look = plain + gap, ""
            gap = " "
            if column.kind is Kind.STATE:
                text = ""
                if target is not None:
                    text = f"{LOOKS[target.state].sign} {LOOKS[target.state].word}"
                    look = f"state--{LOOKS[target.state].colour}"
            else:
                text = self.catalog.text(column, row)
                if column.kind is Kind.FLAG and server.maintenance:
                    look = "state--maintenance"
            cell = fit(text, width, right=column.kind in (Kind.NUMBER, Kind.SIZE))
            spans = self.filter.spans(column.name, cell) if self.filter.highlights else []
            if look:
                segments += [Segment(plain, self.base)] if plain else []
                plain = ""
                segments.append(Segment(cell, self.look(look)))
            elif spans:
                last = 0
                for start, end in spans:
                    segments.append(Segment(plain + cell[last:start], self.base))
                    segments.append(Segment(cell[start:end], self.look("line--match")))
                    plain, last = "", end
                plain = cell[last:]
            else:
                plain += cell
        segments.append(Segment(plain, self.base))
        return [segment for segment in segments if segment.text]

    def draw_heading(self, y: int) -> list[Segment]:
        """The title, and the names of the columns with the arrow of the order."""
        if y == 0:
            self._titled = self.title()
            return [
                Segment(fit(self._titled, self.scrollable_content_region.width), self.look("line--title"))
            ]
        text = " " * self.gutter_width
        for column, width in self._columns:
            title = column.title if width >= len(column.title) else column.short or column.title
            right = column.kind in (Kind.NUMBER, Kind.SIZE)
            if column.name == self.sort_column:
                arrow = "▼" if self.sort_reversed else "▲"
                title = fit(title, min(len(title), max(1, width - 1))) + arrow
            text += fit(title, width, right=right) + " "
        return [Segment(text, self.look("line--heading"))]

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
        start = self.gutter_width
        for column, width in self._columns:
            if y == 1 and start <= x < start + width:
                self.sort(column.name, column.name == self.sort_column and not self.sort_reversed)
                return
            start += width + 1

    # -- within

    def _select(self) -> list[int] | None:
        """The rows that filter and group let through; None for all."""
        if not self.filter and self.group_id is None:
            return None
        return self._matching()(range(len(self.catalog)))

    def _matching(self) -> Matcher:
        match = self.filter.bind(Scope(self.catalog, self.selection, self.states))
        if self.group_id is None:
            return match
        groups, servers = self.fleet.subtree(self.group_id), self.catalog.servers
        return lambda rows: match([row for row in rows if servers[row].group_id in groups])

    def _refilter(self) -> None:
        if self._search is not None:
            self._search.cancel()
            self._search = None
        if len(self.catalog) <= AT_ONCE or (not self.filter and self.group_id is None):
            self._found(self._select())
        else:
            self._search = asyncio.create_task(self._search_in_slices())

    async def _search_in_slices(self) -> None:
        drawn = asyncio.Event()
        self.call_after_refresh(drawn.set)
        await drawn.wait()
        match, found = self._matching(), list[int]()
        since = time.perf_counter()
        for start in range(0, len(self.catalog), SLICE):
            found += match(range(start, min(start + SLICE, len(self.catalog))))
            if time.perf_counter() - since > 0.008:
                await asyncio.sleep(0)
                since = time.perf_counter()
        self._found(found)

    def _found(self, rows: list[int] | None) -> None:
        at = self.cursor_server
        offset = self.cursor - self.first
        self._version += 1
        self._choose(rows)
        self._land(at.id if at else None, offset)

    def _choose(self, rows: list[int] | None) -> None:
        """Let ``rows`` (ascending; None for all) be what is shown, in the order asked for."""
        self._end_range()
        if rows is not None and len(rows) == len(self.catalog):
            rows = None
        if rows is None:
            self._shown = None
        else:
            mask = bytearray(len(self.catalog))
            for row in rows:
                mask[row] = 1
            self._shown = bytes(mask)
        self._arrange(rows)

    def _arrange(self, rows: list[int] | None) -> None:
        """Put ``rows`` (ascending; None for all) into the order asked for."""
        if self.sort_column == "op":
            ids, states = self.catalog.ids, self.states
            self.view = sorted(
                range(len(ids)) if rows is None else rows,
                key=lambda row: _BY_STATE[target.state] if (target := states.get(ids[row])) else 99,
                reverse=self.sort_reversed,
            )
        elif rows is None:
            self.view = self.catalog.order(self.sort_column, self.sort_reversed)
        elif self.sort_column == "id":
            self.view = rows[::-1] if self.sort_reversed else rows
        else:
            shown = self._shown or b""
            self.view = [
                row for row in self.catalog.order(self.sort_column, self.sort_reversed) if shown[row]
            ]

    def _land(self, keep: str | None, offset: int | None) -> None:
        """After the view changed: the cursor on the same server, as far from the top as it was."""
        row = self.catalog.rows.get(keep) if keep else None
        if row is not None:  # on a server that is filtered out the cursor has nowhere to be but the top
            self.cursor = self.view.index(row) if self._shown is None or self._shown[row] else 0
        self.lines_changed()
        if offset is not None and self.is_mounted and self.cursor:
            self.scroll_to(y=max(0, self.cursor - offset), animate=False, force=True)
        self.show_cursor()
        self.refresh_title()
        self.post_message(self.ViewChanged())
        server = self.cursor_server
        if (server.id if server else None) != keep:
            self.cursor_moved()

    def _sort_beside(self, step: int) -> None:
        names = [column.name for column, _ in self._columns] or ["id"]
        at = names.index(self.sort_column) if self.sort_column in names else 0
        self.sort(names[(at + step) % len(names)])

    def _natural_widths(self) -> dict[str, int]:
        """The width each column's content would like, guessed from a sample of the servers."""
        rows = sample(range(len(self.catalog)))
        widths = {}
        for item in self.column_layout.columns:
            column = find_column(item.name)
            if column is None:
                continue
            longest = max((width_of(self.catalog.text(column, row)) for row in rows), default=0)
            title = column.short or column.title
            widths[column.name] = max(longest, min(len(column.title), column.most), len(title))
            if column.kind is Kind.STATE:
                widths[column.name] = column.most
        return widths

    def _fit_columns(self) -> None:
        columns = self.column_layout.fit(self.body_width, self._natural)
        if columns != self._columns:
            self._columns = columns
            self._version += 1
            if self.is_mounted:
                self.refresh_heading(1)
                self.refresh_lines_seen()

    def _cells_of(self, name: str) -> tuple[int, int]:
        """Where a column starts, gutter included, and its width; (0, 0) if it is not shown."""
        start = self.gutter_width
        for column, width in self._columns:
            if column.name == name:
                return start, width
            start += width + 1
        return 0, 0

    def _set_news(self, news: dict[str, str]) -> None:
        """Show these signs; all go together, some seconds after the first of them came."""
        before, self._news = self._news, news
        self._refresh_news({id_ for id_, sign in before.items() if news.get(id_) != sign})
        if news and self._news_timer is None:
            self._news_timer = self.set_timer(CHANGES_SHOWN, self._forget_news)

    def _forget_news(self) -> None:
        self._news_timer = None
        self._set_news({})

    def _refresh_news(self, ids: Container[str]) -> None:
        for index in self.seen():
            if self.catalog.ids[self.view[index]] in ids:
                self.refresh_cells(index, 2, 1)

    def _prepare_soon(self) -> None:
        """Do what the next filter or sort would have to do, in small steps, when there is time."""
        if self.is_mounted:
            self._preparing = self.catalog.prepare([column.name for column, _ in self._columns])
            self.set_timer(0.1, lambda steps=self._preparing: self._prepare(steps))

    def _prepare(self, steps: Iterator[None]) -> None:
        if steps is self._preparing and next(steps, self) is None:
            self.set_timer(0.01, lambda: self._prepare(steps))
