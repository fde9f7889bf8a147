"""How the screens look. ``pytest tests/snapshots --snapshot-update`` redraws them; check the changes."""

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from tests.console.scripted import LOGGED_IN, NOW, REAL, SANDBOX, ScriptedEngine, fleet_of, make_app, until
from tui.console.app import PitstopApp
from tui.console.screens.servers import ServersScreen
from tui.engine import events
from tui.model.operation import State
from tui.model.server import IpAddress, ServerDetails

WIDE, USUAL, SMALL = (120, 40), (80, 24), (60, 15)
SIZES = [pytest.param(size, id=f"{size[0]}x{size[1]}") for size in (WIDE, USUAL)]

Compare = Callable[..., bool]
Step = Callable[[Pilot[None], ScriptedEngine], Awaitable[None]]


async def no_steps(pilot: Pilot[None], engine: ScriptedEngine) -> None:
    """Leave the screen as it opens."""


def console(steps: Step = no_steps, servers: int = 70, **options: object) -> dict[str, object]:
    """Arguments of ``snap_compare``: the console, logged in and with its servers read, after ``steps``."""
    engine = ScriptedEngine(fleet_of(servers))
    app = make_app(engine, start=LOGGED_IN, clock=lambda: NOW + 42, **options)  # type: ignore[arg-type]

    async def run_before(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.store and app.store.read_at)
        await pilot.pause()
        await steps(pilot, engine)
        await pilot.pause()

    return {"app": app, "run_before": run_before}


def login(engine: ScriptedEngine, *endpoints: object, steps: Step = no_steps) -> dict[str, object]:
    """Arguments of ``snap_compare`` for the login screen, after ``steps``."""
    app = make_app(engine, endpoints=endpoints or (SANDBOX,))  # type: ignore[arg-type]

    async def run_before(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.engine)
        await steps(pilot, engine)
        await pilot.pause()

    return {"app": app, "run_before": run_before}


async def press_each(pilot: Pilot[None], *keys: str) -> None:
    """Press keys one by one, and wait for the full effect of each."""
    for key in keys:
        await pilot.press(key)
        await until(pilot, lambda: pilot.app.input_queue.idle)  # type: ignore[attr-defined]


async def mark_some(pilot: Pilot[None], engine: ScriptedEngine) -> None:
    """Set a filter and mark servers; one marked server is hidden."""
    await pilot.press("space", "slash", *"web")
    await until(pilot, lambda: shown_count(pilot.app) < 70)
    await pilot.press("enter", "down", "space", "space", "down", "space")


def shown_count(app: object) -> int:
    """How many servers the list shows."""
    assert isinstance(app, PitstopApp)
    assert isinstance(app.screen, ServersScreen)
    return app.screen.servers.line_count()


async def confirm_few(pilot: Pilot[None], engine: ScriptedEngine) -> None:
    """Open the confirmation for a few servers, some of them not eligible."""
    await pilot.press("slash", *"web0", "enter")
    await until(pilot, lambda: shown_count(pilot.app) < 70)
    await pilot.press(*["space"] * 12, "s")


async def confirm_many(pilot: Pilot[None], engine: ScriptedEngine) -> None:
    """Open the confirmation for so many servers that their count must be typed."""
    await pilot.press("a", "s")


async def list_plan(pilot: Pilot[None], engine: ScriptedEngine) -> None:
    """List the servers of a plan, narrowed to one group."""
    await press_each(pilot, "a", "s", "f2", *"web00")


async def run_some(pilot: Pilot[None], engine: ScriptedEngine) -> None:
    """Run an operation until its servers are in many different states."""
    await press_each(pilot, "a", "s", *"CHG-4711", "enter", *"70", "enter", "y")
    await until(pilot, lambda: engine.operations)
    ids = list(engine.operations["op-1"].targets)
    engine.progress("op-1", State.SUBMITTING, ids[:60], after=1, job_id="")
    engine.progress("op-1", State.QUEUED, ids[:50], after=2)
    engine.progress(
        "op-1", State.REFUSED, ids[50:53], after=2, job_id="", message="cannot be queued: [in use]"
    )
    engine.progress("op-1", State.UNSURE, ids[53:55], after=3, job_id="", message="the answer was lost")
    engine.progress("op-1", State.EXECUTING, ids[:40], after=12)
    engine.progress("op-1", State.SUCCEEDED, ids[:30], after=38)
    engine.progress("op-1", State.VERIFIED, ids[4:28], after=40)
    engine.progress(
        "op-1", State.FAILED, ids[:2], after=41, message="its job failed; the server did not change"
    )
    await until(pilot, lambda: not engine.pending)
    await pilot.pause()


async def failures_first(pilot: Pilot[None], engine: ScriptedEngine) -> None:
    """List the failures of a running operation first."""
    await run_some(pilot, engine)
    await pilot.press("f")


async def press_help(pilot: Pilot[None], engine: ScriptedEngine) -> None:
    """Open the help."""
    await pilot.press("question_mark")


async def find_command(pilot: Pilot[None], engine: ScriptedEngine) -> None:
    """Open the palette, and search in it."""
    await pilot.press("ctrl+p", *"power")


async def quit_during_operation(pilot: Pilot[None], engine: ScriptedEngine) -> None:
    """Quit while an operation runs."""
    await run_some(pilot, engine)
    await pilot.press("q")


async def refuse_login(pilot: Pilot[None], engine: ScriptedEngine) -> None:
    """Log in with a wrong password."""
    await pilot.press(*"ops@example", "tab", *"wrong", "enter")
    message = "We didn't recognize the username or password you entered. Please try again."
    engine.emit(events.LoginFailed(message, refused=True))
    await until(pilot, lambda: "recognize" in str(pilot.app.screen.query_one("#message").render()))


async def open_details(pilot: Pilot[None], engine: ScriptedEngine) -> None:
    """Open the details of a server."""
    await pilot.press("down", "enter")
    await until(pilot, lambda: engine.calls_to("read_details"))
    server = fleet_of(8)[-1]
    ips = (IpAddress("10.12.0.8", "206.128.1.8"),)
    details = ServerDetails(server, host_name="db8.acme.example", ips=ips, alert_policies=("CPU over 90 %",))
    engine.emit(events.DetailsRead(details, NOW))
    await until(pilot, lambda: not engine.pending)


@pytest.mark.parametrize("size", SIZES)
def test_login(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(**login(ScriptedEngine()), terminal_size=size)


def test_login_refused(snap_compare: Compare) -> None:
    assert snap_compare(**login(ScriptedEngine(auto_answer=False), REAL, SANDBOX, steps=refuse_login))


@pytest.mark.parametrize("size", SIZES)
def test_servers(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(**console(mark_some), terminal_size=size)


def test_servers_on_the_smallest_terminal(snap_compare: Compare) -> None:
    assert snap_compare(**console(), terminal_size=SMALL)


def test_servers_in_ascii(snap_compare: Compare) -> None:
    assert snap_compare(**console(run_some, ascii_only=True), terminal_size=WIDE)


def test_details(snap_compare: Compare) -> None:
    assert snap_compare(**console(open_details), terminal_size=WIDE)


@pytest.mark.parametrize("size", SIZES)
def test_confirm(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(**console(confirm_few if size == WIDE else confirm_many), terminal_size=size)


def test_confirm_on_the_smallest_terminal(snap_compare: Compare) -> None:
    assert snap_compare(**console(confirm_many), terminal_size=SMALL)


def test_the_list_of_a_plan(snap_compare: Compare) -> None:
    assert snap_compare(**console(list_plan), terminal_size=USUAL)


@pytest.mark.parametrize("size", SIZES)
def test_results(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(**console(failures_first if size == WIDE else run_some), terminal_size=size)


@pytest.mark.parametrize("size", SIZES)
def test_help(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(**console(press_help), terminal_size=size)


def test_palette(snap_compare: Compare) -> None:
    assert snap_compare(**console(find_command))


def test_quit_during_an_operation(snap_compare: Compare) -> None:
    assert snap_compare(**console(quit_during_operation))
