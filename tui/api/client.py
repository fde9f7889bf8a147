"""The one way to the endpoint: every request goes through `Client`."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from tui.api import failures, retry, wire
from tui.api.address import base_url
from tui.api.budget import Gate, Shared
from tui.api.connections import Connections
from tui.api.errors import (
    ApiError,
    LoginRefused,
    Malformed,
    NotFound,
    OutcomeUnsure,
    RateLimited,
    ServerFault,
    TokenExpired,
    TokenRenewed,
    Unreachable,
)
from tui.api.http import httpx
from tui.api.limits import Limits
from tui.api.redaction import Redaction
from tui.api.retry import Kind
from tui.api.secret import Secret
from tui.api.transport import Answered, Lost, Request, Transport, bare

T = TypeVar("T")

_LOGIN_PATH = "/authentication/login"


class _Credentials(NamedTuple):
    user: str
    password: Secret


class Client:
    """The connections with their budget, the login in memory, and the rules for repeating.

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
        on_pause: Callable[[float], None] | None,
        limits: Limits,
        shared: Callable[[str], Shared] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        # A transport that is handed in does not lead to the network.
        base = base_url(url, allow_http=allow_http or transport is not None)
        self._limits = limits
        self._sleep = sleep
        self._monotonic = monotonic
        self._jitter = jitter
        self._on_pause = on_pause or (lambda seconds: None)
        self._gate = Gate(requests_per_second, burst, limits.connections, sleep=sleep, monotonic=monotonic)
        self._shared = shared
        self._redaction = Redaction()
        self._exchange = Transport(
            base,
            Connections(base, transport, limits),
            self._gate,
            monotonic=monotonic,
            on_latency=on_latency,
            limits=limits,
            redaction=self._redaction,
        )
        self.host = self._exchange.host
        self.memory = self._exchange.memory
        self._token: Secret | None = None
        self._credentials: _Credentials | None = None
        self._renewing = asyncio.Lock()
        self._no_renewal_before = float("-inf")

    async def aclose(self) -> None:
        """Close the connections and forget the credentials."""
        self._token = self._credentials = None
        self._redaction.forget()
        await self._exchange.aclose()

    async def login(self, user: str, password: Secret) -> wire.Session:
        """Log in, once.

        Raises:
            LoginRefused: with the endpoint's own message.
            ApiError: the endpoint could not be asked, or did not answer as it should.
        """
        async with self._renewing:
            if self._shared is not None:
                self._gate.share(self._shared(user))
            return await self._log_in(_Credentials(user, password))

    async def read(self, path: str, decode: Callable[[bytearray], T], *, what: str, tree: bool = False) -> T:
        """A GET, repeated a little where it fails in passing."""
        return await self._ask(Request(Kind.READING, "GET", path, what, tree=tree), decode)

    async def operate(
        self,
        path: str,
        content: bytes,
        decode: Callable[[bytearray], T],
        *,
        what: str,
        may_leave: Callable[[], Awaitable[None]] | None = None,
    ) -> T:
        """A POST that changes servers, repeated only where it provably never left.

        ``may_leave`` is asked just before it leaves; what it raises is raised, and nothing was sent.

        Raises:
            OutcomeUnsure: it was sent, and what became of it is not known.
            RateLimited, TokenRenewed: it was refused at the door. Look at the servers before you ask again.
        """
        return await self._ask(
            Request(Kind.OPERATION, "POST", path, what, content, may_leave=may_leave), decode
        )

    # --- asking, and asking again ---------------------------------------------------------------------

    async def _ask(self, request: Request, decode: Callable[[bytearray], T]) -> T:
        attempt = renewals = 0
        while True:
            token = self._token
            if token is None:
                raise TokenExpired("You are not logged in any more: log in again.")
            outcome = await self._exchange.send(request, token)
            if isinstance(outcome, Answered) and outcome.status == 401:
                renewals += 1
                if renewals > self._limits.renewals:
                    raise TokenExpired(f"{self.host} refuses the token it has just given: log in again.")
                await self._renew(token)
                if request.kind is Kind.OPERATION:
                    raise TokenRenewed(f"{self.host} refused {request.what} for its token.")
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
            if isinstance(result, RateLimited):
                self._hold((result.wait or 0.0) if pause is None else pause)
            if pause is None:
                raise result
            if not isinstance(result, RateLimited):
                if asked is not None:
                    self._on_pause(pause)
                await self._sleep(pause)

    def _hold(self, seconds: float) -> None:
        """Leave the endpoint alone as it asked: everybody, not only the request that was told so."""
        self._gate.hold(seconds)
        self._on_pause(seconds)

    def _judge(
        self,
        request: Request,
        outcome: Answered | Lost,
        decode: Callable[[bytearray], T],
        asked: float | None,
    ) -> T | ApiError:
        """What the outcome means: the value asked for, or what went wrong."""
        error = self._value_or_error(request, outcome, decode, asked)
        if request.kind is not Kind.OPERATION or not isinstance(error, ApiError):
            return error
        sent = outcome.sent if isinstance(outcome, Lost) else True
        if sent and isinstance(error, Unreachable | Malformed | ServerFault):
            return OutcomeUnsure(f"It is not known whether {request.what} was carried out. {error}")
        return error

    def _value_or_error(
        self,
        request: Request,
        outcome: Answered | Lost,
        decode: Callable[[bytearray], T],
        asked: float | None,
    ) -> T | ApiError:
        if isinstance(outcome, Lost):
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
                return self._redaction.value(decode(body), body)
            except Malformed as error:
                return bare(error)
        message = "it answered with a web page, check the URL" if page else self._message(body)
        return failures.refusal(status, message, request.what, self.host, asked, self._limits.longest_wait)

    def _message(self, body: bytearray) -> str:
        return self._redaction.text(wire.error_message(body, self._limits))

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
                self._redaction.know_logins()
                message = str(error)
            except ApiError as error:
                asked = (isinstance(error, RateLimited) and error.wait) or 0.0
                self._no_renewal_before = self._monotonic() + max(asked, self._limits.relogin_pause)
                if asked:
                    self._on_pause(asked)
                raise
            else:
                return
        raise TokenExpired(f"The session has ended and the login was refused: {message} Log in again.")

    async def _log_in(self, credentials: _Credentials) -> wire.Session:
        self._redaction.know_logins(credentials, *([self._credentials] if self._credentials else []))
        try:
            session, self._token = await self._ask_for_session(credentials)
            self._credentials = credentials
        finally:
            self._redaction.know_logins(*([self._credentials] if self._credentials else []))
        self._no_renewal_before = float("-inf")
        return session

    async def _ask_for_session(self, credentials: _Credentials) -> tuple[wire.Session, Secret]:
        content = wire.login_request(credentials.user, credentials.password)
        request = Request(Kind.LOGIN, "POST", _LOGIN_PATH, "the login", content)
        outcome = await self._exchange.send(request, None)
        if isinstance(outcome, Answered) and outcome.status in (400, 401, 403):
            message = self._message(outcome.body)
            raise LoginRefused(message or f"{self.host} refuses this user and password ({outcome.status}).")
        found = self._judge(request, outcome, self._read_login, _retry_after(outcome))
        del outcome
        if isinstance(found, NotFound):
            raise NotFound(f"{self.host} knows no login: check the URL.")
        if isinstance(found, ApiError):
            raise found
        if found is None:
            raise Malformed(f"{self.host} answered the login without a token: check the URL.")
        return found

    def _read_login(self, body: bytearray) -> tuple[wire.Session, Secret] | None:
        found = wire.login(body)
        if found is not None:
            self._redaction.know_token(found[1])
        return found


def _retry_after(outcome: Answered | Lost) -> float | None:
    if isinstance(outcome, Lost) or outcome.status not in (429, 503):
        return None
    return retry.retry_after(outcome.headers.get("retry-after"), outcome.headers.get("date"))


def _is_web_page(headers: httpx.Headers, body: bytearray) -> bool:
    start = bytes(body[:256]).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return start == b"<" or (not body and "html" in headers.get("content-type", "").lower())
