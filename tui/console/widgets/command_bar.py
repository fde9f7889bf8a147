"""The last line: the keys that matter now. Whole hints go where there is no room, help and quit never."""

from textual.binding import Keymap
from textual.content import Content
from textual.widget import Widget

from tui.console.commands import Command, Scope, Situation, fit, keys_of, offered


class CommandBar(Widget):
    """One line of keys and what they do, made from the table of commands."""

    def __init__(self, keymap: Keymap, situation: Situation) -> None:
        super().__init__()
        self._keymap = keymap
        self._situation = situation

    def show(self, situation: Situation) -> None:
        """Show the keys for another situation; draws only when they differ."""
        before, self._situation = self.render(), situation
        if self.render().markup != before.markup:
            self.refresh()

    def _hints(self) -> list[tuple[Command, str]]:
        hints = [
            (command, f"{keys_of(command, self._keymap)[0]} {command.hint}")
            for command in offered(self._situation, Scope)
            if command.hint and (command.keys or command.name in self._keymap)
        ]
        return fit(hints, max(0, self.size.width - 2))

    def render(self) -> Content:
        """The keys stand out, the words do not; what cannot be used now is dim."""
        parts: list[Content] = []
        for command, text in self._hints():
            key, _, word = text.partition(" ")
            usable = command.why_not(self._situation) is None
            parts.append(
                Content.assemble(
                    (key, "bold $primary" if usable else "$rule"), " ", (word, "" if usable else "$rule")
                )
            )
        return Content("  ").join(parts)
