"""The pictures of the README: ``python -m tests.screenshots [DIRECTORY]``.

They show a real run: the console and its engine work on a sandbox in this process. All three use one
clock, moved by hand, so that a job of a minute takes a second and a picture can be taken at any moment.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from textual.pilot import Pilot

from tests.console.scripted import until
from tui.console import dialog
from tui.console.app import PitstopApp
from tui.console.options import StartOptions
from tui.console.screens.servers import ServersScreen
from tui.console.terminal import input_queue
from tui.engine.endpoint import Endpoint
from tui.engine.engine import Engine
from tui.model.operation import Operation, State
from tui.sandbox.app import create_app
from tui.sandbox.config import SandboxConfig
from tui.settings.schema import Settings

SIZE = (120, 36)
SANDBOX = SandboxConfig(servers=1200, seed=11, job_seconds=(12, 150), faults={"job-fails": 0.2})
START_TIME = 1_795_600_000.0
"""2026-11-25 09:46:40 UTC."""
ROUND_TRIP = 0.034
STEP = 0.5
"""Seconds of each move of the clock."""
WORK_TIME = 0.03
"""Real seconds that the engine has to act on each step."""
QUIET_TIME = 1.0
"""Real seconds without a change after which every event of the engine has reached the widgets."""


class StageClock:
    """The clock of the engine and the sandbox; it moves by hand, and with each request."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> float:
        return START_TIME + self.passed

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        due = self.passed + seconds
        while self.passed < due:  # noqa: ASYNC110 - the clock is moved on another thread
            await asyncio.sleep(WORK_TIME / 10)


class Link(httpx.AsyncBaseTransport):
    """The transport to the sandbox; each request takes ``ROUND_TRIP``."""

    def __init__(self, clock: StageClock) -> None:
        self._clock = clock
        self._sandbox = httpx.ASGITransport(create_app(SANDBOX, clock.now, clock.sleep))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._sandbox.handle_async_request(request)
        self._clock.passed += ROUND_TRIP
        return response


class Stage:
    """A console on a sandbox, driven to the moments that are pictured."""

    def __init__(self, directory: Path, pictures: Path) -> None:
        self.clock = StageClock()
        self.pictures = pictures
        link = Link(self.clock)
        endpoint = Endpoint(
            "sandbox",
            "http://sandbox.localhost",
            sandbox=True,
            transport=lambda: link,
            requests_per_second=1000.0,
            burst=1000,
        )
        self.app = PitstopApp(
            engine_factory=lambda: Engine(directory / "journal.sqlite3", clock=self.clock),
            endpoints=[endpoint],
            settings=Settings(batch_size=6),
            start=StartOptions(user="demo", password="pitstop"),
            clock=self.clock.now,
        )

    async def move(self, pilot: Pilot[None], condition: Callable[[], object]) -> None:
        """Let time pass until ``condition`` holds."""
        end = self.clock.passed + 3600
        while not condition():
            assert self.clock.passed < end, f"never happened: {condition}"
            self.clock.passed += STEP
            await asyncio.sleep(WORK_TIME)
            await pilot.pause()

    async def press(self, pilot: Pilot[None], *keys: str) -> None:
        """Press keys, each when the one before has had its effect."""
        for key in keys:
            await pilot.press(key)
            await until(pilot, lambda: self.app.input_queue.idle)

    async def save(self, name: str) -> None:
        """Write one picture, once nothing on the screen changes any more."""
        before, picture = "", self._picture()
        while before != picture:
            await asyncio.sleep(QUIET_TIME)
            before, picture = picture, self._picture()
        path = self.pictures / f"{name}.svg"
        path.write_text(picture, encoding="utf-8")
        print(path)

    def _picture(self) -> str:
        return self.app.export_screenshot(title="pitstop", simplify=True)


async def take_login(stage: Stage) -> None:
    """The login screen."""
    stage.app.start_options = StartOptions()
    async with stage.app.run_test(size=(100, 24)) as pilot:
        await until(pilot, lambda: stage.app.engine)
        await stage.save("login")


async def take_console(stage: Stage) -> None:
    """The confirmation of an operation, its results as they arrive, the final results, and the help."""
    app = stage.app
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.store and app.store.read_at)
        screen = app.screen
        assert isinstance(screen, ServersScreen)
        await stage.press(
            pilot, "slash", *"group:web dc:va1 maint:off", "enter", "home", "a", "s", *"CHG-4711"
        )
        await stage.save("confirm")
        count = screen.command_context.marked
        await stage.press(pilot, "enter", *str(count), "enter", "y")
        store = app.store
        assert store is not None
        await until(pilot, lambda: store.operations)
        (operation,) = store.operations.values()
        await stage.move(pilot, lambda: share(operation, State.VERIFIED) > 0.35)
        await stage.save("servers")
        await stage.move(pilot, lambda: share(operation, State.FAILED) > 0.03)
        await stage.press(pilot, "f", "z")
        await stage.save("results")
        await stage.press(pilot, "z", "question_mark")
        await pilot.pause()
        await stage.save("help")


def share(operation: Operation, *states: State) -> float:
    """The share of an operation's servers that is in one of these states."""
    return operation.count(*states) / len(operation.targets)


def main() -> None:
    """Take all pictures."""
    os.environ.update(TZ="UTC", TERM="xterm-256color", COLORTERM="truecolor")
    for pause in ("PAINTED_FOR", "ALONE_FOR"):
        setattr(dialog, pause, 0.0)
    input_queue.TYPING_PAUSE = 0.0
    time.tzset()
    pictures = Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")
    pictures.mkdir(exist_ok=True)
    for take in (take_login, take_console):
        with tempfile.TemporaryDirectory() as directory:
            asyncio.run(take(Stage(Path(directory), pictures)))


if __name__ == "__main__":
    main()
