"""The tables of README.md, made from the program, so that they say what it does.

``python -m tests.readme`` (or ``make readme``) writes them anew; a test holds the file against them.
"""

import re
from collections.abc import Callable
from pathlib import Path

from tui.console.commands import COMMANDS, keys_of
from tui.headless.exits import Exit
from tui.model.filter.grammar import GRAMMAR
from tui.model.operation import STATE_STYLES
from tui.sandbox.config import FAULTS
from tui.settings.report import markdown_table
from tui.settings.schema import Profile, Settings

README = Path(__file__).resolve().parents[1] / "README.md"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A table; a bar within a cell is escaped."""
    lines = [heads, ["---"] * len(heads), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def keys() -> str:
    """What the console's keys do."""
    rows = [
        [" ".join(f"`{key}`" for key in keys_of(command)), command.label, command.help, f"`{command.name}`"]
        for command in COMMANDS
    ]
    return table(["key", "", "", "name"], rows)


def filters() -> str:
    """The filter language."""
    return table(
        ["form", "what it finds", "for example"],
        [[f"`{rule.form}`", rule.meaning, " ".join(f"`{one}`" for one in rule.examples)] for rule in GRAMMAR],
    )


TABLES: dict[str, Callable[[], str]] = {
    "keys": keys,
    "filters": filters,
    "states": lambda: table(
        ["sign", "ASCII", "word", "in JSON"],
        [[look.sign, f"`{look.ascii}`", look.word, f"`{state}`"] for state, look in STATE_STYLES.items()],
    ),
    "exits": lambda: table(["code", ""], [[f"`{exit_.value}`", exit_.meaning] for exit_ in Exit]),
    "settings": lambda: markdown_table(Settings),
    "profiles": lambda: markdown_table(Profile),
    "faults": lambda: table(["fault", ""], [[f"`{name}`", text] for name, text in FAULTS.items()]),
}
"""Every table by the name that stands in the markers around it."""


def filled(text: str) -> str:
    """``text`` with every table as the program has it. Raises ValueError for one that is not there."""
    for name, make in TABLES.items():
        text, count = re.subn(
            rf"(<!-- {name} -->\n).*?(?=<!-- end -->)",
            lambda found: f"{found[1]}{make()}\n",  # noqa: B023 - used at once
            text,
            flags=re.DOTALL,
        )
        if count != 1:
            raise ValueError(f"README.md has {count} tables {name!r}")
    return text


if __name__ == "__main__":
    README.write_text(filled(README.read_text()))
