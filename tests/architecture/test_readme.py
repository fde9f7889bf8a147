"""README.md says what the program does."""

import re

import click
import pytest

from tests.readme import README, TABLES, filled
from tui.cli import cli

TEXT = README.read_text()


def test_the_tables_are_those_of_the_program() -> None:
    old = [name for name, make in TABLES.items() if make() not in TEXT]
    assert old == [], "run `make readme`"
    assert (filled(TEXT) == TEXT) is True, "run `make readme`"


def test_a_table_that_differs_is_seen() -> None:
    changed = TEXT.replace("| `0` |", "| `1` |", 1)
    assert changed != TEXT
    assert "| `0` |" in filled(changed)
    with pytest.raises(ValueError, match="0 tables"):
        filled(TEXT.replace("<!-- keys -->", "", 1))


def test_every_command_is_explained() -> None:
    for name in cli.commands:
        assert f"pitstop {name}" in TEXT


def test_every_flag_that_is_named_exists() -> None:
    groups = [cli, *cli.commands.values()]
    known = {
        flag
        for command in groups
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for flag in parameter.opts
    } | {"--help", "--version"}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", re.sub(r"<!--.*?-->", "", TEXT)))
    assert named <= known | {"--config"}, named - known


def test_every_picture_and_file_it_points_to_is_there() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT):
        assert (README.parent / target).exists(), target


def test_each_table_is_not_empty() -> None:
    for name, make in TABLES.items():
        assert make().count("\n") > 3, name
