"""One exchange: a request is sent once, and its answer read within all bounds."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from tui.api import failures, retry
from tui.api.body import read_body
from tui.api.budget import Gate
from tui.api.connections import Connections
from tui.api.errors import ApiError, Malformed
from tui.api.http import httpx
from tui.api.limits import Limits
from tui.api.memory import Memory
from tui.api.redaction import Redaction
from tui.api.retry import Kind
from tui.api.secret import Secret

logger = logging.getLogger(__name__)
# Their lines would hold headers.
logging.getLogger("httpcore").setLevel(logging.WARNING)
logging.getLogger("httpx").setLevel(logging.WARNING)


class Request(NamedTuple):
    """One thing to ask, however often it takes."""

    kind: Kind
    method: str
    path: str
    what: str
    """What is asked for, in an error's sentence."""
    content: bytes | Secret | None = None
    tree: bool = False
    may_leave: Callable[[], Awaitable[None]] | None = None
    """Asked just before it leaves, however long it has waited for that."""


class Answered(NamedTuple):
    """An answer came, whatever it says."""

    status: int
    headers: httpx.Headers
    body: bytearray

    def __repr__(self) -> str:  # a login's body holds the token
        return f"Answered({self.status}, {len(self.body)} bytes)"


class Lost(NamedTuple):
    """No usable answer came. ``sent`` unless the request provably never left."""

    error: ApiError
    sent: bool


class Transport:
    """Sends requests to one origin, each once. Nothing given from here holds a frame of httpx."""

    def __init__(
        self,
        base: str,
        connections: Connections,
        gate: Gate,
        *,
        monotonic: Callable[[], float],
        on_latency: Callable[[float], None] | None,
        limits: Limits,
        redaction: Redaction,
    ) -> None:
        self._base = base
        self.host = urlsplit(base).netloc
        self._connections = connections
        self._gate = gate
        self._monotonic = monotonic
        self._on_latency = on_latency
        self._limits = limits
        self._redaction = redaction
        self.memory = Memory(limits)

    async def aclose(self) -> None:
        """Turn away what waits for its turn, and close the connections."""
        self._gate.close()
        await self._connections.aclose()

    async def send(self, request: Request, token: Secret | None) -> Answered | Lost:
        """Send once, a POST on a connection of its own, and read the answer."""
        limits = self._limits
        longest, largest = (
            (limits.tree_deadline, limits.tree_body) if request.tree else (limits.deadline, limits.body)
        )
        async with self._gate.acquire(urgent=request.kind is not Kind.READING):
            began = self._monotonic()
            status = 0
            try:
                async with asyncio.timeout(longest):
                    async with (
                        self.memory.reading() as take,
                        self._connections.exchange(
                            request.method,
                            self._base + request.path,
                            _content(request.content),
                            _headers(request, token),
                            alone=request.kind is not Kind.READING,
                            may_leave=request.may_leave,
                        ) as response,
                    ):
                        status = response.status_code
                        latency = self._monotonic() - began
                        body = await read_body(response, largest, take)
                        outcome: Answered | Lost = Answered(status, response.headers, body)
                if self._on_latency is not None:
                    self._on_latency(latency)
            except Malformed as error:
                outcome = Lost(bare(error), sent=True)
            except failures.CAUGHT as error:
                explained = failures.explain(error, self.host, self._redaction.text)
                outcome = Lost(explained, not retry.provably_unsent(error))
        if logger.isEnabledFor(logging.DEBUG):
            took = self._monotonic() - began
            logger.debug("%s %s %s %.3fs", request.method, request.path, status or "-", took)
        return outcome


def bare(error: ApiError) -> ApiError:
    """``error`` without the frames it came through: a login's hold what must not be seen."""
    error.__context__ = None
    return error.with_traceback(None)


def _headers(request: Request, token: Secret | None) -> dict[str, str]:
    headers = {} if token is None else {"Authorization": f"Bearer {token.reveal()}"}
    if request.content is not None:
        headers["Content-Type"] = "application/json"
    return headers


def _content(content: bytes | Secret | None) -> bytes | None:
    return content.reveal().encode() if isinstance(content, Secret) else content
