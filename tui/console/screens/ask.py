"""Yes-or-no questions whose default is no."""

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from tui.console.dialog import Question
from tui.console.widgets.choice import Choice
from tui.model.text import counted


class AskScreen(Question[bool], inherit_bindings=False):
    """Dismissed with True only by ``y``, or by Enter on the yes after moving to it."""

    AUTO_FOCUS = "#no"
    BINDINGS = [
        Binding("y", "answer('yes')", show=False),
        Binding("n", "answer('no')", show=False),
        Binding("escape", "cancel", show=False),
        Binding("tab,right,down", "app.focus_next", show=False),
        Binding("shift+tab,left,up", "app.focus_previous", show=False),
    ]

    def __init__(self, question: str, text: str, *, no: str, yes: str) -> None:
        super().__init__()
        self._question, self._text, self._no, self._yes = question, text, no, yes

    def compose(self) -> ComposeResult:
        """The question, its explanation, and the two answers."""
        with Vertical(classes="dialog"):
            yield Static(self._question, classes="question", markup=False)
            yield Static(self._text, classes="explanation", markup=False)
            yield Static("", classes="hint", markup=False)
            with Horizontal(classes="choices"):
                yield Choice("n", self._no, id="no")
                yield Choice("y", self._yes, id="yes")

    @on(Choice.Pressed)
    def _pressed(self, event: Choice.Pressed) -> None:
        answer = event.choice.id or "no"
        self.press(answer, safe=answer == "no")

    def answer(self, answer: str) -> None:
        """Dismiss with True for yes."""
        self.dismiss(answer == "yes")

    def action_cancel(self) -> None:
        """Answer no, as with escape."""
        self.dismiss(False)


def ask_to_cancel(waiting: int, total: int) -> AskScreen:
    """Ask whether to cancel ``waiting`` unsent servers of ``total``."""
    text = f"Of {counted(total)}, {waiting:,} are not sent yet. What was sent is followed to its end."
    return AskScreen(
        f"Send nothing more, leaving {counted(waiting)} alone?", text, no="go on", yes="stop sending"
    )


def ask_to_send_rest(waiting: int, operations: int) -> AskScreen:
    """Ask whether to send ``waiting`` unsent servers of interrupted operations."""
    text = (
        f"{counted(operations, 'operation')} ended before everything was sent. Nothing is sent twice: only "
        "servers that nothing was ever sent for."
    )
    return AskScreen(f"Send the rest: {counted(waiting)}?", text, no="leave them alone", yes="send")
