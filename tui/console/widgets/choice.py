"""A choice in a dialog: one focusable line, without the animation and the height of a button."""

from textual.binding import Binding
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget


class Choice(Widget, can_focus=True):
    """A choice that is pressed with Enter or the mouse."""

    BINDINGS = [Binding("enter", "press", show=False)]

    class Pressed(Message):
        """The choice was pressed."""

        def __init__(self, choice: "Choice") -> None:
            super().__init__()
            self.choice = choice

        @property
        def control(self) -> "Choice":
            """Textual: the choice, for selectors of ``on``."""
            return self.choice

    def __init__(
        self,
        key: str,
        label: str,
        *,
        id: str,  # noqa: A002 - Textual's own name
        disabled: bool = False,
    ) -> None:
        super().__init__(id=id, disabled=disabled)
        self._text = Content.assemble((f"{key} ", "bold"), f"{label} ")

    def render(self) -> Content:
        """Textual: the key and what it does, with a sign where the focus is: not by colour alone."""
        return Content("►" if self.has_focus else " ") + self._text

    def action_press(self) -> None:
        """Press it."""
        self.post_message(self.Pressed(self))

    def on_click(self, event: Click) -> None:
        """Textual: press it with the mouse."""
        event.stop()
        self.action_press()
