"""The screen of the idle lock. Work goes on while it is shown."""

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.console.change import StoreChange
from tui.console.widgets.line_input import LineInput
from tui.engine.events import Unlocked, UnlockRefused


class LockScreen(ModalScreen[None], inherit_bindings=False):
    """Covers everything until the password of the login is given. Shows its field once a key wakes it."""

    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    LockScreen ToastRack { display: none; }
    LockScreen #password { margin-top: 1; }
    LockScreen #password:disabled { display: none; }
    """

    def __init__(self, user: str, unlock: Callable[[str], None]) -> None:
        super().__init__()
        self.awake = False
        self._user = user
        self._unlock = unlock

    def compose(self) -> ComposeResult:
        """The user whose password is needed, and one field."""
        with Vertical(classes="dialog"):
            yield Static("Locked", classes="question")
            yield Static("What was sent is followed up meanwhile. Press any key.", id="message", markup=False)
            yield LineInput(id="password", password=True, disabled=True)

    def wake(self) -> None:
        """Ask for the password: somebody is there."""
        self.awake = True
        if self.is_mounted:
            self._ask()

    def on_mount(self) -> None:
        """Ask at once if a key was pressed before this screen was mounted."""
        if self.awake:
            self._ask()

    def _ask(self) -> None:
        self._say(f"The password of {self._user}, and enter.")
        field = self.query_one("#password", LineInput)
        field.disabled = False
        field.focus()

    @on(Input.Submitted)
    def _try(self, event: Input.Submitted) -> None:
        password, event.input.value = event.value, ""
        if password:
            self._unlock(password)

    def store_changed(self, change: StoreChange) -> None:
        """Close after the right password; after a wrong one show that it is wrong."""
        match change.unlocking:
            case Unlocked():
                self.dismiss(None)
            case UnlockRefused(wait=wait):
                pause = f" For {wait:.0f} s no password is checked." if wait else ""
                self._say(f"That is not the password.{pause}")

    def _say(self, text: str) -> None:
        self.query_one("#message", Static).update(text)
