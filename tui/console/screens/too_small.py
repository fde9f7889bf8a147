"""The screen of a terminal that is too small to work on."""

from textual.app import ComposeResult
from textual.containers import Center, Middle
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.console.terminal.checks import LOWEST, NARROWEST


class TooSmallScreen(ModalScreen[None], inherit_bindings=False):
    """Covers whatever is below until the terminal has grown; nothing below is lost."""

    DEFAULT_CSS = """
    TooSmallScreen Static { width: auto; text-align: center; }
    """

    def on_screen_resume(self) -> None:
        """Textual: it is on top again. Close if the terminal has grown meanwhile."""
        roomy = self.app.size.width >= NARROWEST and self.app.size.height >= LOWEST
        if roomy and self.is_current:
            self.dismiss()

    def compose(self) -> ComposeResult:
        """One message."""
        yield Middle(
            Center(
                Static(
                    "This terminal is too small.\n"
                    f"pitstop needs {NARROWEST} columns and {LOWEST} lines.\n"
                    "Make it larger to go on; nothing is lost.\n"
                    "ctrl+q leaves, ctrl+l draws again.",
                    markup=False,
                )
            )
        )
