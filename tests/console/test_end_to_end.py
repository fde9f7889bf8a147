"""The console on the real engine and the sandbox in the process."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from tests.console.scripted import LOGGED_IN, until
from tui.assembly import sandbox_endpoint
from tui.console.app import PitstopApp
from tui.console.options import StartOptions
from tui.console.screens.login import LoginScreen
from tui.console.screens.servers import ServersScreen
from tui.engine.engine import Engine
from tui.model.operation import State
from tui.sandbox.config import SandboxConfig
from tui.settings.schema import Settings


@asynccontextmanager
async def console(
    directory: Path, start: StartOptions = LOGGED_IN, faults: dict[str, float] | None = None
) -> AsyncIterator[tuple[PitstopApp, Pilot[None]]]:
    """The console on a sandbox of 60 servers whose jobs run a hundred times faster."""
    engines: list[Engine] = []

    def make_engine() -> Engine:
        engines.append(Engine(directory / "journal.sqlite3"))
        return engines[-1]

    config = SandboxConfig(servers=60, time_scale=0.01, faults=faults or {})
    app = PitstopApp(
        engine_factory=make_engine, endpoints=[sandbox_endpoint(config)], settings=Settings(), start=start
    )
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        yield app, pilot
    for engine in engines:
        engine.stop()


def servers_screen(app: PitstopApp) -> ServersScreen | None:
    """The main screen, or None until it is open and all data centers are read."""
    screen = app.screen_stack[0]
    return screen if isinstance(screen, ServersScreen) and screen.store.read_at else None


def have_ended(app: PitstopApp, count: int) -> Callable[[], bool]:
    """A condition: ``count`` operations were started and have ended."""
    return lambda: app.store is not None and len(app.store.operations) == count and not app.store.running()


async def test_maintenance_is_started_and_ended_on_marked_servers(tmp_path: Path) -> None:
    async with console(tmp_path) as (app, pilot):
        await until(pilot, lambda: servers_screen(app))
        screen = servers_screen(app)
        assert screen is not None
        store = screen.store
        before = store.fleet.in_maintenance()
        await pilot.press("slash", *"maint:off status:active power:started", "enter")
        await until(pilot, lambda: 0 < screen.servers.line_count() < 60)
        await pilot.press("space", "space", "space", "s", "enter", "y")
        await until(pilot, have_ended(app, 1))
        assert store.fleet.in_maintenance() == before + 3
        await pilot.press("e", "enter", "y")
        await until(pilot, have_ended(app, 2))
        assert store.fleet.in_maintenance() == before
        assert [op.count(State.VERIFIED) for op in store.operations.values()] == [3, 3]


async def test_a_wrong_password_shows_the_message_of_the_endpoint(tmp_path: Path) -> None:
    async with console(tmp_path, StartOptions(user="demo", password="wrong")) as (app, pilot):
        await until(pilot, lambda: "recognize" in str(app.screen.query_one("#message").render()))
        assert isinstance(app.screen, LoginScreen)
        await pilot.press(*"pitstop", "enter")
        await until(pilot, lambda: servers_screen(app))


async def test_a_viewer_cannot_start_operations(tmp_path: Path) -> None:
    async with console(tmp_path, StartOptions(user="viewer", password="pitstop")) as (app, pilot):
        await until(pilot, lambda: servers_screen(app))
        await pilot.press("space", "s")
        await until(pilot, lambda: app.input_queue.idle)
        assert isinstance(app.screen, ServersScreen)


async def test_details_are_read_from_the_endpoint(tmp_path: Path) -> None:
    async with console(tmp_path) as (app, pilot):
        await until(pilot, lambda: servers_screen(app))
        screen = servers_screen(app)
        assert screen is not None
        await pilot.press("enter")
        server = screen.details.server
        assert server is not None
        await until(pilot, lambda: any("host name" in text for text, _ in screen.details.lines))


async def test_a_failed_job_lists_each_of_its_servers(tmp_path: Path) -> None:
    async with console(tmp_path, faults={"job-fails": 1.0}) as (app, pilot):
        await until(pilot, lambda: servers_screen(app))
        screen = servers_screen(app)
        assert screen is not None
        await pilot.press("slash", *"maint:off status:active power:started", "enter")
        await until(pilot, lambda: 0 < screen.servers.line_count() < 60)
        await pilot.press(*["space"] * 4, "s", "enter", "y")
        await until(pilot, lambda: screen.results.operation)
        operation = screen.results.operation
        assert operation is not None
        await until(pilot, lambda: operation.count(State.SUBMITTING, State.QUEUED, State.PLANNED) == 0)
        await pilot.press("f")
        assert screen.results.line_count() == 4


async def test_a_file_that_is_no_journal_is_reported_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    path.write_text("notes of the last window, not a journal\n" * 40)
    async with console(tmp_path) as (app, pilot):
        await until(pilot, lambda: app.store and app.store.journal_trouble)
        await until(pilot, lambda: servers_screen(app))
        screen = servers_screen(app)
        assert screen is not None
        assert screen.store.journal_trouble
        assert "bug" not in screen.store.journal_trouble
    assert path.read_text().startswith("notes of the last window")
