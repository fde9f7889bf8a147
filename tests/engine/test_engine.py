"""The engine on its thread."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.clock import VirtualClock, VirtualLoop
from tests.engine.cloud import ENDPOINT, PASSWORD, Cloud
from tests.patience import PATIENCE
from tui.engine.engine import Engine
from tui.engine.events import (
    EngineFailed,
    Event,
    FleetRead,
    HeldInMaintenance,
    LoggedIn,
    OperationEnded,
    OperationNotStarted,
    OperationStarted,
    Progress,
)
from tui.model.operation import Action, State
from tui.model.plan import Batch, Plan

PLAN = Plan(Action.START_MAINTENANCE, (Batch(0, 0, "WA1", tuple(f"WA1ACME{n:05}" for n in range(6))),))


class Screen:
    """Fetches the events of an engine whenever there are some."""

    def __init__(self, path: Path) -> None:
        clock = VirtualClock()
        self.cloud = Cloud(clock)
        self.engine = Engine(path, clock=clock, connect=self.cloud.connect, loop_factory=VirtualLoop)
        self.new_events = threading.Event()
        self.engine.on_events(self.new_events.set)
        self.events: list[Event] = []
        before = threading.enumerate()
        self.engine.start()
        self.threads = [each for each in threading.enumerate() if each not in before]

    def wait(self, done: Callable[[Event], bool]) -> Event:
        """The first event, among those to come, for which ``done`` holds."""
        while True:
            assert self.new_events.wait(PATIENCE), "no more events"
            self.new_events.clear()
            events = self.engine.fetch_events()
            self.events += events
            for event in events:
                if done(event):
                    return event

    def log_in(self) -> None:
        self.engine.login(ENDPOINT, "op", PASSWORD)
        self.wait(lambda event: isinstance(event, LoggedIn))


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    screen = Screen(tmp_path / "journal.db")
    yield screen
    screen.engine.stop()
    assert screen.threads
    assert not any(thread.is_alive() for thread in screen.threads)


def test_commands_return_at_once_and_events_come_in_order(screen: Screen) -> None:
    screen.log_in()
    screen.engine.refresh()
    screen.wait(lambda event: isinstance(event, FleetRead))
    id_ = screen.engine.run(PLAN, reason="CHG-1")
    assert screen.engine.running()
    ended = screen.wait(lambda event: isinstance(event, OperationEnded))
    assert isinstance(ended, OperationEnded)
    assert (ended.operation_id, ended.summary) == (id_, {"verified": 6})
    kinds = [type(event) for event in screen.events if isinstance(event, OperationStarted | Progress)]
    assert kinds[0] is OperationStarted
    assert kinds.count(OperationStarted) == 1
    while screen.engine.running():
        pass


def test_a_stopped_engine_leaves_its_operation_to_the_next_process(screen: Screen, tmp_path: Path) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    # Virtual time does not wait for this thread: unless the first status request hangs, all ends first.
    screen.cloud.on_call = lambda call: never() if call == "job_status" else None
    screen.log_in()
    id_ = screen.engine.run(PLAN)
    screen.wait(lambda event: isinstance(event, Progress) and event.targets[0].state is State.QUEUED)
    screen.engine.stop()
    second = Screen(tmp_path / "journal.db")
    second.cloud.posts, second.cloud.jobs = screen.cloud.posts, screen.cloud.jobs
    second.cloud.servers, second.cloud.actions = screen.cloud.servers, screen.cloud.actions
    second.log_in()
    second.engine.resume()
    ended = second.wait(lambda event: isinstance(event, OperationEnded))
    assert isinstance(ended, OperationEnded)
    assert (ended.operation_id, ended.summary) == (id_, {"verified": 6})
    assert len(second.cloud.posts) == 1
    second.engine.stop()


def test_an_unusable_journal_prevents_operations_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_text("this is not a journal " * 100)
    screen = Screen(path)
    screen.log_in()
    screen.engine.refresh()
    screen.wait(lambda event: isinstance(event, FleetRead))
    screen.engine.run(PLAN)
    refused = screen.wait(lambda event: isinstance(event, OperationNotStarted))
    assert isinstance(refused, OperationNotStarted)
    assert refused.message.startswith("nothing was sent: the journal")
    assert not screen.cloud.posts
    screen.engine.stop()


def test_a_bug_in_a_command_is_reported_and_the_engine_goes_on(
    screen: Screen, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(call: str) -> None:
        if call == "data_centers":
            raise ZeroDivisionError("a bug")

    screen.cloud.on_call = broken
    screen.log_in()
    screen.engine.refresh()
    failed = screen.wait(lambda event: isinstance(event, EngineFailed))
    assert isinstance(failed, EngineFailed)
    assert "ZeroDivisionError" in failed.message
    assert "Traceback" in caplog.text
    screen.log_in()


def test_a_command_before_the_engine_is_started_raises(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="start the engine first"):
        Engine(tmp_path / "journal.db").refresh()


def test_importing_the_engine_loads_no_slow_library() -> None:
    code = (
        "import sys, tui.engine.engine, pathlib;"
        "tui.engine.engine.Engine(pathlib.Path('nowhere'));"
        "print([m for m in ('httpx', 'sqlite3', 'starlette', 'uvicorn', 'textual') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_servers_left_in_maintenance_are_reported_on_request(screen: Screen) -> None:
    screen.log_in()
    screen.engine.refresh()
    screen.wait(lambda event: isinstance(event, FleetRead))
    screen.engine.run(PLAN)
    screen.wait(lambda event: isinstance(event, OperationEnded))
    screen.engine.read_prior_targets()
    held = screen.wait(lambda event: isinstance(event, HeldInMaintenance))
    assert isinstance(held, HeldInMaintenance)
    assert set(held.server_ids) == set(PLAN.server_ids)
