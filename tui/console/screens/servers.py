"""The main screen: groups, servers, details, and the results of operations."""

from collections.abc import Mapping

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus, Paste
from textual.screen import Screen
from textual.widgets import Input

from tui.console import commands
from tui.console.actions.base import Actions
from tui.console.actions.chosen import ChosenServers
from tui.console.actions.columns import ColumnActions
from tui.console.actions.details import DetailsActions
from tui.console.actions.filters import FilterActions
from tui.console.actions.import_export import ImportExport
from tui.console.actions.marks import MarkActions
from tui.console.actions.operations import OperationActions
from tui.console.actions.refresh import RefreshActions
from tui.console.change import StoreChange
from tui.console.facade import EngineFacade
from tui.console.preferences import Preferences
from tui.console.store import Store
from tui.console.theme import styles
from tui.console.widgets.command_bar import CommandBar
from tui.console.widgets.details import Details
from tui.console.widgets.empty import why_empty
from tui.console.widgets.filter_bar import FilterBar
from tui.console.widgets.group_tree import GroupTree
from tui.console.widgets.results import Results
from tui.console.widgets.server_list import ServerList
from tui.console.widgets.status_bar import StatusBar
from tui.console.widgets.times import wall_time
from tui.model.listing.columns import DEFAULT_LAYOUT, ColumnLayout
from tui.model.selection import Selection


class ServersScreen(Screen[None], inherit_bindings=False):
    """Composes the panes, passes what changed in the store to them and their events to the actions."""

    CSS_PATH = styles("servers.tcss")
    AUTO_FOCUS = "#servers"
    BINDINGS = [*commands.bindings(commands.Scope.SERVERS)]

    def __init__(self, store: Store, engine: EngineFacade, preferences: Preferences) -> None:
        super().__init__()
        self.store = store
        self._engine = engine
        settings = preferences.settings
        self._command_keys = settings.keys
        self._selection = Selection()
        self.groups = GroupTree(store.fleet, id="groups")
        self.filter = FilterBar(history=settings.history, id="filter")
        layout = ColumnLayout.parse(settings.columns) if settings.columns else DEFAULT_LAYOUT
        self.servers = ServerList(store.fleet, self._selection, layout=layout, id="servers")
        self.servers.named_filters = settings.filters
        self.details = Details(store.fleet, id="details")
        self.results = Results(store)
        self.status = StatusBar(store)

        servers, results, status = self.servers, self.results, self.status
        self.chosen = chosen = ChosenServers(self, self.groups, servers, self.details, results)
        self._marks = MarkActions(self, store, servers, results, status, chosen)
        self._filters = FilterActions(self, store, self.filter, servers, preferences)
        self._columns = ColumnActions(self, servers, preferences)
        self._details = DetailsActions(self, store, self.details, servers, chosen)
        self._import_export = ImportExport(self, store, servers, status, chosen)
        self._refresh = RefreshActions(self, store, engine, preferences, servers, self.details, status)
        self._operations = OperationActions(
            self, store, engine, preferences, servers, results, status, chosen
        )
        self.actions: Mapping[str, Actions] = {
            "marks": self._marks,
            "filters": self._filters,
            "columns": self._columns,
            "details": self._details,
            "import_export": self._import_export,
            "refresh": self._refresh,
            "operations": self._operations,
        }
        """Kind, the part of a command's action before the dot -> the object that has the action."""

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
        yield CommandBar(self._command_keys, self.command_context)

    def on_mount(self) -> None:
        """Read the servers, and resume what an earlier run left unfinished."""
        self._columns.restore_sort()
        self._refresh.action_now()
        self._engine.resume()

    @property
    def command_context(self) -> commands.CommandContext:
        """The facts that decide which commands can be used now."""
        shown = self.results.operation
        return commands.CommandContext(
            pane=self.chosen.pane,
            readonly=self.store.readonly,
            may_operate=self.store.may_operate,
            chosen=len(self.chosen),
            marked=len(self._selection),
            undo=self._selection.can_undo,
            shown=self.servers.line_count(),
            operations=len(self.store.operations),
            unsent=shown.unsent if shown and shown.ended is None else 0,
            interrupted_unsent=sum(operation.unsent for operation in self.store.interrupted()),
            details=self.details.display,
            loading=self.store.reading,
            still_in_maintenance=len(self.store.still_in_maintenance()),
            filtered=bool(self.servers.filter),
            filters=tuple(self.servers.named_filters.items()),
        )

    def say(self, text: str) -> None:
        """Show a line in the status line that answers a key."""
        self.status.say(text)

    # -- what changed ------------------------------------------------------------------------

    def store_changed(self, change: StoreChange) -> None:
        """Pass what changed on to the panes that show it."""
        self.servers.set_holds(self.store.held_in_maintenance)
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
        self._details.store_changed(change)
        self.results.store_changed(change)
        for id_ in change.ended:
            self._operations.notify_ended(id_)
        if change.started or change.ended:
            self._engine.read_prior_targets()
        self._refresh.schedule()
        self.status.check(self._operations.reason)
        self._show_context()

    @on(DescendantFocus)
    @on(ServerList.MarksChanged)
    @on(ServerList.ViewChanged)
    def _show_context(self) -> None:
        """Show the keys that act now, and why the list is empty where it is."""
        pane = commands.Pane.FILTER if isinstance(self.focused, Input) else self.chosen.pane
        for bar in self.query(CommandBar):  # none while the screen is being made
            bar.show(self.command_context, pane)
        self.servers.explain(why_empty(self.store, self.servers.shown))

    # -- events of the panes -----------------------------------------------------------------

    @on(ServerList.MarksChanged)
    def _marks_changed(self, event: ServerList.MarksChanged) -> None:
        self._marks.notify_vanished(event.vanished)

    @on(ServerList.RangeEnded)
    def _range_ended(self) -> None:
        self._marks.notify_range_ended()

    @on(ServerList.ViewChanged)
    def _view_changed(self) -> None:
        self._filters.show_count()
        self._columns.keep_sort()

    @on(ServerList.CursorDisplaced)
    def _cursor_displaced(self, event: ServerList.CursorDisplaced) -> None:
        self.chosen.cursor_displaced(event)

    @on(ServerList.CursorMoved)
    @on(Results.CursorMoved)
    def _cursor_moved(self, event: ServerList.CursorMoved | Results.CursorMoved) -> None:
        self._details.follow_cursor(event.server_id)

    @on(ServerList.Opened)
    def _opened(self, event: ServerList.Opened) -> None:
        self._details.show(event.server_id)

    @on(Details.Wanted)
    def _details_wanted(self, event: Details.Wanted) -> None:
        self._engine.read_details(event.server_id)

    @on(ServerList.Pasted)
    def _pasted(self, event: ServerList.Pasted) -> None:
        self._import_export.find(event.text)

    def on_paste(self, event: Paste) -> None:
        """Textual: text was pasted where no line of input had the focus. Most likely a ticket."""
        self._import_export.find(event.text)

    @on(FilterBar.Changed)
    def _filter_changed(self, event: FilterBar.Changed) -> None:
        self._filters.apply(event.text)

    @on(FilterBar.Closed)
    def _filter_closed(self) -> None:
        self._filters.close()

    @on(GroupTree.Chosen)
    def _group_chosen(self, event: GroupTree.Chosen) -> None:
        self.servers.restrict(event.group_id)

    @on(GroupTree.Marked)
    def _group_marked(self, event: GroupTree.Marked) -> None:
        self._marks.toggle_group(event.group_id)

    # -- commands about the panes themselves -------------------------------------------------

    def action_toggle_groups(self) -> None:
        """Show or hide the tree of groups, whatever the width."""
        shown = self.groups.display
        if shown and self.groups.has_focus:
            self.servers.focus()
        self.set_class(not shown, "-groups").set_class(shown, "-no-groups")

    def action_failures_first(self) -> None:
        """List failures first in the results, or in the order of their last change."""
        self.results.put_failures_first(not self.results.failures_first)

    def action_follow(self) -> None:
        """Follow the newest result, or stop following."""
        self.results.follow(not self.results.following)

    def action_next_operation(self) -> None:
        """Show another operation in the results."""
        self.results.show_next()
        self._show_context()

    def action_zoom_results(self) -> None:
        """Give the results most of the screen, or a third."""
        self.toggle_class("-zoomed")
