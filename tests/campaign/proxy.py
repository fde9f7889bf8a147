"""A TCP proxy in front of the sandbox, with the faults that links and gateways have.

It works on bytes, and parses HTTP only to find the end of a message: so it can cut an answer off, repeat it,
or deliver a request after its client has given up. Every exchange is recorded: the request, the fault, and
what the sandbox really answered.
"""

import asyncio
import contextlib
import json
import random
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import NamedTuple, Self

import msgspec

FAULTS: Mapping[str, str] = {
    "drop-before": "the connection is reset, the request not delivered",
    "drop-after": "the request is delivered, its answer is not",
    "reset": "the connection is reset in the middle of the answer",
    "half-close": "the answer ends in its middle; the other direction stays open",
    "stall": "the answer stalls in its middle for longer than a client waits, then goes on",
    "garbage": "bytes that are not HTTP are sent instead of the answer",
    "answer-twice": "the answer is sent twice",
    "deliver-late": "the request is delivered after its client has given up",
    "refuse-after": "the request is delivered, but the proxy answers with a refusal",
    "pause": "429 with a Retry-After of 40 s; the request is not delivered",
    "pause-twice": "429 with a Retry-After of 1 s, sent twice; the request is not delivered",
    "deny-twice": "401, sent twice; the request is not delivered",
    "long-pause": "429 with a Retry-After of a week; the request is not delivered",
}
"""Name -> what the fault does."""

SPARED_LOGIN = FAULTS.keys() - {"answer-twice"}
"""These do not strike the login, as the sandbox's own faults do not."""

READINGS_SPARED = 5
"""Faults strike readings this many times more rarely: otherwise nothing would ever be sent."""

STALLED = 90.0
LATE = (70.0, 250.0)
"""Seconds: longer than a client waits for an answer (60), shorter than an unsure server is read (300)."""
REFUSALS = (400, 403, 404, 409, 422)
MOMENT, PAUSE, WEEK = 1, 40, 604_800


class Message(NamedTuple):
    """One request or answer as it was received."""

    raw: bytes
    start: str
    """The request line or the status line."""
    body: bytes

    @property
    def method(self) -> str:
        """Of a request."""
        return self.start.split(" ")[0]

    @property
    def path(self) -> str:
        """Of a request, without its query."""
        return self.start.split(" ")[1].partition("?")[0]

    @property
    def status(self) -> int:
        """Of an answer."""
        return int(self.start.split(" ")[1])

    @property
    def operation(self) -> bool:
        """Whether a request changes servers."""
        return self.method == "POST" and "/operations/" in self.path.lower()

    @property
    def login(self) -> bool:
        """Whether a request is the login."""
        return self.path.lower().endswith("/authentication/login")


class Exchange(msgspec.Struct):
    """One request that reached the proxy, and its outcome."""

    at: float
    """When it arrived, by the clock of the proxy."""
    method: str
    path: str
    ids: tuple[str, ...] = ()
    """The servers that an operation named, in upper case."""
    fault: str = ""
    status: int = 0
    """The sandbox's own answer; 0 while there is none, and for good where it was not delivered."""
    carried_out: bool = False
    """Whether the sandbox processed the servers named, and answered for each."""


Choose = Callable[[Message], str]
"""Chooses the fault that strikes a request; "" for none."""


class RandomFaults:
    """Random faults from a seed: at given rates for POSTs that change servers, more rarely for the rest."""

    def __init__(self, rates: Mapping[str, float], seed: int = 0) -> None:
        self.rates = dict(rates)
        self._random = random.Random(f"weather {seed}")

    def __call__(self, request: Message) -> str:
        for name, rate in self.rates.items():
            rate_here = rate if request.operation or name == "answer-twice" else rate / READINGS_SPARED
            if self._random.random() < rate_here and not (request.login and name in SPARED_LOGIN):
                return name
        return ""


class Proxy:
    """Listens on a free port and forwards between clients and one endpoint, on a thread of its own.

    Use::

        with Proxy(port, RandomFaults({"reset": 0.1}, seed)) as proxy:
            ... proxy.url ...
    """

    def __init__(
        self, port: int, choose: Choose, *, clock: Callable[[], float], factor: float = 1.0, seed: int = 0
    ) -> None:
        """``clock`` gives the times of exchanges. The proxy's own waits are ``factor`` times shorter."""
        self.choose = choose
        self.exchanges: list[Exchange] = []
        self._port = port
        self._clock = clock
        self._factor = factor
        self._random = random.Random(f"proxy {seed}")
        self._late: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def undelivered(self) -> int:
        """The number of requests that are still to be delivered."""
        return len(self._late)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda *_: None)  # Connections are expected to break.
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, sock=self._listener))
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(self._loop), return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while (request := await read_message(reader)) is not None:
                if not await self._exchange(request, reader, writer):
                    break
        writer.close()

    async def _exchange(
        self, request: Message, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Handle one request. Returns False where the connection is not to be used any more."""
        fault = self.choose(request)
        record = Exchange(self._clock(), request.method, request.path, named(request), fault)
        self.exchanges.append(record)
        match fault:
            case "drop-before":
                _reset(writer)
                return False
            case "pause":
                writer.write(_pause(PAUSE))
                return True
            case "long-pause":
                writer.write(_pause(WEEK))
                return True
            case "pause-twice":
                writer.write(2 * _pause(MOMENT))
                return True
            case "deny-twice":
                writer.write(2 * _answer(401, "Authorization has been denied for this request."))
                return True
            case "deliver-late":
                late = asyncio.create_task(self._deliver_late(request, record))
                self._late.add(late)
                late.add_done_callback(self._late.discard)
                await reader.read()  # Until the client gives up.
                return False
        delivered = await self._deliver(request, record)
        if delivered is None:
            return False
        raw = delivered.raw
        half = raw[: len(raw) - len(delivered.body) // 2 - 1]
        match fault:
            case "drop-after":
                return False
            case "reset":
                writer.write(half)
                await writer.drain()
                _reset(writer)
                return False
            case "half-close":
                writer.write(half)
                writer.write_eof()
                await reader.read()
                return False
            case "stall":
                writer.write(half)
                await asyncio.sleep(STALLED / self._factor)
                writer.write(raw[len(half) :])
            case "garbage":
                writer.write(self._random.randbytes(self._random.randint(1, 2_000)))
                return False
            case "answer-twice":
                writer.write(raw + raw)
            case "refuse-after":
                writer.write(_answer(self._random.choice(REFUSALS), "Refused by the gateway."))
            case _:
                writer.write(raw)
        return True

    async def _deliver_late(self, request: Message, record: Exchange) -> None:
        await asyncio.sleep(self._random.uniform(*LATE) / self._factor)
        await self._deliver(request, record)

    async def _deliver(self, request: Message, record: Exchange) -> Message | None:
        """Forward a request on a connection of its own; returns the answer, None where there is none."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return None
        try:
            writer.write(request.raw)
            answer = await read_message(reader)
        except (OSError, asyncio.IncompleteReadError):
            return None
        finally:
            writer.close()
        if answer is not None:
            record.status = answer.status
            record.carried_out = request.operation and (
                answer.status == 200 or (answer.status == 400 and answer.body.startswith(b"["))
            )
        return answer


async def read_message(reader: asyncio.StreamReader) -> Message | None:
    """Read the next message of a connection, None at its end. Its length must be in ``Content-Length``.

    Raises asyncio.IncompleteReadError where the connection ends within a message.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    start, *lines = head.decode("latin-1").split("\r\n")
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    body = await reader.readexactly(int(fields.get("content-length", "0")))
    return Message(head + body, start, body)


def named(request: Message) -> tuple[str, ...]:
    """The servers that an operation's request names, in upper case."""
    if not request.operation:
        return ()
    try:
        ids = json.loads(request.body)
    except ValueError:
        return ()
    return tuple(id_.upper() for id_ in ids if isinstance(id_, str)) if isinstance(ids, list) else ()


def _answer(status: int, message: str, more: str = "") -> bytes:
    body = json.dumps({"message": message}).encode()
    head = f"HTTP/1.1 {status} From the proxy\r\nContent-Type: application/json\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _pause(seconds: int) -> bytes:
    return _answer(429, "Too many requests.", f"Retry-After: {seconds}\r\n")


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
