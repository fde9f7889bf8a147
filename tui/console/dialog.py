"""Modal screens with one answer, and the questions before servers are changed."""

import asyncio
import time

from textual import events
from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Input, Static

from tui.console.later import later
from tui.console.terminal.display import when_shown
from tui.console.terminal.queued_app import input_queue_of

PAINTED_FOR = 0.25
"""Seconds that a question must have been on the screen before an answer to it counts."""
ALONE_FOR = 0.5
"""Seconds in which no other key may follow a letter that answers: within a typed word, one does."""
RECHECK_AFTER = 0.05
"""Seconds after which a letter with unread input behind it is checked again."""


class Dialog(ModalScreen[ScreenResultType]):
    """A modal screen that only its first answer closes.

    In Textual a second answer would close the screen underneath.
    """

    painted_at = float("inf")
    """When it was painted last, in monotonic seconds as in Textual's events; infinite until then."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close with a result; do nothing if it is closed already or another screen is on top of it."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def on_screen_resume(self) -> None:
        """Textual: it is on top, for the first time or again."""
        self.painted_at = float("inf")
        when_shown(self, self._painted)

    def _painted(self) -> None:
        self.painted_at = time.monotonic()


class Question(Dialog[ScreenResultType]):
    """A dialog with an answer that changes servers. A subclass composes a ``Static`` of the class ``hint``.

    An answer counts only if the question was painted for ``PAINTED_FOR`` before the key was pressed, and if
    the key came alone. A letter takes effect after ``ALONE_FOR``, and not if other keys follow it: so a
    reason that is typed beside its field never answers.
    """

    letters = frozenset("yn")
    """The letters that answer; their bindings run ``answer(...)``."""

    def __init__(self) -> None:
        super().__init__()
        self._letter: events.Key | None = None
        self._timer: asyncio.TimerHandle | None = None

    # -- for subclasses to override

    def answer(self, answer: str) -> None:
        """Act on an answer that counts."""
        raise NotImplementedError

    def text_field(self) -> Input | None:
        """The field for text that is typed while another widget has the focus; None where there is none."""
        return None

    def say(self, text: str) -> None:
        """Show a line below the question."""
        self.query_one(".hint", Static).update(text)

    # -- which answers count

    def action_answer(self, answer: str) -> None:
        """Answer with a letter, unless another key follows it at once."""
        if not self._counts():
            return
        event = input_queue_of(self.app).current.event
        self._letter = event if isinstance(event, events.Key) else None
        self._timer = later(self, ALONE_FOR, lambda: self._act(answer))

    def press(self, answer: str, *, safe: bool) -> None:
        """Answer with Enter or the mouse; a ``safe`` answer changes nothing and always counts."""
        if safe or self._counts():
            self.answer(answer)

    def takes(self, key: events.Key) -> bool:
        """Handle a key that is text, or that follows a letter at once; return whether it was one."""
        letter = self._take_back()
        field = self.text_field()
        typing = isinstance(self.focused, Input)
        if key.key == "escape" or (
            letter is None and (typing or not key.is_printable or key.key in self.letters)
        ):
            return False
        if field is not None and key.is_printable and not (letter is None and key.key == "space"):
            self._type(field, _text(letter) + _text(key))
        elif letter is not None:
            self.say(f"{letter.key} counts as a key of its own: press it again, and wait a moment.")
        return True

    def on_paste(self, event: events.Paste) -> None:
        """Textual: text was pasted where no field has the focus. It never answers."""
        event.stop()
        text = _text(self._take_back()) + event.text.split("\n")[0]
        field = self.text_field()
        if field is not None and text.strip():
            self._type(field, text)
        else:
            self.say("Several characters came at once: no answer. Press one key.")

    def _counts(self) -> bool:
        event, alone = input_queue_of(self.app).current
        if not alone or event.time - self.painted_at < PAINTED_FOR:
            self.say("That key came before the question could be read: press it again.")
            return False
        return True

    def _take_back(self) -> events.Key | None:
        """Cancel the letter that was about to answer, and return it."""
        letter, self._letter = self._letter, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return letter

    def _act(self, answer: str) -> None:
        letter, queue = self._letter, input_queue_of(self.app)
        if letter is None or not self.is_current or not queue.is_newest(letter):
            return
        if queue.has_unread_input():
            self._timer = later(self, RECHECK_AFTER, lambda: self._act(answer))
            return
        self._take_back()
        self.answer(answer)

    def _type(self, field: Input, text: str) -> None:
        if field.value and not field.value.endswith(" "):
            text = f" {text.lstrip()}"
        field.focus()
        field.value += text
        field.cursor_position = len(field.value)


def _text(key: events.Key | None) -> str:
    return (key.character or "") if key else ""
