"""The line on which the filter is typed."""

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
"""Seconds after a key before ``Changed`` is posted, so that fast typing filters once."""
HINT = "words · field:value · !not · a or b · ↑ older · enter keep · esc clear"


class FilterBar(Vertical):
    """An input with history; below it, while it has the focus, an error or how many servers match."""

    DEFAULT_CSS = """
    FilterBar {
        height: auto;
        & > Input { height: 1; border: none; padding: 0 1; background: $panel; }
        & > Input:focus { border: none; }
        & > Static { height: 1; padding: 0 1; color: $quiet; display: none; }
        & > Static.-wrong { height: auto; max-height: 4; color: $state-red; }
        /* Textual restyles the children of a widget on focus only if it has such a rule itself. */
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
        """Another filter was typed or chosen."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

        def can_replace(self, message: Message) -> bool:
            """Only the newest filter matters."""
            return isinstance(message, FilterBar.Changed)

    class Closed(Message):
        """The operator has finished the filter; the focus returns to the list."""

    def __init__(self, text: str = "", *, history: Iterable[str] = (), id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.history = History(history)
        """Filters typed before; the settings keep ``history.lines``."""
        self._start = text
        self._posted = text
        self._timer: asyncio.TimerHandle | None = None
        self._error: QueryError | None = None
        self._note = HINT

    def compose(self) -> ComposeResult:
        """Textual: the parts."""
        yield LineInput(self._start, placeholder="/ filter")
        yield Static(HINT)

    @property
    def text(self) -> str:
        """The filter as typed."""
        return self.query_one(Input).value

    def set_text(self, text: str) -> None:
        """Set a filter, e.g. a named one; ``Changed`` is posted before the next key is dispatched."""
        line = self.query_one(Input)
        line.value = text
        line.cursor_position = len(text)
        self._post()

    @property
    def wrong(self) -> bool:
        """Whether the filter as typed does not parse."""
        return self._error is not None

    def show_error(self, error: QueryError | None) -> None:
        """Show where and why the filter does not parse; None when it does."""
        self._error = error
        self._draw_note()

    def show_note(self, note: str) -> None:
        """Show how many servers match, in place of the hint."""
        self._note = note or HINT
        self._draw_note()

    def on_focus(self) -> None:
        """Textual: pass the focus to the input."""
        self.query_one(Input).focus()

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """Post the filter when no other key follows at once."""
        event.stop()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = later(self, DELAY, self._post)

    @on(Input.Submitted)
    def keep(self, event: Input.Submitted) -> None:
        """Post the filter and leave it."""
        event.stop()
        self._post()
        self.post_message(self.Closed())

    def on_descendant_blur(self) -> None:
        """Textual: post the filter before the next widget acts on the list."""
        self._post()

    def action_older(self) -> None:
        """Set the previous filter of the history."""
        self.set_text(self.history.older(self.text))

    def action_newer(self) -> None:
        """Set the next filter of the history."""
        self.set_text(self.history.newer(self.text))

    def action_clear_or_leave(self) -> None:
        """Clear the filter; without one, leave it."""
        if self.text:
            self.set_text("")
        else:
            self.post_message(self.Closed())

    def _post(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.text != self._posted:
            self._posted = self.text
            self.post_message(self.Changed(self.text))

    def _draw_note(self) -> None:
        note = self.query_one(Static)
        text, width = self._note, max(1, note.content_size.width)
        if self._error is not None:
            at, message = self._error.position, self._error.message
            text = " " * at + "^ " + message
            if len(text) > width:  # no room to point at the place
                text = f"at {at + 1}: {message}"
        note.set_class(self._error is not None, "-wrong")
        note.update(
            Content(text), layout=note.size.height > 1 or (self._error is not None and len(text) > width)
        )
