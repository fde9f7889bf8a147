"""The pictures of the README: ``python -m tests.screenshots [DIRECTORY]``.

The servers are the sandbox's, read by the real engine; what then happens to them is told event by event and
the clock stands still, so the same source gives the same pictures.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from textual.pilot import Pilot

from tests.console.scripted import LOGGED_IN, NOW, SANDBOX, ScriptedEngine, make_app, until
from tui.assembly import sandbox_endpoint
from tui.console import dialog
from tui.console.app import PitstopApp
from tui.console.screens.servers import ServersScreen
from tui.console.terminal import gate
from tui.engine import events
from tui.engine.engine import Engine
from tui.model.operation import State
from tui.sandbox.config import SandboxConfig

SIZE = (120, 36)
SERVERS = 1200
REFUSED = "the operation cannot be queued because the server is not in a supported state"
LATE = "its job failed; the server did not change"


class Staged(ScriptedEngine):
    """A scripted engine with the inventory of the sandbox."""

    def __init__(self, inventory: Iterable[events.DataCenterRead]) -> None:
        super().__init__()
        self.inventory = list(inventory)

    def refresh(self) -> None:
        """The sandbox's servers, as they were read."""
        centers = tuple(read.data_center.id for read in self.inventory)
        self.tell(*self.inventory, events.FleetRead(centers, (), NOW), events.Latency(0.034))


def read_sandbox(servers: int = SERVERS) -> list[events.DataCenterRead]:
    """The inventory of a sandbox."""
    with tempfile.TemporaryDirectory() as directory:
        engine = Engine(Path(directory, "journal.sqlite3"))
        engine.start()
        engine.login(sandbox_endpoint(SandboxConfig(servers=servers)), "demo", "pitstop")
        found: list[events.DataCenterRead] = []
        asked, deadline = False, time.monotonic() + 30
        while time.monotonic() < deadline:
            for event in engine.drain():
                if isinstance(event, events.LoggedIn) and not asked:
                    asked = True
                    engine.refresh()
                if isinstance(event, events.DataCenterRead):
                    found.append(events.DataCenterRead(event.data_center, event.groups, event.servers, NOW))
                if isinstance(event, events.FleetRead):
                    engine.stop()
                    return sorted(found, key=lambda read: read.data_center.id)
            time.sleep(0.01)
    raise TimeoutError("the sandbox was not read")


async def take_login(directory: Path) -> None:
    """The login screen on a sandbox."""
    app = make_app(ScriptedEngine())
    async with app.run_test(size=(100, 24)) as pilot:
        await until(pilot, lambda: app.engine)
        save(app, directory, "login")


async def take_console(directory: Path, inventory: list[events.DataCenterRead]) -> None:
    """The servers, filtered and marked; the confirmation; the results; the help."""
    engine = Staged(inventory)
    app = make_app(engine, endpoints=(SANDBOX,), start=LOGGED_IN, clock=lambda: NOW + 47)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.store and app.store.read_at)
        screen = app.screen
        assert isinstance(screen, ServersScreen)
        await pilot.press("slash", *"group:web")
        await until(pilot, lambda: screen.servers.line_count() < SERVERS)
        await pilot.press("enter", *["space"] * 7, "down", "space", "down", *["space"] * 4)
        save(app, directory, "servers")
        await press_each(pilot, "a", "s", *"CHG-4711")
        save(app, directory, "confirm")
        count = screen.command_context.marked
        await press_each(pilot, "enter", *str(count), "enter", "y")
        await until(pilot, lambda: engine.operations)
        await carry_out(pilot, engine)
        save(app, directory, "results")
        await pilot.press("question_mark")
        await pilot.pause()
        save(app, directory, "help")


async def press_each(pilot: Pilot[None], *keys: str) -> None:
    """Press keys, each when the one before has had its effect."""
    for key in keys:
        await pilot.press(key)
        await until(pilot, lambda: pilot.app.gate.idle)  # type: ignore[attr-defined]


async def carry_out(pilot: Pilot[None], engine: Staged) -> None:
    """Batch by batch, in the middle of it: most are well, some are not, the last ones not sent yet."""
    ids = list(engine.operations["op-1"].targets)
    sent = ids[: len(ids) * 4 // 5]
    engine.progress("op-1", State.SUBMITTING, sent, after=1, job_id="")
    refused = set(sent[7::29])
    engine.progress("op-1", State.REFUSED, sent[7::29], after=2, job_id="", message=REFUSED)
    queued = [id_ for id_ in sent if id_ not in refused]
    engine.progress("op-1", State.QUEUED, queued, after=2, job_id="va1-43872")
    engine.progress("op-1", State.EXECUTING, queued, after=9, job_id="va1-43872")
    done = queued[: len(queued) * 2 // 3]
    engine.progress("op-1", State.FAILED, done[5::23], after=40, job_id="va1-43872", message=LATE)
    well = [id_ for id_ in done if id_ not in set(done[5::23])]
    engine.progress("op-1", State.SUCCEEDED, well, after=41, job_id="va1-43872")
    engine.progress("op-1", State.VERIFIED, well[:-6], after=42, job_id="va1-43872")
    await until(pilot, lambda: not engine._events)
    await pilot.press("f")
    await pilot.pause()


def save(app: PitstopApp, directory: Path, name: str) -> None:
    """Write one picture."""
    path = directory / f"{name}.svg"
    path.write_text(app.export_screenshot(title="pitstop", simplify=True), encoding="utf-8")
    print(path)


def main() -> None:
    """Take them all."""
    os.environ.update(TZ="UTC", TERM="xterm-256color", COLORTERM="truecolor")
    for pause in ("PAINTED_FOR", "ALONE_FOR"):
        setattr(dialog, pause, 0.0)
    gate.QUIET_FOR = 0.0
    time.tzset()
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")
    directory.mkdir(exist_ok=True)
    asyncio.run(take_login(directory))
    asyncio.run(take_console(directory, read_sandbox()))


if __name__ == "__main__":
    main()
