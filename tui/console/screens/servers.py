"""The console itself: groups, servers, and the results of what was asked of them."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from tui.console import commands
from tui.console.bridge import Change, EngineFacade, Picture, unsent
from tui.console.screens.confirm import Confirmed, ConfirmScreen, count, names
from tui.console.theme import styles
from tui.console.widgets.command_bar import CommandBar
from tui.console.widgets.results import Results
from tui.console.widgets.server_list import ServerList
from tui.console.widgets.status_bar import StatusBar
from tui.model.operation import Action
from tui.model.plan import make_plan
from tui.model.selection import Selection
from tui.settings.schema import Settings


class ServersScreen(Screen[None], inherit_bindings=False):
    """Where the operator lives. Knows the picture, asks the engine, and keeps the widgets up to date."""

    CSS_PATH = styles("servers.tcss")
    AUTO_FOCUS = "#servers"
    BINDINGS = [*commands.bindings(commands.Scope.SERVERS)]

    def __init__(self, picture: Picture, engine: EngineFacade, settings: Settings) -> None:
        super().__init__()
        self.picture = picture
        self._engine = engine
        self._settings = settings
        self._reason = ""
        """The reason given last: offered again for the next operation of the same window."""
        self._selection = Selection()
        self.servers = ServerList(picture.fleet, self._selection, id="servers")
        self.results = Results(picture)
        self.status = StatusBar(picture)

    def compose(self) -> ComposeResult:
        """Status, groups and servers side by side, results below, keys."""
        yield self.status
        with Horizontal(id="panes"), Vertical():
            yield self.servers
        yield self.results
        yield CommandBar(self.app._keymap, self.situation)

    def on_mount(self) -> None:
        """Read the servers, and take up what an earlier run left."""
        self.action_refresh()
        self._engine.resume()

    # -- what the commands need to know ------------------------------------------------------

    @property
    def situation(self) -> commands.Situation:
        """What decides which commands can be used now."""
        shown = self.results.operation
        marked = len(self._selection)
        return commands.Situation(
            readonly=self.picture.readonly,
            may_operate=self.picture.may_operate,
            chosen=marked or int(self.servers.cursor_server is not None),
            marked=marked,
            shown=self.servers.line_count(),
            operations=len(self.picture.operations),
            unsent=unsent(shown) if shown and shown.ended is None else 0,
            loading=self.picture.reading,
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a command can be used now."""
        return commands.check(action, parameters, self.situation)

    @on(ServerList.MarksChanged)
    @on(ServerList.ViewChanged)
    def _show_situation(self) -> None:
        self.query_one(CommandBar).show(self.situation)

    # -- news --------------------------------------------------------------------------------

    def picture_changed(self, change: Change) -> None:
        """Pass what changed on to the widgets that show it."""
        if change.fleet:
            self.servers.reload()
        elif change.servers:
            self.servers.update_servers(change.servers)
        for targets in change.targets.values():
            self.servers.set_operation_states(targets)
        self.results.picture_changed(change)
        for id_ in change.ended:
            self._tell_end(id_)
        self.status.check(self._reason)
        self._show_situation()

    def _tell_end(self, operation_id: str) -> None:
        operation = self.picture.operations.get(operation_id)
        if operation is None:
            return
        from tui.model.operation import LOOKS, State

        counts = ", ".join(
            f"{number:,} {LOOKS[State(name)].word}" for name, number in operation.summary().items()
        )
        well = operation.count(State.VERIFIED) == len(operation.targets)
        self.app.notify(
            f"{operation.action.label}: {counts}", severity="information" if well else "warning", markup=False
        )

    @on(ServerList.MarksChanged)
    def _tell_vanished(self, event: ServerList.MarksChanged) -> None:
        if event.vanished:
            self.app.notify(
                f"{count(len(event.vanished), 'marked server')} no longer there: {names(event.vanished)}",
                severity="warning",
                markup=False,
            )

    # -- commands ----------------------------------------------------------------------------

    def action_list(self, name: str) -> None:
        """Something that the list does by itself."""
        getattr(self.servers, f"action_{name}")()
        self._show_situation()

    def action_refresh(self) -> None:
        """Read all servers again."""
        self.picture.reading = True
        self._engine.refresh()
        self.status.check()

    def action_operate(self, name: str) -> None:
        """Plan an operation on the chosen servers and ask for a confirmation."""
        session = self.picture.session
        plan = make_plan(
            Action(name),
            self.servers.marked_or_cursor(),
            self.picture.fleet,
            roles=session.roles if session else (),
            batch_size=self._settings.batch_size,
        )
        self.app.push_screen(
            ConfirmScreen(plan, self.picture, reason=self._reason, count_above=self._settings.confirm_above),
            self._confirmed,
        )

    def _confirmed(self, answer: Confirmed | None) -> None:
        if answer is not None:
            self._reason = answer.reason
            self._engine.run(answer.plan, reason=answer.reason)
            self.status.check(self._reason)

    def action_cancel_unsent(self) -> None:
        """Send nothing more of the operation that the results show."""
        operation = self.results.operation
        if operation is not None:
            waiting = unsent(operation)
            self._engine.cancel(operation.id)
            self.app.notify(f"{count(waiting)} will not be sent; what was sent is followed.", markup=False)

    def action_copy(self) -> None:
        """Copy ids to the clipboard of the operator's own terminal (OSC 52)."""
        ids = self.servers.marked_or_cursor()
        self.app.copy_to_clipboard("\n".join(ids))
        self.app.notify(f"{count(len(ids), 'id')} sent to the terminal's clipboard", markup=False)

    def action_failures_first(self) -> None:
        """Results: what needs a look on top, or as it happened."""
        self.results.put_failures_first(not self.results.failures_first)

    def action_follow(self) -> None:
        """Results: follow, or stay."""
        self.results.follow(not self.results.following)

    def action_next_operation(self) -> None:
        """Results: another operation."""
        self.results.show_next()
        self._show_situation()

    def action_zoom_results(self) -> None:
        """Results: most of the screen, or a third."""
        self.toggle_class("-zoomed")
