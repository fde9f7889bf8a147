"""A line of input."""

from typing import Any

from textual.events import Key
from textual.reactive import var
from textual.widgets import Input


class Field(Input):
    """A line of input whose cursor does not blink, and whose keys act in the order they were pressed.

    Blinking sends 1.7 kB a second for nothing. And Textual would have a key that edits go all the way up to
    the application before it acts; characters that come with it in one burst would overtake it.
    """

    cursor_blink = var(False)

    async def _on_key(self, event: Key) -> None:
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return

    def action_copy(self) -> None:
        """Hand what is selected to the terminal's clipboard, but never a password."""
        if not self.password:
            super().action_copy()

    def action_cut(self) -> None:
        """The same for cutting it out."""
        if not self.password:
            super().action_cut()

    def __init__(self, value: str = "", **options: Any) -> None:
        super().__init__(value, select_on_focus=False, compact=True, **options)
