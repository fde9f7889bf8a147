"""An app that only fills the screen, to test how frames are written.

``python -m tests.terminal.display_host NOTES``.

A letter key fills the screen with that letter. Neighbouring cells differ in style, so that a frame is larger
than a terminal's buffer. In the directory NOTES, the file ``composed-LETTER`` is created when the frame is
composed, and ``written-LETTER`` when the terminal has read it.
"""

import sys
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from tui.console.terminal.display import DisplayApp, DisplayDriver


class Host(DisplayApp):
    """Fills the screen with a letter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit"),
        Binding("B", "bell"),
        *(Binding(letter, f"fill('{letter}')") for letter in "abc"),
    ]

    def compose(self) -> ComposeResult:
        """One widget."""
        yield Static("ready")

    def action_fill(self, letter: str) -> None:
        """Fill the screen."""
        width, height = self.size
        cells = Content.from_markup(f"[bold red]{letter}[/][blue]{letter}[/]" * (width // 2))
        self.query_one(Static).update(Content("\n").join([cells] * height))

        def composed() -> None:
            (NOTES / f"composed-{letter}").touch()
            self.when_written((NOTES / f"written-{letter}").touch)

        self.call_after_refresh(composed)


if __name__ == "__main__":
    NOTES = Path(sys.argv[1])
    Host(driver_class=DisplayDriver).run()
