"""The table of commands, and the bindings, hints and palette made from it."""

import dataclasses

import pytest
from textual import actions

from tests.console.scripted import ScriptedEngine
from tui.console import commands
from tui.console.app import PitstopApp
from tui.console.commands import BY_NAME, COMMANDS, CommandContext, Scope, bindings, keys_of, offered
from tui.console.footer import fit
from tui.console.preferences import Preferences
from tui.console.screens.palette import matching
from tui.console.screens.servers import ServersScreen
from tui.console.store import Store
from tui.settings.schema import Settings

BUSY = CommandContext(
    chosen=2,
    marked=2,
    shown=9,
    operations=2,
    unsent=1,
    interrupted_unsent=1,
    details=True,
    still_in_maintenance=1,
)
"""A context in which every command is enabled."""


def test_command_names_and_keys_are_unique() -> None:
    assert len(BY_NAME) == len(COMMANDS)
    assert commands.keymap_problems({}) == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_an_action_method(command: commands.Command) -> None:
    preferences = Preferences(Settings(), lambda **_: None, lambda _: None)
    screen = ServersScreen(Store(), ScriptedEngine(), preferences)
    kind, name, _ = actions.parse(command.action)
    owner = {"app": PitstopApp, "": screen, **screen.actions}[kind]
    assert callable(getattr(owner, f"action_{name}"))
    assert kind in {"app", ""} or type(owner).__module__ == f"tui.console.actions.{kind}"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_a_label_and_a_short_help_sentence(command: commands.Command) -> None:
    assert command.label
    assert command.help.endswith(".")
    assert len(command.help) < 60


def test_read_only_disables_every_command_that_changes_servers() -> None:
    readonly = dataclasses.replace(BUSY, readonly=True)
    assert not [command for command in offered(readonly) if command.dangerous]
    assert not [command for command in matching("power", readonly) if command.dangerous]
    for command in COMMANDS:
        if command.dangerous:
            assert commands.disabled_reason(command, readonly) == "this console is read-only"
            assert commands.disabled_reason(command, BUSY) is None
            assert commands.of_action(command.action) is command


def test_every_command_that_sends_is_marked_dangerous() -> None:
    sending = {
        command.name for command in COMMANDS if "operate(" in command.action or "send" in command.action
    }
    assert {BY_NAME[name].dangerous for name in sending} == {True}


def test_without_the_role_operations_are_disabled_with_a_reason() -> None:
    viewer = dataclasses.replace(BUSY, may_operate=False)
    assert (
        commands.disabled_reason(BY_NAME["maintenance.start"], viewer)
        == "your role does not allow operations"
    )


def test_an_action_outside_the_table_belongs_to_no_command() -> None:
    assert commands.of_action("cursor_down") is None


def test_bindings_have_the_command_names_that_a_keymap_uses() -> None:
    assert {binding.id for binding in bindings(Scope.SERVERS)} <= set(BY_NAME)
    assert keys_of(BY_NAME["help"]) == ["?", "F1"]
    assert keys_of(BY_NAME["quit"], {"quit": "ctrl+d"}) == ["ctrl+d"]


def test_a_keymap_is_checked_for_unknown_commands_and_key_conflicts() -> None:
    assert commands.keymap_problems({"nothing.such": "x"}) == ["keys: there is no command 'nothing.such'"]
    (clash,) = commands.keymap_problems({"refresh": "s"})
    assert "'maintenance.start'" in clash
    assert "'refresh'" in clash
    assert commands.keymap_problems({"refresh": "R"}) == []


@pytest.mark.parametrize("width", range(10, 200, 7))
def test_a_narrow_footer_drops_whole_hints_and_never_help_or_quit(width: int) -> None:
    hints = [(command, f"{keys_of(command)[0]} {command.hint}") for command in COMMANDS if command.hint]
    kept = fit(hints, width)
    names = [command.name for command, _ in kept]
    assert names[-2:] == ["help", "quit"]
    if len(kept) > 2:
        assert sum(len(text) for _, text in kept) + 2 * (len(kept) - 1) <= width
        lightest = min(command.weight for command, _ in kept)
        dropped = [command.weight for command, _ in hints if command.name not in names]
        assert all(weight <= lightest for weight in dropped)


def test_the_palette_matches_letters_and_lists_the_best_match_first() -> None:
    assert matching("start m", BUSY)[0].name == "maintenance.start"
    assert matching("zzzz", BUSY) == []
    assert len(matching("", BUSY)) > 20
