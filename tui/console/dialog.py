"""Screens on top of the others that answer once."""

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType


class Dialog(ModalScreen[ScreenResultType]):
    """A modal screen whose first answer counts.

    Keys come faster than screens close, above all over a bad link that lets them through in one piece.
    Textual would let a second answer close the screen underneath.
    """

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close with a result; nothing if it is closed already or another screen is on top of it."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
