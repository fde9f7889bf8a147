"""The memory budget of all answers together: arriving, being decoded, and kept as servers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tui.api.errors import Oversized
from tui.api.limits import Limits

Take = Callable[[int], Awaitable[None]]
"""Awaited with a number of further bytes, before they are kept; raises `Oversized`."""


class Allowance:
    """An amount that is used up part by part."""

    def __init__(self, amount: int, excess: str) -> None:
        self.remaining = amount
        self._excess = excess

    def take(self, amount: int = 1) -> None:
        """Use up a part.

        Raises:
            Oversized: less than that remains.
        """
        self.remaining -= amount
        if self.remaining < 0:
            raise Oversized(self._excess)


class Memory:
    """One budget of bytes for the answers that are arriving, being decoded, and kept as servers.

    Large answers are read one at a time, so that many of them cannot fill the budget half read. Decoding
    does not await: while one answer is decoded, no other grows.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._arriving = 0
        self._kept: dict[str, int] = {}
        self._large = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Take]:
        """Account for one answer that arrives within the block; its bytes are free again afterwards."""
        taken = 0
        large = False

        async def take(size: int) -> None:
            nonlocal taken, large
            if not large and taken + size > self._limits.body:
                await self._large.acquire()
                large = True
            self._free().take(size)
            taken += size
            self._arriving += size

        try:
            yield take
        finally:
            self._arriving -= taken
            if large:
                self._large.release()

    def room_beside(self, body: bytes | bytearray) -> Allowance:
        """The bytes that decoding ``body``, which has arrived, may take.

        Raises:
            Oversized: not even its own size remains.
        """
        room = self._free()
        room.take(len(body))
        return room

    def keep(self, name: str, size: int) -> None:
        """Account for ``size`` bytes that are kept under ``name``, instead of those before."""
        self._kept[name] = size

    def _free(self) -> Allowance:
        limit = self._limits.memory
        return Allowance(
            limit - self._arriving - sum(self._kept.values()),
            f"All answers together take more than {limit / 2**20:,.0f} MiB: Pitstop holds no more.",
        )
