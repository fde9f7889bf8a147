"""A server on a loopback port that sends exactly the bytes a test wants, and when."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.api.service import TOKEN
from tests.patience import PATIENCE

PEM = Path(__file__).with_name("localhost.pem")
"""A self-signed certificate for ``localhost`` and its key, for tests only."""

Act = Callable[["Connection"], Awaitable[None]]


class Connection:
    """A connection on which one request has been read."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.request = b""

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body: bytes, head: bytes = b"") -> None:
        """Send a complete answer with status 200."""
        length = str(len(body)).encode()
        await self.send(b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n" + head + b"\r\n" + body)

    def reset(self) -> None:
        """Reset the connection without an answer."""
        self.writer.transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the client has closed the connection."""
        while await self.reader.read(65536):
            pass


class RawServer:
    """Accepts logins, and calls ``act`` for every other request."""

    def __init__(self, act: Act) -> None:
        self.act = act
        self.requests: list[bytes] = []
        self.connections = 0
        self.writers: list[asyncio.StreamWriter] = []
        self.serving: set[asyncio.Task[None]] = set()
        self.port = 0
        self.listener: asyncio.Server | None = None

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection in a task of its own."""
        self.writers.append(writer)
        task = asyncio.create_task(self.serve(reader, writer))
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)

    def refuse(self) -> None:
        """Stop listening: from now on new connections are refused."""
        assert self.listener is not None
        self.listener.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = Connection(reader, writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = 0
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                connection.request = head + await reader.readexactly(length)
                if b"/authentication/login" in head:
                    await connection.answer(b'{"bearerToken": "' + TOKEN.encode() + b'"}')
                else:
                    self.requests.append(connection.request)
                    await self.act(connection)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def raw_server(act: Act, *, tls: bool = False) -> AsyncIterator[RawServer]:
    """Serve until the block ends."""
    server = RawServer(act)
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(PEM)
    listener = await asyncio.start_server(server.accept, "127.0.0.1", 0, ssl=context)
    server.listener = listener
    async with listener:
        server.port = listener.sockets[0].getsockname()[1]
        await listener.start_serving()
        try:
            yield server
        finally:
            for writer in server.writers:
                writer.transport.abort()
            if server.serving:
                await asyncio.wait(server.serving, timeout=PATIENCE)
