"""The line that the filter is typed on."""

import asyncio
from collections.abc import Iterable

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui.console.later import later
from tui.console.widgets.line_input import LineInput
from tui.model.filter.values import QueryError
from tui.model.history import History

DELAY = 0.05
"""Seconds after a key before the filter is told, so that fast typing is filtered once."""
HINT = "words · field:value · !not · a or b · ↑ older · enter keep · esc clear"


class FilterBar(Vertical):
    """An input with history; below it, while it has the focus, what is wrong or how many were found."""

    DEFAULT_CSS = """
    FilterBar {
        height: auto;
        & > Input { height: 1; border: none; padding: 0 1; background: $panel; }
        & > Input:focus { border: none; }
        & > Static { height: 1; padding: 0 1; color: $quiet; display: none; }
        & > Static.-wrong { height: auto; max-height: 4; color: $state-red; }
        /* Without a rule of its own, textual restyles nothing below when the focus comes. */
        &:focus-within { height: auto; }
        &:focus-within > Static { display: block; }
    }
    """
    BINDINGS = [
        Binding("up", "older", "Older filter", show=False),
        Binding("down", "newer", "Newer filter", show=False),
        Binding("escape", "clear_or_leave", "Clear", show=False),
    ]

    class Changed(Message):
        """Another filter is to be shown."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

        def can_replace(self, message: Message) -> bool:
            """Only the newest filter matters."""
            return isinstance(message, FilterBar.Changed)

    class Left(Message):
        """The operator is done typing: the focus belongs to the list."""

    def __init__(self, text: str = "", *, history: Iterable[str] = (), id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.history = History(history)
        """What the settings keep: ``history.lines``."""
        self._start = text
        self._told = text
        self._timer: asyncio.TimerHandle | None = None
        self._error: QueryError | None = None
        self._note = HINT

    def compose(self) -> ComposeResult:
        """Textual: the parts."""
        yield LineInput(self._start, placeholder="/ filter")
        yield Static(HINT)

    @property
    def text(self) -> str:
        """What is typed."""
        return self.query_one(Input).value

    def set_text(self, text: str) -> None:
        """Take a filter from elsewhere, e.g. one with a name; it is in force before the next key."""
        line = self.query_one(Input)
        line.value = text
        line.cursor_position = len(text)
        self._tell()

    @property
    def wrong(self) -> bool:
        """Whether the filter as typed does not parse."""
        return self._error is not None

    def show_error(self, error: QueryError | None) -> None:
        """Say where and why the filter does not parse; None: it does."""
        self._error = error
        self._draw_note()

    def show_note(self, note: str) -> None:
        """Say how many were found, in place of the hint."""
        self._note = note or HINT
        self._draw_note()

    def on_focus(self) -> None:
        """Textual: the input takes the focus."""
        self.query_one(Input).focus()

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """A key went into the filter: tell it when no other follows at once."""
        event.stop()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = later(self, DELAY, self._tell)

    @on(Input.Submitted)
    def keep(self, event: Input.Submitted) -> None:
        """The filter stays, and the list has the focus again."""
        event.stop()
        self._tell()
        self.post_message(self.Left())

    def on_descendant_blur(self) -> None:
        """Textual: the focus goes elsewhere. What is done there is meant for the filter as typed."""
        self._tell()

    def action_older(self) -> None:
        """The filter before."""
        self.set_text(self.history.older(self.text))

    def action_newer(self) -> None:
        """The filter after."""
        self.set_text(self.history.newer(self.text))

    def action_clear_or_leave(self) -> None:
        """Take the filter off; if there is none, go back to the list."""
        if self.text:
            self.set_text("")
        else:
            self.post_message(self.Left())

    def _tell(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.text != self._told:
            self._told = self.text
            self.post_message(self.Changed(self.text))

    def _draw_note(self) -> None:
        note = self.query_one(Static)
        text, width = self._note, max(1, note.content_size.width)
        if self._error is not None:
            at, message = self._error.position, self._error.message
            text = " " * at + "^ " + message
            if len(text) > width:  # where it would be cut there is no place beneath the place
                text = f"at {at + 1}: {message}"
        note.set_class(self._error is not None, "-wrong")
        note.update(
            Content(text), layout=note.size.height > 1 or (self._error is not None and len(text) > width)
        )
