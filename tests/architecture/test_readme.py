"""README.md matches the program."""

import re

import click

from tests.architecture.source import ROOT
from tui.cli import cli
from tui.console.commands import COMMANDS, keys_of
from tui.topics import TOPICS

README = ROOT / "README.md"
TEXT = README.read_text()


def test_the_readme_is_short() -> None:
    assert TEXT.count("\n") <= 330


def test_every_command_is_in_the_readme() -> None:
    for name in cli.commands:
        assert f"pitstop {name}" in TEXT


def test_every_flag_in_the_readme_exists() -> None:
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


def test_the_keys_in_the_readme_match_the_commands() -> None:
    rows = re.findall(r"^\| `(\S+)` \| ([^|]+) \|", TEXT, re.MULTILINE)
    assert len(rows) == 10
    assert set(rows) <= {(key, command.label) for command in COMMANDS for key in keys_of(command)}


def test_every_help_topic_is_in_the_readme() -> None:
    named = re.search(r"`pitstop help` lists .*?\n\n", TEXT, re.DOTALL)
    assert named is not None
    assert set(re.findall(r"`(?:pitstop help )?(\w+)`", named[0])) == {*TOPICS}


def test_every_link_of_the_readme_leads_to_a_file() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT):
        assert (README.parent / target).exists(), target
