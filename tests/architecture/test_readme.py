"""README.md says what the program does."""

import re

import click

from tests.architecture.source import ROOT
from tui.cli import cli
from tui.console.commands import COMMANDS, keys_of
from tui.topics import TOPICS

README = ROOT / "README.md"
TEXT = README.read_text()


def test_it_is_short() -> None:
    assert TEXT.count("\n") <= 330


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
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT))
    assert named <= known, named - known


def test_every_key_is_what_the_console_makes_of_it() -> None:
    rows = re.findall(r"^\| `(\S+)` \| ([^|]+) \|", TEXT, re.MULTILINE)
    assert len(rows) == 10
    assert set(rows) <= {(key, command.label) for command in COMMANDS for key in keys_of(command)}


def test_every_topic_is_named() -> None:
    named = re.search(r"`pitstop help` lists .*?\n\n", TEXT, re.DOTALL)
    assert named is not None
    assert set(re.findall(r"`(?:pitstop help )?(\w+)`", named[0])) == {*TOPICS}


def test_every_picture_and_file_it_points_to_is_there() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT):
        assert (README.parent / target).exists(), target
