"""The transport: sends one request once, and reads its answer within bounds of size, time and memory."""

import asyncio
import logging
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from tui.api import failures, retry
from tui.api.budget import RequestBudget
from tui.api.connections import Connections
from tui.api.errors import ApiError, Malformed, Oversized
from tui.api.http import httpx
from tui.api.limits import Limits
from tui.api.memory import Memory, Take
from tui.api.redaction import Redaction
from tui.api.retry import RequestKind
from tui.api.secret import Secret

logger = logging.getLogger(__name__)
# Their lines would hold headers.
logging.getLogger("httpcore").setLevel(logging.WARNING)
logging.getLogger("httpx").setLevel(logging.WARNING)

CHUNK = 2**18
"""Bytes that are decompressed at once."""


class Request(NamedTuple):
    """One request to the endpoint, however many attempts it takes."""

    kind: RequestKind
    path: str
    """Below the base URL, with its query."""
    what: str
    """What is requested, as part of an error's sentence."""
    content: bytes | Secret | None = None
    """The body of a POST; without one the request is a GET."""
    tree: bool = False
    """Whether the answer may be as large, and take as long, as a group tree."""
    may_leave: Callable[[], Awaitable[None]] | None = None
    """Awaited just before the first byte is sent. What it raises is raised, and nothing is sent."""

    @property
    def method(self) -> str:
        """GET or POST."""
        return "GET" if self.content is None else "POST"


class Answered(NamedTuple):
    """An answer of any status."""

    status: int
    headers: httpx.Headers
    body: bytearray

    @property
    def retry_after(self) -> float | None:
        """Seconds of pause that the endpoint requests (429 and 503 only)."""
        if self.status not in (429, 503):
            return None
        return retry.parse_retry_after(self.headers.get("retry-after"), self.headers.get("date"))

    @property
    def is_web_page(self) -> bool:
        """Whether the body is HTML, as from a proxy or a wrong URL."""
        start = bytes(self.body[:256]).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        return start == b"<" or (not self.body and "html" in self.headers.get("content-type", "").lower())

    def __repr__(self) -> str:  # a login's body holds the token
        return f"Answered({self.status}, {len(self.body)} bytes)"


class Lost(NamedTuple):
    """A request without a usable answer."""

    error: ApiError
    sent: bool
    """False only where the request provably was never sent."""


class Transport:
    """Sends requests to one origin, each once. No result of it holds a frame of httpx."""

    def __init__(
        self,
        base_url: str,
        connections: Connections,
        budget: RequestBudget,
        *,
        monotonic: Callable[[], float],
        on_latency: Callable[[float], None] | None,
        limits: Limits,
    ) -> None:
        self._base_url = base_url
        self.host = urlsplit(base_url).netloc
        self._connections = connections
        self.budget = budget
        self._monotonic = monotonic
        self._on_latency = on_latency
        self._limits = limits
        self.memory = Memory(limits)
        self.redaction = Redaction()
        """The secrets that must not be in what the endpoint answers, nor in the log."""

    async def aclose(self) -> None:
        """Refuse the requests that wait for the budget, and close the connections."""
        self.budget.close()
        await self._connections.aclose()

    async def send(self, request: Request, token: Secret | None) -> Answered | Lost:
        """Send the request once, a POST on a connection of its own, and read the answer.

        Raises only what ``request.may_leave`` raises, and `Unreachable` when the transport is closed.
        """
        limits = self._limits
        deadline, body_limit = (
            (limits.tree_deadline, limits.tree_body) if request.tree else (limits.deadline, limits.body)
        )
        is_post = request.content is not None
        outcome: Answered | Lost
        async with self.budget.acquire(urgent=is_post):
            started = self._monotonic()
            status = 0
            failure = ""
            try:
                async with asyncio.timeout(deadline), self.memory.reading() as take:
                    client = self._connections.client(alone=is_post)
                    extensions = await self._connections.ask_before_sending(request.may_leave)
                    async with client.stream(
                        request.method,
                        self._base_url + request.path,
                        content=_content(request.content),
                        headers=_headers(request, token),
                        extensions=extensions,
                    ) as response:
                        status = response.status_code
                        latency = self._monotonic() - started
                        body = await read_body(response, body_limit, take)
                        # Before another request can use the connection.
                        await self._connections.discard_if_more_came(response)
                    outcome = Answered(status, response.headers, body)
                if self._on_latency is not None:
                    self._on_latency(latency)
            except Malformed as error:
                failure = type(error).__name__
                outcome = Lost(without_traceback(error), sent=True)
            except failures.NETWORK_ERRORS as error:
                failure = type(error).__name__
                explained = failures.connection_error(error, self.host, self.redaction.text)
                outcome = Lost(explained, not retry.provably_unsent(error))
            except BaseException as error:  # cancelled, or not allowed to leave
                failure = type(error).__name__
                raise
            finally:
                self._log(request, status, self._monotonic() - started, failure)
        return outcome

    def _log(self, request: Request, status: int, seconds: float, failure: str) -> None:
        """Log the attempt, without its headers and bodies."""
        if logger.isEnabledFor(logging.DEBUG):
            line = f"{request.method} {request.path} {status or '-'} {seconds * 1000:.0f} ms {failure}"
            logger.debug("%s", self.redaction.text(line.rstrip()))


def without_traceback(error: ApiError) -> ApiError:
    """``error`` without its traceback and context: the frames of a login hold secrets."""
    error.__context__ = None
    return error.with_traceback(None)


def _headers(request: Request, token: Secret | None) -> dict[str, str]:
    headers = {} if token is None else {"Authorization": f"Bearer {token.reveal()}"}
    if request.content is not None:
        headers["Content-Type"] = "application/json"
    return headers


def _content(content: bytes | Secret | None) -> bytes | None:
    return content.reveal().encode() if isinstance(content, Secret) else content


# --- the body -----------------------------------------------------------------------------------------


async def read_body(response: httpx.Response, limit: int, take: Take) -> bytearray:
    """Read the body, decompressed: at most ``limit`` bytes on the wire and in memory.

    ``take`` is awaited with the size of each part before the part is kept.

    Raises:
        Oversized: the body is larger; reading stopped there.
        Malformed: the compression was not requested, or is broken.
        httpx.HTTPError: the connection failed.
    """
    if response.is_stream_consumed:  # a transport that returns whole answers
        if len(response.content) > limit:
            raise _oversized(limit)
        await take(len(response.content))
        return bytearray(response.content)
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:18]) > limit:
        raise _oversized(limit)
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        body = bytearray()
        async for chunk in _chunks(response):
            if len(body) + len(chunk) > limit:
                raise _oversized(limit)
            await take(len(chunk))
            body += chunk
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise Malformed("The answer is compressed in a way that was not asked for.")
    return await _gunzip(response, limit, take)


async def _gunzip(response: httpx.Response, limit: int, take: Take) -> bytearray:
    body = bytearray()
    received = 0
    stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    async for chunk in _chunks(response):
        received += len(chunk)
        piece = b""
        while (chunk or len(piece) == CHUNK) and not stream.eof:
            try:
                piece = stream.decompress(chunk, CHUNK)
            except zlib.error:
                raise Malformed("The answer is not compressed as it says.") from None
            if len(body) + len(piece) > limit or received > limit:
                raise _oversized(limit)
            await take(len(piece))
            body += piece
            chunk = stream.unconsumed_tail
    if received and not stream.eof:
        raise Malformed("The answer was cut short.")
    return body


def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body in pieces. Unlike `aiter_raw` this does not release the connection at the end."""
    return aiter(cast(httpx.AsyncByteStream, response.stream))


def _oversized(limit: int) -> Oversized:
    return Oversized(f"The answer is larger than {limit / 2**20:,.0f} MiB, which no answer of the API is.")
