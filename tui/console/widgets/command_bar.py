"""The last line of the screen: the keys that can be used now."""

from textual.binding import Keymap
from textual.content import Content
from textual.widget import Widget

from tui.console.commands import CommandContext, Pane
from tui.console.footer import hints


class CommandBar(Widget):
    """One line of keys and what they do, as many as fit; help and quit always do."""

    def __init__(self, keymap: Keymap, command_context: CommandContext) -> None:
        super().__init__()
        self._keymap = keymap
        self._command_context = command_context
        self._pane = command_context.pane

    def show(self, command_context: CommandContext, pane: Pane) -> None:
        """Show the keys for a context and the focused pane; draws only when they differ."""
        before, self._command_context, self._pane = self.render(), command_context, pane
        if self.render().markup != before.markup:
            self.refresh()

    def render(self) -> Content:
        """Textual: keys bold, words plain, commands that are disabled dim."""
        parts: list[Content] = []
        for command, text in hints(
            self._command_context, self._pane, self._keymap, max(0, self.size.width - 2)
        ):
            key, _, word = text.partition(" ")
            usable = command.disabled_reason(self._command_context) is None
            parts.append(
                Content.assemble(
                    (key, "bold $primary" if usable else "$rule"), " ", (word, "" if usable else "$rule")
                )
            )
        return Content("  ").join(parts)
