"""The console itself: groups, servers, and the results of what was asked of them."""

import time

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus, Paste
from textual.screen import Screen
from textual.widgets import Input

from tui.console import commands
from tui.console.actions.operations import OperationActions
from tui.console.actions.refresh import Refreshing
from tui.console.dialog import PAINTED_FOR
from tui.console.facade import EngineFacade
from tui.console.preferences import Preferences
from tui.console.screens.confirm import count, names
from tui.console.store import Change, Store, unsent
from tui.console.terminal.display import when_shown
from tui.console.terminal.queued_app import conversation, input_queue_of
from tui.console.theme import styles
from tui.console.widgets.command_bar import CommandBar
from tui.console.widgets.details import Details, done_to
from tui.console.widgets.empty import why_empty
from tui.console.widgets.filter_bar import FilterBar
from tui.console.widgets.group_tree import GroupTree
from tui.console.widgets.results import Results
from tui.console.widgets.server_list import ServerList
from tui.console.widgets.status_bar import StatusBar
from tui.console.widgets.times import wall_time
from tui.model.completeness import read_note
from tui.model.filter.grammar import is_filter_name
from tui.model.listing.columns import DEFAULT_LAYOUT, ColumnLayout
from tui.model.operation import Action
from tui.model.selection import Selection
from tui.model.text import clean


class ServersScreen(Screen[None], inherit_bindings=False):
    """Where the operator lives. Knows the store, asks the engine, and keeps the widgets up to date."""

    CSS_PATH = styles("servers.tcss")
    AUTO_FOCUS = "#servers"
    BINDINGS = [*commands.bindings(commands.Scope.SERVERS)]

    def __init__(self, store: Store, engine: EngineFacade, preferences: Preferences) -> None:
        super().__init__()
        self.store = store
        self._engine = engine
        self._preferences = preferences
        self._refreshing = Refreshing(self, self.action_refresh)
        self._operations = OperationActions(self, store, engine, preferences)
        self._selection = Selection()
        self._displaced: tuple[ServerList.CursorDisplaced, float] | None = None
        """The last time the cursor's server left the view, and when that was on the screen."""
        self.groups = GroupTree(store.fleet, id="groups")
        settings = preferences.settings
        self.filter = FilterBar(history=settings.history, id="filter")
        layout = ColumnLayout.parse(settings.columns) if settings.columns else DEFAULT_LAYOUT
        self.servers = ServerList(store.fleet, self._selection, layout=layout, id="servers")
        self.servers.named_filters = settings.filters
        self.details = Details(store.fleet, id="details")
        self.results = Results(store)
        self.status = StatusBar(store)

    def compose(self) -> ComposeResult:
        """Status, groups and servers side by side, results below, keys."""
        yield self.status
        with Horizontal(id="panes"):
            yield self.groups
            with Vertical(id="list"):
                yield self.filter
                yield self.servers
            yield self.details
        yield self.results
        yield CommandBar(self._preferences.settings.keys, self.command_context)

    def on_mount(self) -> None:
        """Read the servers, and take up what an earlier run left."""
        if (sort := self._preferences.settings.sort) != "id":
            self.servers.sort(sort.removeprefix("-"), sort.startswith("-"))
        self.action_refresh()
        self._engine.resume()

    # -- what the commands need to know ------------------------------------------------------

    @property
    def command_context(self) -> commands.CommandContext:
        """What decides which commands can be used now."""
        shown = self.results.operation
        marked = len(self._selection)
        return commands.CommandContext(
            pane=self.pane,
            readonly=self.store.readonly,
            may_operate=self.store.may_operate,
            chosen=marked or int(self._server_under_cursor() is not None),
            marked=marked,
            undo=self._selection.can_undo,
            shown=self.servers.line_count(),
            operations=len(self.store.operations),
            unsent=unsent(shown) if shown and shown.ended is None else 0,
            left_over=sum(map(unsent, self.store.left_to_send())),
            details=self.details.display,
            loading=self.store.reading,
            left=len(self.store.left_behind()),
            filtered=bool(self.servers.filter),
            filters=tuple(self.servers.named_filters.items()),
        )

    @property
    def pane(self) -> commands.Pane:
        """The part of the screen that the keys act on."""
        if self.groups.has_focus:
            return commands.Pane.GROUPS
        if self.results.has_focus:
            return commands.Pane.RESULTS
        return commands.Pane.DETAILS if self.details.has_focus else commands.Pane.LIST

    def _server_under_cursor(self) -> str | None:
        """The server that the pane with the focus has under its cursor. A group is no server."""
        match self.pane:
            case commands.Pane.GROUPS:
                return None
            case commands.Pane.RESULTS:
                target = self.results.target(self.results.cursor)
                return target.server_id if target else None
            case commands.Pane.DETAILS:
                return self.details.server.id if self.details.server else None
        server = self.servers.cursor_server
        return server.id if server else None

    def _chosen(self) -> list[str]:
        """What a command acts on: the marked servers, shown or not, else the one under the cursor."""
        under_cursor = self._server_under_cursor()
        return list(self._selection) or ([under_cursor] if under_cursor else [])

    @on(DescendantFocus)
    @on(ServerList.MarksChanged)
    @on(ServerList.ViewChanged)
    def _show_context(self) -> None:
        pane = commands.Pane.FILTER if isinstance(self.focused, Input) else self.pane
        for bar in self.query(CommandBar):  # none yet while the screen is being made
            bar.show(self.command_context, pane)
        self.servers.explain(why_empty(self.store, self.servers.shown))

    # -- news --------------------------------------------------------------------------------

    def store_changed(self, change: Change) -> None:
        """Pass what changed on to the widgets that show it."""
        self.servers.set_first_reading(self.store.reading and self.store.read_at is None)
        if change.fleet or change.reread:
            self.servers.reload()
        elif change.servers:
            self.servers.update_servers(change.servers)
        if change.fleet:
            self.groups.reload()
        elif change.servers:
            self.groups.count_soon()
        if change.status:
            next_try = self.store.next_try
            self.servers.note = f", next try {wall_time(next_try)}" if next_try is not None else ""
            self.servers.refresh_title()
        self.servers.set_operation_states(self.store.states(change))
        self._update_details(change)
        self.results.store_changed(change)
        for id_ in change.ended:
            self._operations.tell_end(id_)
        if change.started or change.ended:
            self._engine.read_standings()
        if not self.store.reading:
            self._refreshing.ended(self._preferences.settings.refresh_interval)
        self.status.check(self._operations.reason)
        self._show_context()

    def _update_details(self, change: Change) -> None:
        if not self.details.display:
            return
        if change.details is not None:
            self.details.take(change.details)
        if change.details_failed is not None:
            self.details.fail(change.details_failed.server_id, change.details_failed.message)
        shown = self.details.server
        touched = shown is not None and any(shown.id in targets for targets in change.targets.values())
        if shown is not None and (touched or change.fleet or shown.id in change.servers):
            self._show_details(shown.id)

    @on(ServerList.MarksChanged)
    def _tell_vanished(self, event: ServerList.MarksChanged) -> None:
        if event.vanished:
            self.app.notify(
                f"{count(len(event.vanished), 'marked server')} no longer there: {names(event.vanished)}",
                severity="warning",
                markup=False,
            )

    # -- commands ----------------------------------------------------------------------------

    def action_marks(self, change: str) -> None:
        """Change the marks; what marks or inverts all means the servers listed in the focused pane."""
        self.servers.search.finish()
        marking = self.servers.marking
        if self.pane is commands.Pane.RESULTS and change == "mark_all":
            marking.mark_ids(self.results.server_ids())
        elif self.pane is commands.Pane.RESULTS and change == "invert":
            marking.invert_ids(self.results.server_ids())
        else:
            getattr(marking, change)()
        self._show_context()

    def action_sort(self, how: str) -> None:
        """Sort the list by the next or the previous column, or in reverse."""
        self.servers.search.finish()
        getattr(self.servers, f"action_sort_{how}")()
        self._show_context()

    def action_mark(self) -> None:
        """Mark the server under the cursor of the pane that has the focus, and go on to the next."""
        if self.pane is commands.Pane.LIST:
            if not self._just_displaced(by_itself=True):
                self.action_marks("toggle_at_cursor")
        elif (server_id := self._server_under_cursor()) is not None:
            self.servers.marking.mark_ids([server_id], server_id not in self._selection)
            if self.pane is commands.Pane.RESULTS:
                self.results.action_cursor_down()

    @on(ServerList.CursorDisplaced)
    def _cursor_displaced(self, event: ServerList.CursorDisplaced) -> None:
        """The cursor is on another server than the one that somebody put it on."""
        self._displaced = (event, float("inf"))
        when_shown(self, lambda: self._displacement_painted(event))
        if not event.asked:
            where = f"the cursor is on {event.now} now" if event.now else "no server is shown"
            self.app.notify(
                f"{event.before} is not shown any more: {where}", severity="warning", markup=False
            )

    def _displacement_painted(self, event: ServerList.CursorDisplaced) -> None:
        if self._displaced is not None and self._displaced[0] is event:
            self._displaced = (event, time.monotonic())

    def _just_displaced(self, *, by_itself: bool = False) -> bool:
        """Whether a key was pressed before one could see the cursor go to another server; says so."""
        if self._displaced is None or self._selection or self.pane is not commands.Pane.LIST:
            return False
        event, painted_at = self._displaced
        if event.now != (server.id if (server := self.servers.cursor_server) else None):
            return False  # a later filter brought the cursor back
        pressed_at = input_queue_of(self.app).current.event.time
        if pressed_at - painted_at >= PAINTED_FOR or (by_itself and event.asked):
            return False
        self.say(f"The cursor has just come to {event.now}, for {event.before} is hidden: press again")
        return True

    @on(ServerList.RangeEnded)
    def _range_ended(self) -> None:
        self._warn("The list changed, so the range ended; what it marked stays marked")

    def _warn(self, message: str) -> None:
        self.app.notify(message, severity="warning", markup=False)

    def say(self, text: str) -> None:
        """Answer a key in words, in the status line."""
        self.status.say(text)

    def action_details(self) -> None:
        """Everything about the server under the cursor of the pane that has the focus."""
        wanted = self._server_under_cursor()
        shown = self.details.server
        if self.details.display and (wanted is None or (shown is not None and shown.id == wanted)):
            self._close_details()
        elif wanted is not None:
            self._show_details(wanted)

    @on(ServerList.Opened)
    def _opened(self, event: ServerList.Opened) -> None:
        self._show_details(event.server_id)

    @on(ServerList.CursorMoved)
    @on(Results.CursorMoved)
    def _follow_cursor(self, event: ServerList.CursorMoved | Results.CursorMoved) -> None:
        if self.details.display and event.server_id is not None:
            self._show_details(event.server_id)

    @on(Details.Wanted)
    def _ask_for_details(self, event: Details.Wanted) -> None:
        self._engine.read_details(event.server_id)

    def _show_details(self, server_id: str) -> None:
        self.details.display = True
        self.add_class("-details")
        self.details.show(self.store.fleet.servers.get(server_id), done_to(server_id, self.store))

    def _close_details(self) -> None:
        if self.details.has_focus:
            self.servers.focus()
        self.details.display = False
        self.remove_class("-details")
        self.details.show(None)

    def on_paste(self, event: Paste) -> None:
        """Textual: text was pasted, and no line of input took it. A ticket, most likely."""
        self._find_servers(event.text, "pasted text")

    @on(ServerList.Pasted)
    def _pasted(self, event: ServerList.Pasted) -> None:
        self._find_servers(event.text, "pasted text")

    @conversation
    async def action_ticket(self) -> None:
        """Find the servers that a file names."""
        from tui.console.actions.import_export import ask_for_ticket

        if (ticket := await ask_for_ticket(self.app)) is not None:
            name, text = ticket
            self._find_servers(text, f"file {name}")

    def _find_servers(self, text: str, source: str) -> None:
        from tui.console.widgets.ticket_preview import TicketPreview
        from tui.model.ticket import find_servers

        fleet = self.store.fleet
        preview = TicketPreview(text, lambda text: find_servers(text, fleet, self._selection), fleet, source)
        if not preview.found:
            self.say(f"No server is named in the {source}: {clean(text.strip(), 24)}")
            return

        def mark(ids: tuple[str, ...] | None) -> None:
            if ids:
                missing = fleet.missing() if preview.found.unknown else ()  # what was found is certain
                self.servers.marking.mark_ids(ids, rule=f"ticket {preview.text}", missing=missing)

        self.app.push_screen(preview, mark)

    def action_raw_details(self) -> None:
        """The answer as it came, or the fields of it."""
        self.details.action_raw()

    def action_filter(self) -> None:
        """Type a filter."""
        self.filter.add_class("-open")
        self.set_focus(self.filter.query_one(Input))

    @on(FilterBar.Changed)
    def _filter(self, event: FilterBar.Changed) -> None:
        self.filter.show_error(self.servers.set_filter(event.text))
        if not isinstance(self.focused, Input):
            self.servers.end_typing()

    @on(ServerList.ViewChanged)
    def _say_how_many(self) -> None:
        shown, total = self.servers.line_count(), len(self.store.fleet.servers)
        found = f"{shown:,} of {total:,} · enter keep · esc clear"
        self.filter.show_note(found if self.servers.filter else "")

    @on(FilterBar.Left)
    def _filter_left(self) -> None:
        if self.filter.wrong:
            return  # It is to be mended first.
        self.servers.end_typing()
        self.filter.history.add(self.filter.text)
        self._preferences.choose(history=list(self.filter.history.lines))
        self.filter.set_class(bool(self.filter.text), "-open")
        self.set_focus(self.servers)

    @conversation
    async def action_keep_filter(self) -> None:
        """Give the filter a name, under which the palette brings it back."""
        from tui.console.screens.prompt import Refused, ask_for

        filters, text = self._preferences.settings.filters, self.servers.filter.text

        async def take(name: str) -> str:
            if not is_filter_name(name):
                raise Refused("A name is letters, digits, . _ and -, as in web.prod")
            if name in filters:
                raise Refused(f"There is a filter named {name}; forget that one first, or choose another")
            return name

        if name := await ask_for(self.app, take, "Keep this filter under which name?", text, yes="keep"):
            self._keep_filters(filters | {name: text})
            self.app.notify(f"Kept: Filter: {name} in the palette, @{name} in a filter", markup=False)

    def action_named_filter(self, name: str) -> None:
        """Show what a filter with a name asks for."""
        text = self._preferences.settings.filters[name]
        self.filter.add_class("-open")
        self.filter.set_text(text)
        self.filter.history.add(text)

    def action_forget_filter(self, name: str) -> None:
        """Let a name of a filter mean nothing any more."""
        filters = self._preferences.settings.filters
        self._keep_filters({other: text for other, text in filters.items() if other != name})

    def _keep_filters(self, filters: dict[str, str]) -> None:
        self._preferences.choose(filters=filters)
        self.servers.named_filters = filters

    @conversation
    async def action_columns(self) -> None:
        """Choose columns, their order and widths."""
        from tui.console.widgets.column_chooser import ColumnChooser

        line, width = self.servers.line, self.servers.body_width
        chooser = ColumnChooser(line.layout, lambda layout: line.fitting(layout, width))
        layout = await self.app.push_screen_wait(chooser)
        if layout is not None:
            self.servers.set_layout(layout)
            self._preferences.choose(columns=[] if layout == DEFAULT_LAYOUT else layout.items())

    @on(ServerList.ViewChanged)
    def _keep_order(self) -> None:
        shown = self.servers.shown
        self._preferences.choose(sort=("-" if shown.descending else "") + shown.column)

    @conversation
    async def action_export(self, what: str) -> None:
        """Write servers to a file: those shown, in their order, or those marked, shown or not."""
        from tui.console.actions.import_export import export

        fleet, marked = self.store.fleet, what == "marked"
        ids = list(self._selection) if marked else self.servers.shown_ids()
        servers = [fleet.servers[id_] for id_ in ids if id_ in fleet.servers]
        title = f"{count(len(servers), 'marked server' if marked else 'server')}{'' if marked else ' shown'}"
        await export(self.app, servers, title, fleet, self.servers.states, self.store.clock())

    def action_refresh_every(self, seconds: int) -> None:
        """Read the servers again by itself, so many seconds after each reading; 0 is never."""
        self._preferences.choose(refresh_interval=seconds)
        self._refreshing.began()
        if not self.store.reading:
            self._refreshing.ended(seconds)
        every = f"{seconds} seconds after each reading" if seconds else "only when asked"
        self.app.notify(f"The servers are read again {every}", markup=False)

    def action_toggle_groups(self) -> None:
        """Show or hide the tree of groups, whatever the width."""
        shown = self.groups.display
        if shown and self.groups.has_focus:
            self.servers.focus()
        self.set_class(not shown, "-groups").set_class(shown, "-no-groups")

    @on(GroupTree.Chosen)
    def _group_chosen(self, event: GroupTree.Chosen) -> None:
        self.servers.restrict(event.group_id)

    @on(GroupTree.Marked)
    def _group_marked(self, event: GroupTree.Marked) -> None:
        fleet, root = self.store.fleet, event.group_id
        groups = fleet.subtree(root) if root is not None else fleet.groups.keys()
        ids = [server.id for server in fleet.servers.values() if root is None or server.group_id in groups]
        on = not all(id_ in self._selection for id_ in ids)
        self.servers.marking.mark_ids(ids, on, rule=f"group {root}", missing=fleet.missing(root))

    def action_refresh(self) -> None:
        """Read all servers again."""
        self._refreshing.began()
        self.store.reading = True
        self.servers.set_first_reading(self.store.read_at is None)
        if self.details.display:
            self.details.again()
        self._engine.refresh()
        self._engine.read_standings()
        self.status.check()

    def action_operate(self, name: str) -> None:
        """Plan an operation on the chosen servers and ask for a confirmation."""
        if not self._just_displaced():
            hidden = self.servers.shown.hidden(self._selection)
            self._operations.ask(Action(name), self._chosen(), missing=self._selection.missing, hidden=hidden)

    def action_bring_back(self) -> None:
        """End maintenance on just those servers that this operator's windows left in it."""
        store = self.store
        unseen = store.left - store.fleet.servers.keys()
        missing = store.fleet.missing() if unseen else ()
        self._operations.ask(Action.STOP_MAINTENANCE, store.left_behind(), missing=missing)

    def action_cancel_unsent(self) -> None:
        """Send nothing more of the operation that the results show."""
        if self.results.operation is not None:
            self._operations.ask_to_cancel(self.results.operation)

    def action_send_rest(self) -> None:
        """Send what interrupted operations left unsent, after asking."""
        self._operations.ask_to_send_rest()

    def action_copy(self) -> None:
        """Copy ids to the clipboard of the operator's own terminal (OSC 52)."""
        ids = self._chosen()
        self.app.copy_to_clipboard("\n".join(ids))
        what = f"{count(len(ids), 'id')}{read_note(self.store.fleet)}"
        self.app.notify(f"{what} sent to the terminal's clipboard", markup=False)

    def action_failures_first(self) -> None:
        """Results: what needs a look on top, or as it happened."""
        self.results.put_failures_first(not self.results.failures_first)

    def action_follow(self) -> None:
        """Results: follow, or stay."""
        self.results.follow(not self.results.following)

    def action_next_operation(self) -> None:
        """Results: another operation."""
        self.results.show_next()
        self._show_context()

    def action_zoom_results(self) -> None:
        """Results: most of the screen, or a third."""
        self.toggle_class("-zoomed")
