"""The command palette."""

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, Keymap
from textual.containers import Vertical
from textual.content import Content
from textual.fuzzy import Matcher
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui.console.commands import Command, CommandContext, disabled_reason, filter_commands, keys_of, offered
from tui.console.dialog import Dialog
from tui.console.theme import styles
from tui.console.widgets.line_input import LineInput

NOT_HERE = {"palette", "pane.next", "pane.previous"}
"""Commands that have no use inside the palette."""


def matching(text: str, now: CommandContext) -> list[Command]:
    """The commands that match ``text``, best first; without a text all, in the table's order."""
    commands = [command for command in offered(now) if command.name not in NOT_HERE] + filter_commands(now)
    if not text.strip():
        return commands
    matcher = Matcher(text)
    scored = [(max(matcher.match(c.label), matcher.match(c.help) * 0.5), c) for c in commands]
    return [command for score, command in sorted(scored, key=lambda pair: -pair[0]) if score > 0]


def cut(text: str, most: int = 60) -> str:
    """``text`` on one line of at most ``most`` characters."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


class PaletteScreen(Dialog[str | None], inherit_bindings=False):
    """Finds a command by a few letters of its name. Dismissed with the command's action."""

    CSS_PATH = styles("palette.tcss")
    AUTO_FOCUS = "#words"
    BINDINGS = [
        Binding("escape,ctrl+p", "dismiss(None)", show=False),
        Binding("down", "move('cursor_down')", show=False),
        Binding("up", "move('cursor_up')", show=False),
        Binding("pagedown", "move('page_down')", show=False),
        Binding("pageup", "move('page_up')", show=False),
    ]

    def __init__(self, command_context: CommandContext, keymap: Keymap) -> None:
        super().__init__()
        self._command_context = command_context
        self._keymap = keymap
        self._found: list[Command] = []

    def compose(self) -> ComposeResult:
        """A line to type in and what matches."""
        with Vertical(id="palette"):
            yield LineInput(id="words", placeholder="a command")
            options = OptionList(id="found", markup=False)
            options.can_focus = False
            yield options

    def on_mount(self) -> None:
        """List all commands."""
        self._find("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._find(event.value)

    def _find(self, text: str) -> None:
        found = self.query_one("#found", OptionList)
        found.clear_options()
        self._found = matching(text, self._command_context)
        found.add_options(self._option(command) for command in self._found)
        found.highlighted = 0 if found.option_count else None

    def _option(self, command: Command) -> Option:
        reason = disabled_reason(command, self._command_context)
        keys = ", ".join(keys_of(command, self._keymap))
        text = Content.assemble(
            f"{command.label:<18} ", (f"{keys:<11}", "$primary"), (reason or cut(command.help), "$quiet")
        )
        return Option(text, id=command.name, disabled=reason is not None)

    def action_move(self, how: str) -> None:
        """Move the highlight, while the focus stays on the line of input."""
        getattr(self.query_one("#found", OptionList), f"action_{how}")()

    @on(Input.Submitted)
    def _chosen(self) -> None:
        found = self.query_one("#found", OptionList)
        if found.highlighted is not None and not found.get_option_at_index(found.highlighted).disabled:
            self.dismiss(self._found[found.highlighted].action)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._found[event.option_index].action)
