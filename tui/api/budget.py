"""The request budget: how many requests per second, and how many at once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from tui.api.errors import Unreachable

URGENT_IN_A_ROW = 4
"""After so many urgent requests in a row, a waiting ordinary one is admitted."""

SHORTEST_WAIT = 0.001
"""Seconds. A shorter sleep could round to nothing on the clock and never end."""

LEASE_SECONDS = 0.25
"""The most that is leased from a shared budget at a time, in seconds of this budget's rate."""


class CrossProcessBudget(Protocol):
    """A budget that several processes share."""

    async def take(self, number: int) -> Sequence[float]:
        """Lease places for requests; returns in how many seconds each may leave, in order."""
        ...

    async def hold(self, seconds: float) -> None:
        """Let no process send for ``seconds``."""
        ...


class RequestBudget:
    """A token bucket and a number of slots, for all requests to one endpoint together.

    Each request takes a token (``rate`` tokens per second, ``burst`` at most) and holds a slot until it ends.
    Urgent requests are admitted first when both kinds wait, but cannot starve the others. Within a kind the
    order is first come, first served. After `share`, requests take a place in a shared budget as well.
    ``sleep`` and ``monotonic`` are the clock's.

    Raises:
        ValueError: there could never be a request.
    """

    def __init__(
        self,
        rate: float,
        burst: int,
        slots: int,
        *,
        sleep: Callable[[float], Awaitable[None]],
        monotonic: Callable[[], float],
    ) -> None:
        if rate <= 0 or burst < 1 or slots < 1:
            raise ValueError("a request budget needs a rate above 0, a burst and slots of at least 1")
        self._rate = rate
        self._burst = float(burst)
        self._free = slots
        self._sleep = sleep
        self._monotonic = monotonic
        self._tokens = self._burst
        self._filled_at = monotonic()
        self._held_until = 0.0
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._ordinary: deque[asyncio.Future[None]] = deque()
        self._urgent_in_a_row = 0
        self._alarm: asyncio.Task[None] | None = None
        self._shared: CrossProcessBudget | None = None
        self._leased = 0
        """Leased places of the shared budget that are not used yet."""
        self._leasing: asyncio.Task[None] | None = None
        self._holding: asyncio.Task[None] | None = None

    def share(self, shared: CrossProcessBudget) -> None:
        """From now on, take a place in this shared budget as well."""
        self._drop_places()
        self._shared = shared
        self._admit()

    @asynccontextmanager
    async def acquire(self, *, urgent: bool = False) -> AsyncIterator[None]:
        """Wait for a token and a slot; the slot is released at the end.

        Raises:
            Unreachable: the budget was closed meanwhile.
        """
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._urgent if urgent else self._ordinary
        queue.append(place)
        self._admit()
        try:
            await place
        except BaseException:
            if place in queue:
                queue.remove(place)
            elif not place.cancelled() and place.exception() is None:
                # Admitted and cancelled at once: nothing was sent.
                self._tokens += 1
                self._leased += 1
                self._release()
            raise
        try:
            yield
        finally:
            self._release()

    def hold(self, seconds: float) -> None:
        """Admit no request for ``seconds`` (the Retry-After of a 429), then at the rate without a burst."""
        self._fill()
        self._held_until = max(self._held_until, self._monotonic() + seconds)
        self._tokens = min(self._tokens, 0.0)
        if self._shared is not None:
            self._drop_places()
            self._holding = asyncio.get_running_loop().create_task(self._shared.hold(seconds))
            self._admit()  # Requests that waited for a place wait for the end of the pause now.

    def close(self) -> None:
        """Refuse all requests that wait."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._drop_places()
        for place in (*self._urgent, *self._ordinary):
            if not place.done():
                place.set_exception(
                    Unreachable("The connection to the endpoint was closed; nothing was sent.")
                )

    def _release(self) -> None:
        self._free += 1
        self._admit()

    def _fill(self) -> None:
        now = self._monotonic()
        since = max(self._filled_at, self._held_until)
        self._tokens = min(self._burst, self._tokens + max(0.0, now - since) * self._rate)
        self._filled_at = now

    def _admit(self) -> None:
        self._fill()
        while self._free and (self._urgent or self._ordinary):
            wait = max(self._held_until - self._filled_at, 0.0)
            if self._tokens < 1 - 1e-9:
                wait += (1 - self._tokens) / self._rate
            if wait > 0:
                if self._alarm is None:
                    self._alarm = asyncio.get_running_loop().create_task(self._wake(max(wait, SHORTEST_WAIT)))
                return
            if self._shared is not None and not self._leased:
                if self._leasing is None:
                    self._leasing = asyncio.get_running_loop().create_task(self._lease(self._shared))
                return
            place = self._next()
            if not place.done():
                self._tokens -= 1
                self._leased -= self._shared is not None
                self._free -= 1
                place.set_result(None)

    def _next(self) -> asyncio.Future[None]:
        if self._urgent and (not self._ordinary or self._urgent_in_a_row < URGENT_IN_A_ROW):
            self._urgent_in_a_row += 1
            return self._urgent.popleft()
        self._urgent_in_a_row = 0
        return self._ordinary.popleft()

    async def _wake(self, wait: float) -> None:
        await self._sleep(wait)
        self._alarm = None
        self._admit()

    async def _lease(self, shared: CrossProcessBudget) -> None:
        """Lease places for the waiting requests, a few at a time: other processes get theirs in between."""
        at_once = max(1, int(self._rate * LEASE_SECONDS))
        places = await shared.take(min(len(self._urgent) + len(self._ordinary), at_once) or 1)
        leased_at = self._monotonic()
        for wait in places:
            if (rest := leased_at + wait - self._monotonic()) > 0:
                await self._sleep(max(rest, SHORTEST_WAIT))
            self._leased += 1
            self._admit()
        self._leasing = None
        self._admit()

    def _drop_places(self) -> None:
        self._leased = 0
        if self._leasing is not None:
            self._leasing.cancel()
            self._leasing = None
