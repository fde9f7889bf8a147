"""A login at one endpoint, and whether that endpoint answers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tui.api.errors import (
    ApiError,
    LoginRefused,
    Malformed,
    OutcomeUnsure,
    ServerFault,
    TokenExpired,
    Unreachable,
)
from tui.engine.clock import Clock
from tui.engine.endpoint import Endpoint
from tui.engine.events import (
    Event,
    Latency,
    Link,
    LinkChanged,
    LoggedIn,
    LoginFailed,
    LoginNeeded,
    PauseRequested,
)
from tui.engine.platform import Connect, Platform

T = TypeVar("T")

FAILING_AFTER = 2
"""So many failed requests in a row, each tried several times, mean that the endpoint fails."""

LATENCY_EVERY = 1.0
"""Seconds between two Latency events at least."""

LONG_PAUSE = 5.0
"""Shorter pauses requested by the endpoint, in seconds, emit no event."""


class Session:
    """The login and the connection. Only the connection keeps the credentials, in memory.

    When the token has expired and the credentials are refused, every request waits here until the operator
    logs in again: none fails, and no attempt is made that could lock the user.
    """

    def __init__(self, connect: Connect, clock: Clock, emit: Callable[[Event], None]) -> None:
        self.endpoint: Endpoint | None = None
        self.user = ""
        self.account = ""
        self.roles: tuple[str, ...] = ()
        self._connect = connect
        self._clock = clock
        self._emit = emit
        self._platform: Platform | None = None
        self._valid = asyncio.Event()
        self._refused = asyncio.Event()
        self._logins = 0
        self._errors = 0
        self._answers = 0
        self._link = Link.UP
        self._latency_emitted = float("-inf")
        self._paused_until = float("-inf")

    @property
    def endpoint_key(self) -> str:
        """The endpoint's address as the journal writes it, see ``Endpoint.key``; empty before a login."""
        return self.endpoint.key if self.endpoint is not None else ""

    async def login(self, endpoint: Endpoint, user: str, password: str, account: str = "") -> bool:
        """Log in with one attempt; emits LoggedIn or LoginFailed. A failure keeps an earlier login."""
        platform = self._platform
        again = platform is not None and endpoint.key == self.endpoint_key
        try:
            if platform is None or not again:
                platform = self._connect(endpoint, self._clock, self._on_latency, self._on_pause)
            session = await platform.login(user, password)
        except ApiError as error:
            if platform is not None and platform is not self._platform:
                await platform.aclose()
            elif platform is not None:
                self._failed(error, self._answers)
            self._emit(LoginFailed(str(error), isinstance(error, LoginRefused)))
            return False
        before, self._platform = self._platform, platform
        if before is not None and before is not platform:
            await before.aclose()
        self.endpoint, self.user, self.roles = endpoint, session.user, tuple(session.roles)
        self.account = (account or session.account).upper()
        self._logins += 1
        self._valid.set()
        self._refused.clear()
        self._answered()
        self._emit(LoggedIn(self.user, self.account, self.roles, endpoint.name))
        return True

    def refuse(self, message: str) -> None:
        """Emit LoginFailed without a request to the endpoint."""
        self._emit(LoginFailed(message, refused=False))

    async def wait_until_valid(self) -> None:
        """Wait until somebody is logged in and the endpoint has not refused the login since."""
        await self._valid.wait()

    async def wait_until_refused(self) -> None:
        """Wait until the endpoint refuses the login, so that only the operator can renew it."""
        await self._refused.wait()

    async def read(self, request: Callable[[Platform], Awaitable[T]]) -> T:
        """Make a request that only reads, waiting for a new login when it needs one.

        Raises:
            ApiError: any but TokenExpired.
        """
        while True:
            await self._valid.wait()
            try:
                return await self.call(request)
            except TokenExpired:
                continue

    async def call(self, request: Callable[[Platform], Awaitable[T]]) -> T:
        """Make one request, e.g. one that changes something.

        Raises:
            ApiError: as the platform raises it. After TokenExpired ``wait_until_valid`` waits for a login.
        """
        if self._platform is None:
            raise TokenExpired("nobody is logged in")
        login, answers = self._logins, self._answers
        try:
            result = await request(self._platform)
        except TokenExpired as error:
            self._answered()
            if login == self._logins and self._valid.is_set():
                self._valid.clear()
                self._refused.set()
                self._emit(LoginNeeded(str(error)))
            raise
        except ApiError as error:
            self._failed(error, answers)
            raise
        self._answered()
        return result

    async def close(self) -> None:
        """Close the connection and forget the login."""
        platform, self._platform = self._platform, None
        self._valid.clear()
        if platform is not None:
            await platform.aclose()

    def _answered(self) -> None:
        self._errors = 0
        self._answers += 1
        self._set_link(Link.UP, "the endpoint answers again")

    def _failed(self, error: ApiError, answers: int) -> None:
        """Update the link after a failed request; ``answers`` is the number of answers when it was sent."""
        match error:
            case OutcomeUnsure():
                pass  # No answer, or an error: the readings that follow show which.
            case Unreachable():
                # It was retried by then. When others were answered meanwhile, the network works.
                if answers == self._answers:
                    self._set_link(Link.DOWN, str(error))
            case ServerFault() | Malformed():
                self._errors += 1
                if self._errors >= FAILING_AFTER or self._link is Link.DOWN:
                    self._set_link(Link.FAILING, str(error))
            case _:
                self._answered()

    def _set_link(self, link: Link, message: str) -> None:
        if link is not self._link:
            self._link = link
            self._latency_emitted = float("-inf")
            self._emit(LinkChanged(link, message, self._clock.now()))

    def _on_latency(self, seconds: float) -> None:
        if self._clock.monotonic() - self._latency_emitted >= LATENCY_EVERY:
            self._latency_emitted = self._clock.monotonic()
            self._emit(Latency(seconds))

    def _on_pause(self, seconds: float) -> None:
        until = self._clock.now() + seconds
        # Requests in flight at the same time each report the same pause.
        if seconds >= LONG_PAUSE and abs(until - self._paused_until) >= 1.0:
            self._paused_until = until
            self._emit(PauseRequested(until))
