"""The sandbox as an ASGI application: the contract, with a record of requests and with faults."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import NoReturn

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute
from starlette.types import Receive, Scope, Send

from tui import __version__
from tui.contract import calls, openapi
from tui.contract.app import SENT_PATH, Endpoint, Headers
from tui.contract.app import create_app as create_contract
from tui.contract.calls import Answer, Call, Route
from tui.sandbox.config import SandboxConfig
from tui.sandbox.plane import SandboxPlane
from tui.sandbox.record import Record

TRANSPORT = "sandbox.transport"
"""Where the server leaves the connection's transport in the scope's state, for the faults of connections."""

ENTRY = "sandbox.entry"
"""Where the scope keeps the entry of the record."""

FAULTY_READS = {
    "/v2/operations/{alias}/status/{id}": "status-500",
    "/v2/groups/{alias}/{id}": "group-500",
}
"""Path -> the fault that its GET meets."""

Sleep = Callable[[float], Awaitable[None]]


def create_app(
    config: SandboxConfig, clock: Callable[[], float] = time.time, sleep: Sleep = asyncio.sleep
) -> Starlette:
    """The application of a new sandbox.

    `clock` returns seconds since the epoch and determines everything: jobs, tokens, dates. The fault `slow`
    waits with `sleep`. Over `httpx.ASGITransport` a dropped connection is a RemoteProtocolError; a server
    that leaves the transport in the scope (see `serve`) closes the connection.
    """
    plane = SandboxPlane(config, clock)
    record = Record(clock)

    # Asynchronous, although they await nothing: Starlette runs other functions in threads.
    async def about(request: Request) -> Response:
        what = {"name": "pitstop sandbox", "version": __version__, "servers": config.servers}
        return _json({**what, "contract": openapi.PATH})

    async def requests(request: Request) -> Response:
        return _json(record.summary())

    async def faults(request: Request) -> Response:
        if request.method == "POST":
            try:
                plane.faults.set(msgspec.json.decode(await request.body(), type=dict[str, float]))
            except (msgspec.DecodeError, ValueError) as error:
                return _json({"message": str(error)}, 400)
        return _json(plane.faults.rates)

    async def truth(request: Request) -> Response:
        return _json(plane.truth())

    def missing(method: str, path: str, status: int) -> None:
        if not path.startswith("/__sandbox"):
            record.open(method, path, f"{method} (no such route)")[3] = status

    app = create_contract(
        plane,
        lambda _, route: _SandboxEndpoint(plane, route, record, sleep),
        [
            StarletteRoute("/", about),
            StarletteRoute("/__sandbox/requests", requests),
            StarletteRoute("/__sandbox/faults", faults, methods=["GET", "POST"]),
            StarletteRoute("/__sandbox/truth", truth),
        ],
        missing,
    )
    app.state.plane = plane
    app.state.record = record
    return app


class _SandboxEndpoint(Endpoint):
    """A call that is recorded and that faults may strike.

    A refused call, and one that most faults strike, is not carried out. Of the faults, only `slow` and
    `answer-twice` strike the login.
    """

    def __init__(self, plane: SandboxPlane, route: Route, record: Record, sleep: Sleep) -> None:
        super().__init__(plane, route)
        self.faults = plane.faults
        self.accounts = plane.accounts
        self.refusals_as_400 = route.changes and plane.config.refusals_as_400
        self.record = record
        self.sleep = sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ENTRY] = self.record.open(scope["method"], scope[SENT_PATH], self.route.label)
        try:
            await super().__call__(scope, receive, send)
        except _Dropped:
            await _drop(scope, receive)

    def accept(self, token: str) -> Answer | None:
        if self.faults.fires("expire-token"):
            self.accounts.expire(token)
            return calls.DENIED
        if self.faults.fires("rate-limit"):
            retry_after = ("Retry-After", str(self.faults.retry_after()))
            return calls.problem(429, "Too many requests. Please try again later.", retry_after)
        return None

    async def carry_out(self, call: Call) -> Answer:
        faults, route = self.faults, self.route
        if faults.fires(FAULTY_READS.get(route.path, "")):
            return calls.BROKEN
        if route.changes and faults.fires("drop-before"):
            raise _Dropped
        answer = await super().carry_out(call)
        if route.changes and faults.fires("drop-after"):
            raise _Dropped
        if self.refusals_as_400 and _all_refused(answer):
            answer = answer._replace(status=400)
        if answer.body and faults.fires("malformed"):
            malformed, content_type = faults.malformed(answer.body)
            return answer._replace(body=malformed, content_type=content_type)
        return answer

    async def send(self, answer: Answer, scope: Scope, send: Send) -> None:
        """Send the answer, late or twice where a fault strikes: ASGI itself has no way to answer twice."""
        if self.faults.fires("slow"):
            await self.sleep(self.faults.slow_seconds())
        scope[ENTRY][3] = answer.status
        connection = _transport(scope)
        if self.faults.fires("answer-twice") and connection is not None:
            connection.write(_http_bytes(answer.status, *await self.encode(answer, scope)))
        await super().send(answer, scope, send)


class _Dropped(Exception):
    """The connection is closed without an answer."""


def _all_refused(answer: Answer) -> bool:
    """Whether it is the list of an operation of which no server was queued."""
    outcomes = msgspec.json.decode(answer.body) if answer.body else None
    return isinstance(outcomes, list) and not any(one.get("isQueued", True) for one in outcomes)


def _transport(scope: Scope) -> asyncio.WriteTransport | None:
    """The connection of a request; None for a sandbox in the process."""
    transport: asyncio.WriteTransport | None = scope.get("state", {}).get(TRANSPORT)
    return transport


def _http_bytes(status: int, headers: Headers, body: bytes) -> bytes:
    """An answer in the format of HTTP/1.1."""
    lines = [b"HTTP/1.1 %d %s" % (status, HTTPStatus(status).phrase.encode())]
    lines += [b"%s: %s" % header for header in headers]
    return b"\r\n".join([*lines, b"", body])


async def _drop(scope: Scope, receive: Receive) -> None:
    """Close the connection of a request."""
    transport = _transport(scope)
    if transport is None:
        _raise_disconnected()
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


def _raise_disconnected() -> NoReturn:
    import httpx

    raise httpx.RemoteProtocolError("Server disconnected without sending a response.")


def _json(value: object, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-cache"}
    return Response(msgspec.json.encode(value), status, headers, calls.JSON)
