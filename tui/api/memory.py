"""How much memory all answers together may take: while they arrive, while they are decoded, and kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tui.api.errors import Oversized
from tui.api.limits import Limits

Take = Callable[[int], Awaitable[None]]
"""Told of so many bytes more, before they are kept."""


class Allowance:
    """An amount of something, of which parts are taken until it is used up."""

    def __init__(self, amount: int, excess: str) -> None:
        self.left = amount
        self._excess = excess

    def take(self, amount: int = 1) -> None:
        """Take a part of it.

        Raises:
            Oversized: so much is not left.
        """
        self.left -= amount
        if self.left < 0:
            raise Oversized(self._excess)


class Memory:
    """One budget of bytes for the answers that are arriving, being decoded, and kept as servers.

    Answers that are not small are read one at a time, so that many of them cannot hold each other up half
    read. Decoding takes no break: while one answer is decoded, the others stay as they are.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._arriving = 0
        self._kept: dict[str, int] = {}
        self._large = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Take]:
        """Within the block an answer arrives; what it took is free again after it."""
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
        """The bytes that may be made of ``body``, which has arrived."""
        room = self._free()
        room.take(len(body))
        return room

    def keep(self, name: str, size: int) -> None:
        """So many bytes are kept under that name, instead of those before."""
        self._kept[name] = size

    def _free(self) -> Allowance:
        limit = self._limits.memory
        return Allowance(
            limit - self._arriving - sum(self._kept.values()),
            f"All answers together take more than {limit / 2**20:,.0f} MiB: Pitstop holds no more.",
        )
