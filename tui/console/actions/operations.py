"""From what the operator wants done to servers, through a question, to the engine."""

from collections.abc import Sequence

from textual.notifications import SeverityLevel
from textual.screen import Screen

from tui.console.facade import EngineFacade
from tui.console.preferences import Preferences
from tui.console.screens.ask import ask_to_cancel, ask_to_send_rest
from tui.console.screens.confirm import Confirmed, ConfirmScreen
from tui.console.store import Store, unsent
from tui.model.operation import STATE_STYLES, Action, Operation, State
from tui.model.plan import make_plan


class OperationActions:
    """Asks on top of ``screen`` before anything is touched; the engine gets what was confirmed."""

    def __init__(
        self, screen: Screen[None], store: Store, engine: EngineFacade, preferences: Preferences
    ) -> None:
        self._screen = screen
        self._store = store
        self._engine = engine
        self._preferences = preferences
        self.reason = ""
        """The reason given last: offered again for the next operation of the same window."""

    def ask(
        self, action: Action, server_ids: Sequence[str], *, missing: tuple[str, ...] = (), hidden: int = 0
    ) -> None:
        """Plan an operation on these servers and ask for a confirmation.

        ``missing`` are the data centers without which a rule chose them, ``hidden`` how many are not shown.
        """
        session, settings = self._store.session, self._preferences.settings
        plan = make_plan(
            action,
            server_ids,
            self._store.fleet,
            roles=session.roles if session else (),
            before=self._store.before(),
            batch_size=settings.batch_size,
        )
        question = ConfirmScreen(
            plan,
            self._store,
            reason=self.reason,
            count_above=settings.confirm_above,
            missing=missing,
            hidden=hidden,
        )
        self._screen.app.push_screen(question, self._confirmed)

    def _confirmed(self, answer: Confirmed | None) -> None:
        if answer is not None:
            self.reason = answer.reason
            self._engine.run(answer.plan, reason=answer.reason)

    def ask_to_cancel(self, operation: Operation) -> None:
        """Ask whether to send nothing more of an operation."""

        def answered(yes: bool | None) -> None:
            if yes:
                self._engine.cancel(operation.id)

        self._screen.app.push_screen(ask_to_cancel(unsent(operation), len(operation.targets)), answered)

    def ask_to_send_rest(self) -> None:
        """Ask whether to send what interrupted operations left unsent."""
        left = self._store.left_to_send()

        def answered(yes: bool | None) -> None:
            if yes:
                self._engine.resume(send_planned=True)

        self._screen.app.push_screen(ask_to_send_rest(sum(map(unsent, left)), len(left)), answered)

    def tell_end(self, operation_id: str) -> None:
        """Say in passing how an operation ended."""
        operation = self._store.operations.get(operation_id)
        if operation is None:
            return
        counts = ", ".join(
            f"{number:,} {STATE_STYLES[State(name)].word}" for name, number in operation.summary().items()
        )
        severity: SeverityLevel = "information" if operation.succeeded else "warning"
        self._screen.app.notify(f"{operation.action.label}: {counts}", severity=severity, markup=False)
