"""The console, logged in, with the servers read."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.console.parsed_once import parsed_once
from tests.console.scripted import LOGGED_IN, ScriptedEngine, fleet_of, make_app, until
from tests.console.textual_screen import notifications, screen_lines
from tests.patience import PATIENCE
from tui.console import dialog
from tui.console.app import PitstopApp
from tui.console.screens.servers import ServersScreen
from tui.console.store import Store
from tui.console.terminal import input_queue


@pytest.fixture(scope="session", autouse=True)
def parse_styles_once() -> Iterator[None]:
    """Share the parsed styles among all consoles of a process."""
    with parsed_once():
        yield


@pytest.fixture(autouse=True)
def no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept answers as soon as a dialog is painted, and let nothing time out on a busy machine.

    Only tests/terminal keeps the real delays.
    """
    monkeypatch.setattr(dialog, "PAINTED_FOR", 0.0)
    monkeypatch.setattr(dialog, "ALONE_FOR", 0.0)
    monkeypatch.setattr(input_queue, "TYPING_PAUSE", 0.0)
    monkeypatch.setattr(input_queue, "EFFECT_TIMEOUT", PATIENCE)
    monkeypatch.setattr(PitstopApp, "NOTIFICATION_TIMEOUT", PATIENCE)


class Console(NamedTuple):
    """A console under test."""

    app: PitstopApp
    pilot: Pilot[None]
    engine: ScriptedEngine
    servers: ServersScreen

    async def press(self, *keys: str) -> None:
        """Press keys one by one, and wait for the full effect of each."""
        for key in keys:
            await self.pilot.press(key)
            await until(self.pilot, lambda: self.app.input_queue.idle, "the input queue is idle")

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait until ``condition`` holds."""
        await until(self.pilot, condition, what)

    @property
    def store(self) -> Store:
        """The store of the main screen."""
        return self.servers.store

    def marked(self) -> list[str]:
        """The ids of the marked servers."""
        return list(self.servers.servers.selection)

    def text(self) -> str:
        """The whole screen, line by line, as plain text."""
        width, height = self.app.size
        lines = screen_lines(self.app)
        return "\n".join(strip.crop(0, width).text.rstrip() for strip in lines[:height])

    def leaving(self) -> bool:
        """Whether the application is exiting or has exited."""
        return self.app.return_code is not None

    def question(self) -> str:
        """The question of the dialog on the screen; empty without one."""
        return " ".join(
            str(one.content) for one in self.app.screen.query("#question,.question").results(Static)
        )

    def dialog(self) -> str:
        """The text of the dialog on the screen, however its lines are broken; without what is behind it."""
        region = self.app.screen.query("#dialog,.dialog").first().region
        lines = self.text().splitlines()[region.y : region.bottom]
        return " ".join(" ".join(line[region.x + 1 : region.right - 1] for line in lines).split())

    def notifications(self) -> list[str]:
        """The texts of the notifications on the screen."""
        return notifications(self.app)


OpenConsole = Callable[..., AbstractAsyncContextManager[Console]]


@pytest.fixture
def console() -> OpenConsole:
    """``async with console(servers=12, size=(120, 24), ...)``: logged in, the list filled."""

    @asynccontextmanager
    async def open_console(
        servers: int = 12,
        size: tuple[int, int] = (120, 24),
        roles: tuple[str, ...] = ("ServerAdmin",),
        **options: Any,
    ) -> AsyncIterator[Console]:
        engine = ScriptedEngine(fleet_of(servers), roles=roles)
        app = make_app(engine, start=options.pop("start", LOGGED_IN), **options)
        async with app.run_test(size=size, notifications=True) as pilot:
            await until(
                pilot, lambda: isinstance(app.screen, ServersScreen) and app.store and app.store.read_at
            )
            screen = app.screen
            assert isinstance(screen, ServersScreen)
            await pilot.pause()
            yield Console(app, pilot, engine, screen)

    return open_console
