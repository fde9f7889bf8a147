"""Screens on top of the others that answer once; and those among them that ask before servers are touched."""

import asyncio
import time

from textual import events
from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Input, Static

from tui.console.display import when_shown
from tui.console.gate import last_stroke
from tui.console.later import later

PAINTED_FOR = 0.25
"""Seconds that a question must have been on the screen before an answer that changes something counts."""
ALONE_FOR = 0.5
"""Seconds in which no other key may follow a letter that answers: in a word that is typed, one does."""


class Dialog(ModalScreen[ScreenResultType]):
    """A modal screen whose first answer counts.

    Textual would let a second answer close the screen underneath.
    """

    painted_at = float("inf")
    """When it was on the screen as it is now, by the clock of the events."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close with a result; nothing if it is closed already or another screen is on top of it."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def on_screen_resume(self) -> None:
        """Textual: on top, for the first time or again."""
        self.painted_at = float("inf")
        when_shown(self, self._painted)

    def _painted(self) -> None:
        self.painted_at = time.monotonic()


class Question(Dialog[ScreenResultType]):
    """A dialog one of whose answers changes servers. It composes a ``Static`` with the class ``hint``.

    Such an answer counts only when it was given to the question as seen: painted for a moment before the
    key was pressed, and by a key of its own. A letter takes effect a moment later, and not if other keys
    follow it: what somebody types as a reason, wherever the focus is, never answers.
    """

    letters = frozenset("yn")
    """The letters that answer, bound to ``answer(...)``."""

    def __init__(self) -> None:
        super().__init__()
        self._letter: events.Key | None = None
        self._timer: asyncio.TimerHandle | None = None

    # -- for subclasses

    def answer(self, answer: str) -> None:
        """Act on an answer, called when it counts."""
        raise NotImplementedError

    def text_field(self) -> Input | None:
        """Where text goes that is typed while another widget has the focus."""
        return None

    def say(self, text: str) -> None:
        """Show a line of its own below the question."""
        self.query_one(".hint", Static).update(text)

    # -- what counts

    def action_answer(self, answer: str) -> None:
        """Answer by a letter, if no other key follows it at once."""
        if not self._counts():
            return
        stroke = last_stroke(self.app)
        self._letter = stroke.event if isinstance(stroke.event, events.Key) else None
        self._timer = later(self, ALONE_FOR, lambda: self._act(answer))

    def press(self, answer: str, *, safe: bool) -> None:
        """Answer by Enter or the mouse; ``safe`` answers need no second look."""
        if safe or self._counts():
            self.answer(answer)

    def takes(self, key: events.Key) -> bool:
        """Whether a key is dealt with here, first of all: text, and what follows an answer at once."""
        letter, self._letter = self._letter, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        field = self.text_field()
        typing = isinstance(self.focused, Input)
        if key.key == "escape" or (
            letter is None and (typing or not key.is_printable or key.key in self.letters)
        ):
            return False
        if field is not None and key.is_printable and not (letter is None and key.key == "space"):
            self._type(field, (letter.character or "" if letter else "") + (key.character or ""))
        elif letter is not None:
            self.say(f"{letter.key} counts as a key of its own: press it again, and wait a moment.")
        return True

    def on_paste(self, event: events.Paste) -> None:
        """Textual: text was pasted where no field has the focus. It answers nothing."""
        event.stop()
        field, lines = self.text_field(), event.text.split("\n")
        if field is not None and lines[0].strip():
            self._type(field, lines[0].rstrip())
        else:
            self.say("Several characters came at once: no answer. Press one key.")

    def _counts(self) -> bool:
        stroke = last_stroke(self.app)
        if not stroke.alone or stroke.event.time - self.painted_at < PAINTED_FOR:
            self.say("That key came before the question could be read: press it again.")
            return False
        return True

    def _act(self, answer: str) -> None:
        if self._timer is not None and self.is_current:
            self._timer = self._letter = None
            self.answer(answer)

    def _type(self, field: Input, text: str) -> None:
        if field.value and not field.value.endswith(" "):
            text = f" {text.lstrip()}"
        field.focus()
        field.value += text
        field.cursor_position = len(field.value)
