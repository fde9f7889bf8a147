"""A line of input."""

from typing import Any

from textual.binding import Binding
from textual.reactive import var
from textual.widgets import Input


class LineInput(Input):
    """A line of input whose cursor does not blink: blinking sends 1.7 kB a second for nothing."""

    BINDINGS = [Binding("alt+backspace", "delete_left_word", show=False)]

    cursor_blink = var(False)

    def __init__(self, value: str = "", **options: Any) -> None:
        super().__init__(value, select_on_focus=False, compact=True, **options)

    def action_copy(self) -> None:
        """Copy the selected text to the terminal's clipboard, but never a password."""
        if not self.password:
            super().action_copy()

    def action_cut(self) -> None:
        """Cut the selected text to the terminal's clipboard, but never a password."""
        if not self.password:
            super().action_cut()
