"""The keys that work everywhere: in every dialog, and where the terminal is too small."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.console.conftest import Console, OpenConsole
from tests.console.scripted import NOW, server
from tui.console.commands import keymap_problems
from tui.console.screens.too_small import TooSmallScreen
from tui.engine import events

DIALOGS = ["s", "question_mark", "ctrl+p", "C", "x", "t", "too small"]


@asynccontextmanager
async def open_dialog(console: OpenConsole, dialog: str) -> AsyncIterator[Console]:
    """The console with a dialog open."""
    async with console() as c:
        if dialog == "too small":
            await c.pilot.resize_terminal(40, 10)
        else:
            await c.press(dialog)
        await c.until(lambda: c.app.screen is not c.servers)
        yield c


@pytest.mark.parametrize("dialog", DIALOGS)
async def test_ctrl_q_quits_from_every_dialog(console: OpenConsole, dialog: str) -> None:
    async with open_dialog(console, dialog) as c:
        await c.pilot.press("ctrl+q")
        await c.until(lambda: not c.app.is_running or c.leaving())


@pytest.mark.parametrize("dialog", DIALOGS)
async def test_ctrl_c_shows_how_to_quit_and_ctrl_l_redraws_the_screen(
    console: OpenConsole, dialog: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_dialog(console, dialog) as c:
        drawn: list[bool] = []
        monkeypatch.setattr(c.app, "draw_all", lambda: drawn.append(True))
        top = c.app.screen
        await c.press("ctrl+c", "ctrl+l")
        assert any("ctrl+q to leave" in message for message in c.notifications())
        assert drawn == [True]
        assert c.app.screen is top


async def test_the_quit_dialog_shows_every_choice_in_a_terminal_too_small(console: OpenConsole) -> None:
    async with console(4, size=(80, 24)) as c:
        c.engine.emit(
            events.HeldInMaintenance(("WA1ACMEWEB001",)),
            events.ServersRead((server(1, maintenance=True),), NOW),
        )
        await c.until(lambda: c.store.still_in_maintenance())
        await c.pilot.resize_terminal(40, 8)
        await c.until(lambda: isinstance(c.app.screen, TooSmallScreen))
        await c.press("ctrl+q")
        for text in ("Leave with 1 server of yours", "n stay", "b bring them back", "y leave in maintenance"):
            assert text in c.text()


async def test_the_too_small_screen_closes_if_the_terminal_grows_behind_a_dialog(
    console: OpenConsole,
) -> None:
    async with open_dialog(console, "too small") as c:
        await c.app.action_help()
        await c.pilot.resize_terminal(120, 40)
        await c.press("escape")
        await c.until(lambda: not isinstance(c.app.screen, TooSmallScreen))
        assert c.app.screen is c.servers


def test_a_keymap_cannot_give_global_keys_to_another_command() -> None:
    assert keymap_problems({"help": "ctrl+q"}) == ["keys: 'ctrl+q' is both 'quit' and 'help'"]
    assert keymap_problems({"help": "ctrl+c"}) == ["keys: 'ctrl+c' is both 'interrupt' and 'help'"]
    assert keymap_problems({"quit": "Q"}) == []
