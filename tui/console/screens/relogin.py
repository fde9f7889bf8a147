"""Asks for the password again during a session, while work goes on."""

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, Static

from tui.console.change import StoreChange
from tui.console.dialog import Dialog
from tui.console.screens.login import LoginScreen
from tui.console.store import Store
from tui.console.terminal.display import when_shown
from tui.console.terminal.queued_app import input_queue_of
from tui.console.widgets.line_input import LineInput


class ReloginScreen(Dialog[None], inherit_bindings=False):
    """Shown when the token expired and the endpoint refuses the password in memory. One attempt per Enter."""

    AUTO_FOCUS = "#password"
    DEFAULT_CSS = """
    ReloginScreen #message { margin-bottom: 1; }
    ReloginScreen #after { color: $quiet; margin-top: 1; }
    """
    BINDINGS = [Binding("escape", "app.pop_screen", show=False)]

    def __init__(self, store: Store, message: str) -> None:
        super().__init__()
        self._store = store
        self._message = message
        self._busy = False

    def compose(self) -> ComposeResult:
        """The reason, and one field."""
        session = self._store.session
        with Vertical(classes="dialog"):
            yield Static(
                f"Log in again as {session.user if session else ''}", classes="question", markup=False
            )
            yield Static(self._message, id="message", markup=False)
            yield LineInput(id="password", password=True, placeholder="password")
            yield Static(
                "enter logs in, esc goes back to the screen without.\n"
                "Nothing is lost: what was sent is followed up after the login.",
                id="after",
                markup=False,
            )

    @on(Input.Submitted)
    def _log_in(self, event: Input.Submitted) -> None:
        store = self._store
        if self._busy or not event.value or store.endpoint is None or store.session is None:
            return
        self._busy = True
        self.query_one("#message", Static).update("Logging in …")
        self.post_message(
            LoginScreen.Submitted(store.endpoint, store.session.user, event.value, store.session.account)
        )

    def on_screen_resume(self) -> None:
        """Textual: it is on top. Discard what is being typed: it was for another screen."""
        super().on_screen_resume()
        input_queue_of(self.app).discard_typing()
        when_shown(self, lambda: input_queue_of(self.app).discard_typing())

    def say(self, text: str) -> None:
        """Show a line about a key in place of the reason; an empty text restores the reason."""
        if not self._busy:
            self.query_one("#message", Static).update(text or self._message)

    def store_changed(self, change: StoreChange) -> None:
        """Close after a login; after a refusal allow another attempt."""
        if change.logged_in is not None:
            self.dismiss(None)
        elif change.login_failed is not None:
            self._busy = False
            self._message = change.login_failed.message
            self.query_one("#message", Static).update(self._message)
            self.query_one("#password", LineInput).value = ""
