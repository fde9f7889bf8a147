"""Operations on servers: from the command, through a question, to the engine."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from textual.notifications import SeverityLevel

from tui.console.actions.base import Actions
from tui.console.actions.chosen import ChosenServers
from tui.console.facade import EngineFacade
from tui.console.preferences import Preferences
from tui.console.screens.ask import ask_to_cancel, ask_to_send_rest
from tui.console.screens.confirm import Confirmed, ConfirmScreen
from tui.console.store import Store
from tui.console.widgets.results import Results
from tui.console.widgets.server_list import ServerList
from tui.console.widgets.status_bar import StatusBar
from tui.model.operation import STATE_STYLES, Action, State
from tui.model.outlook import Protection, look_ahead
from tui.model.plan import make_plan


@dataclass(eq=False, repr=False)
class OperationActions(Actions):
    """Asks before anything is changed, and passes what was confirmed to the engine."""

    store: Store
    engine: EngineFacade
    preferences: Preferences
    servers: ServerList
    results: Results
    status: StatusBar
    chosen: ChosenServers
    reason: str = field(default="", init=False)
    """The reason given last: offered again for the next operation of the same window."""

    def action_operate(self, action: str) -> None:
        """Plan ``action`` (a value of ``Action``) on the chosen servers, and ask for a confirmation."""
        if displaced := self.chosen.displaced_before_key():
            self.status.say(displaced)
            return
        selection = self.servers.selection
        hidden = self.servers.shown.hidden(selection)
        self._ask(Action(action), self.chosen.ids(), missing=selection.missing, hidden=hidden)

    def action_bring_back(self) -> None:
        """End maintenance, after asking, on just the servers that this operator's windows hold in it."""
        store = self.store
        unseen = store.held_in_maintenance.keys() - store.fleet.servers.keys()
        missing = store.fleet.missing() if unseen else ()
        self._ask(Action.STOP_MAINTENANCE, store.still_in_maintenance(), missing=missing)

    def action_cancel(self) -> None:
        """Ask whether to send nothing more of the operation that the results show."""
        operation = self.results.operation
        if operation is None:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.engine.cancel(operation.id)

        self.screen.app.push_screen(ask_to_cancel(operation.unsent, len(operation.targets)), answered)

    def action_send_rest(self) -> None:
        """Ask whether to send what interrupted operations left unsent."""
        interrupted = self.store.interrupted()

        def answered(yes: bool | None) -> None:
            if yes:
                self.engine.resume(send_planned=True)

        self.screen.app.push_screen(
            ask_to_send_rest(sum(operation.unsent for operation in interrupted), len(interrupted)), answered
        )

    def notify_ended(self, operation_id: str) -> None:
        """Show how an operation ended."""
        operation = self.store.operations.get(operation_id)
        if operation is None:
            return
        counts = ", ".join(
            f"{number:,} {STATE_STYLES[State(name)].word}" for name, number in operation.summary().items()
        )
        severity: SeverityLevel = "information" if operation.succeeded else "warning"
        self.notify(f"{operation.action.label}: {counts}", severity)

    def _ask(
        self, action: Action, server_ids: Sequence[str], *, missing: tuple[str, ...], hidden: int = 0
    ) -> None:
        """Plan and ask. ``missing`` are the data centers that were not read when a rule chose the servers,
        ``hidden`` is how many of them the filter hides.
        """
        session, settings = self.store.session, self.preferences.settings
        context = self.store.plan_context()
        plan = make_plan(
            action,
            server_ids,
            self.store.fleet,
            roles=session.roles if session else (),
            context=context,
            batch_size=settings.batch_size,
        )
        endpoint = self.store.endpoint
        profile = settings.profiles.get(endpoint.name) if endpoint is not None else None
        outlook = look_ahead(
            plan,
            self.store.fleet,
            context=context,
            history=self.store.job_durations,
            protection=Protection(profile.protected if profile else "", settings.filters),
        )
        question = ConfirmScreen(
            plan,
            outlook,
            self.store,
            reason=self.reason,
            count_above=settings.confirm_above,
            missing=missing,
            hidden=hidden,
        )
        self.screen.app.push_screen(question, self._confirmed)

    def _confirmed(self, answer: Confirmed | None) -> None:
        if answer is not None:
            self.reason = answer.reason
            self.engine.run(answer.plan, reason=answer.reason)
