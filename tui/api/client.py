"""The one way to the endpoint: every request goes through `Client`."""

import asyncio
import logging
import os
import random
import ssl
from collections.abc import Awaitable, Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from tui import __version__
from tui.api import failures, retry, wire
from tui.api.address import base_url, is_loopback
from tui.api.body import read_body
from tui.api.budget import Gate
from tui.api.errors import (
    ApiError,
    BadEndpoint,
    LoginRefused,
    Malformed,
    NotFound,
    OutcomeUnsure,
    RateLimited,
    ServerFault,
    TokenExpired,
    Unreachable,
)
from tui.api.http import httpx
from tui.api.limits import Limits
from tui.api.retry import Kind
from tui.api.secret import Secret

T = TypeVar("T")

logger = logging.getLogger(__name__)
# Their lines would hold headers.
logging.getLogger("httpcore").setLevel(logging.WARNING)
logging.getLogger("httpx").setLevel(logging.WARNING)

_LOGIN_PATH = "/authentication/login"


class _Request(NamedTuple):
    """One thing to ask, however often it takes."""

    kind: Kind
    method: str
    path: str
    what: str
    """What is asked for, in an error's sentence."""
    content: bytes | Secret | None = None
    tree: bool = False


class _Answered(NamedTuple):
    """An answer came, whatever it says."""

    status: int
    headers: httpx.Headers
    body: bytearray

    def __repr__(self) -> str:  # a login's body holds the token
        return f"Answered({self.status}, {len(self.body)} bytes)"


class _Lost(NamedTuple):
    """No usable answer came. ``sent`` unless the request provably never left."""

    error: ApiError
    sent: bool


class _Credentials(NamedTuple):
    user: str
    password: Secret


class Client:
    """One AsyncClient with its budget, the login in memory, and the rules for repeating.

    Requests go to the configured origin only, redirects and addresses in answers are not followed,
    cookies are not kept. Bodies are bounded. Nothing raised from here holds a password or a token,
    nor leads to a frame of httpx that does.
    """

    def __init__(
        self,
        url: str,
        *,
        transport: httpx.AsyncBaseTransport | None,
        allow_http: bool,
        sleep: Callable[[float], Awaitable[None]],
        monotonic: Callable[[], float],
        requests_per_second: float,
        burst: int,
        on_latency: Callable[[float], None] | None,
        limits: Limits,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        # A transport that is handed in does not lead to the network.
        self._base = base_url(url, allow_http=allow_http or transport is not None)
        self.host = urlsplit(self._base).netloc
        self._limits = limits
        self._sleep = sleep
        self._monotonic = monotonic
        self._jitter = jitter
        self._on_latency = on_latency
        self._gate = Gate(requests_per_second, burst, limits.connections, sleep=sleep, monotonic=monotonic)
        self._http = _http_client(self._base, transport, limits)
        self._token: Secret | None = None
        self._credentials: _Credentials | None = None
        self._renewing = asyncio.Lock()
        self._no_renewal_before = float("-inf")

    async def aclose(self) -> None:
        """Close the connections and forget the credentials."""
        self._token = self._credentials = None
        self._gate.close()
        await self._http.aclose()

    async def login(self, user: str, password: Secret) -> wire.Session:
        """Log in, once.

        Raises:
            LoginRefused: with the endpoint's own message.
            ApiError: the endpoint could not be asked, or did not answer as it should.
        """
        async with self._renewing:
            return await self._log_in(_Credentials(user, password))

    async def read(self, path: str, decode: Callable[[bytearray], T], *, what: str, tree: bool = False) -> T:
        """A GET, repeated a little where it fails in passing."""
        return await self._ask(_Request(Kind.READING, "GET", path, what, tree=tree), decode)

    async def operate(self, path: str, content: bytes, decode: Callable[[bytearray], T], *, what: str) -> T:
        """A POST that changes servers, repeated only where it provably was not carried out.

        Raises:
            OutcomeUnsure: it was sent, and what became of it is not known.
        """
        return await self._ask(_Request(Kind.OPERATION, "POST", path, what, content), decode)

    # --- asking, and asking again ---------------------------------------------------------------------

    async def _ask(self, request: _Request, decode: Callable[[bytearray], T]) -> T:
        attempt = renewals = 0
        while True:
            token = self._token
            if token is None:
                raise TokenExpired("You are not logged in any more: log in again.")
            outcome = await self._exchange(request, token)
            if isinstance(outcome, _Answered) and outcome.status == 401:
                # Refused before it was looked at, so an operation, too, may be repeated.
                renewals += 1
                if renewals > self._limits.renewals:
                    raise TokenExpired(f"{self.host} refuses the token it has just given: log in again.")
                await self._renew(token)
                continue
            attempt += 1
            asked = _retry_after(outcome)
            result = self._judge(request, outcome, decode, asked)
            if not isinstance(result, ApiError):
                return result
            del outcome
            pause = retry.pause_before_repeat(
                request.kind, result, attempt, self._limits, self._jitter, asked
            )
            if pause is None:
                raise result
            if isinstance(result, RateLimited):
                self._gate.hold(pause)  # everybody, not only this request
            else:
                await self._sleep(pause)

    def _judge(
        self,
        request: _Request,
        outcome: _Answered | _Lost,
        decode: Callable[[bytearray], T],
        asked: float | None,
    ) -> T | ApiError:
        """What the outcome means: the value asked for, or what went wrong."""
        error = self._value_or_error(request, outcome, decode, asked)
        if request.kind is not Kind.OPERATION or not isinstance(error, ApiError):
            return error
        sent = outcome.sent if isinstance(outcome, _Lost) else True
        if sent and isinstance(error, Unreachable | Malformed | ServerFault):
            return OutcomeUnsure(f"It is not known whether {request.what} was carried out. {error}")
        return error

    def _value_or_error(
        self,
        request: _Request,
        outcome: _Answered | _Lost,
        decode: Callable[[bytearray], T],
        asked: float | None,
    ) -> T | ApiError:
        if isinstance(outcome, _Lost):
            return outcome.error
        status, headers, body = outcome
        page = _is_web_page(headers, body)
        if 200 <= status < 300 or (
            # A batch of which nothing could be queued.
            status == 400 and request.kind is Kind.OPERATION and not page and wire.is_answer_list(body)
        ):
            if page:
                return failures.web_page(self.host)
            try:
                return decode(body)
            except Malformed as error:
                return _bare(error)
        message = (
            "it answered with a web page, check the URL" if page else wire.error_message(body, self._limits)
        )
        return failures.refusal(status, message, request.what, self.host, asked)

    # --- logging in -----------------------------------------------------------------------------------

    async def _renew(self, refused: Secret) -> None:
        """Get a token newer than ``refused``, by the credentials in memory, once for all who wait.

        Credentials that are refused are forgotten at once: they are never sent a second time.
        """
        async with self._renewing:
            if self._token is not refused:
                return  # somebody else has, or there is no way
            if self._credentials is None:
                raise TokenExpired("You are not logged in any more: log in again.")
            if self._monotonic() < self._no_renewal_before:
                raise Unreachable(f"{self.host} did not answer the last login; the next try comes soon.")
            try:
                await self._log_in(self._credentials)
            except LoginRefused as error:
                self._token = self._credentials = None
                message = str(error)
            except ApiError:
                self._no_renewal_before = self._monotonic() + self._limits.relogin_pause
                raise
            else:
                return
        raise TokenExpired(f"The session has ended and the login was refused: {message} Log in again.")

    async def _log_in(self, credentials: _Credentials) -> wire.Session:
        content = wire.login_request(credentials.user, credentials.password)
        request = _Request(Kind.LOGIN, "POST", _LOGIN_PATH, "the login", content)
        outcome = await self._exchange(request, None)
        if isinstance(outcome, _Answered) and outcome.status >= 400:
            outcome = outcome._replace(body=credentials.password.hidden_in(outcome.body))
        if isinstance(outcome, _Answered) and outcome.status in (400, 401, 403):
            message = wire.error_message(outcome.body, self._limits)
            raise LoginRefused(message or f"{self.host} refuses this user and password ({outcome.status}).")
        found = self._judge(request, outcome, wire.login, _retry_after(outcome))
        del outcome
        if isinstance(found, NotFound):
            raise NotFound(f"{self.host} knows no login: check the URL.")
        if isinstance(found, ApiError):
            raise found
        if found is None:
            raise Malformed(f"{self.host} answered the login without a token: check the URL.")
        session, self._token = found
        self._credentials = credentials
        self._no_renewal_before = float("-inf")
        return session

    # --- one exchange ---------------------------------------------------------------------------------

    async def _exchange(self, request: _Request, token: Secret | None) -> _Answered | _Lost:
        """Send once and read the answer, within all bounds."""
        limits = self._limits
        async with self._gate.turn(urgent=request.kind is not Kind.READING):
            began = self._monotonic()
            status = 0
            try:
                async with asyncio.timeout(limits.tree_deadline if request.tree else limits.deadline):
                    async with self._http.stream(
                        request.method,
                        self._base + request.path,
                        content=_content(request.content),
                        headers=_headers(request, token),
                    ) as response:
                        status = response.status_code
                        latency = self._monotonic() - began
                        body = await read_body(response, limits.tree_body if request.tree else limits.body)
                        outcome: _Answered | _Lost = _Answered(status, response.headers, body)
                if self._on_latency is not None:
                    self._on_latency(latency)
            except Malformed as error:
                outcome = _Lost(_bare(error), sent=True)
            except failures.CAUGHT as error:
                outcome = _Lost(failures.explain(error, self.host), not retry.provably_unsent(error))
        if logger.isEnabledFor(logging.DEBUG):
            took = self._monotonic() - began
            logger.debug("%s %s %s %.3fs", request.method, request.path, status or "-", took)
        return outcome


def _bare(error: ApiError) -> ApiError:
    """``error`` without the frames it came through: a login's hold what must not be seen."""
    error.__context__ = None
    return error.with_traceback(None)


def _headers(request: _Request, token: Secret | None) -> dict[str, str]:
    headers = {} if token is None else {"Authorization": f"Bearer {token.reveal()}"}
    if request.content is not None:
        headers["Content-Type"] = "application/json"
    return headers


def _content(content: bytes | Secret | None) -> bytes | None:
    return content.reveal().encode() if isinstance(content, Secret) else content


def _retry_after(outcome: _Answered | _Lost) -> float | None:
    if isinstance(outcome, _Lost) or outcome.status not in (429, 503):
        return None
    return retry.retry_after(outcome.headers.get("retry-after"), outcome.headers.get("date"))


def _is_web_page(headers: httpx.Headers, body: bytearray) -> bool:
    start = bytes(body[:256]).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return start == b"<" or (not body and "html" in headers.get("content-type", "").lower())


def _http_client(base: str, transport: httpx.AsyncBaseTransport | None, limits: Limits) -> httpx.AsyncClient:
    """The AsyncClient: explicit bounds, proxies and CA from the environment, no cookies, no redirects."""
    parts = urlsplit(base)
    context = _ssl_context() if parts.scheme == "https" and transport is None else _no_tls()
    try:
        return httpx.AsyncClient(
            transport=transport,
            verify=context,
            # What goes to this machine goes through no proxy.
            trust_env=transport is None and not is_loopback(parts.hostname or ""),
            timeout=httpx.Timeout(
                connect=limits.connect, read=limits.read, write=limits.write, pool=limits.pool
            ),
            limits=httpx.Limits(
                max_connections=limits.connections,
                max_keepalive_connections=limits.connections,
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
