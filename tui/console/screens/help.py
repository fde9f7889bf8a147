"""The help: keys, filter language, states and signs, made from the tables that the program uses."""

from itertools import groupby
from textwrap import wrap

from textual.app import ComposeResult
from textual.binding import Binding, Keymap
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.console.commands import Command, CommandContext, keys_of, offered
from tui.console.dialog import Dialog
from tui.console.footer import PANE_KEYS
from tui.console.theme import styles
from tui.console.widgets.change_signs import CHANGED, NEW
from tui.model.filter.grammar import GRAMMAR
from tui.model.operation import STATE_STYLES

MOVING = (
    ("up, down", "one line"),
    ("pgup, pgdn", "one page"),
    ("home, end", "first, last"),
    ("shift+up, shift+down", "move and mark"),
)
"""Keys of every list."""


def key_table(commands: list[Command], keymap: Keymap) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """(section, [(keys, name, what it does)]) in the table's order; commands without a key show "palette"."""
    return [
        (section, [(", ".join(keys_of(c, keymap)) or "palette", c.label, c.help) for c in found])
        for section, found in groupby(commands, key=lambda command: command.section)
    ]


def help_text(command_context: CommandContext, keymap: Keymap, width: int = 74) -> Content:
    """The whole page, with lines of at most ``width`` cells."""

    def row(left: str, note: str, wide: int, middle: str = "", style: str = "bold") -> Content:
        room = max(20, width - wide - 1 - len(middle))
        lines = ("\n" + " " * (width - room)).join(wrap(note, room))
        return Content.assemble((f"{left:<{wide}} ", style), middle, (lines, "$quiet"))

    sections: list[tuple[str, list[Content]]] = [
        (section, [row(keys, help_, 11, f"{label:<18}") for keys, label, help_ in rows])
        for section, rows in key_table([*offered(command_context), *PANE_KEYS], keymap)
    ]
    sections.append(("Moving", [row(keys, what, 20) for keys, what in MOVING]))
    sections.append(("Filter", [row(rule.form, rule.meaning, 21) for rule in GRAMMAR]))
    states = [
        row(f"{state.sign} {state.word}", state.meaning, 12, style=f"$state-{state.colour}")
        for state in STATE_STYLES.values()
    ]
    signs = [row(sign, meaning, 12, style=style) for sign, style, meaning in SIGNS]
    sections += [("States", states), ("Signs", signs)]
    lines: list[Content] = []
    for title, rows in sections:
        lines += [Content(""), Content.styled(title, "bold $primary"), *rows]
    return Content("\n").join(lines[1:])


SIGNS = (
    ("▌", "bold $primary", "the cursor; ▏ where the keys go elsewhere"),
    ("✓", "bold $primary", "before an id: marked"),
    (NEW, "", "before an id: the server is new since the reading before; shown for 20 seconds"),
    (CHANGED, "", "before an id: something about the server has changed; shown for 20 seconds"),
    ("●", "bold $primary", "before a group: only its servers are listed"),
    ("▾ ▸", "", "a group that is unfolded, and one that is folded"),
    ("on", "bold $maintenance", "amber is maintenance, and nothing else"),
)
"""Other signs: the sign, its style, what it means."""


class HelpScreen(Dialog[None], inherit_bindings=False):
    """A page of text; any of the usual keys closes it."""

    CSS_PATH = styles("help.tcss")
    AUTO_FOCUS = "#page"
    BINDINGS = [
        Binding("escape,q,question_mark,f1,enter", "dismiss", show=False),
    ]

    def __init__(self, command_context: CommandContext, keymap: Keymap) -> None:
        super().__init__()
        self._command_context = command_context
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        """The page."""
        with VerticalScroll(id="page") as page:
            page.border_title = "Help"
            page.border_subtitle = "esc closes"
            yield Static(id="text")

    def on_resize(self) -> None:
        """Textual: wrap the text to the new width."""
        width = self.query_one("#page").scrollable_content_region.width
        self.query_one("#text", Static).update(help_text(self._command_context, self._keymap, width))
