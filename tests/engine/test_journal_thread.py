"""While the journal is waited for, by a lock or a slow disk, everything else goes on."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.engine.clock import VirtualClock, VirtualLoop
from tests.engine.cloud import ENDPOINT, PASSWORD, Cloud, Job
from tests.engine.console import Console, until
from tests.engine.journals import claim
from tests.patience import PATIENCE
from tui.engine.clock import SystemClock
from tui.engine.engine import Engine
from tui.engine.events import (
    Event,
    JournalChanged,
    JournalPruned,
    LoggedIn,
    LoginFailed,
    OperationEnded,
    OperationNotStarted,
    OperationStarted,
    Progress,
)
from tui.engine.journal import database
from tui.engine.journal import writer as journal
from tui.engine.journal.owner import Owner
from tui.engine.journal.thread import JournalThread
from tui.engine.journal.writer import JournalWriter
from tui.model import retention
from tui.model.operation import Action, Operation, State, Target
from tui.model.plan import Batch, Plan
from tui.model.window import Window

IDS = tuple(f"WA1ACME{n:05}" for n in range(6))
PLAN = Plan(Action.START_MAINTENANCE, (Batch(0, 0, "WA1", IDS[:1]),))
"""One server: its job is asked for about every second."""
PLACE = "https://cloud.example"


class Outside:
    """An engine in real time on its thread, seen from another one, and a program that holds SQLite's lock."""

    def __init__(self, path: Path) -> None:
        self.cloud = Cloud(SystemClock())
        self.cloud.round_trip = 0.001
        self.cloud.job_seconds = float("inf")
        self.jobs: list[Job] = []
        self.cloud.make_job = self._make
        self.engine = Engine(path, connect=self.cloud.connect)
        self.events: list[Event] = []
        self.other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        before = threading.enumerate()
        self.engine.start()
        self.threads = [each for each in threading.enumerate() if each not in before]
        self.engine.login(ENDPOINT, "op", PASSWORD)
        self.until(lambda: any(isinstance(event, LoggedIn) for event in self.events))

    def _make(self, job: Job) -> Job:
        self.jobs.append(job)
        return job

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end, "it did not come true"
            self.events += self.engine.fetch_events()
            threading.Event().wait(0.01)
        self.events += self.engine.fetch_events()

    def emitted(self, state: State) -> bool:
        progress = (event for event in self.events if isinstance(event, Progress))
        return any(target.state is state for event in progress for target in event.targets)

    def ended(self) -> bool:
        return any(isinstance(event, OperationEnded) for event in self.events)


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 600.0)  # Nothing gives up while the lock is held.
    with closing(JournalWriter(tmp_path / "journal.db")) as journal:
        journal.unfinished_everywhere()
    outside = Outside(tmp_path / "journal.db")
    yield outside
    outside.other.close()
    outside.engine.stop()
    assert outside.threads
    assert not any(thread.is_alive() for thread in outside.threads)


def test_polls_and_what_is_reported_go_on_while_another_process_holds_the_lock(
    outside: Outside, tmp_path: Path
) -> None:
    cloud, engine = outside.cloud, outside.engine
    engine.run(PLAN)
    outside.until(lambda: cloud.requests["job_status"])
    outside.other.execute("BEGIN IMMEDIATE")
    outside.jobs[0].begins = 0.0  # The platform's word changes, so there is something to write.
    asked = cloud.requests["job_status"]
    outside.until(lambda: cloud.requests["job_status"] >= asked + 3)
    read = cloud.requests["group_tree"]
    engine.refresh()
    outside.until(lambda: cloud.requests["group_tree"] > read)
    assert not outside.emitted(State.EXECUTING), "emitted before it is on disk"
    outside.other.execute("ROLLBACK")
    outside.until(lambda: outside.emitted(State.EXECUTING))
    outside.jobs[0].ends = 0.0
    outside.until(outside.ended)
    with closing(JournalWriter(tmp_path / "journal.db")) as journal:
        changes, _ = journal.changes(
            next(e for e in outside.events if isinstance(e, Progress)).operation_id, 0
        )
    way = [target.state for target in changes if target.server_id == IDS[0]]
    assert way == [State.SUBMITTING, State.QUEUED, State.EXECUTING, State.SUCCEEDED, State.VERIFIED]


def test_a_job_that_is_new_is_asked_for_while_another_process_holds_the_lock(outside: Outside) -> None:
    cloud = outside.cloud

    def hold(number: int) -> None:
        outside.other.execute("BEGIN IMMEDIATE")

    cloud.on_post = hold
    outside.engine.run(PLAN)
    outside.until(lambda: cloud.requests["job_status"] >= 2)
    assert not outside.emitted(State.QUEUED)
    outside.other.execute("ROLLBACK")
    outside.until(lambda: outside.emitted(State.QUEUED))


def test_cancelled_while_another_process_holds_the_lock_nothing_is_sent(outside: Outside) -> None:
    cloud, engine = outside.cloud, outside.engine
    outside.other.execute("BEGIN IMMEDIATE")
    id_ = engine.run(PLAN)
    engine.cancel(id_)
    engine.refresh()
    outside.until(lambda: cloud.requests["group_tree"])
    assert engine.running()
    outside.other.execute("ROLLBACK")
    outside.until(outside.ended)
    ended = next(event for event in outside.events if isinstance(event, OperationEnded))
    assert ended.summary == {"cancelled": 1}
    assert not cloud.posts


# With a disk that takes its time, in virtual time.


@pytest.fixture
async def slow(console: Console) -> Console:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.lag = 5.0
    return console


async def test_the_request_leaves_when_the_intent_is_on_disk(
    slow: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    reader = Console(clock, cloud, tmp_path / "journal.db").journal
    found = []

    def look(call: str) -> None:
        if call == "operate":
            found.append(reader.load("op-1").operation.count(State.SUBMITTING))

    cloud.on_call = look
    operation = await slow.run(slow.plan(batch_size=2))
    assert found == [2, 4, 6]
    assert operation.summary() == {"verified": 6}
    assert reader.load("op-1").operation.targets == operation.targets
    assert [kind for kind in map(type, slow.events) if kind in {OperationStarted, OperationEnded}] == [
        OperationStarted,
        OperationEnded,
    ]
    reader.close()


@pytest.mark.parametrize("seconds", [1.0, 7.0])
async def test_what_is_stopped_while_the_intent_is_written_is_not_sent(
    slow: Console, clock: VirtualClock, cloud: Cloud, seconds: float
) -> None:
    work = asyncio.create_task(slow.run(slow.plan()))
    await clock.sleep(seconds)
    assert slow.service.operations.running
    await slow.service.operations.cancel("op-1")
    operation = await work
    assert operation.summary() == {"cancelled": 6}
    assert {t.message for t in operation.targets.values()} == {"stopped by the operator before it was sent"}
    assert slow.journal.load("op-1").operation.targets == operation.targets
    assert not cloud.posts


async def test_leaving_while_the_intent_is_written_sends_nothing_and_leaves_it_to_the_next(
    slow: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    work = asyncio.create_task(slow.run(slow.plan(wave_size=3)))
    await clock.sleep(6)
    await slow.service.close()
    await asyncio.gather(work, return_exceptions=True)
    again = await Console(clock, cloud, tmp_path / "journal.db").login()
    stored = again.journal.load("op-1")
    assert stored.operation.summary() == {"planned": 6}
    assert not stored.elsewhere
    assert not cloud.posts
    await again.service.close()


async def test_leaving_while_an_operation_is_begun_leaves_it_to_the_next(
    slow: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    work = asyncio.create_task(slow.service.operations.run(slow.plan(), operation_id="op-1"))
    await clock.sleep(1)
    await slow.service.close()
    await work
    again = await Console(clock, cloud, tmp_path / "journal.db").login()
    await again.service.operations.resume(send_planned=True)
    assert again.emitted(OperationEnded)[-1].summary == {"verified": 6}
    assert len(cloud.posts) == 1
    await again.service.close()


async def test_two_operations_of_one_reason_begun_at_once_are_in_one_window(slow: Console) -> None:
    plans = [slow.plan(IDS[:3]), slow.plan(IDS[3:])]
    await asyncio.gather(*(slow.run(plan, f"op-{number}") for number, plan in enumerate(plans)))
    assert len({started.window_id for started in slow.emitted(OperationStarted)}) == 1
    assert len(slow.journal.windows(PLACE, "ACME")) == 1


async def test_what_is_asked_for_twice_is_taken_up_once(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    work = asyncio.create_task(console.run(console.plan(wave_size=2)))
    await until(lambda: len(cloud.posts) == 1, clock)
    console.kill()
    await asyncio.gather(work, return_exceptions=True)
    again = await Console(clock, cloud, tmp_path / "journal.db").login()
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.lag = 5.0
    await asyncio.gather(*(again.service.operations.resume(send_planned=True) for _ in range(3)))
    assert len(again.emitted(OperationStarted)) == 1
    assert again.emitted(OperationEnded)[-1].summary == {"verified": 6}
    assert len(cloud.posts) == 3
    await again.service.close()


async def test_no_other_account_is_logged_in_to_while_an_operation_is_begun(
    slow: Console, clock: VirtualClock
) -> None:
    work = asyncio.create_task(slow.run(slow.plan()))
    await clock.sleep(1)
    await slow.service.login(ENDPOINT, "op", PASSWORD, "OTHER")
    assert "operations on ACME are under way" in slow.emitted(LoginFailed)[-1].message
    assert (await work).summary() == {"verified": 6}


async def test_a_console_taken_for_dead_learns_it_however_late(
    slow: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    work = asyncio.create_task(slow.run(slow.plan(wave_size=2)))
    await until(lambda: slow.emitted(Progress), clock)
    Console.dead.add(slow.pid)
    second = await Console(clock, cloud, tmp_path / "journal.db").login()
    await second.service.operations.resume(send_planned=True)
    await work
    assert second.emitted(OperationEnded)[-1].summary == {"verified": 6}
    assert [started.elsewhere for started in slow.emitted(OperationStarted)] == [False, True]
    assert len(cloud.posts) == 3
    await second.service.close()


async def test_trouble_with_the_journal_is_reported_once_each_way(
    slow: Console, clock: VirtualClock, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.01)
    slow.journal.unfinished_everywhere()
    slow.journal.close()
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await slow.service.operations.run(slow.plan(), operation_id="op-1")
    await slow.service.operations.resume()
    assert "held by another program" in slow.emitted(OperationNotStarted)[0].message
    other.execute("ROLLBACK")
    other.close()
    assert (await slow.run(slow.plan(), "op-2")).summary() == {"verified": 6}
    assert [bool(event.message) for event in slow.emitted(JournalChanged)] == [True, False]
    assert not slow.service.operations.running


async def test_what_the_journal_forgot_is_reported(slow: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "KEEP_OPERATIONS", 1)
    monkeypatch.setattr(journal, "PRUNE_EVERY", 3)
    for number, action in enumerate(3 * [Action.PAUSE]):
        await slow.run(slow.plan(action=action), f"op-{number}")
    await slow.service.unfinished()
    assert [event.message[:31] for event in slow.emitted(JournalPruned)] == [
        "The journal forgot 2 operations"
    ]


class _Shared:
    """Operations in a journal on its thread; counts the transactions since."""

    def __init__(self, path: Path, number: int) -> None:
        self.journal = JournalWriter(path, owner=Owner("here", 1, "then"))
        self.commits = 0
        self.ids = [f"op-{number}" for number in range(number)]
        for id_ in self.ids:
            plan = Plan(Action.START_MAINTENANCE, (Batch(0, 0, "WA1", (f"WA1-{id_}",)),))
            operation = Operation(id_, plan.action, plan.server_ids)
            window = Window("win-1", PLACE, "ACME", "op", 0.0)
            self.journal.create(operation, plan, window, was_in_maintenance={})
        self.journal.close()  # The thread opens the file for itself.

    def _count(self, statement: str) -> None:
        self.commits += statement == "COMMIT"

    def _watch(self, journal: JournalWriter) -> None:
        journal.unfinished_everywhere()
        journal.database.connect().set_trace_callback(self._count)

    async def run(self, work: Callable[[JournalThread], Sequence[Awaitable[object]]]) -> list[object]:
        """The results of what ``work`` starts while the thread is busy."""
        thread, busy = JournalThread(self.journal, lambda problem: None), threading.Event()
        await thread.do(self._watch)
        waiting = thread.start(lambda journal: busy.wait(PATIENCE))
        started = [asyncio.ensure_future(one) for one in work(thread)]
        await asyncio.sleep(0)
        busy.set()
        results = await asyncio.gather(*started)
        await waiting
        await thread.close()
        return results


def test_operations_that_end_together_are_one_transaction(tmp_path: Path) -> None:
    shared = _Shared(tmp_path / "journal.db", 50)
    asyncio.run(shared.run(lambda thread: [thread.end(id_, 5.0) for id_ in shared.ids]))
    assert shared.commits == 1
    assert shared.journal.unfinished(PLACE, "ACME") == []


def test_what_is_recorded_in_a_row_is_one_transaction_and_the_order_stays(tmp_path: Path) -> None:
    shared = _Shared(tmp_path / "journal.db", 50)

    def work(thread: JournalThread) -> list[Awaitable[object]]:
        def record(state: State) -> list[Awaitable[object]]:
            return [thread.record(id_, [Target(f"WA1-{id_}", state, 5.0)]) for id_ in shared.ids]

        read = thread.start(lambda journal: journal.load("op-7").operation.summary())
        queued = record(State.QUEUED)
        between = thread.start(lambda journal: journal.load("op-7").operation.summary())
        return [read, *queued, between, *record(State.VERIFIED)]

    results = asyncio.run(shared.run(work))
    assert (results[0], results[51]) == ({"planned": 1}, {"queued": 1})
    assert results[1] == results[-1] == set()
    assert shared.commits == 2
    assert shared.journal.load("op-7").operation.summary() == {"verified": 1}


def test_who_lost_one_operation_still_records_the_others(tmp_path: Path) -> None:
    shared = _Shared(tmp_path / "journal.db", 3)
    other = JournalWriter(
        tmp_path / "journal.db", owner=Owner("here", 2, "then"), alive=lambda owner, age: False
    )
    assert claim(other, "op-1")
    other.close()
    results = asyncio.run(
        shared.run(
            lambda thread: [
                thread.record(id_, [Target(f"WA1-{id_}", State.CANCELLED, 5.0)]) for id_ in shared.ids
            ]
        )
    )
    assert results == 3 * [{"op-1"}]
    states = {id_: shared.journal.load(id_).operation.summary() for id_ in shared.ids}
    assert states == {"op-0": {"cancelled": 1}, "op-1": {"planned": 1}, "op-2": {"cancelled": 1}}
