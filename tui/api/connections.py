"""Connections to the endpoint: kept ones for readings, and one of its own for each POST."""

import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit

from tui import __version__
from tui.api.address import is_loopback
from tui.api.errors import BadEndpoint
from tui.api.http import httpx
from tui.api.limits import Limits


class Connections:
    """The ways to one origin, on which no answer is taken for the answer to another request.

    Some proxies deliver an answer twice, and the copy would answer whatever is asked next on its connection.
    So a connection on which more came than the answer is closed, and from then on none is kept. A copy that
    comes later cannot be told: what must not be mistaken goes ``alone``, on a connection that is new and
    closed after it.
    """

    def __init__(self, base: str, transport: httpx.AsyncBaseTransport | None, limits: Limits) -> None:
        parts = urlsplit(base)
        context = _ssl_context() if parts.scheme == "https" and transport is None else _no_tls()
        # What goes to this machine goes through no proxy.
        trust_env = transport is None and not is_loopback(parts.hostname or "")
        self._kept = _http_client(transport, context, trust_env, limits, kept=limits.connections)
        self._single = _http_client(transport, context, trust_env, limits, kept=0)
        self._single.headers["Connection"] = "close"
        self._may_keep = True
        self._traces_nothing = transport is not None

    async def aclose(self) -> None:
        """Close them all."""
        await self._kept.aclose()
        await self._single.aclose()

    @asynccontextmanager
    async def exchange(
        self,
        method: str,
        url: str,
        content: bytes | None,
        headers: Mapping[str, str],
        *,
        alone: bool,
        may_leave: Callable[[], Awaitable[None]] | None,
    ) -> AsyncIterator[httpx.Response]:
        """Send a request; the body of its answer is to be read within the block.

        ``may_leave`` is asked when there is a connection, just before the first byte; what it raises comes
        out of here, and nothing was sent.

        Raises:
            httpx.HTTPError: the connection failed.
        """
        extensions = {}
        if may_leave is not None and self._traces_nothing:
            await may_leave()
        elif may_leave is not None:
            extensions["trace"] = partial(_ask_before_sending, may_leave)
        client = self._kept if self._may_keep and not alone else self._single
        async with client.stream(
            method, url, content=content, headers=headers, extensions=extensions
        ) as response:
            yield response
            # Before the connection is given back, and another request can be on it.
            if _holds_more(response):
                self._may_keep = False
                await response.extensions["network_stream"].aclose()


async def _ask_before_sending(may_leave: Callable[[], Awaitable[None]], event: str, _: object) -> None:
    """Hear what httpcore is about to do. Source: httpcore's documentation of the extension ``trace``."""
    if event == "http11.send_request_headers.started":
        await may_leave()


def _holds_more(response: httpx.Response) -> bool:
    """Whether anything came on the connection after the answer, which has been read, and was not looked at.

    What is still in the socket httpcore looks for itself. For what it, anyio and TLS have taken from there
    nobody has a public way to ask; where their insides are not as known, the answer is yes.
    """
    stream = response.extensions.get("network_stream")
    if stream is None:
        return False  # a transport without connections
    try:
        http11 = response.stream._stream._httpcore_stream._stream._connection  # type: ignore[union-attr]
        if http11._h11_state.trailing_data[0]:
            return True
        stream = stream._stream
        while hasattr(stream, "transport_stream"):  # TLS
            if stream._read_bio.pending or stream._ssl_object.pending():
                return True
            stream = stream.transport_stream
        return bool(stream._protocol.read_queue)
    except AttributeError:
        return True


def _http_client(
    transport: httpx.AsyncBaseTransport | None,
    context: ssl.SSLContext,
    trust_env: bool,
    limits: Limits,
    *,
    kept: int,
) -> httpx.AsyncClient:
    """An AsyncClient: explicit bounds, proxies and CA from the environment, no cookies, no redirects."""
    try:
        return httpx.AsyncClient(
            transport=transport,
            verify=context,
            trust_env=trust_env,
            timeout=httpx.Timeout(
                connect=limits.connect, read=limits.read, write=limits.write, pool=limits.pool
            ),
            limits=httpx.Limits(
                max_connections=limits.connections,
                max_keepalive_connections=kept,
                keepalive_expiry=limits.keepalive,
            ),
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            headers={
                "User-Agent": f"pitstop/{__version__}",
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
            },
        )
    except (ValueError, ImportError, httpx.InvalidURL):
        raise BadEndpoint(
            "The proxy named in the environment (HTTPS_PROXY, ALL_PROXY) cannot be used: give an http:// one."
        ) from None


def _no_tls() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # knows no CA: quick to make, and trusts nobody


def _ssl_context() -> ssl.SSLContext:
    """Trust what SSL_CERT_FILE or SSL_CERT_DIR name, else the system's CAs, else those httpx brings."""
    named = os.environ.get("SSL_CERT_FILE")
    if named and not os.access(named, os.R_OK):
        raise BadEndpoint("SSL_CERT_FILE names a file that cannot be read.")
    paths = ssl.get_default_verify_paths()
    if named or os.environ.get("SSL_CERT_DIR") or paths.cafile or _any_file(paths.capath):
        return ssl.create_default_context()
    return httpx.create_ssl_context(trust_env=False)


def _any_file(folder: str | None) -> bool:
    return bool(folder) and any(os.scandir(folder))
