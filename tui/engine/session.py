"""Who is logged in where, and how the way there is."""

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
    PauseAsked,
)
from tui.engine.platform import Connect, Platform

T = TypeVar("T")

FAILING_AFTER = 2
"""So many errors in a row, each after several tries, are the endpoint's; one may be of what was asked for."""

LATENCY_EVERY = 1.0
"""Seconds between two tellings of the latency, at least."""

LONG_PAUSE = 5.0
"""Seconds from which a pause that the endpoint asked for is worth telling."""


class Session:
    """The login and the connection. The credentials are in the connection's memory, nowhere else.

    When the token runs out and the credentials are refused, everything waits here until the operator
    logs in again: nothing fails by that, and no attempt is made that could lock the user.
    """

    def __init__(self, connect: Connect, clock: Clock, tell: Callable[[Event], None]) -> None:
        self.endpoint: Endpoint | None = None
        self.user = ""
        self.account = ""
        self.roles: tuple[str, ...] = ()
        self._connect = connect
        self._clock = clock
        self._tell = tell
        self._platform: Platform | None = None
        self._valid = asyncio.Event()
        self._refused = asyncio.Event()
        self._logins = 0
        self._errors = 0
        self._answers = 0
        self._link = Link.UP
        self._latency_told = float("-inf")
        self._paused_until = float("-inf")

    @property
    def endpoint_key(self) -> str:
        """The endpoint's address as the journal writes it, see ``Endpoint.key``; empty before a login."""
        return self.endpoint.key if self.endpoint is not None else ""

    async def login(self, endpoint: Endpoint, user: str, password: str, account: str = "") -> bool:
        """Log in, once; the events say how it went. An earlier session stays as it is when this fails."""
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
            self._tell(LoginFailed(str(error), isinstance(error, LoginRefused)))
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
        self._tell(LoggedIn(self.user, self.account, self.roles, endpoint.name))
        return True

    def refuse(self, message: str) -> None:
        """Answer a login without asking the endpoint."""
        self._tell(LoginFailed(message, refused=False))

    async def valid(self) -> None:
        """Wait until there is a login that the endpoint is not known to refuse."""
        await self._valid.wait()

    async def login_needed(self) -> None:
        """Wait until only the operator can log in again."""
        await self._refused.wait()

    async def read(self, call: Callable[[Platform], Awaitable[T]]) -> T:
        """Read something, waiting for a new login if it takes one.

        Raises:
            ApiError: any but TokenExpired.
        """
        while True:
            await self._valid.wait()
            try:
                return await self.once(call)
            except TokenExpired:
                continue

    async def once(self, call: Callable[[Platform], Awaitable[T]]) -> T:
        """One call, e.g. one that changes something.

        Raises:
            ApiError: as the platform says. After TokenExpired, ``valid`` waits for the new login.
        """
        if self._platform is None:
            raise TokenExpired("nobody is logged in")
        login, answers = self._logins, self._answers
        try:
            result = await call(self._platform)
        except TokenExpired as error:
            self._answered()
            if login == self._logins and self._valid.is_set():
                self._valid.clear()
                self._refused.set()
                self._tell(LoginNeeded(str(error)))
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
        """What a failed request says of the link; ``answers`` is how many there were when it left."""
        match error:
            case OutcomeUnsure():
                pass  # Lost, or an error: the readings that follow find out.
            case Unreachable():
                # Each was repeated by then. Where others were answered meanwhile, the way is there.
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
            self._latency_told = float("-inf")
            self._tell(LinkChanged(link, message, self._clock.now()))

    def _on_latency(self, seconds: float) -> None:
        if self._clock.monotonic() - self._latency_told >= LATENCY_EVERY:
            self._latency_told = self._clock.monotonic()
            self._tell(Latency(seconds))

    def _on_pause(self, seconds: float) -> None:
        until = self._clock.now() + seconds
        # Requests that were under way together are each told the same.
        if seconds >= LONG_PAUSE and abs(until - self._paused_until) >= 1.0:
            self._paused_until = until
            self._tell(PauseAsked(until))
