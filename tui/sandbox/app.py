"""The sandbox as an ASGI application: records and authorizes every call, and injects the faults."""

from __future__ import annotations

import asyncio
import inspect
import time
import zlib
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import NoReturn
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from tui.sandbox import protocol
from tui.sandbox.config import SandboxConfig
from tui.sandbox.plane import SandboxPlane
from tui.sandbox.protocol import Answer, Call, Invalid, Route
from tui.sandbox.record import Record

LARGEST_BODY = 8 * 1024 * 1024
SMALLEST_GZIP = 1_000
GZIP_IN_THREAD = 256 * 1024
LOGIN_PATH = "/v2/authentication/login"
TRANSPORT = "sandbox.transport"
"""Where the server leaves the connection's transport in the scope's state, for the faults of connections."""

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

    async def missing(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        path = request.scope["sandbox.path"]
        if not path.startswith("/__sandbox"):
            record.open(request.method, path, f"{request.method} (no such route)")[3] = status
        if status == 404:
            return Response(status_code=404, headers=dict(_ENVELOPE))
        message = f"The requested resource does not support http method '{request.method}'."
        return _json({"message": message}, status)

    routes = [
        StarletteRoute(LOGIN_PATH, _Login(plane, record, sleep, f"POST {LOGIN_PATH}"), methods=["POST"])
    ]
    routes += [
        StarletteRoute(route.path.lower(), _Authorized(plane, record, sleep, route), methods=[route.method])
        for route in protocol.ROUTES
    ]
    routes += [
        StarletteRoute("/__sandbox/requests", requests),
        StarletteRoute("/__sandbox/faults", faults, methods=["GET", "POST"]),
        StarletteRoute("/__sandbox/truth", truth),
    ]
    app = Starlette(
        routes=routes, middleware=[Middleware(_AnyCase)], exception_handlers={HTTPException: missing}
    )
    app.state.plane = plane
    app.state.record = record
    app.router.redirect_slashes = False
    return app


class _AnyCase:
    """Matches routes in lower case; keeps the path as it was sent for the record."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            scope = {**scope, "sandbox.path": path, "path": path.lower().rstrip("/")}
        await self.app(scope, receive, send)


class _Endpoint:
    """One call of the contract as an ASGI application; subclasses make the answer."""

    def __init__(self, plane: SandboxPlane, record: Record, sleep: Sleep, label: str) -> None:
        self.plane = plane
        self.record = record
        self.sleep = sleep
        self.label = label

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        entry = self.record.open(scope["method"], scope["sandbox.path"], self.label)
        headers: dict[bytes, bytes] = dict(scope["headers"])
        try:
            answer = await self.answer(scope, headers, await _body(receive))
        except Invalid as error:
            answer = protocol.invalid(error)
        except _Dropped:
            await _drop(scope, receive)
            return
        if self.plane.faults.fires("slow"):
            await self.sleep(self.plane.faults.slow_seconds())
        entry[3] = answer.status
        twice = self.plane.faults.fires("answer-twice")
        await self.send(answer, headers, send, _transport(scope) if twice else None)

    async def answer(self, scope: Scope, headers: dict[bytes, bytes], body: bytes) -> Answer:
        raise NotImplementedError

    async def send(
        self,
        answer: Answer,
        request_headers: dict[bytes, bytes],
        send: Send,
        copy_to: asyncio.WriteTransport | None = None,
    ) -> None:
        """Send the answer with the platform's headers, compressed when the client accepts gzip.

        The same bytes go to the connection ``copy_to``, if any: ASGI has no way to answer twice.
        """
        body = answer.body or b""
        headers = [(b"date", _http_date(int(self.plane.clock()))), *_RAW_ENVELOPE]
        if answer.body is not None:
            headers.append((b"content-type", answer.content_type.encode("latin-1")))
        headers += [(name.lower().encode(), value.encode()) for name, value in answer.headers]
        if len(body) >= SMALLEST_GZIP and b"gzip" in request_headers.get(b"accept-encoding", b"").lower():
            if len(body) >= GZIP_IN_THREAD:
                body = await asyncio.to_thread(_gzip, body)
            else:
                body = _gzip(body)
            headers.append((b"content-encoding", b"gzip"))
        headers.append((b"content-length", str(len(body)).encode()))
        if copy_to is not None:
            copy_to.write(_http_bytes(answer.status, headers, body))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class _Authorized(_Endpoint):
    """A call that needs a token. A refused call, and one that most faults strike, is not carried out."""

    def __init__(self, plane: SandboxPlane, record: Record, sleep: Sleep, route: Route) -> None:
        super().__init__(plane, record, sleep, route.label)
        self.route = route

    async def answer(self, scope: Scope, headers: dict[bytes, bytes], body: bytes) -> Answer:
        plane, route, faults = self.plane, self.route, self.plane.faults
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        user = plane.user(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            return protocol.DENIED
        if faults.fires("expire-token"):
            plane.accounts.expire(token.strip())
            return protocol.DENIED
        if faults.fires("rate-limit"):
            retry_after = ("Retry-After", str(faults.retry_after()))
            return protocol.problem(429, "Too many requests. Please try again later.", retry_after)
        account = plane.account(scope["path_params"]["alias"], user)
        if account is None:
            return protocol.problem(403, "You do not have permission to access this account.")
        if route.operation and not user.may_operate:
            return protocol.problem(403, "You do not have permission to perform this operation.")
        if route.fault is not None and faults.fires(route.fault):
            return protocol.BROKEN
        if route.operation and faults.fires("drop-before"):
            raise _Dropped
        call = Call(plane, scope["path_params"], _query(scope), body, user, account)
        result = route.handler(call)
        answer = await result if inspect.isawaitable(result) else result
        if route.operation and faults.fires("drop-after"):
            raise _Dropped
        if answer.body and faults.fires("malformed"):
            malformed, content_type = faults.malformed(answer.body)
            return answer._replace(body=malformed, content_type=content_type)
        return answer


class _Login(_Endpoint):
    """The only call without a token; of the faults, only `slow` and `answer-twice` strike it."""

    async def answer(self, scope: Scope, headers: dict[bytes, bytes], body: bytes) -> Answer:
        return protocol.login(self.plane, headers.get(b"content-type", b"").decode("latin-1"), body)


class _Dropped(Exception):
    """The connection is closed without an answer."""


def _transport(scope: Scope) -> asyncio.WriteTransport | None:
    """The connection of a request; None for a sandbox in the process."""
    transport: asyncio.WriteTransport | None = scope.get("state", {}).get(TRANSPORT)
    return transport


def _http_bytes(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
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


_ENVELOPE = (
    ("Cache-Control", "no-cache"),
    ("Pragma", "no-cache"),
    ("Expires", "-1"),
    ("Vary", "Accept-Encoding"),
)
_RAW_ENVELOPE = [(name.lower().encode(), value.encode()) for name, value in _ENVELOPE]


async def _body(receive: Receive) -> bytes:
    """The whole body of a request.

    Raises:
        Invalid: the body is larger than that of any operation.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > LARGEST_BODY:
            raise Invalid("body", f"The body is longer than {LARGEST_BODY:,} bytes.")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _query(scope: Scope) -> dict[str, str]:
    query = scope["query_string"].decode("latin-1")
    return {name.lower(): value for name, value in parse_qsl(query, keep_blank_values=True)} if query else {}


def _gzip(body: bytes) -> bytes:
    compressor = zlib.compressobj(1, wbits=31)
    return compressor.compress(body) + compressor.flush()


@lru_cache(maxsize=2)
def _http_date(seconds: int) -> bytes:
    return formatdate(seconds, usegmt=True).encode("ascii")


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, dict(_ENVELOPE), "application/json; charset=utf-8")
