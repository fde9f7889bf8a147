"""A scripted endpoint behind `httpx.MockTransport`, and a clock that advances when a task sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from tui.api.endpoints import Api
from tui.api.limits import Limits

Json = Any
Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]

TOKEN = "token-7f3a"
PASSWORD = "correct horse battery"


class Clock:
    """A clock that advances only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class Service:
    """Accepts logins, and answers everything else from ``replies``; the last one is repeated for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.replies: list[Reply] = list(replies)
        self.logins: list[Reply] = []
        """Scripted answers to logins; without one a login is accepted with a new token."""
        self.requests: list[httpx.Request] = []
        self.login_count = 0
        self.clock = Clock()

    def api(self, url: str = "https://api.test", **options: Any) -> Api:
        """An `Api` whose requests reach this service."""
        options.setdefault("sleep", self.clock.sleep)
        options.setdefault("monotonic", self.clock.monotonic)
        return Api(url, transport=httpx.MockTransport(self.handle), **options)

    async def logged_in(self, **options: Any) -> Api:
        """An `Api` after its login; the login is not among ``requests``."""
        api = self.api(**options)
        await api.login("demo", PASSWORD)
        self.requests.clear()
        return api

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path.endswith("/authentication/login"):
            self.login_count += 1
            reply: Reply = (
                self.logins.pop(0) if self.logins else login_accepted(f"{TOKEN}-{self.login_count}")
            )
        else:
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        if callable(reply):
            return reply(request)
        # A new response each time, because the last one is sent more than once.
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)

    @property
    def paths(self) -> list[str]:
        """Method and path of each request so far, in order."""
        return [f"{request.method} {request.url.path}" for request in self.requests]

    @property
    def tokens(self) -> list[str]:
        """The authorization header of each request so far."""
        return [request.headers.get("authorization", "-") for request in self.requests]


def login_accepted(token: str = TOKEN) -> httpx.Response:
    """The answer to a successful login."""
    return httpx.Response(
        200,
        json={
            "userName": "demo",
            "accountAlias": "ACME",
            "locationAlias": "WA1",
            "roles": ["ServerAdmin", "ServerScheduler"],
            "bearerToken": token,
        },
    )


def login_refused() -> httpx.Response:
    """The documented answer to a wrong password."""
    message = "We didn't recognize the username or password you entered. Please try again."
    return httpx.Response(400, json={"message": message})


def status(word: str = "executing") -> httpx.Response:
    """A job's status."""
    return httpx.Response(200, json={"status": word})


def queued(*server_ids: str, job: str = "wa1-12345") -> httpx.Response:
    """The answer to an operation that was queued."""
    link = {"rel": "status", "href": f"/v2/operations/acme/status/{job}", "id": job}
    entities = [{"server": id_.lower(), "isQueued": True, "links": [link]} for id_ in server_ids]
    return httpx.Response(200, json=entities)


QUICK = Limits(read=0.2, deadline=0.4, tree_deadline=0.4, tries=1)
"""Short limits for tests over real sockets, so that endless answers time out soon."""
