"""`pitstop help`: each page names everything of its kind, and fits the terminal."""

import os
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.architecture.source import ROOT
from tests.architecture.test_start_up import HEAVY, loaded_after
from tests.headless.conftest import Pitstop
from tui.console.commands import COMMANDS, keys_of
from tui.headless.exits import Exit
from tui.model.filter.grammar import GRAMMAR
from tui.model.listing.columns import COLUMNS
from tui.model.operation import DONE, STATE_STYLES, Action
from tui.model.planned_end import FORMS
from tui.sandbox.config import FAULTS
from tui.settings.schema import Profile, Settings, setting_infos
from tui.topics import TOPICS

NAMED: dict[str, Callable[[], list[str]]] = {
    "columns": lambda: [name for column in COLUMNS.values() for name in (column.name, *column.aliases)],
    "environment": lambda: [f"PITSTOP_{one.name.upper()}" for one in setting_infos(Settings) if one.simple],
    "exits": lambda: [str(exit_.value) for exit_ in Exit],
    "faults": lambda: list(FAULTS),
    "filters": lambda: [text for rule in GRAMMAR for text in (rule.form, *rule.examples)],
    "keys": lambda: [text for command in COMMANDS for text in (*keys_of(command), command.name)],
    "operations": lambda: [f"pitstop {action.verb}" for action in Action],
    "settings": lambda: [one.name for struct in (Settings, Profile) for one in setting_infos(struct)],
    "signs": lambda: [text for style in (*STATE_STYLES.values(), DONE) for text in (style.sign, style.word)],
    "windows": lambda: [form.form for form in FORMS],
}
"""Topic -> everything that its page has to name."""


def test_every_topic_has_a_row_in_this_table() -> None:
    assert NAMED.keys() == TOPICS.keys()


@pytest.mark.parametrize("topic", TOPICS)
def test_each_page_names_everything_of_its_kind(pitstop: Pitstop, topic: str) -> None:
    ran = pitstop("help", topic)
    assert (ran.code, ran.err) == (0, "")
    assert [name for name in NAMED[topic]() if name not in ran.out] == []


@pytest.mark.parametrize("topic", ["", *TOPICS])
def test_a_page_fits_80_columns(pitstop: Pitstop, topic: str) -> None:
    assert max(map(len, pitstop("help", *topic.split()).out.splitlines())) <= 80


def test_the_environment_page_names_every_variable_that_is_read(pitstop: Pitstop) -> None:
    source = "".join(path.read_text() for path in (ROOT / "tui").rglob("*.py") if path.name != "schema.py")
    read = set(re.findall(r'"((?:PITSTOP|CLC|XDG|SSL)_[A-Z_]*[A-Z]|NO_COLOR)"', source))
    assert {"PITSTOP_HOME", "CLC_USER", "NO_COLOR"} <= read
    text = pitstop("help", "environment").out
    assert [name for name in sorted(read) if name not in text] == []


def test_help_without_a_topic_lists_all_topics(pitstop: Pitstop) -> None:
    ran = pitstop("help")
    assert ran.code == 0
    assert re.findall(r"^  (\w+)", ran.out, re.MULTILINE) == list(TOPICS)


def test_an_unknown_topic_is_wrong_usage(pitstop: Pitstop) -> None:
    ran = pitstop("help", "nonsense")
    assert (ran.code, ran.out) == (2, "")
    assert all(f"'{topic}'" in ran.err for topic in TOPICS)


def test_signs_outside_the_output_encoding_are_replaced() -> None:
    command = [sys.executable, "-m", "tui", "help", "signs"]
    environ = os.environ | {"PYTHONIOENCODING": "ascii"}
    assert b"? + verified" in subprocess.run(command, env=environ, capture_output=True, check=True).stdout


def test_a_page_imports_only_the_modules_it_is_made_from() -> None:
    code = "from tui.cli import main\nmain(['help'])"
    assert loaded_after(code, *HEAVY) == set()
    assert loaded_after(code.replace("'help'", "'help', 'exits'"), "textual", "httpx", "starlette") == set()
