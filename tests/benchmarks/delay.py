"""A proxy that delays a local server: ``python -m tests.benchmarks.delay PORT SECONDS``.

Listens on a free loopback port, whose number it prints, and passes data on in both directions, half of the
round trip of SECONDS later.
"""

import asyncio
import sys


class _End(asyncio.Protocol):
    """One end of a connection; data received here is sent to ``other``."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.other: asyncio.Transport | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert self.other is not None
        asyncio.get_running_loop().call_later(self.delay, self.other.write, data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None:
            asyncio.get_running_loop().call_later(self.delay, self.other.close)


class _Client(_End):
    """The client's end; it reads nothing before the server's end is connected."""

    def __init__(self, port: int, delay: float) -> None:
        super().__init__(delay)
        self.port = port
        self.opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self.transport is not None
        self.transport.pause_reading()
        self.opening = asyncio.create_task(self._open())

    async def _open(self) -> None:
        server, end = await asyncio.get_running_loop().create_connection(
            lambda: _End(self.delay), "127.0.0.1", self.port
        )
        assert self.transport is not None
        self.other, end.other = server, self.transport
        self.transport.resume_reading()


async def main(port: int, round_trip: float) -> None:
    """Listen until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Client(port, round_trip / 2), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
