"""kill -9 at any time, then a new start: every server is accounted for and nothing is sent twice."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence, Set
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.engine.clock import VirtualClock, VirtualLoop, run
from tests.engine.cloud import Cloud
from tests.engine.console import Console, memory_directory, until
from tests.engine.journals import fill
from tui.api.errors import ApiError, OutcomeUnsure, RateLimited, Unreachable
from tui.api.wire import Tree
from tui.engine.errors import JournalError
from tui.engine.events import (
    Event,
    JobDurations,
    JournalChanged,
    OperationEnded,
    OperationNotStarted,
    OperationStarted,
    PriorTargets,
    Progress,
)
from tui.engine.journal.reader import StoredOperation
from tui.engine.service import EngineService
from tui.model.group import DataCenter
from tui.model.operation import Action, Operation, State


def check_outcomes(cloud: Cloud, operation: Operation) -> None:
    """The final states in the journal agree with what the platform carried out."""
    posted = Counter(id_ for post in cloud.posts for id_ in post)
    assert set(operation.targets) == set(cloud.servers)
    assert max(posted.values(), default=0) <= 1, "a server was sent twice"
    for id_, server in cloud.now().items():
        assert (operation.targets[id_].state is State.VERIFIED) == bool(server.maintenance), id_
        assert operation.targets[id_].state not in {State.PLANNED, State.SUBMITTING, State.SUCCEEDED}


@given(
    kills=st.lists(st.tuples(st.integers(1, 25), st.booleans()), min_size=1, max_size=3),
    batch_size=st.integers(1, 6),
    wave_size=st.none() | st.integers(1, 6),
    faults=st.lists(st.sampled_from(["", "", "drop-before", "drop-after"]), max_size=8),
    lag=st.sampled_from([0.0, 0.01, 0.5]),
)
@settings(max_examples=60)
def test_after_kills_at_any_write_a_resume_accounts_for_every_server(
    kills: list[tuple[int, bool]], batch_size: int, wave_size: int | None, faults: list[str], lag: float
) -> None:
    async def scenario(clock: VirtualClock) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.lag = lag
        cloud = Cloud(clock, 6)
        remaining = list(faults)

        def before(call: str) -> None:
            if call == "operate" and remaining and remaining[-1] == "drop-before":
                remaining.pop()
                raise OutcomeUnsure("the connection was lost")

        def after(number: int) -> ApiError | None:
            return (
                OutcomeUnsure("the connection was lost")
                if remaining and remaining.pop() == "drop-after"
                else None
            )

        cloud.on_call, cloud.on_post = before, after
        with memory_directory() as directory:
            path = Path(directory) / "journal.db"
            created = False
            for number, committed in kills:
                console = await Console(clock, cloud, path).login()
                died = asyncio.create_task(console.kill_at_write(number, committed=committed).wait())
                if not created:
                    plan = console.plan(batch_size=batch_size, wave_size=wave_size)
                    work = asyncio.create_task(console.service.operations.run(plan, operation_id="op-1"))
                else:
                    work = asyncio.create_task(console.service.operations.resume(send_planned=True))
                await asyncio.wait([work, died], return_when=asyncio.FIRST_COMPLETED)
                console.kill()
                await asyncio.gather(work, died, return_exceptions=True)
                reader = Console(clock, cloud, path)
                created = created or bool(reader.journal.unfinished("https://cloud.example", "ACME"))
                reader.journal.close()
            last = await Console(clock, cloud, path).login()
            if created:
                await last.service.operations.resume(send_planned=True)
                stored = last.journal.load("op-1").operation
                assert stored.ended is not None
                check_outcomes(cloud, stored)
            await last.service.close()

    run(scenario)


async def kill_and_wait(console: Console, work: "asyncio.Task[object]") -> None:
    console.kill()
    await asyncio.gather(work, return_exceptions=True)


@pytest.mark.parametrize("seconds", [0.01, 0.03, 0.05, 1, 3, 20, 29.9, 30.1, 31, 45])
async def test_after_a_kill_at_any_time_the_next_process_resumes_the_tracking(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path, seconds: float
) -> None:
    work = asyncio.create_task(console.run(console.plan(batch_size=2)))
    await clock.sleep(seconds)
    await kill_and_wait(console, work)
    again = await Console(clock, cloud, tmp_path / "journal.db").login()
    await again.service.operations.resume()
    stored = again.journal.load("op-1").operation
    check_outcomes(cloud, stored)
    for started in again.emitted(OperationStarted):
        assert started.resumed
        assert again.shown("op-1").targets == stored.targets
    await again.service.close()


async def test_unsent_waves_wait_for_the_operators_consent(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    work = asyncio.create_task(console.run(console.plan(wave_size=2)))
    await until(lambda: len(cloud.posts) == 1, clock)
    await kill_and_wait(console, work)
    again = await Console(clock, cloud, tmp_path / "journal.db").login()
    await again.service.operations.resume()
    assert again.emitted(OperationEnded)[0].summary == {"planned": 4, "verified": 2}
    assert len(cloud.posts) == 1
    assert again.journal.load("op-1").operation.ended is None
    await again.service.operations.resume(send_planned=True)
    assert again.emitted(OperationEnded)[1].summary == {"verified": 6}
    assert len(cloud.posts) == 3
    await again.service.operations.resume(send_planned=True)
    assert len(again.emitted(OperationStarted)) == 2, "an ended operation is not resumed"
    await again.service.close()


async def test_an_operation_of_which_nothing_was_sent_stays_planned_without_consent(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    created = console.kill_at_write(1, committed=True)
    work = asyncio.create_task(console.run(console.plan(batch_size=2)))
    await created.wait()
    await kill_and_wait(console, work)
    assert cloud.posts == []
    again = await Console(clock, cloud, tmp_path / "journal.db").login()
    await again.service.operations.resume()
    assert again.emitted(OperationEnded)[0].summary == {"planned": 6}
    assert again.journal.liveness("op-1") == (None, False)
    assert again.emitted(Progress) == []
    await again.service.close()


async def test_the_unsent_rest_of_an_interrupted_operation_can_be_cancelled(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    work = asyncio.create_task(console.run(console.plan(wave_size=2)))
    await until(lambda: len(cloud.posts) == 1, clock)
    await kill_and_wait(console, work)
    again = await Console(clock, cloud, tmp_path / "journal.db").login()
    await again.service.operations.cancel("op-1")
    await until(lambda: again.emitted(OperationEnded), clock)
    assert again.emitted(OperationEnded)[0].summary == {"verified": 2, "cancelled": 4}
    assert again.journal.unfinished("https://cloud.example", "ACME") == []
    await again.service.close()


async def test_winding_down_finishes_the_current_wave_and_leaves_the_rest(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    work = asyncio.create_task(console.run(console.plan(wave_size=3, batch_size=1)))
    await until(lambda: cloud.posts, clock)
    await console.service.operations.wind_down(send_rest=True)
    await work
    assert console.emitted(OperationEnded)[0].summary == {"planned": 3, "verified": 3}
    again = await Console(clock, cloud, tmp_path / "journal.db").login()
    await again.service.operations.resume(send_planned=True)
    assert again.emitted(OperationEnded)[0].summary == {"verified": 6}
    check_outcomes(cloud, again.journal.load("op-1").operation)
    await again.service.close()


async def test_winding_down_sends_the_batches_of_the_wave_that_wait_for_their_turn(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    cloud.round_trip = 1.0
    work = asyncio.create_task(console.run(console.plan(batch_size=1)))
    await until(lambda: len(cloud.posts) == 4, clock)
    await console.service.operations.wind_down(send_rest=True)
    assert (await work).summary() == {"verified": 6}


async def test_a_hold_during_a_rate_limit_pause_leaves_the_rest_to_a_resume(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    def busy(call: str) -> None:
        if call == "operate" and cloud.posts:
            raise RateLimited("slow down", 600)

    cloud.on_call = busy
    work = asyncio.create_task(console.run(console.plan(batch_size=2)))
    await until(lambda: len(cloud.posts) == 1, clock)
    await clock.sleep(1)
    console.service.operations.hold()
    operation = await work
    assert operation.summary() == {"planned": 4, "verified": 2}
    assert {operation.targets[id_].message for id_ in operation.ids(State.PLANNED)} == {""}
    cloud.on_call = lambda call: None
    again = await Console(clock, cloud, tmp_path / "journal.db").login()
    await again.service.operations.resume(send_planned=True)
    assert again.emitted(OperationEnded)[0].summary == {"verified": 6}
    check_outcomes(cloud, again.journal.load("op-1").operation)
    await again.service.close()


@pytest.mark.parametrize(("down", "left"), [(100.0, 3_500.0), (3_000.0, 600.0), (9_000.0, 60.0)])
async def test_a_resume_watches_a_server_in_doubt_for_the_rest_of_the_time(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path, down: float, left: float
) -> None:
    def drop(call: str) -> None:
        if call == "operate":
            raise OutcomeUnsure("lost")

    cloud.on_call = drop
    work = asyncio.create_task(console.run(console.plan()))
    await clock.sleep(1)
    await kill_and_wait(console, work)
    await clock.sleep(down)
    clock.jump(-5_000.0)
    began = clock.monotonic()
    again = await Console(clock, cloud, tmp_path / "journal.db").login()
    await again.service.operations.resume()
    assert left - 5 <= clock.monotonic() - began <= left + 32
    operation = again.shown("op-1")
    assert operation.summary() == {"unsure": 6}
    assert {target.message for target in operation.targets.values()} == {
        "lost; untouched: the server is not in maintenance, so it may be asked for again"
    }
    await again.service.close()


async def test_a_resume_after_a_lost_answer_explains_what_was_interrupted(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    cloud.round_trip = 10.0
    ids = list(cloud.servers)
    plan = console.plan()
    work = asyncio.create_task(console.run(plan))
    await clock.sleep(1)
    await kill_and_wait(console, work)
    cloud.round_trip = 0.02
    again = await Console(clock, cloud, tmp_path / "journal.db").login()
    await again.service.operations.resume()
    operation = again.shown("op-1")
    assert {target.message for target in operation.targets.values()} == {
        "Pitstop was interrupted before the answer came; untouched: the server is not in maintenance, "
        "so it may be asked for again"
    }
    assert operation.ids(State.UNSURE) == ids
    assert cloud.posts == []
    await again.service.close()


async def test_the_rest_excludes_servers_changed_or_under_way_by_then(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    cloud.round_trip = 1.0
    ids = list(cloud.servers)
    work = asyncio.create_task(console.run(console.plan(wave_size=2, batch_size=2)))
    await until(lambda: cloud.posts, clock)
    console.service.operations.hold()
    await work
    cloud.change(ids[2], Action.START_MAINTENANCE)  # Somebody else put it into maintenance.
    await console.service.inventory.refresh()
    other = asyncio.create_task(console.service.operations.run(console.plan([ids[4]]), operation_id="op-2"))
    await until(lambda: len(cloud.posts) == 2, clock)
    await console.service.operations.resume(send_planned=True)
    await other
    stored = console.journal.load("op-1").operation
    assert stored.ended is not None
    assert stored.summary() == {"verified": 4, "cancelled": 2}
    assert stored.targets[ids[2]].message == "not sent: already in maintenance"
    assert stored.targets[ids[4]].message.startswith("not sent: still under way: start maintenance of ")
    assert cloud.posts[2:] == [(ids[3],), (ids[5],)]


async def test_the_rest_is_not_sent_when_the_servers_cannot_be_read(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    work = asyncio.create_task(console.run(console.plan(wave_size=2)))
    await until(lambda: cloud.posts, clock)
    console.service.operations.hold()
    await work

    def fail(call: str) -> None:
        if call == "data_centers":
            raise Unreachable("connection refused")

    cloud.on_call = fail
    await console.service.operations.resume(send_planned=True)
    assert console.emitted(OperationNotStarted)[0].message == "the rest was not sent: connection refused"
    assert len(cloud.posts) == 1
    assert console.journal.load("op-1").operation.count(State.PLANNED) == 4


async def test_the_rest_waits_only_for_the_data_centers_that_it_is_in(
    clock: VirtualClock, tmp_path: Path
) -> None:
    cloud = PartlyBroken(clock, 9, ("WA1", "DE1", "VA1"))
    console = await Console(clock, cloud, tmp_path / "journal.db").login()
    ids = list(cloud.servers)
    plan = console.plan(wave_size=3)
    assert [{id_[:3] for id_ in batch.server_ids} for batch in plan.batches] == [{"WA1"}, {"DE1"}, {"VA1"}]
    work = asyncio.create_task(console.run(plan))
    await until(lambda: cloud.posts, clock)
    console.service.operations.hold()
    await work
    cloud.broken = {"DE1", "VA1"}
    await console.service.operations.resume(send_planned=True)
    assert [event.message for event in console.emitted(OperationNotStarted)] == [
        "the rest was not sent: DE1: connection refused; VA1: connection refused"
    ]
    assert cloud.posts == [tuple(ids[:3])]
    cloud.broken = {"WA1"}
    del cloud.servers[ids[8]]
    await console.service.operations.resume(send_planned=True)
    assert len(console.emitted(OperationNotStarted)) == 1
    assert cloud.posts == [tuple(ids[:3]), tuple(ids[3:6]), tuple(ids[6:8])]
    operation = console.shown("op-1")
    assert operation.summary() == {"verified": 8, "cancelled": 1}
    assert operation.targets[ids[8]].message.startswith("not sent: ")
    await console.service.close()


class PartlyBroken(Cloud):
    """A platform where some data centers cannot be read."""

    broken: Set[str] = frozenset()

    async def group_tree(self, account: str, data_center: DataCenter) -> Tree:
        if data_center.id in self.broken:
            raise Unreachable("connection refused")
        return await super().group_tree(account, data_center)


async def test_servers_under_way_are_known_to_every_console(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    second = await Console(clock, cloud, tmp_path / "journal.db").login()
    work = asyncio.create_task(console.run(console.plan(wave_size=3)))
    await until(lambda: cloud.posts, clock)
    await second.service.emit_prior_targets()
    assert second.emitted(JobDurations) == [JobDurations({})], "no job has ended"
    (emitted,) = second.emitted(PriorTargets)
    assert set(emitted.targets) == set(cloud.servers), "also those that the first is about to send"
    assert all(prior.under_way for prior in emitted.targets.values())
    await kill_and_wait(console, work)
    assert len(await second.service.prior_targets()) == 3, "nobody is about to send the others"
    await second.service.operations.resume(send_planned=True)
    assert await second.service.prior_targets() == {}
    await second.service.close()


async def test_pausing_sends_nothing_more_even_of_the_current_wave(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    cloud.round_trip = 1.0
    work = asyncio.create_task(console.run(console.plan(batch_size=1)))
    await until(lambda: cloud.posts, clock)
    await console.service.operations.wind_down(send_rest=False)
    await work
    assert console.emitted(OperationEnded)[0].summary == {"planned": 2, "verified": 4}


async def test_closing_waits_for_the_answers_of_requests_in_flight(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    cloud.round_trip = 2.0
    work = asyncio.create_task(console.run(console.plan()))
    await clock.sleep(1)
    await console.service.close()
    await asyncio.gather(work, return_exceptions=True)
    again = await Console(clock, cloud, tmp_path / "journal.db").login()
    stored = again.journal.load("op-1").operation
    assert stored.summary() == {"queued": 6}
    await again.service.operations.resume()
    check_outcomes(cloud, again.journal.load("op-1").operation)
    await again.service.close()


async def test_closing_waits_for_every_request_in_flight_and_no_longer(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    round_trips = iter([1.0, 2.5])

    async def answer_late() -> None:
        await asyncio.sleep(next(round_trips))

    cloud.on_call = lambda call: answer_late() if call == "operate" else None
    started = clock.monotonic()
    work = asyncio.create_task(console.run(console.plan(batch_size=3)))
    await clock.sleep(0.5)
    await console.service.close()
    assert 2.5 <= clock.monotonic() - started < 2.7
    await asyncio.gather(work, return_exceptions=True)
    assert console.journal.load("op-1").operation.summary() == {"queued": 6}
    assert len(console.emitted(OperationStarted)) == 1, "nobody has taken it over"


async def test_a_second_console_only_watches_the_operation_of_the_first(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    work = asyncio.create_task(console.run(console.plan()))
    await until(lambda: len(cloud.posts) == 1, clock)
    second = await Console(clock, cloud, tmp_path / "journal.db").login()
    await second.service.operations.resume(send_planned=True)
    shown = await work
    assert second.emitted(OperationStarted)[0].elsewhere
    assert second.shown("op-1").targets == shown.targets
    assert second.emitted(OperationEnded)[0].summary == {"verified": 6}
    assert len(cloud.posts) == 1
    assert not second.service.operations.running
    await second.service.close()


async def test_a_second_console_takes_over_when_the_first_dies(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    work = asyncio.create_task(console.run(console.plan()))
    await until(lambda: len(cloud.posts) == 1, clock)
    await kill_and_wait(console, work)
    Console.dead.discard(console.pid)
    second = await Console(clock, cloud, tmp_path / "journal.db").login()
    following = asyncio.create_task(second.service.operations.resume())
    await clock.sleep(5)
    assert not second.service.operations.running
    Console.dead.add(console.pid)
    await following
    check_outcomes(cloud, second.journal.load("op-1").operation)
    assert [event.elsewhere for event in second.emitted(OperationStarted)] == [True, False]
    await second.service.close()


async def test_an_owner_that_dies_during_the_claim_is_replaced(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    work = asyncio.create_task(console.run(console.plan()))
    await until(lambda: len(cloud.posts) == 1, clock)
    await kill_and_wait(console, work)
    second = await Console(clock, cloud, tmp_path / "journal.db").login()
    Console.dead.discard(console.pid)
    claim_all = second.journal.claim_all

    def claim_as_the_owner_dies(operation_ids: Sequence[str]) -> list[tuple[bool, StoredOperation]]:
        claimed = claim_all(operation_ids)
        Console.dead.add(console.pid)
        return claimed

    second.journal.claim_all = claim_as_the_owner_dies  # type: ignore[method-assign]
    await second.service.operations.resume()
    assert second.shown("op-1").summary() == {"verified": 6}
    await second.service.close()


async def test_operations_before_a_damaged_one_are_resumed(
    clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    fill(tmp_path / "journal.db", 3, 1, started=clock.now())
    cloud.servers = {id_: replace(server, maintenance=True) for id_, server in cloud.servers.items()}
    console = await Console(clock, cloud, tmp_path / "journal.db").login()
    with console.journal.database.writing() as db:
        db.execute("UPDATE operations SET action = 'st?rtMaintenance' WHERE id = 'op-1'")
    await console.service.operations.resume()
    assert [event.operation_id for event in console.emitted(OperationEnded)] == ["op-0"]
    assert any("damaged" in event.message for event in console.emitted(JournalChanged))
    await console.service.close()


async def test_many_unfinished_operations_are_resumed_in_few_transactions(
    clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    number = 300
    fill(tmp_path / "journal.db", number, 1, started=clock.now())
    cloud.servers = {
        id_: replace(server, maintenance=True) for id_, server in Cloud(clock, servers=number).servers.items()
    }
    console = await Console(clock, cloud, tmp_path / "journal.db").login()
    writes = console.count_writes()
    await console.service.operations.resume()
    assert [event.summary for event in console.emitted(OperationEnded)] == number * [{"verified": 1}]
    assert await console.service.unfinished() == {}
    assert writes() < 2 * number + 10  # They are claimed together. On a thread, the rest is shared as well.
    await console.service.close()


async def test_a_process_declared_dead_sends_nothing_more_when_it_wakes(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    work = asyncio.create_task(console.run(console.plan(wave_size=2)))
    await until(lambda: len(cloud.posts) == 1, clock)
    Console.dead.add(console.pid)  # Asleep for so long that it seems dead.
    second = await Console(clock, cloud, tmp_path / "journal.db").login()
    await second.service.operations.resume(send_planned=True)
    await work
    check_outcomes(cloud, second.journal.load("op-1").operation)
    assert len(cloud.posts) == 3
    await second.service.close()


async def test_a_process_frozen_after_its_intent_sends_nothing_when_it_thaws(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    cloud.posts_may_leave.clear()
    work = asyncio.create_task(console.run(console.plan()))
    await until(lambda: console.emitted(Progress), clock)
    Console.dead.add(console.pid)
    second = await Console(clock, cloud, tmp_path / "journal.db").login()
    await second.service.operations.resume()
    assert second.shown("op-1").summary() == {"unsure": 6}
    cloud.posts_may_leave.set()
    await work
    assert cloud.posts == []
    assert console.emitted(OperationStarted)[-1].elsewhere
    await second.service.close()


@pytest.mark.parametrize(
    ("stop", "state"),
    [
        (lambda service: service.operations.cancel("op-1"), "cancelled"),
        (lambda service: service.operations.wind_down(send_rest=False), "planned"),
    ],
)
async def test_an_operation_stopped_after_its_intent_is_not_sent(
    console: Console,
    clock: VirtualClock,
    cloud: Cloud,
    stop: Callable[[EngineService], Coroutine[None, None, None]],
    state: str,
) -> None:
    cloud.posts_may_leave.clear()
    work = asyncio.create_task(console.run(console.plan()))
    await until(lambda: console.emitted(Progress), clock)
    stopping = asyncio.create_task(stop(console.service))
    await asyncio.sleep(0)
    cloud.posts_may_leave.set()
    await stopping
    operation = await work
    assert operation.summary() == {state: 6}
    assert cloud.posts == []
    assert console.journal.load("op-1").operation.summary() == {state: 6}


async def test_a_hold_before_the_first_wave_sends_nothing(console: Console, cloud: Cloud) -> None:
    def hold(event: Event) -> None:
        if isinstance(event, OperationStarted):
            console.service.operations.hold(finish_wave=True)

    console.on_event = hold
    operation = await console.run(console.plan(wave_size=3))
    assert operation.summary() == {"planned": 6}
    assert cloud.posts == []
    console.on_event = lambda event: None
    await console.service.operations.resume(send_planned=True)
    assert console.shown("op-1").summary() == {"verified": 6}


async def start_before_leaving(
    console: Console, cloud: Cloud, clock: VirtualClock
) -> "asyncio.Task[Operation]":
    """Start an operation of two waves: the first intent is recorded, its request waits to leave."""
    cloud.posts_may_leave.clear()
    work = asyncio.create_task(console.run(console.plan(wave_size=3)))
    await until(lambda: console.emitted(Progress), clock)
    return work


async def test_a_hold_of_everything_outlasts_one_that_finishes_the_wave(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    cloud.round_trip = 1.0
    work = asyncio.create_task(console.run(console.plan(batch_size=1)))
    await until(lambda: len(cloud.posts) == 4, clock)
    console.service.operations.hold()
    console.service.operations.hold(finish_wave=True)
    assert (await work).summary() == {"planned": 2, "verified": 4}


async def test_a_stop_that_comes_while_the_request_waits_to_leave_is_obeyed(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    work = await start_before_leaving(console, cloud, clock)
    other = Console(clock, cloud, tmp_path / "journal.db").journal
    other.request_stop("op-1")
    await clock.sleep(1)
    cloud.posts_may_leave.set()
    operation = await work
    assert operation.summary() == {"cancelled": 6}
    assert {target.message for target in operation.targets.values()} == {
        "not sent: stopped from another Pitstop of yours"
    }
    assert cloud.posts == []
    other.close()


async def test_nothing_leaves_when_the_journal_cannot_be_read_any_more(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    work = await start_before_leaving(console, cloud, clock)
    database = console.journal.database

    def broken() -> NoReturn:
        raise JournalError("no such disk")

    connect, database.connect = database.connect, broken  # type: ignore[method-assign]
    database.disconnect()
    await clock.sleep(1)
    cloud.posts_may_leave.set()
    operation = await work
    assert operation.summary() == {"planned": 6}
    assert [target.message for target in operation.targets.values()] == 3 * ["not sent: no such disk"] + 3 * [
        ""
    ]
    assert cloud.posts == []
    database.connect = connect  # type: ignore[method-assign]
    await console.service.operations.resume(send_planned=True)
    assert console.shown("op-1").summary() == {"verified": 6}
    assert len(cloud.posts) == 2


async def test_the_first_reason_to_stop_becomes_the_message(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    work = await start_before_leaving(console, cloud, clock)
    await console.service.operations.cancel("op-1")
    other = Console(clock, cloud, tmp_path / "journal.db").journal
    other.request_stop("op-1")
    await clock.sleep(1)
    cloud.posts_may_leave.set()
    operation = await work
    assert operation.summary() == {"cancelled": 6}
    assert {target.message for target in operation.targets.values()} == {
        "stopped by the operator before it was sent"
    }
    other.close()


async def test_the_limit_of_failures_also_holds_for_the_rest(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    ids = list(cloud.servers)
    cloud.refuse = dict.fromkeys(ids[:2], "no")
    work = asyncio.create_task(console.run(console.plan(wave_size=2), max_failed=1))
    await until(lambda: cloud.posts, clock)
    console.service.operations.hold()
    await work
    again = await Console(clock, cloud, tmp_path / "journal.db").login()
    await again.service.operations.resume()
    assert again.emitted(OperationEnded)[0].summary == {"planned": 4, "refused": 2}, "nothing is to be sent"
    await again.service.operations.resume(send_planned=True)
    operation = again.shown("op-1")
    assert operation.summary() == {"refused": 2, "cancelled": 4}
    message = "not sent: 2 servers before it did not end well, more than 1"
    assert {operation.targets[id_].message for id_ in ids[2:]} == {message}
    assert len(cloud.posts) == 1
    await again.service.close()


async def test_one_console_can_cancel_the_operation_of_another(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    work = asyncio.create_task(console.run(console.plan(wave_size=2)))
    await until(lambda: len(cloud.posts) == 1, clock)
    second = await Console(clock, cloud, tmp_path / "journal.db").login()
    await second.service.operations.cancel("op-1")
    operation = await work
    assert operation.summary() == {"verified": 2, "cancelled": 4}
    assert "stopped from another Pitstop of yours" in operation.targets[list(cloud.servers)[5]].message
    await second.service.close()
