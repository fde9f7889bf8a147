"""When the tracker requests the status of jobs, and what it reports."""

import asyncio
from collections import Counter
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
    late = await follow(tracker, queue, [100.0], servers=20)
    early = [at for at, _ in queue.requests if at < 90]
    assert len(early) <= 8
    assert max(late) < 2
    assert len(queue.requests) <= 16


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
    queue.post("wa1-1", float("inf"))
    assert await tracker.wait("wa1-1", START, 1, clock.now()) is JobOutcome.UNKNOWN
    assert 3_600 <= clock.monotonic() < 3_700
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


async def test_an_unexpected_error_reaches_the_waiters(clock: VirtualClock) -> None:
    async def status(job_id: str) -> str:
        raise ZeroDivisionError

    tracker = Tracker(status, clock=clock)
    with pytest.raises(ZeroDivisionError):
        await tracker.wait("wa1-1", START, 1, clock.now())
