"""The client: the login in memory, and which requests are repeated, on top of `Transport`."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from tui.api import failures, retry, wire
from tui.api.budget import CrossProcessBudget
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
from tui.api.limits import Limits
from tui.api.retry import RequestKind
from tui.api.secret import Secret
from tui.api.transport import Answered, Lost, Request, Transport, without_traceback

T = TypeVar("T")


class _Credentials(NamedTuple):
    user: str
    password: Secret


class Client:
    """A user at one endpoint. Renews the token, repeats what may be repeated, hides secrets in answers.

    Requests go to the configured origin only. Redirects and addresses in answers are not followed, cookies
    are not kept. No exception raised here holds a password or a token, nor a frame of httpx that does.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        sleep: Callable[[float], Awaitable[None]],
        monotonic: Callable[[], float],
        on_pause: Callable[[float], None] | None,
        limits: Limits,
        shared: Callable[[str], CrossProcessBudget] | None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._transport = transport
        self._budget = transport.budget
        self._redaction = transport.redaction
        self._sleep = sleep
        self._monotonic = monotonic
        self._jitter = jitter
        self._on_pause = on_pause or (lambda seconds: None)
        self._limits = limits
        self._shared = shared
        self.host = transport.host
        self._token: Secret | None = None
        self._credentials: _Credentials | None = None
        self._login_lock = asyncio.Lock()
        self._no_renewal_before = float("-inf")

    async def aclose(self) -> None:
        """Close the connections and forget the credentials."""
        self._token = self._credentials = None
        self._redaction.forget()
        await self._transport.aclose()

    # --- requests -------------------------------------------------------------------------------------

    async def request(self, request: Request, decode: Callable[[bytearray], T]) -> T:
        """Send a request with the token and decode its answer.

        A read is repeated on transient failures, an operation only where it provably was never sent. A
        token that is refused is renewed.

        Raises:
            OutcomeUnsure: an operation was sent, and its outcome is not known.
            TokenRenewed, RateLimited: an operation was refused with 401 or 429. Read its servers before
                you send it again.
            TokenExpired: there is no token, and no login from memory.
            ApiError: any other failure; see `tui.api.errors`.
        """
        attempt = renewals = 0
        while True:
            token = self._token
            if token is None:
                raise TokenExpired("You are not logged in any more: log in again.")
            outcome = await self._transport.send(request, token)
            if isinstance(outcome, Answered) and outcome.status == 401:
                renewals += 1
                if renewals > self._limits.renewals:
                    raise TokenExpired(f"{self.host} refuses the token it has just given: log in again.")
                await self._renew(token)
                if request.kind is RequestKind.OPERATION:
                    raise TokenRenewed(f"{self.host} refused {request.what} for its token.")
                continue
            attempt += 1
            result = self._result(request, outcome, decode)
            if not isinstance(result, ApiError):
                return result
            retry_after = outcome.retry_after if isinstance(outcome, Answered) else None
            del outcome
            pause = retry.pause_before_repeat(
                request.kind, result, attempt, self._limits, self._jitter, retry_after
            )
            if isinstance(result, RateLimited):
                # All requests to the endpoint pause, not only this one.
                seconds = (result.wait or 0.0) if pause is None else pause
                self._budget.hold(seconds)
                self._on_pause(seconds)
            if pause is None:
                raise result
            if not isinstance(result, RateLimited):
                if retry_after is not None:
                    self._on_pause(pause)
                await self._sleep(pause)

    def _result(
        self, request: Request, outcome: Answered | Lost, decode: Callable[[bytearray], T]
    ) -> T | ApiError:
        """The decoded answer, or the error that the outcome amounts to."""
        sent = not isinstance(outcome, Lost) or outcome.sent
        result = outcome.error if isinstance(outcome, Lost) else self._decoded(request, outcome, decode)
        if (
            request.kind is RequestKind.OPERATION
            and sent
            and isinstance(result, Unreachable | Malformed | ServerFault)
        ):
            return OutcomeUnsure(f"It is not known whether {request.what} was carried out. {result}")
        return result

    def _decoded(self, request: Request, answer: Answered, decode: Callable[[bytearray], T]) -> T | ApiError:
        status, is_page = answer.status, answer.is_web_page
        if 200 <= status < 300 and is_page:
            return Malformed(f"{self.host} answered with a web page, not the API: check the URL.")
        if 200 <= status < 300 or (
            # A batch of which nothing could be queued.
            status == 400
            and request.kind is RequestKind.OPERATION
            and not is_page
            and wire.is_answer_list(answer.body)
        ):
            try:
                return self._redaction.value(decode(answer.body), answer.body)
            except Malformed as error:
                return without_traceback(error)
        message = "it answered with a web page, check the URL" if is_page else self._message(answer.body)
        return failures.status_error(
            status, message, request.what, self.host, answer.retry_after, self._limits.longest_wait
        )

    def _message(self, body: bytearray) -> str:
        return self._redaction.text(wire.error_message(body, self._limits))

    # --- logging in -----------------------------------------------------------------------------------

    async def login(self, user: str, password: Secret) -> wire.LoginAnswer:
        """Log in, with one request; keep the credentials in memory to renew the token.

        Raises:
            LoginRefused: with the endpoint's own message.
            ApiError: the endpoint could not be reached, or its answer is not a login's.
        """
        async with self._login_lock:
            if self._shared is not None:
                self._budget.share(self._shared(user))
            return await self._log_in(_Credentials(user, password))

    async def _renew(self, refused: Secret) -> None:
        """Get a token newer than ``refused``, with the credentials in memory, once for all who wait.

        Credentials that are refused are forgotten at once: they are never sent a second time.
        """
        async with self._login_lock:
            if self._token is not refused:
                return  # another request has renewed it, or nobody can
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
                wait = (isinstance(error, RateLimited) and error.wait) or 0.0
                self._no_renewal_before = self._monotonic() + max(wait, self._limits.relogin_pause)
                if wait:
                    self._on_pause(wait)
                raise
            else:
                return
        raise TokenExpired(f"The session has ended and the login was refused: {message} Log in again.")

    async def _log_in(self, credentials: _Credentials) -> wire.LoginAnswer:
        self._redaction.know_logins(credentials, *([self._credentials] if self._credentials else []))
        try:
            answer, self._token = await self._send_login(credentials)
            self._credentials = credentials
        finally:
            self._redaction.know_logins(*([self._credentials] if self._credentials else []))
        self._no_renewal_before = float("-inf")
        return answer

    async def _send_login(self, credentials: _Credentials) -> tuple[wire.LoginAnswer, Secret]:
        content = wire.login_request(credentials.user, credentials.password)
        request = Request(RequestKind.LOGIN, "/authentication/login", "the login", content)
        outcome = await self._transport.send(request, None)
        if isinstance(outcome, Answered) and outcome.status in (400, 401, 403):
            message = self._message(outcome.body)
            raise LoginRefused(message or f"{self.host} refuses this user and password ({outcome.status}).")
        found = self._result(request, outcome, self._decode_login)
        del outcome
        if isinstance(found, NotFound):
            raise NotFound(f"{self.host} knows no login: check the URL.")
        if isinstance(found, ApiError):
            raise found
        if found is None:
            raise Malformed(f"{self.host} answered the login without a token: check the URL.")
        return found

    def _decode_login(self, body: bytearray) -> tuple[wire.LoginAnswer, Secret] | None:
        found = wire.login(body)
        if found is not None:
            self._redaction.know_token(found[1])
        return found
