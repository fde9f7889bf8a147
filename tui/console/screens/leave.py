"""Leaving while something is under way asks first."""

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.console.bridge import Picture, unsent
from tui.console.screens.confirm import count
from tui.console.widgets.choice import Choice


class LeaveScreen(ModalScreen[bool], inherit_bindings=False):
    """Says what is under way and what becomes of it; staying is the default."""

    AUTO_FOCUS = "#stay"
    DEFAULT_CSS = "LeaveScreen { align: center middle; background: $background 60%; }"
    BINDINGS = [
        Binding("y", "answer(True)", show=False),
        Binding("n,escape", "answer(False)", show=False),
        Binding("tab,right", "app.focus_next", show=False),
        Binding("shift+tab,left", "app.focus_previous", show=False),
    ]

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self._picture = picture

    def compose(self) -> ComposeResult:
        """What is under way, and the two ways on."""
        running = self._picture.running()
        waiting = sum(unsent(operation) for operation in running)
        sent = self._picture.unsettled() - waiting
        lines = []
        if sent:
            lines.append(f"{count(sent)}: sent and not settled. The platform carries on without pitstop.")
        if waiting:
            lines.append(f"{count(waiting)}: not sent yet, and not sent if you leave.")
        lines.append("Everything is in the journal: the next start, or `pitstop resume`, takes it up.")
        with Vertical(classes="dialog"):
            yield Static(f"Leave with {count(len(running), 'operation')} under way?", classes="question")
            yield Static("\n".join(lines), markup=False)
            with Horizontal(classes="choices"):
                yield Choice("n", "stay", id="stay")
                yield Choice("y", "leave", id="leave")

    @on(Choice.Pressed)
    def _pressed(self, event: Choice.Pressed) -> None:
        self.dismiss(event.choice.id == "leave")

    def action_answer(self, leave: bool) -> None:
        """Leave, or stay."""
        self.dismiss(leave)
