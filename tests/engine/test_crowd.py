"""More jobs at once than can be polled in time: one reading of a data center shows many ends."""

import asyncio
from pathlib import Path

import pytest

from tests.benchmarks.crowd import Crowd, follow
from tests.engine.clock import VirtualClock, run
from tests.engine.platform import Queue, known
from tests.engine.test_verifier import START, Cloud
from tui.engine.polling.queue import BACKLOG_AFTER
from tui.engine.polling.tracker import Tracker
from tui.engine.polling.verifier import Verifier
from tui.model.job import JobOutcome


def test_many_jobs_are_noticed_soon_for_no_more_requests_than_by_polling(tmp_path: Path) -> None:
    """When each job was polled, half of these 600 were noticed more than 11 s late, for 2,413 requests."""
    result = run(lambda clock: follow(clock, Crowd(600, (30.0, 90.0)), tmp_path))
    assert result.became == {"verified": 600}
    assert sorted(result.late)[570] <= 10.0
    assert result.requests.total() <= 2_413


def test_failed_jobs_among_many_are_not_called_verified(tmp_path: Path) -> None:
    result = run(lambda clock: follow(clock, Crowd(200, (10.0, 30.0), failed=0.3), tmp_path))
    assert set(result.became) == {"verified", "failed"}
    assert sum(result.became.values()) == 200


def make_verifier(cloud: Cloud, *, backlogged: bool = False) -> Verifier:
    return Verifier(
        read_server=cloud.server,
        read_data_center=cloud.data_center,
        data_center_of=lambda server_id: server_id[:3],
        clock=cloud.clock,
        backlogged=lambda: backlogged,
    )


@pytest.mark.parametrize("backlogged", [False, True])
async def test_watched_servers_cause_readings_only_when_the_tracker_is_backlogged(
    clock: VirtualClock, backlogged: bool
) -> None:
    cloud = Cloud(clock)
    verifier = make_verifier(cloud, backlogged=backlogged)
    watched = cloud.add("WA1", 30, changes_at=8.0)
    watching = asyncio.create_task(verifier.watch(START, watched))
    await clock.sleep(20)
    assert watching.done() is backlogged
    assert bool(cloud.reads) is backlogged
    assert await verifier.settle(START, cloud.add("WA1", 1), limit=5.0, on_server=lambda server: None) == {}
    await watching
    assert cloud.times("WA1"), "the whole data center, where many of its servers are watched"
    reads = list(cloud.reads)
    await clock.sleep(60)
    assert cloud.reads == reads, "nothing is watched any more"


@pytest.mark.parametrize(("watched", "alone"), [(3, True), (18, True), (19, False)])
async def test_a_server_to_verify_among_few_watched_is_read_alone(
    clock: VirtualClock, watched: int, alone: bool
) -> None:
    cloud = Cloud(clock)
    verifier = make_verifier(cloud)
    watching = asyncio.create_task(verifier.watch(START, cloud.add("WA1", watched)))
    await clock.sleep(0)
    (one,) = cloud.add("WA1", 1)
    await verifier.settle(START, [one], limit=5.0, on_server=lambda server: None)
    assert [what for _, what in cloud.reads] == [one if alone else "WA1"]
    watching.cancel()


async def test_a_job_whose_servers_all_changed_is_polled_at_once(clock: VirtualClock) -> None:
    queue = Queue(clock)
    tracker = Tracker(queue.status, clock=clock)
    queue.post("wa1-1", 5.0)
    waiting = asyncio.create_task(tracker.wait("wa1-1", START, 100, clock.now()))
    await clock.sleep(6)
    polled = len(queue.requests)
    tracker.confirm("wa1-1")
    tracker.confirm("wa1-2")
    assert await waiting is JobOutcome.SUCCEEDED
    assert len(queue.requests) == polled + 1
    assert clock.monotonic() < 7


async def test_a_job_whose_servers_all_changed_is_polled_often_until_its_end(clock: VirtualClock) -> None:
    """Servers change before their job ends: here by its 180th second of 200, where 1,000 are usual."""
    queue = Queue(clock)
    tracker = Tracker(queue.status, clock=clock, history=known([1_000.0] * 50))
    queue.post("wa1-1", 200.0)
    waiting = asyncio.create_task(tracker.wait("wa1-1", START, 3, clock.now()))
    await clock.sleep(180)
    polled = len(queue.requests)
    tracker.confirm("wa1-1")
    await waiting
    assert clock.monotonic() <= 200 + 0.03 * 200 + 0.1
    assert len(queue.requests) - polled <= 6


async def test_in_a_backlog_servers_are_read_until_the_last_that_watches_leaves(clock: VirtualClock) -> None:
    cloud = Cloud(clock)
    cloud.read_seconds = 0.0
    verifier = make_verifier(cloud, backlogged=True)
    for _ in range(2):
        soon, never = cloud.add("WA1", 2, changes_at=clock.monotonic() + 10), cloud.add("WA1", 2, 1e9)
        first = asyncio.create_task(verifier.watch(START, soon))
        second = asyncio.create_task(verifier.watch(START, never))
        await first
        reads = len(cloud.reads)
        await clock.sleep(31)
        assert len(cloud.reads) == reads + 10, "every three seconds"
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        await clock.sleep(31)
        assert len(cloud.reads) == reads + 10
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_one_of_two_that_wait_for_a_job_cannot_confirm_it(clock: VirtualClock) -> None:
    queue = Queue(clock)
    tracker = Tracker(queue.status, clock=clock)
    queue.post("wa1-1", 1_000.0)
    waiting = [asyncio.create_task(tracker.wait("wa1-1", START, 100, clock.now())) for _ in range(2)]
    await clock.sleep(6)
    polled = len(queue.requests)
    tracker.confirm("wa1-1")
    await clock.sleep(0.001)
    assert len(queue.requests) == polled
    waiting.pop().cancel()
    await clock.sleep(0.001)
    tracker.confirm("wa1-1")
    await clock.sleep(0.001)
    assert len(queue.requests) == polled + 1
    waiting.pop().cancel()


async def test_a_job_whose_status_is_being_requested_is_not_polled_twice(clock: VirtualClock) -> None:
    queue = Queue(clock, round_trip=100.0)
    tracker = Tracker(queue.status, clock=clock)
    queue.post("wa1-1", 20.0)
    waiting = asyncio.create_task(tracker.wait("wa1-1", START, 100, clock.now()))
    await clock.sleep(60)
    assert queue.in_flight["wa1-1"] == 1
    tracker.confirm("wa1-1")
    assert await waiting is JobOutcome.SUCCEEDED
    assert len(queue.requests) == 1


async def test_in_a_backlog_changed_servers_end_their_job_without_a_poll(clock: VirtualClock) -> None:
    queue = Queue(clock)
    durations: list[float] = []
    tracker = Tracker(
        queue.status,
        clock=clock,
        budget=1.0,
        connections=1,
        on_duration=lambda action, servers, seconds: durations.append(seconds),
    )
    for number in range(50):
        queue.post(f"wa1-{number}", 1_000.0)
    waiting = [
        asyncio.create_task(tracker.wait(f"wa1-{number}", START, 3, clock.now())) for number in range(50)
    ]
    await clock.sleep(BACKLOG_AFTER + 60)
    assert tracker.backlogged
    polled = [job for _, job in queue.requests]
    tracker.confirm("wa1-49")
    assert await waiting[49] is JobOutcome.SUCCEEDED
    assert [job for _, job in queue.requests].count("wa1-49") == polled.count("wa1-49")
    assert durations == [pytest.approx((BACKLOG_AFTER + 60) / 0.9)], "servers change before their job ends"
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert not tracker.backlogged
