"""A platform's job queue in virtual time; it records every status request."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from tests.engine.clock import VirtualClock
from tui.api.errors import ApiError
from tui.engine.polling.tracker import Tracker
from tui.model.job import JobOutcome
from tui.model.operation import Action


class Queue:
    """Jobs of given durations; a Tracker reads them with ``status``."""

    def __init__(self, clock: VirtualClock, *, round_trip: float = 0.01) -> None:
        self.clock = clock
        self.round_trip = round_trip
        self.ends: dict[str, float] = {}
        self.requests: list[tuple[float, str]] = []
        """Every status request: its time, and its job."""
        self.in_flight: Counter[str] = Counter()
        self.most_in_flight = 0
        self.error_for: Callable[[str], ApiError | None] = lambda job_id: None
        """Returns the error that a request gets instead of an answer, if any."""
        self.running_status = "executing"
        self.final_status = "succeeded"

    def post(self, job_id: str, seconds: float) -> None:
        self.ends[job_id] = self.clock.monotonic() + seconds

    async def status(self, job_id: str) -> str:
        self.requests.append((self.clock.monotonic(), job_id))
        self.in_flight[job_id] += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight.total())
        assert self.in_flight[job_id] == 1, "a second request for a job while one is in flight"
        try:
            await self.clock.sleep(self.round_trip / 2)
            error = self.error_for(job_id)
            ended = self.clock.monotonic() >= self.ends[job_id]
            await self.clock.sleep(self.round_trip / 2)
        finally:
            self.in_flight[job_id] -= 1
        if error is not None:
            raise error
        return self.final_status if ended else self.running_status


async def follow(
    tracker: Tracker,
    queue: Queue,
    durations: Sequence[float],
    *,
    action: Action = Action.START_MAINTENANCE,
    servers: int = 1,
) -> list[float]:
    """POST one job per duration, all at once; return how late the end of each was noticed, in s."""

    async def one(number: int, seconds: float) -> float:
        job_id = f"wa1-{number}"
        queue.post(job_id, seconds)
        outcome = await tracker.wait(job_id, action, servers, queue.clock.now())
        assert outcome is JobOutcome.SUCCEEDED
        return queue.clock.monotonic() - queue.ends[job_id]

    return await asyncio.gather(*(one(number, seconds) for number, seconds in enumerate(durations)))


def uniform(count: int, low: float = 30.0, high: float = 90.0, *, seed: int = 1) -> list[float]:
    chance = random.Random(seed)
    return [chance.uniform(low, high) for _ in range(count)]


def known(durations: Sequence[float]) -> Callable[[Action, int], Awaitable[Sequence[float]]]:
    """A history with the same durations for every kind of job."""

    async def history(action: Action, servers: int) -> Sequence[float]:
        return durations

    return history
