"""While the journal waits for a lock or a slow disk, everything else goes on."""

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
from tests.engine.journals import claim, record
from tests.patience import PATIENCE
from tui.engine.clock import SystemClock
from tui.engine.engine import Engine
from tui.engine.errors import JournalError
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
from tui.engine.journal import thread as thread_module
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
"""One server: its job is polled about every second."""
PLACE = "https://cloud.example"


class LiveEngine:
    """An engine in real time on its own thread, and another program that can lock the journal."""

    def __init__(self, path: Path) -> None:
        self.cloud = Cloud(SystemClock())
        self.cloud.round_trip = 0.001
        self.cloud.job_seconds = float("inf")
        self.jobs: list[Job] = []
        self.cloud.make_job = self._make
        self.engine = Engine(path, connect=self.cloud.connect)
        self.events: list[Event] = []
        self.locker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
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
            assert time.monotonic() < end, "the condition never held"
            self.events += self.engine.fetch_events()
            threading.Event().wait(0.01)
        self.events += self.engine.fetch_events()

    def emitted(self, state: State) -> bool:
        progress = (event for event in self.events if isinstance(event, Progress))
        return any(target.state is state for event in progress for target in event.targets)

    def ended(self) -> bool:
        return any(isinstance(event, OperationEnded) for event in self.events)


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveEngine]:
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 600.0)  # Nothing gives up while the lock is held.
    with closing(JournalWriter(tmp_path / "journal.db")) as journal:
        journal.unfinished_everywhere()
    live = LiveEngine(tmp_path / "journal.db")
    yield live
    live.locker.close()
    live.engine.stop()
    assert live.threads
    assert not any(thread.is_alive() for thread in live.threads)


def test_polls_and_readings_go_on_while_the_journal_is_locked(live: LiveEngine, tmp_path: Path) -> None:
    cloud, engine = live.cloud, live.engine
    engine.run(PLAN)
    live.until(lambda: cloud.requests["job_status"])
    live.locker.execute("BEGIN IMMEDIATE")
    live.jobs[0].begins = 0.0  # The job's status changes, so there is something to write.
    polled = cloud.requests["job_status"]
    live.until(lambda: cloud.requests["job_status"] >= polled + 3)
    read = cloud.requests["group_tree"]
    engine.refresh()
    live.until(lambda: cloud.requests["group_tree"] > read)
    assert not live.emitted(State.EXECUTING), "emitted before it is on disk"
    live.locker.execute("ROLLBACK")
    live.until(lambda: live.emitted(State.EXECUTING))
    live.jobs[0].ends = 0.0
    live.until(live.ended)
    with closing(JournalWriter(tmp_path / "journal.db")) as journal:
        changes, _ = journal.changes(next(e for e in live.events if isinstance(e, Progress)).operation_id, 0)
    states = [target.state for target in changes if target.server_id == IDS[0]]
    assert states == [State.SUBMITTING, State.QUEUED, State.EXECUTING, State.SUCCEEDED, State.VERIFIED]


def test_a_new_job_is_polled_while_the_journal_is_locked(live: LiveEngine) -> None:
    cloud = live.cloud

    def hold(number: int) -> None:
        live.locker.execute("BEGIN IMMEDIATE")

    cloud.on_post = hold
    live.engine.run(PLAN)
    live.until(lambda: cloud.requests["job_status"] >= 2)
    assert not live.emitted(State.QUEUED)
    live.locker.execute("ROLLBACK")
    live.until(lambda: live.emitted(State.QUEUED))


def test_cancelling_while_the_journal_is_locked_sends_nothing(live: LiveEngine) -> None:
    cloud, engine = live.cloud, live.engine
    live.locker.execute("BEGIN IMMEDIATE")
    id_ = engine.run(PLAN)
    engine.cancel(id_)
    engine.refresh()
    live.until(lambda: cloud.requests["group_tree"])
    assert engine.running()
    live.locker.execute("ROLLBACK")
    live.until(live.ended)
    ended = next(event for event in live.events if isinstance(event, OperationEnded))
    assert ended.summary == {"cancelled": 1}
    assert not cloud.posts


# With a slow disk, in virtual time.


@pytest.fixture
async def slow(console: Console) -> Console:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.lag = 5.0
    return console


async def test_the_post_waits_until_the_intent_is_on_a_slow_disk(
    slow: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    reader = Console(clock, cloud, tmp_path / "journal.db").journal
    counts = []

    def count_intents(call: str) -> None:
        if call == "operate":
            counts.append(reader.load("op-1").operation.count(State.SUBMITTING))

    cloud.on_call = count_intents
    operation = await slow.run(slow.plan(batch_size=2))
    assert counts == [2, 4, 6]
    assert operation.summary() == {"verified": 6}
    assert reader.load("op-1").operation.targets == operation.targets
    assert [kind for kind in map(type, slow.events) if kind in {OperationStarted, OperationEnded}] == [
        OperationStarted,
        OperationEnded,
    ]
    reader.close()


@pytest.mark.parametrize("seconds", [1.0, 7.0])
async def test_cancelling_while_the_intent_is_written_sends_nothing(
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


async def test_closing_while_the_intent_is_written_leaves_all_servers_planned(
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


async def test_closing_while_an_operation_is_created_leaves_it_to_the_next_process(
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


async def test_two_operations_of_one_reason_created_at_once_share_a_window(slow: Console) -> None:
    plans = [slow.plan(IDS[:3]), slow.plan(IDS[3:])]
    await asyncio.gather(*(slow.run(plan, f"op-{number}") for number, plan in enumerate(plans)))
    assert len({started.window_id for started in slow.emitted(OperationStarted)}) == 1
    assert len(slow.journal.windows(PLACE, "ACME")) == 1


async def test_concurrent_resumes_resume_an_operation_once(
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


async def test_no_login_to_another_account_while_an_operation_is_created(
    slow: Console, clock: VirtualClock
) -> None:
    work = asyncio.create_task(slow.run(slow.plan()))
    await clock.sleep(1)
    await slow.service.login(ENDPOINT, "op", PASSWORD, "OTHER")
    assert "operations on ACME are under way" in slow.emitted(LoginFailed)[-1].message
    assert (await work).summary() == {"verified": 6}


async def test_a_process_declared_dead_learns_of_it_however_late(
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


async def test_an_operation_lost_during_its_last_write_does_not_end_here(
    slow: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    work = asyncio.create_task(slow.run(slow.plan()))
    recent = slow.service.operations.recent
    await until(lambda: "op-1" in recent and recent["op-1"].summary() == {"verified": 6}, clock)
    Console.dead.add(slow.pid)
    other = Console(clock, cloud, tmp_path / "journal.db").journal
    assert claim(other, "op-1")
    await clock.sleep(60)
    assert [started.elsewhere for started in slow.emitted(OperationStarted)] == [False, True]
    assert slow.emitted(OperationEnded) == []
    assert slow.shown("op-1").summary() == {"executing": 6}, "its later states are not in the journal"
    for state in (State.SUCCEEDED, State.VERIFIED):
        record(other, "op-1", [Target(id_, state, clock.now()) for id_ in IDS])
    other.end_all([("op-1", clock.now())])
    await work
    assert slow.emitted(OperationEnded)[0].summary == {"verified": 6}
    assert len(cloud.posts) == 1
    other.close()


async def test_an_operation_can_be_cancelled_while_its_rest_is_left_to_a_resume(
    slow: Console, clock: VirtualClock
) -> None:
    work = asyncio.create_task(slow.run(slow.plan(wave_size=2)))
    await until(lambda: slow.emitted(Progress), clock)
    slow.service.operations.hold(finish_wave=True)
    await until(lambda: slow.shown("op-1").count(State.VERIFIED) == 2, clock)
    await clock.sleep(2)
    assert not slow.emitted(OperationEnded)
    await slow.service.operations.cancel("op-1")
    await until(lambda: len(slow.emitted(OperationEnded)) == 2, clock)
    assert slow.emitted(OperationEnded)[0].summary == {"planned": 4, "verified": 2}
    assert slow.emitted(OperationEnded)[1].summary == {"verified": 2, "cancelled": 4}
    assert slow.journal.load("op-1").operation.summary() == {"verified": 2, "cancelled": 4}
    await work


async def test_a_journal_problem_and_its_end_are_each_reported_once(
    slow: Console, clock: VirtualClock, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.01)
    slow.journal.unfinished_everywhere()
    slow.journal.close()
    locker = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    await slow.service.operations.run(slow.plan(), operation_id="op-1")
    await slow.service.operations.resume()
    assert "held by another program" in slow.emitted(OperationNotStarted)[0].message
    locker.execute("ROLLBACK")
    locker.close()
    assert (await slow.run(slow.plan(), "op-2")).summary() == {"verified": 6}
    assert [bool(event.message) for event in slow.emitted(JournalChanged)] == [True, False]
    assert not slow.service.operations.running


async def test_pruned_operations_are_reported(slow: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "KEEP_OPERATIONS", 1)
    monkeypatch.setattr(journal, "PRUNE_EVERY", 3)
    for number, action in enumerate(3 * [Action.PAUSE]):
        await slow.run(slow.plan(action=action), f"op-{number}")
    await slow.service.unfinished()
    assert [event.message[:31] for event in slow.emitted(JournalPruned)] == [
        "The journal forgot 2 operations"
    ]


class _ThreadedJournal:
    """A journal with operations, used on its thread; counts its transactions."""

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
    threaded = _ThreadedJournal(tmp_path / "journal.db", 50)
    asyncio.run(threaded.run(lambda thread: [thread.end(id_, 5.0) for id_ in threaded.ids]))
    assert threaded.commits == 1
    assert threaded.journal.unfinished(PLACE, "ACME") == []


def test_consecutive_records_share_a_transaction_and_keep_their_order(tmp_path: Path) -> None:
    threaded = _ThreadedJournal(tmp_path / "journal.db", 50)

    def work(thread: JournalThread) -> list[Awaitable[object]]:
        def record(state: State) -> list[Awaitable[object]]:
            return [thread.record(id_, [Target(f"WA1-{id_}", state, 5.0)]) for id_ in threaded.ids]

        read = thread.start(lambda journal: journal.load("op-7").operation.summary())
        queued = record(State.QUEUED)
        between = thread.start(lambda journal: journal.load("op-7").operation.summary())
        return [read, *queued, between, *record(State.VERIFIED)]

    results = asyncio.run(threaded.run(work))
    assert (results[0], results[51]) == ({"planned": 1}, {"queued": 1})
    assert results[1] == results[-1] == set()
    assert threaded.commits == 2
    assert threaded.journal.load("op-7").operation.summary() == {"verified": 1}


def test_losing_one_operation_does_not_stop_the_records_of_others(tmp_path: Path) -> None:
    threaded = _ThreadedJournal(tmp_path / "journal.db", 3)
    other = JournalWriter(
        tmp_path / "journal.db", owner=Owner("here", 2, "then"), alive=lambda owner, age: False
    )
    assert claim(other, "op-1")
    other.close()
    results = asyncio.run(
        threaded.run(
            lambda thread: [
                thread.record(id_, [Target(f"WA1-{id_}", State.CANCELLED, 5.0)]) for id_ in threaded.ids
            ]
        )
    )
    assert results == 3 * [{"op-1"}]
    states = {id_: threaded.journal.load(id_).operation.summary() for id_ in threaded.ids}
    assert states == {"op-0": {"cancelled": 1}, "op-1": {"planned": 1}, "op-2": {"cancelled": 1}}


def test_more_calls_than_share_a_transaction_begin_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread_module, "TOGETHER", 3)
    threaded = _ThreadedJournal(tmp_path / "journal.db", 7)
    asyncio.run(threaded.run(lambda thread: [thread.end(id_, 5.0) for id_ in threaded.ids]))
    assert threaded.commits == 3
    assert threaded.journal.unfinished(PLACE, "ACME") == []


def test_what_was_accepted_runs_before_the_close_and_nothing_is_accepted_afterwards(
    tmp_path: Path,
) -> None:
    threaded = _ThreadedJournal(tmp_path / "journal.db", 2)
    problems: list[str] = []

    def fail(journal: JournalWriter) -> None:
        raise JournalError("no such thing")

    async def scenario() -> None:
        thread, busy = JournalThread(threaded.journal, problems.append), threading.Event()
        with pytest.raises(JournalError, match="no such thing"):
            await thread.do(fail)
        assert await thread.do(lambda journal: threading.current_thread()) is not threading.main_thread()
        waiting = thread.start(lambda journal: busy.wait(PATIENCE))
        nobody_waits = asyncio.ensure_future(thread.end("op-0", 5.0))
        await asyncio.sleep(0)
        nobody_waits.cancel()
        closing = [asyncio.ensure_future(thread.close()) for _ in range(2)]
        await asyncio.sleep(0)
        for refused in (
            lambda: thread.start(fail),
            lambda: thread.record("op-1", [Target("WA1-op-1", State.CANCELLED, 5.0)]),
        ):
            with pytest.raises(JournalError, match=r"^the journal is closed$"):
                refused()
        with pytest.raises(JournalError, match=r"^the journal is closed$"):
            await thread.end("op-1", 5.0)
        assert not closing[0].done()
        busy.set()
        await asyncio.gather(waiting, *closing)
        await thread.close()

    asyncio.run(scenario())
    assert threaded.journal.liveness("op-0") == (5.0, False)
    assert threaded.journal.liveness("op-1")[0] is None


def test_problems_and_notes_are_reported_on_the_loop(tmp_path: Path) -> None:
    threaded = _ThreadedJournal(tmp_path / "journal.db", 1)
    heard: list[tuple[str, str, threading.Thread]] = []

    def hear(kind: str) -> Callable[[str], None]:
        return lambda text: heard.append((kind, text, threading.current_thread()))

    async def scenario() -> JournalThread:
        thread = JournalThread(threaded.journal, hear("problem"), hear("note"))
        threaded.journal.database.note("too early: there is no loop yet")
        await thread.do(lambda journal: journal.database.note("forgot it"))
        (tmp_path / "journal.db").chmod(0o600)
        (tmp_path / "journal.db").rename(tmp_path / "away.db")
        (tmp_path / "journal.db").mkdir()
        await thread.do(lambda journal: journal.database.disconnect())
        with pytest.raises(JournalError):
            await thread.do(lambda journal: journal.load("op-0"))
        (tmp_path / "journal.db").rmdir()
        (tmp_path / "away.db").rename(tmp_path / "journal.db")
        await thread.do(lambda journal: journal.heartbeat())
        await asyncio.sleep(0)
        return thread

    asyncio.run(scenario())
    assert [(kind, bool(text), where) for kind, text, where in heard] == [
        ("note", True, threading.main_thread()),
        ("problem", True, threading.main_thread()),
        ("problem", False, threading.main_thread()),
    ]
    assert heard[0][1] == "forgot it"
    threaded.journal.database.note("too late: the loop has ended")
    assert len(heard) == 3
