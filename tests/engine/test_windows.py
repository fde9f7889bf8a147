"""Windows in the journal: opened, resumed and ended by operations, closed, and their notes."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.engine.clock import VirtualClock
from tests.engine.cloud import Cloud
from tests.engine.console import Console
from tests.engine.journals import record
from tui.engine.journal import schema
from tui.engine.journal.writer import JournalWriter
from tui.model.operation import Action, Operation, State, Target
from tui.model.plan import Batch, Plan
from tui.model.window import Note, NoteKind, Window, WindowStatus

DAY, HOUR = 86_400.0, 3_600.0
PLACE = "https://one.example"
STOP = Action.STOP_MAINTENANCE


async def statuses(console: Console) -> list[WindowStatus]:
    """The windows of the console's account."""
    return await console.service.windows()


async def test_three_runs_without_a_reason_on_three_days_are_three_windows(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    ids = list(cloud.servers)
    for number in range(3):
        await console.service.operations.run(console.plan([ids[number]]))
        await clock.sleep(DAY)
    windows = await statuses(console)
    assert [status.held for status in windows] == [(id_,) for id_ in ids[:3]]
    assert [status.operations for status in windows] == [1, 1, 1]


async def test_runs_without_a_reason_in_one_night_are_one_window(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    ids = list(cloud.servers)
    await console.service.operations.run(console.plan([ids[0]]))
    await clock.sleep(3 * HOUR)
    await console.service.operations.run(console.plan([ids[1]]))
    (window,) = await statuses(console)
    assert (window.operations, set(window.held)) == (2, set(ids[:2]))


async def test_the_same_reason_resumes_the_window_and_may_move_its_planned_end(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    ids, operations = list(cloud.servers), console.service.operations
    end = clock.now() + 4 * HOUR
    await operations.run(console.plan([ids[0]]), reason="CHG-1", planned_end=end)
    await operations.run(console.plan([ids[1]]), reason="CHG-1")
    await operations.run(console.plan([ids[2]]), reason="CHG-2")
    one, two = await statuses(console)
    assert (one.window.reason, one.window.planned_end, one.operations) == ("CHG-1", end, 2)
    assert (two.window.reason, two.window.planned_end, two.operations) == ("CHG-2", None, 1)
    await clock.sleep(DAY)
    await operations.run(console.plan([ids[3]]), reason="CHG-1", planned_end=end + 2 * DAY)
    one, _ = await statuses(console)
    assert (one.window.planned_end, one.operations) == (end + 2 * DAY, 3)


async def test_a_window_ends_by_itself_and_the_next_start_opens_another(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    ids, operations = list(cloud.servers), console.service.operations
    end = clock.now() + HOUR
    await operations.run(console.plan([ids[0]]), reason="CHG-1", planned_end=end)
    await clock.sleep(2 * HOUR)
    await operations.run(console.plan([ids[0]], action=STOP), reason="CHG-1")
    (one,) = await statuses(console)
    assert one.held == ()
    returned = one.closed_at(clock.now())
    assert returned == one.newest > end
    await clock.sleep(HOUR)
    await operations.run(console.plan([ids[1]]), reason="CHG-1")
    one, two = await statuses(console)
    assert (one.window.closed, two.window.closed) == (returned, None)
    assert (one.operations, two.operations, two.window.planned_end) == (2, 1, None)


async def test_a_return_without_a_reason_belongs_to_the_window_that_holds_the_servers(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    ids, operations = list(cloud.servers), console.service.operations
    await operations.run(console.plan(ids[:2]), reason="CHG-1")
    await operations.run(console.plan(ids[2:3]), reason="CHG-2")
    await operations.run(console.plan(ids[:1], action=STOP))
    assert [status.operations for status in await statuses(console)] == [2, 1]
    await operations.run(console.plan(ids[1:3], action=STOP))
    assert [status.operations for status in await statuses(console)] == [2, 1, 1]
    assert await console.service.holds() == {}


class History:
    """A journal with one window, which holds WA1A and WA1B."""

    def __init__(self, path: Path) -> None:
        self.time = 1_000_000.0
        self.journal = JournalWriter(path, now=lambda: self.time)
        self.windows = self.journal.history
        self.create("op-1", ("WA1A", "WA1B"))
        self.settle("op-1", State.VERIFIED, "WA1A", "WA1B")

    def create(self, id_: str, ids: tuple[str, ...], action: Action = Action.START_MAINTENANCE) -> None:
        plan = Plan(action, (Batch(0, 0, "WA1", ids),))
        window = Window("win-1", PLACE, "ACME", "op", self.time, "CHG-1", self.time + HOUR)
        operation = Operation(id_, action, ids, started=self.time)
        self.journal.create(operation, plan, window, was_in_maintenance=dict.fromkeys(ids, False))

    def settle(self, id_: str, state: State, *ids: str) -> None:
        record(self.journal, id_, [Target(server, state, self.time) for server in ids])
        self.journal.end_all([(id_, self.time)])

    @property
    def status(self) -> WindowStatus:
        (status,) = self.windows.statuses()
        return status


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "journal.db")


def test_a_window_that_holds_servers_is_closed_only_with_a_reason(history: History) -> None:
    assert history.windows.close("win-1") == ("WA1A", "WA1B")
    assert history.status.window.closed is None
    history.time += 60
    assert history.windows.close("win-1", leave="vendor at work") == ("WA1A", "WA1B")
    assert history.status.window.closed == history.time
    assert history.windows.notes("win-1") == [
        Note(history.time, NoteKind.LEFT, "vendor at work", ("WA1A", "WA1B"))
    ]
    assert set(history.windows.holds(PLACE, "ACME")) == {"WA1A", "WA1B"}, "they are still mine"


def test_a_window_with_an_operation_under_way_is_not_closed(history: History) -> None:
    history.windows.release(PLACE, "ACME", ["WA1A", "WA1B"])
    history.create("op-2", ("WA1C",))
    assert history.windows.close("win-1") == ()
    assert history.status.window.closed is None
    history.settle("op-2", State.CANCELLED, "WA1C")
    assert history.windows.close("win-1") == ()
    assert history.status.window.closed == history.time


def test_overdue_windows_are_open_past_their_end_and_hold_servers(history: History) -> None:
    assert history.windows.overdue() == []
    history.time += 2 * HOUR
    assert history.windows.overdue() == [history.status]
    assert history.windows.overdue(PLACE, "ACME") == [history.status]
    assert history.windows.overdue("https://other.example") == []
    assert history.windows.overdue("", "ACMD") == []
    history.windows.close("win-1", leave="later")
    assert history.windows.overdue() == []


def test_a_server_found_out_of_maintenance_is_held_no_more_and_the_log_says_so(history: History) -> None:
    history.windows.release(PLACE, "ACMD", ["WA1A"])
    assert list(history.status.held) == ["WA1A", "WA1B"]
    history.windows.release(PLACE, "ACME", ["WA1A", "WA1X", "WA1A"])
    assert list(history.status.held) == ["WA1B"]
    assert history.windows.notes("win-1") == [Note(history.time, NoteKind.GONE, "", ("WA1A",))]


def test_a_server_whose_maintenance_may_still_begin_stays_held(history: History) -> None:
    history.create("op-2", ("WA1C", "WA1D"))
    record(history.journal, "op-2", [Target("WA1C", State.QUEUED), Target("WA1D", State.UNSURE)])
    history.windows.release(PLACE, "ACME", ["WA1C", "WA1D"])
    assert set(history.status.held) == {"WA1A", "WA1B", "WA1C", "WA1D"}
    history.journal.end_all([("op-2", history.time)])
    history.time += 60
    history.windows.release(PLACE, "ACME", ["WA1C", "WA1D"])
    assert set(history.status.held) == {"WA1A", "WA1B", "WA1C", "WA1D"}
    history.time += 2 * HOUR
    history.windows.release(PLACE, "ACME", ["WA1C", "WA1D"])
    assert set(history.status.held) == {"WA1A", "WA1B"}


def test_notes_and_operations_are_read_in_their_order(history: History) -> None:
    history.create("op-2", ("WA1A", "WA1B"), STOP)
    history.settle("op-2", State.VERIFIED, "WA1A")
    for text in ("first", "second"):
        history.time += 1
        history.windows.add_note("win-1", text)
    assert [(note.at, note.text) for note in history.windows.notes("win-1")] == [
        (history.time - 1, "first"),
        (history.time, "second"),
    ]
    one, two = history.windows.operations("win-1")
    assert (one.id, one.counts) == ("op-1", {State.VERIFIED: 2})
    assert (two.id, two.counts) == ("op-2", {State.VERIFIED: 1, State.PLANNED: 1})


def test_a_journal_from_before_the_notes_is_migrated_with_its_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.db"
    with monkeypatch.context() as patch:
        patch.setattr(schema, "VERSIONS", schema.VERSIONS[:6])
        with closing(History(path).journal) as journal:
            assert [window.id for window in journal.windows(PLACE, "ACME")] == ["win-1"]
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("SELECT name FROM sqlite_master WHERE name = 'notes'").fetchall() == []
    with closing(JournalWriter(path)) as journal:
        journal.history.add_note("win-1", "after the update")
        (status,) = journal.history.statuses()
        assert (status.window.reason, status.held) == ("CHG-1", ("WA1A", "WA1B"))
        assert [note.text for note in journal.history.notes("win-1")] == ["after the update"]
