"""The request budget: when a request may leave."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from tui.api.errors import Unreachable

FAVOURS = 4
"""So many urgent requests in a row pass a waiting ordinary one; then one of those goes."""

SHORTEST_WAIT = 0.001
"""Seconds. A wait that rounds to nothing on the clock would never end."""


LOT = 0.25
"""Seconds' worth of the rate that is taken from a shared budget at a time, at most."""


class Shared(Protocol):
    """A budget that other processes keep to as well."""

    async def take(self, number: int) -> Sequence[float]:
        """Take places for requests: in how many seconds each may leave, in order."""
        ...

    async def hold(self, seconds: float) -> None:
        """Let nobody send for ``seconds``."""
        ...


class Gate:
    """A token bucket and a number of slots, for all requests to one endpoint together.

    Whoever enters takes a token (``rate`` a second, ``burst`` at most) and holds a slot while inside.
    Urgent requests go first when both kinds wait, but cannot starve the others. Within a kind it is
    first come, first served. With ``share`` it keeps to a shared budget as well. ``sleep`` and
    ``monotonic`` are the clock's.
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
        self._favours = 0
        self._alarm: asyncio.Task[None] | None = None
        self._shared: Shared | None = None
        self._granted = 0
        """Places of the shared budget that are not used yet."""
        self._leasing: asyncio.Task[None] | None = None
        self._holding: asyncio.Task[None] | None = None

    def share(self, shared: Shared) -> None:
        """Keep to this shared budget as well from now on."""
        self._drop_places()
        self._shared = shared
        self._admit()

    @asynccontextmanager
    async def acquire(self, *, urgent: bool = False) -> AsyncIterator[None]:
        """Wait for a token and a slot; the slot is given back at the end."""
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
                self._granted += 1
                self._leave()
            raise
        try:
            yield
        finally:
            self._leave()

    def hold(self, seconds: float) -> None:
        """Let nobody in for ``seconds``, then at the bucket's rate without a burst: a 429 said so."""
        self._fill()
        self._held_until = max(self._held_until, self._monotonic() + seconds)
        self._tokens = min(self._tokens, 0.0)
        if self._shared is not None:
            self._drop_places()
            self._holding = asyncio.get_running_loop().create_task(self._shared.hold(seconds))
            self._admit()  # Whoever waited for a place waits for the end of the pause now.

    def close(self) -> None:
        """Turn everybody who waits away."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._drop_places()
        for place in (*self._urgent, *self._ordinary):
            if not place.done():
                place.set_exception(
                    Unreachable("The connection to the endpoint was closed; nothing was sent.")
                )

    def _leave(self) -> None:
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
            if self._shared is not None and not self._granted:
                if self._leasing is None:
                    self._leasing = asyncio.get_running_loop().create_task(self._lease(self._shared))
                return
            place = self._next()
            if not place.done():
                self._tokens -= 1
                self._granted -= self._shared is not None
                self._free -= 1
                place.set_result(None)

    def _next(self) -> asyncio.Future[None]:
        if self._urgent and (not self._ordinary or self._favours < FAVOURS):
            self._favours += 1
            return self._urgent.popleft()
        self._favours = 0
        return self._ordinary.popleft()

    async def _wake(self, wait: float) -> None:
        await self._sleep(wait)
        self._alarm = None
        self._admit()

    async def _lease(self, shared: Shared) -> None:
        """Take places for those who wait, a few at a time: the other processes get theirs in between."""
        most = max(1, int(self._rate * LOT))
        places = await shared.take(min(len(self._urgent) + len(self._ordinary), most) or 1)
        came = self._monotonic()
        for wait in places:
            if (left := came + wait - self._monotonic()) > 0:
                await self._sleep(max(left, SHORTEST_WAIT))
            self._granted += 1
            self._admit()
        self._leasing = None
        self._admit()

    def _drop_places(self) -> None:
        self._granted = 0
        if self._leasing is not None:
            self._leasing.cancel()
            self._leasing = None
