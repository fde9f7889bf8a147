"""Connections to the endpoint: kept ones for reads, and one of its own for each POST."""

import os
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

from tui import __version__
from tui.api.errors import BadEndpoint
from tui.api.http import httpx
from tui.api.limits import Limits
from tui.model.url import is_loopback


class Connections:
    """The HTTP clients of one origin, on which no answer is taken for the answer to another request.

    Some proxies deliver an answer twice, and the copy would answer the next request on its connection.
    So a connection on which more came than the answer is closed, and from then on none is kept. A copy that
    comes later cannot be detected: what must not be mistaken goes ``alone``, on a connection that is new and
    closed after it.
    """

    def __init__(self, base_url: str, transport: httpx.AsyncBaseTransport | None, limits: Limits) -> None:
        parts = urlsplit(base_url)
        context = _ssl_context() if parts.scheme == "https" and transport is None else _no_tls()
        # Requests to this machine go through no proxy.
        trust_env = transport is None and not is_loopback(parts.hostname or "")
        self.kept = _http_client(transport, context, trust_env, limits, kept=limits.connections)
        """For reads: an idle connection is used again."""
        self.single = _http_client(transport, context, trust_env, limits, kept=0)
        """A new connection for each request."""
        self.single.headers["Connection"] = "close"
        self._may_keep = True
        self._has_trace = transport is None

    async def aclose(self) -> None:
        """Close them all."""
        await self.kept.aclose()
        await self.single.aclose()

    def client(self, *, alone: bool) -> httpx.AsyncClient:
        """The client to send the next request with."""
        return self.kept if self._may_keep and not alone else self.single

    async def ask_before_sending(self, may_leave: Callable[[], Awaitable[None]] | None) -> dict[str, Any]:
        """The extensions with which a request awaits ``may_leave`` once it has a connection.

        A transport passed in has no such hook: ``may_leave`` is awaited now.
        """
        if may_leave is None:
            return {}
        if self._has_trace:
            return {"trace": partial(_before_headers, may_leave)}
        await may_leave()
        return {}

    async def discard_if_more_came(self, response: httpx.Response) -> None:
        """Close the connection of an answer that was read, if anything came after the answer."""
        if _holds_more(response):
            self._may_keep = False
            await response.extensions["network_stream"].aclose()


async def _before_headers(may_leave: Callable[[], Awaitable[None]], event: str, _: object) -> None:
    """Await ``may_leave`` before the first byte. Source: httpcore's documentation of ``trace``."""
    if event == "http11.send_request_headers.started":
        await may_leave()


def _holds_more(response: httpx.Response) -> bool:
    """Whether anything came on the connection after the answer.

    httpcore itself checks what is still in the socket. What it, anyio and TLS have already read has no
    public interface; where their private attributes are not as expected, the answer is yes.
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
    """An AsyncClient: explicit bounds, proxies and CA from the environment, no cookies, no redirects.

    Raises:
        BadEndpoint: the proxy named in the environment cannot be used.
    """
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
    """Trust the CAs of SSL_CERT_FILE or SSL_CERT_DIR, else the system's, else those of httpx.

    Raises:
        BadEndpoint: SSL_CERT_FILE cannot be read.
    """
    named = os.environ.get("SSL_CERT_FILE")
    if named and not os.access(named, os.R_OK):
        raise BadEndpoint("SSL_CERT_FILE names a file that cannot be read.")
    paths = ssl.get_default_verify_paths()
    if named or os.environ.get("SSL_CERT_DIR") or paths.cafile or _any_file(paths.capath):
        return ssl.create_default_context()
    return httpx.create_ssl_context(trust_env=False)


def _any_file(folder: str | None) -> bool:
    return bool(folder) and any(os.scandir(folder))
