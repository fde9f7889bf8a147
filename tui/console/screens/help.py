"""All keys, the filter language and the signs: made from the tables that the program itself uses."""

from itertools import groupby
from textwrap import wrap

from textual.app import ComposeResult
from textual.binding import Binding, Keymap
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.console.commands import Command, Situation, keys_of, offered
from tui.console.dialog import Dialog
from tui.console.theme import styles
from tui.model.grammar import GRAMMAR
from tui.model.operation import LOOKS

MOVING = (
    ("up, down", "one line"),
    ("pgup, pgdn", "one page"),
    ("home, end", "first, last"),
    ("shift+up, shift+down", "move and mark"),
)
"""What every list understands."""


def key_table(commands: list[Command], keymap: Keymap) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Section -> (keys, name, what it does), in the table's order; commands without a key say "palette"."""
    return [
        (section, [(", ".join(keys_of(c, keymap)) or "palette", c.label, c.help) for c in found])
        for section, found in groupby(commands, key=lambda command: command.section)
    ]


def help_text(situation: Situation, keymap: Keymap) -> Content:
    """The whole page, no line wider than 78 cells."""
    sections: list[tuple[str, list[Content]]] = [
        (section, [_row(keys, f"{label:<18}", help_) for keys, label, help_ in rows])
        for section, rows in key_table(offered(situation), keymap)
    ]
    sections.append(("Moving", [_row(keys, what) for keys, what in MOVING]))
    sections.append(("Filter", [_row(rule.form, "", rule.meaning, wide=21) for rule in GRAMMAR]))
    signs = [
        Content.assemble((f"{look.sign} {look.word:<10}", f"$state-{look.colour}"), MEANING[look.word])
        for look in LOOKS.values()
    ]
    amber = Content.assemble(("on", "$maintenance"), f"{'':<10}", "amber is maintenance, and nothing else")
    sections.append(("Signs", [*signs, amber]))
    lines: list[Content] = []
    for title, rows in sections:
        lines += [Content(""), Content.styled(title, "bold $primary"), *rows]
    return Content("\n").join(lines[1:])


def _row(left: str, right: str, note: str = "", wide: int = 11) -> Content:
    indent = "\n" + " " * (wide + 1 + len(right))
    note = indent.join(wrap(note, 74 - len(indent)))
    return Content.assemble((f"{left:<{wide}} ", "bold"), right, (note, "$quiet"))


MEANING = {
    "planned": "will be sent",
    "sending": "on its way to the platform",
    "queued": "the platform has a job for it that has not begun",
    "running": "its job is being carried out",
    "checking": "its job has ended; whether the server changed is being looked up",
    "verified": "the server was read again and is as it should be",
    "refused": "the platform did not take it; the message says why",
    "failed": "its job failed and the server did not change",
    "unsure": "the answer was lost and the server does not tell; look before doing it again",
    "not sent": "nothing was sent for it",
}
"""What a state means, in one line."""


class HelpScreen(Dialog[None], inherit_bindings=False):
    """A page to read; any of the usual keys closes it."""

    CSS_PATH = styles("help.tcss")
    AUTO_FOCUS = "#page"
    BINDINGS = [
        Binding("escape,q,question_mark,f1,enter", "dismiss", show=False),
    ]

    def __init__(self, situation: Situation, keymap: Keymap) -> None:
        super().__init__()
        self._situation = situation
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        """The page."""
        with VerticalScroll(id="page") as page:
            page.border_title = "Help"
            page.border_subtitle = "esc closes"
            yield Static(help_text(self._situation, self._keymap))
