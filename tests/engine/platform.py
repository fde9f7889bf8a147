"""A queue that keeps time with the tests' clock and notes what it was asked."""

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
    """Jobs that last as long as they are told to; ``status`` is what a Tracker asks."""

    def __init__(self, clock: VirtualClock, *, round_trip: float = 0.01) -> None:
        self.clock = clock
        self.round_trip = round_trip
        self.ends: dict[str, float] = {}
        self.asked: list[tuple[float, str]] = []
        """When which job was asked for."""
        self.flying: Counter[str] = Counter()
        self.most_flying = 0
        self.trouble: Callable[[str], ApiError | None] = lambda job_id: None
        """What a request meets instead of an answer."""
        self.word = "executing"
        self.last_word = "succeeded"

    def post(self, job_id: str, seconds: float) -> None:
        self.ends[job_id] = self.clock.monotonic() + seconds

    async def status(self, job_id: str) -> str:
        self.asked.append((self.clock.monotonic(), job_id))
        self.flying[job_id] += 1
        self.most_flying = max(self.most_flying, self.flying.total())
        assert self.flying[job_id] == 1, "asked for a job while an answer about it is still to come"
        try:
            await self.clock.sleep(self.round_trip / 2)
            trouble = self.trouble(job_id)
            ended = self.clock.monotonic() >= self.ends[job_id]
            await self.clock.sleep(self.round_trip / 2)
        finally:
            self.flying[job_id] -= 1
        if trouble is not None:
            raise trouble
        return self.last_word if ended else self.word


async def follow(
    tracker: Tracker,
    queue: Queue,
    durations: Sequence[float],
    *,
    action: Action = Action.START_MAINTENANCE,
    servers: int = 1,
) -> list[float]:
    """POST one job per duration, all at once, and wait for all: how late each end was noticed, in seconds."""

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
    """A history that says the same of every kind of job."""

    async def history(action: Action, servers: int) -> Sequence[float]:
        return durations

    return history
