"""When the tracker requests the status of jobs, and what it reports."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import pytest

from tests.engine.clock import EPOCH, VirtualClock
from tests.engine.platform import Queue, follow, known, uniform
from tui.api.errors import (
    ApiError,
    Malformed,
    NotFound,
    RateLimited,
    ServerFault,
    TokenExpired,
    Unreachable,
)
from tui.engine.polling.tracker import Tracker
from tui.model.job import JobOutcome
from tui.model.operation import Action

START = Action.START_MAINTENANCE


@pytest.fixture
def queue(clock: VirtualClock) -> Queue:
    return Queue(clock)


@pytest.fixture
def tracker(queue: Queue, clock: VirtualClock) -> Tracker:
    return Tracker(queue.status, clock=clock, jitter=lambda: 0.5)


def most_in_any_second(queue: Queue, after: float = 0.0) -> int:
    """The most requests that left within any one second."""
    times = sorted(at for at, _ in queue.requests if at >= after)
    return max(sum(1 for at in times[i:] if at < start + 1) for i, start in enumerate(times))


@pytest.mark.parametrize("status", ["succeeded", "failed", "unknown"])
async def test_the_final_status_decides_the_outcome(
    tracker: Tracker, queue: Queue, clock: VirtualClock, status: str
) -> None:
    queue.post("wa1-1", 20)
    queue.final_status = status
    assert await tracker.wait("wa1-1", START, 1, clock.now()) is JobOutcome(status)


async def test_status_changes_are_reported_and_unknown_ones_do_not_end_the_job(clock: VirtualClock) -> None:
    script = ["notStarted", "notStarted", "executing", "resumed", "Pondering", "Pondering", "succeeded"]
    seen: list[str] = []

    async def status(job_id: str) -> str:
        return script.pop(0)

    tracker = Tracker(status, clock=clock)
    outcome = await tracker.wait("wa1-1", START, 1, clock.now(), on_status=seen.append)
    assert outcome is JobOutcome.SUCCEEDED
    assert seen == ["notStarted", "executing", "resumed", "Pondering", "succeeded"]


async def test_many_waiters_make_one_poller(tracker: Tracker, queue: Queue, clock: VirtualClock) -> None:
    queue.post("wa1-1", 40)
    alone = Queue(clock)
    alone.post("wa1-1", 40)
    single = Tracker(alone.status, clock=clock)
    outcomes = await asyncio.gather(
        *(tracker.wait("wa1-1", START, 100, clock.now()) for _ in range(100)),
        single.wait("wa1-1", START, 100, clock.now()),
    )
    assert set(outcomes) == {JobOutcome.SUCCEEDED}
    assert len(queue.requests) == len(alone.requests)


async def test_a_job_that_nobody_waits_for_is_not_polled(
    tracker: Tracker, queue: Queue, clock: VirtualClock
) -> None:
    for job_id in ("wa1-1", "wa1-2"):
        queue.post(job_id, 600)
    first = asyncio.create_task(tracker.wait("wa1-1", START, 1, clock.now()))
    second = asyncio.create_task(tracker.wait("wa1-1", START, 1, clock.now()))
    other = asyncio.create_task(tracker.wait("wa1-2", START, 1, clock.now()))
    await clock.sleep(10)
    first.cancel()
    await clock.sleep(10)
    assert [at for at, job_id in queue.requests if job_id == "wa1-1" and at > 10], "one still waits for it"
    second.cancel()
    await clock.sleep(1)
    polled = Counter(job_id for _, job_id in queue.requests)
    await clock.sleep(100)
    later = Counter(job_id for _, job_id in queue.requests)
    assert later["wa1-1"] == polled["wa1-1"]
    assert later["wa1-2"] > polled["wa1-2"]
    other.cancel()
    await asyncio.gather(first, second, other, return_exceptions=True)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_job_that_nobody_waits_for_any_more_before_its_first_request_is_not_polled(
    tracker: Tracker, queue: Queue, clock: VirtualClock
) -> None:
    queue.post("wa1-left", 60)
    left = asyncio.create_task(tracker.wait("wa1-left", START, 1, clock.now()))
    following = asyncio.create_task(follow(tracker, queue, [60.0]))
    await clock.sleep(0.1)
    left.cancel()
    await following
    assert left.cancelled()
    assert {job_id for _, job_id in queue.requests} == {"wa1-0"}


async def test_a_job_is_polled_again_for_one_who_waits_after_all_others_left(
    tracker: Tracker, queue: Queue, clock: VirtualClock
) -> None:
    queue.post("wa1-1", 60)
    left = asyncio.create_task(tracker.wait("wa1-1", START, 1, clock.now()))
    await clock.sleep(20)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    assert await tracker.wait("wa1-1", START, 1, clock.now() - 20) is JobOutcome.SUCCEEDED
    assert clock.monotonic() < 70


async def test_cancelling_the_only_wait_cancels_its_request(
    tracker: Tracker, queue: Queue, clock: VirtualClock
) -> None:
    queue.round_trip = 1_000
    queue.post("wa1-1", 10)
    waiting = asyncio.create_task(tracker.wait("wa1-1", START, 1, clock.now()))
    await clock.sleep(50)
    assert queue.in_flight.total() == 1
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await clock.sleep(0)
    assert queue.in_flight.total() == 0


async def test_jobs_with_a_history_are_polled_when_they_are_due(queue: Queue, clock: VirtualClock) -> None:
    history = [100 + n / 10 for n in range(-50, 50)]
    tracker = Tracker(queue.status, clock=clock, history=known(history))
    await clock.sleep(50_000)  # The process has been running for long.
    posted = clock.monotonic()
    late = await follow(tracker, queue, [100.0], servers=20)
    early = [at for at, _ in queue.requests if at - posted < 90]
    assert len(early) <= 8
    assert max(late) < 2
    assert len(queue.requests) <= 16


async def test_the_history_is_asked_for_once_for_each_kind_of_job(queue: Queue, clock: VirtualClock) -> None:
    asked: list[tuple[Action, int]] = []

    async def history(action: Action, servers: int) -> Sequence[float]:
        asked.append((action, servers))
        return [10.0]

    tracker = Tracker(queue.status, clock=clock, history=history)
    for action, servers in [(START, 5), (START, 7), (START, 9), (Action.REBOOT, 5)]:
        await follow(tracker, queue, [10.0, 10.0], action=action, servers=servers)
    assert asked == [(START, 5), (START, 9), (Action.REBOOT, 5)]


@pytest.mark.parametrize(("history_seconds", "earliest", "latest"), [(0.9, 10, 60), (30.0, 1, 3)])
async def test_the_first_jobs_of_a_kind_wait_a_second_for_its_history(
    queue: Queue, clock: VirtualClock, history_seconds: float, earliest: float, latest: float
) -> None:
    """One that comes later is used from then on."""

    async def history(action: Action, servers: int) -> Sequence[float]:
        await clock.sleep(history_seconds)
        return [600.0 + n / 10 for n in range(50)]

    tracker = Tracker(queue.status, clock=clock, history=history)
    await follow(tracker, queue, [602.0, 602.0])
    times = [at for at, job_id in queue.requests if job_id == "wa1-0"]
    assert earliest <= times[0] <= latest
    assert len([at for at in times if 60 < at < 500]) < 20


async def test_only_observed_durations_are_reported(queue: Queue, clock: VirtualClock) -> None:
    emitted: list[tuple[Action, int, float]] = []
    tracker = Tracker(queue.status, clock=clock, on_duration=lambda *what: emitted.append(what))
    queue.post("wa1-1", 45)
    queue.post("wa1-2", -50_000)
    await asyncio.gather(
        tracker.wait("wa1-1", START, 3, clock.now()),
        tracker.wait("wa1-2", START, 3, clock.now() - 60_000),
    )
    [(action, servers, seconds)] = emitted
    assert (action, servers) == (START, 3)
    assert seconds == pytest.approx(45, abs=2)


async def test_an_end_during_an_outage_gives_no_duration(queue: Queue, clock: VirtualClock) -> None:
    emitted: list[float] = []
    tracker = Tracker(
        queue.status, clock=clock, on_duration=lambda action, servers, seconds: emitted.append(seconds)
    )
    queue.error_for = Outage(clock, 10, 3_000, Unreachable("no route"))
    await follow(tracker, queue, [60.0, 3_500.0])
    assert emitted == [pytest.approx(3_500, abs=60)]


@pytest.mark.parametrize(("seconds", "reported"), [(50.0, None), (150.0, 151.0)])
async def test_a_duration_is_dated_to_the_middle_of_two_requests_that_are_close_enough(
    queue: Queue, clock: VirtualClock, seconds: float, reported: float | None
) -> None:
    emitted: list[float | None] = []
    queue.round_trip = 0.0
    tracker = Tracker(
        queue.status,
        clock=clock,
        budget=0.01,  # Every 100 seconds.
        connections=1,
        on_duration=lambda action, servers, seconds: emitted.append(seconds),
    )
    await follow(tracker, queue, [seconds])
    last = [at for at, _ in queue.requests][-2:]
    assert emitted == ([] if reported is None else [pytest.approx(sum(last) / 2)])
    assert emitted == ([] if reported is None else [pytest.approx(reported, abs=1)])


@pytest.mark.parametrize(("age", "reported"), [(39.0, []), (40.0, [90.0])])
async def test_an_end_may_be_a_minute_further_from_the_last_request_than_that_from_the_post(
    queue: Queue, clock: VirtualClock, age: float, reported: list[float]
) -> None:
    emitted: list[float] = []
    queue.round_trip = 0.0
    tracker = Tracker(
        queue.status,
        clock=clock,
        budget=0.01,  # Every 100 seconds.
        connections=1,
        on_duration=lambda action, servers, seconds: emitted.append(seconds),
    )
    queue.post("wa1-1", 50)
    await tracker.wait("wa1-1", START, 1, clock.now() - age)
    assert [at for at, _ in queue.requests] == [0, 100]
    assert emitted == reported


async def test_polling_is_the_same_however_long_the_process_has_been_running(clock: VirtualClock) -> None:
    times = []
    for started in (0.0, 50_000.0):
        await clock.sleep(started - clock.monotonic())
        queue = Queue(clock)
        tracker = Tracker(queue.status, clock=clock)
        for _ in range(2):  # The second job profits by what the first has shown.
            await follow(tracker, queue, [300.0])
        times.append([at - started for at, _ in queue.requests])
    assert times[1] == pytest.approx(times[0])


@pytest.mark.parametrize(
    ("age", "at_once"), [(-1_000.0, False), (0.0, False), (0.9, False), (1.0, True), (1e9, True)]
)
async def test_only_a_job_that_was_just_posted_is_known_to_run(
    tracker: Tracker, queue: Queue, clock: VirtualClock, age: float, at_once: bool
) -> None:
    queue.post("wa1-1", 60)
    assert await tracker.wait("wa1-1", START, 1, clock.now() - age) is JobOutcome.SUCCEEDED
    assert (queue.requests[0][0] == 0) is at_once
    assert clock.monotonic() < 130


async def test_a_job_is_not_delayed_by_one_that_is_due_later(queue: Queue, clock: VirtualClock) -> None:
    async def history(action: Action, servers: int) -> Sequence[float]:
        return [600.0] * 50 if action is Action.REBOOT else [10.0] * 50

    tracker = Tracker(queue.status, clock=clock, history=history)
    slow = asyncio.create_task(follow(tracker, queue, [600.0], action=Action.REBOOT))
    await clock.sleep(0.1)
    queue.post("wa1-soon", 10)
    await tracker.wait("wa1-soon", START, 1, clock.now())
    assert clock.monotonic() < 12
    assert queue.requests[0][1] == "wa1-soon"
    await slow


async def test_a_job_resumed_late_is_polled_at_once(
    tracker: Tracker, queue: Queue, clock: VirtualClock
) -> None:
    queue.post("wa1-1", -100)
    await tracker.wait("wa1-1", START, 100, clock.now() - 3_000)
    assert clock.monotonic() < 1


async def test_jobs_that_ended_improve_the_polling_of_later_ones(queue: Queue, clock: VirtualClock) -> None:
    tracker = Tracker(queue.status, clock=clock, budget=1_000, connections=100)
    await follow(tracker, queue, uniform(50, 300, 310))
    before = len(queue.requests)
    late = await follow(tracker, queue, uniform(50, 300, 310))
    assert len(queue.requests) - before < before / 2
    assert median(late) < 2


async def test_the_budget_is_kept_and_no_job_is_polled_twice_at_once(
    queue: Queue, clock: VirtualClock
) -> None:
    tracker = Tracker(queue.status, clock=clock, budget=20, connections=8)
    late = await follow(tracker, queue, uniform(500))  # Queue.status asserts one request per job.
    assert most_in_any_second(queue) <= 20 + 8
    assert len(queue.requests) <= 20 * clock.monotonic() + 8
    assert queue.most_in_flight <= 8
    assert median(late) <= 500 / 20 / 2, "the least that asking for each in turn allows"


async def test_a_burst_of_as_many_as_the_connections_then_one_request_per_slot(
    queue: Queue, clock: VirtualClock
) -> None:
    queue.round_trip = 0.0
    tracker = Tracker(queue.status, clock=clock, budget=2.0, connections=3)
    for burst in range(2):
        await clock.sleep(100 - clock.monotonic() % 100)
        started = clock.monotonic()
        jobs = [f"wa1-{burst}-{number}" for number in range(8)]
        for job_id in jobs:
            queue.post(job_id, -100)
        await asyncio.gather(*(tracker.wait(job_id, START, 1, clock.now() - 1_000) for job_id in jobs))
        times = [at - started for at, _ in queue.requests if at >= started]
        assert times == pytest.approx([0, 0, 0, 0.5, 1.0, 1.5, 2.0, 2.5])


async def test_slow_answers_do_not_pile_up(queue: Queue, clock: VirtualClock) -> None:
    queue.round_trip = 5.0
    tracker = Tracker(queue.status, clock=clock, connections=4)
    await follow(tracker, queue, uniform(30))
    assert queue.most_in_flight == 4


async def test_with_a_large_budget_ends_are_noticed_early(queue: Queue, clock: VirtualClock) -> None:
    queue.round_trip = 0.05
    tracker = Tracker(queue.status, clock=clock, budget=150)
    late = await follow(tracker, queue, uniform(500))
    assert median(late) < 1.8
    assert max(late) < 4.2


async def test_history_saves_requests(queue: Queue, clock: VirtualClock) -> None:
    tracker = Tracker(queue.status, clock=clock, budget=150, history=known(uniform(50, seed=2)))
    late = await follow(tracker, queue, uniform(500))
    assert len(queue.requests) / 500 < 20
    assert median(late) < 1.1


async def test_a_job_that_never_ends_costs_little_and_is_given_up(
    tracker: Tracker, queue: Queue, clock: VirtualClock
) -> None:
    await clock.sleep(50_000)  # The process has been running for long.
    started = clock.monotonic()
    queue.post("wa1-1", float("inf"))
    assert await tracker.wait("wa1-1", START, 1, clock.now()) is JobOutcome.UNKNOWN
    assert 3_600 <= clock.monotonic() - started < 3_700
    assert len(queue.requests) < 400
    gaps = [late - early for (early, _), (late, _) in zip(queue.requests, queue.requests[1:], strict=False)]
    assert gaps[-2] > 30 > 2 > gaps[5]


async def test_a_kind_of_job_that_takes_long_is_tracked_longer(queue: Queue, clock: VirtualClock) -> None:
    tracker = Tracker(queue.status, clock=clock, history=known([600.0] * 10))
    queue.post("wa1-1", 11_000)
    assert await tracker.wait("wa1-1", Action.REBOOT, 8, clock.now()) is JobOutcome.SUCCEEDED


async def test_very_many_jobs_are_not_given_up_before_they_were_polled(
    queue: Queue, clock: VirtualClock
) -> None:
    tracker = Tracker(queue.status, clock=clock, budget=0.05, connections=2)
    late = await follow(tracker, queue, [5_000.0] * 30)  # Within an hour each is polled six times.
    assert len(late) == 30


async def test_a_job_is_given_up_at_the_tenth_answer_at_the_earliest(
    queue: Queue, clock: VirtualClock
) -> None:
    tracker = Tracker(queue.status, clock=clock, budget=0.002, connections=1)  # Every 500 seconds.
    queue.post("wa1-1", float("inf"))
    assert await tracker.wait("wa1-1", START, 1, clock.now()) is JobOutcome.UNKNOWN
    assert len(queue.requests) == 10


async def test_a_job_is_given_up_when_it_takes_longer_than_an_hour(queue: Queue, clock: VirtualClock) -> None:
    queue.round_trip = 0.0
    tracker = Tracker(queue.status, clock=clock, budget=1 / 300, connections=1)
    queue.post("wa1-1", float("inf"))
    assert await tracker.wait("wa1-1", START, 1, clock.now() - 10) is JobOutcome.UNKNOWN
    assert [at for at, _ in queue.requests] == [300.0 * number for number in range(14)]


@pytest.mark.parametrize("jump", [-40 * 86_400.0, 40 * 86_400.0])
async def test_a_wall_clock_that_jumps_changes_nothing(
    tracker: Tracker, queue: Queue, clock: VirtualClock, jump: float
) -> None:
    queue.post("wa1-1", 60)
    since = clock.now()
    clock.jump(jump)
    queue.post("wa1-2", 60)
    first = asyncio.create_task(tracker.wait("wa1-1", START, 1, since))
    second = asyncio.create_task(tracker.wait("wa1-2", START, 1, clock.now()))
    await clock.sleep(5)
    clock.jump(-jump)
    assert set(await asyncio.gather(first, second)) == {JobOutcome.SUCCEEDED}
    assert clock.monotonic() < 130
    assert clock.now() == pytest.approx(EPOCH + clock.monotonic())


async def test_polls_after_a_suspend_stay_within_the_budget() -> None:
    class Laptop(VirtualClock):
        slept = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.slept

    laptop = Laptop()
    queue = Queue(laptop)
    tracker = Tracker(queue.status, clock=laptop, budget=20, connections=8)
    following = asyncio.create_task(follow(tracker, queue, [8 * 3_600.0 + 300.0] * 400))
    await laptop.sleep(60)
    laptop.slept = 8 * 3_600.0
    woken = laptop.monotonic()
    assert len(await following) == 400
    assert most_in_any_second(queue, after=woken) <= 28


class Outage:
    """An endpoint that fails between two times."""

    def __init__(self, clock: VirtualClock, begins: float, ends: float, error: ApiError) -> None:
        self.clock, self.begins, self.ends, self.error = clock, begins, ends, error

    def __call__(self, job_id: str) -> ApiError | None:
        return self.error if self.begins <= self.clock.monotonic() < self.ends else None


@pytest.mark.parametrize(
    "error",
    [Unreachable("no route"), TokenExpired("again")],
)
async def test_an_outage_is_probed_rarely_and_ends_without_a_burst(
    tracker: Tracker, queue: Queue, clock: VirtualClock, error: ApiError
) -> None:
    night = 8 * 3_600.0
    queue.error_for = Outage(clock, 10, night, error)
    late = await follow(tracker, queue, uniform(200))
    during = [at for at, _ in queue.requests if 30 < at < night]
    assert len(during) < night / 20, "one probe at a time, backed off"
    assert min(late[1:]) > 0
    assert clock.monotonic() < night + 45, "it recovers by itself"
    assert most_in_any_second(queue, after=night) <= 20 + 12, "without a burst"


@pytest.mark.parametrize("error", [ServerFault("it failed", 503), Malformed("html")])
async def test_a_status_that_cannot_be_had_any_more_is_given_up(
    tracker: Tracker, queue: Queue, clock: VirtualClock, error: ApiError
) -> None:
    """The verifier reads the servers instead."""
    queue.error_for = lambda job_id: error
    queue.post("wa1-0", 1_000.0)
    assert await tracker.wait("wa1-0", START, 1, clock.now()) is JobOutcome.UNKNOWN
    assert 300 <= clock.monotonic() < 400
    assert len(queue.requests) < 60


async def test_during_an_outage_one_request_is_in_flight(
    tracker: Tracker, queue: Queue, clock: VirtualClock
) -> None:
    queue.round_trip = 10.0
    queue.error_for = Outage(clock, 0, 1_000, Unreachable("timed out"))
    following = asyncio.create_task(follow(tracker, queue, uniform(100)))
    await clock.sleep(40)
    queue.most_in_flight = 0
    await clock.sleep(900)
    assert queue.most_in_flight == 1
    await following


@pytest.mark.parametrize(
    "error", [Unreachable("timed out"), TokenExpired("again"), RateLimited("slow down", None)]
)
async def test_after_an_outage_one_request_at_a_time_probes_until_it_is_answered(
    queue: Queue, clock: VirtualClock, error: ApiError
) -> None:
    tracker = Tracker(queue.status, clock=clock, connections=5, jitter=lambda: 0.5)
    queue.round_trip = 1.0
    queue.error_for = Outage(clock, 100, 120, error)
    await clock.sleep(100)
    jobs = [f"wa1-{number}" for number in range(5)]
    for job_id in jobs:
        queue.post(job_id, -100)
    await asyncio.gather(*(tracker.wait(job_id, START, 1, clock.now() - 1_000) for job_id in jobs))
    times = [at - 100 for at, _ in queue.requests]
    # Each probe takes a second; the pauses before them are 0.75 s, 1.5 s, 3 s, 6 s and 12 s.
    assert times == pytest.approx([0, 0, 0, 0, 0, 1.75, 4.25, 8.25, 15.25, 28.25, 29.25, 29.25, 29.25, 29.25])


async def test_three_errors_in_a_row_are_put_down_to_the_endpoint(queue: Queue, clock: VirtualClock) -> None:
    tracker = Tracker(queue.status, clock=clock, jitter=lambda: 0.5)
    queue.round_trip = 0.5
    queue.error_for = Outage(clock, 0, 10, ServerFault("it failed", 500))
    for job_id in ("wa1-1", "wa1-2"):
        queue.post(job_id, -100)
    await asyncio.gather(
        tracker.wait("wa1-1", START, 1, clock.now() - 1_000),
        tracker.wait("wa1-2", START, 1, clock.now() - 1_000),
    )
    # After two errors each is requested again 0.75 s later; then all wait, for 3 s and for 6 s.
    times = [at for at, _ in queue.requests]
    assert times == pytest.approx([0, 0, 1.25, 1.25, 4.75, 11.25, 11.75])


async def test_the_errors_of_one_job_do_not_delay_the_others(
    tracker: Tracker, queue: Queue, clock: VirtualClock
) -> None:
    queue.error_for = lambda job_id: (
        ServerFault("it failed", 500) if job_id == "wa1-0" and clock.monotonic() < 200 else None
    )
    late = await follow(tracker, queue, [40.0] * 20)
    assert max(late[1:]) < 8
    assert sum(1 for _, job_id in queue.requests if job_id == "wa1-0") < 40


async def test_a_rate_limit_pauses_all_polls_for_the_requested_time(
    tracker: Tracker, queue: Queue, clock: VirtualClock
) -> None:
    queue.error_for = Outage(clock, 10, 10.2, RateLimited("slow down", 120.0))
    await follow(tracker, queue, uniform(100))
    assert not [at for at, _ in queue.requests if 10.3 < at < 130]
    assert [at for at, _ in queue.requests if 130 <= at < 131]


@pytest.mark.parametrize(
    ("jobs", "ends", "times"), [(1, 2.0, [0, 1, 2]), (3, 1.0, [0, 0, 1, 2, 2])], ids=["again", "answered"]
)
async def test_a_rate_limit_of_no_seconds_delays_no_poll(
    queue: Queue, clock: VirtualClock, jobs: int, ends: float, times: list[float]
) -> None:
    """One request at a time is made until one is answered, as after any pause."""
    tracker = Tracker(queue.status, clock=clock, connections=2, jitter=lambda: 0.5)
    queue.round_trip = 1.0
    queue.error_for = Outage(clock, 0, ends, RateLimited("slow down", 0.0))
    for number in range(jobs):
        queue.post(f"wa1-{number}", -100)
    await asyncio.gather(
        *(tracker.wait(f"wa1-{number}", START, 1, clock.now() - 1_000) for number in range(jobs))
    )
    assert [at for at, _ in queue.requests] == pytest.approx(times)


async def test_end_pause_ends_even_the_first_pause(
    tracker: Tracker, queue: Queue, clock: VirtualClock
) -> None:
    queue.error_for = Outage(clock, 0, 0.5, RateLimited("slow down", 600.0))
    queue.post("wa1-1", -100)
    waiting = asyncio.create_task(tracker.wait("wa1-1", START, 1, clock.now() - 1_000))
    await clock.sleep(0.5)
    tracker.end_pause()
    await waiting
    assert [at for at, _ in queue.requests] == [0, 0.5]


async def test_end_pause_resumes_polling_at_once(tracker: Tracker, queue: Queue, clock: VirtualClock) -> None:
    queue.error_for = Outage(clock, 10, 500, TokenExpired("log in again"))
    following = asyncio.create_task(follow(tracker, queue, [60.0]))
    await clock.sleep(501)
    tracker.end_pause()
    await clock.sleep(0.1)
    assert following.done()
    await following


async def test_a_job_not_found_at_first_is_polled_again(
    tracker: Tracker, queue: Queue, clock: VirtualClock
) -> None:
    queue.error_for = Outage(clock, 0, 20, NotFound("no such job"))
    assert len(await follow(tracker, queue, [60.0])) == 1


async def test_a_job_that_is_never_found_is_given_up(
    tracker: Tracker, queue: Queue, clock: VirtualClock
) -> None:
    queue.error_for = Outage(clock, 0, float("inf"), NotFound("no such job"))
    queue.post("wa1-1", 60)
    assert await tracker.wait("wa1-1", START, 1, clock.now()) is JobOutcome.UNKNOWN
    assert 300 <= clock.monotonic() < 400


async def test_a_job_is_given_up_only_after_five_minutes_in_a_row_without_its_status(
    tracker: Tracker, queue: Queue, clock: VirtualClock
) -> None:
    outages = [
        Outage(clock, 200, 440, NotFound("no such job")),
        Outage(clock, 500, 740, ServerFault("it failed", 500)),
        Outage(clock, 740, 800, Unreachable("no route")),
        Outage(clock, 800, 1_040, NotFound("no such job")),
    ]
    queue.error_for = lambda job_id: next((error for outage in outages if (error := outage(job_id))), None)
    assert len(await follow(tracker, queue, [1_200.0])) == 1


@pytest.mark.parametrize("error", [NotFound("no such job"), Unreachable("no route")])
async def test_after_each_answer_failing_requests_back_off_from_the_start(
    tracker: Tracker, queue: Queue, clock: VirtualClock, error: ApiError
) -> None:
    queue.round_trip = 0.0
    failing: list[bool] = [True] * 7 + [False] + [True] * 3 + [False]
    queue.error_for = lambda job_id: error if failing and failing.pop(0) else None
    await follow(tracker, queue, [200.0])
    gaps = [later - sooner for (sooner, _), (later, _) in pairwise(queue.requests)]
    assert gaps[:7] == pytest.approx([0.75, 1.5, 3.0, 6.0, 12.0, 22.5, 22.5])
    assert gaps[8:11] == pytest.approx([0.75, 1.5, 3.0])


async def test_an_unexpected_error_reaches_the_waiters(clock: VirtualClock) -> None:
    async def status(job_id: str) -> str:
        raise ZeroDivisionError

    tracker = Tracker(status, clock=clock)
    with pytest.raises(ZeroDivisionError):
        await tracker.wait("wa1-1", START, 1, clock.now())
