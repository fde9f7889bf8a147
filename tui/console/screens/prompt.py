"""Asks for one line, and again while it is not valid."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from tui.console.dialog import Dialog
from tui.console.widgets.choice import Choice
from tui.console.widgets.line_input import LineInput

Accepted = TypeVar("Accepted")


class Refused(Exception):
    """A line cannot be accepted; ``str()`` is a sentence for the operator."""


async def ask_for(
    app: App[None],
    accept: Callable[[str], Awaitable[Accepted]],
    question: str,
    text: str,
    *,
    line: str = "",
    yes: str,
) -> Accepted | None:
    """Ask for a line until ``accept`` does not raise ``Refused``, and return its result.

    None if the operator cancels. ``line`` is the initial text; ``yes`` names the button.
    """
    wrong = ""
    while answer := await app.push_screen_wait(PromptScreen(question, text, line=line, yes=yes, wrong=wrong)):
        try:
            return await accept(answer)
        except Refused as error:
            line, wrong = answer, str(error)
    return None


class PromptScreen(Dialog[str | None], inherit_bindings=False):
    """One line of input. Dismissed with it, or with None; ``wrong`` is why the line before was refused."""

    AUTO_FOCUS = "#line"
    BINDINGS = [
        Binding("escape", "dismiss(None)", show=False),
        Binding("tab,down", "app.focus_next", show=False),
        Binding("shift+tab,up", "app.focus_previous", show=False),
    ]

    def __init__(self, question: str, text: str, *, line: str = "", yes: str, wrong: str = "") -> None:
        super().__init__()
        self._question, self._text, self._line, self._yes = question, text, line, yes
        self._wrong = wrong

    def compose(self) -> ComposeResult:
        """The question, the line, what is wrong with it, and the two answers."""
        with Vertical(classes="dialog"):
            yield Static(self._question, classes="question", markup=False)
            yield Static(self._text, markup=False)
            yield LineInput(self._line, id="line")
            yield Static(self._wrong, classes="wrong", markup=False)
            with Horizontal(classes="choices"):
                yield Choice("enter", self._yes, id="yes")
                yield Choice("esc", "leave it", id="no")

    @on(Input.Submitted)
    @on(Choice.Pressed, "#yes")
    def _take(self) -> None:
        self.dismiss(self.query_one(LineInput).value.strip())

    @on(Choice.Pressed, "#no")
    def _leave(self) -> None:
        self.dismiss(None)
