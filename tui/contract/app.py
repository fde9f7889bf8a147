"""The contract as an ASGI application: authorizes every call, and sends the platform's headers."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Sequence
from email.utils import formatdate
from functools import lru_cache
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from tui.contract import calls, openapi, routes
from tui.contract.accounts import User
from tui.contract.bodies import Invalid
from tui.contract.calls import Answer, Call, Missing, Route
from tui.contract.protocol import ControlPlane, NotSupported
from tui.contract.server_entity import KeptServers

LARGEST_BODY = 8 * 1024 * 1024
GZIP_IN_THREAD = 256 * 1024
SENT_PATH = "contract.path"
"""Where the scope keeps the path as it was sent."""

Headers = list[tuple[bytes, bytes]]


class Endpoint:
    """One call of the contract as an ASGI application."""

    def __init__(self, plane: ControlPlane, route: Route) -> None:
        self.plane = plane
        self.route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            answer = await self.answer(scope, await _body(receive))
        except Invalid as error:
            answer = calls.invalid(error)
        await self.send(answer, scope, send)

    async def answer(self, scope: Scope, body: bytes) -> Answer:
        """Authorize a request and carry it out.

        Raises:
            Invalid: the body has the wrong shape.
        """
        headers: dict[bytes, bytes] = dict(scope["headers"])
        content_type = headers.get(b"content-type", b"").decode("latin-1")
        if self.route.handler is None:
            return await routes.login(self.plane, content_type, body)
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        user = await self.plane.user(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            return calls.DENIED
        if (refusal := self.accept(token.strip())) is not None:
            return refusal
        return await self.authorized(user, scope, body, content_type)

    def accept(self, token: str) -> Answer | None:
        """Whether a request with a good token is answered at all: None, or the answer instead."""
        return None

    async def authorized(self, user: User, scope: Scope, body: bytes, content_type: str) -> Answer:
        """Answer a user's request, if the account and the role allow it."""
        account = await self.plane.account(scope["path_params"]["alias"], user)
        if account is None:
            return calls.problem(403, "You do not have permission to access this account.")
        if self.route.changes and not user.may_operate:
            return calls.problem(403, "You do not have permission to perform this operation.")
        path, kept = scope["path_params"], scope["app"].state.kept
        return await self.carry_out(
            Call(self.plane, path, _query(scope), body, content_type, user, account, kept)
        )

    async def carry_out(self, call: Call) -> Answer:
        """Carry out a call that its user may make."""
        handler = self.route.handler
        try:
            return calls.NOT_FOUND if handler is None else await handler(call)
        except Missing:
            return calls.NOT_FOUND
        except NotSupported as error:
            return calls.problem(400, str(error))

    async def send(self, answer: Answer, scope: Scope, send: Send) -> None:
        """Send the answer with the platform's headers, compressed when the client accepts gzip."""
        headers, body = await self.encode(answer, scope)
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def encode(self, answer: Answer, scope: Scope) -> tuple[Headers, bytes]:
        """The headers and the body of an answer as they are sent."""
        accepted: bytes = dict(scope["headers"]).get(b"accept-encoding", b"")
        body = answer.body or b""
        headers: Headers = [(b"date", http_date(int(self.plane.clock())))]
        headers += _CACHED if answer.cached else _NOT_CACHED
        if answer.body is not None:
            headers.append((b"content-type", answer.content_type.encode("latin-1")))
        headers += [(name.lower().encode(), value.encode()) for name, value in answer.headers]
        if answer.status == 200:
            headers.append((b"vary", b"Accept-Encoding"))
            if body and b"gzip" in accepted.lower():
                if len(body) >= GZIP_IN_THREAD:
                    body = await asyncio.to_thread(_gzip, body)
                else:
                    body = _gzip(body)
                headers.append((b"content-encoding", b"gzip"))
        if answer.status != 204:  # which has none (RFC 9110, section 8.6), as recorded
            headers.append((b"content-length", str(len(body)).encode()))
        return headers, body


def create_app(
    plane: ControlPlane,
    endpoint: Callable[[ControlPlane, Route], ASGIApp] = Endpoint,
    more: Sequence[BaseRoute] = (),
    on_missing: Callable[[str, str, int], None] = lambda method, path, status: None,
) -> Starlette:
    """The application of a control plane, with `more` routes beside those of the contract.

    `on_missing` learns of requests for which there is no route: method, path and status.
    """

    async def missing(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        on_missing(request.method, request.scope[SENT_PATH], status)
        answer = calls.NOT_FOUND
        if status != 404:
            message = f"The requested resource does not support http method '{request.method}'."
            answer = calls.problem(status, message)
        headers = [(b"date", http_date(int(plane.clock()))), *_NOT_CACHED]
        response = Response(answer.body, status, media_type=answer.content_type if answer.body else None)
        response.raw_headers += headers
        return response

    async def description(request: Request) -> Response:
        return Response(openapi.encoded(), media_type=calls.JSON)

    async def declined(request: Request) -> Response:
        raise HTTPException(405)

    contract = [
        StarletteRoute(route.path.lower(), endpoint(plane, route), methods=[route.method])
        for route in routes.ROUTES
    ]
    contract += [StarletteRoute(path.lower(), declined, methods=[]) for path in routes.OFFERED_NOWHERE]
    contract.append(StarletteRoute(openapi.PATH, description))
    app = Starlette(
        routes=[*contract, *more],
        middleware=[Middleware(_AnyCase)],
        exception_handlers={HTTPException: missing},
    )
    app.router.redirect_slashes = False
    app.state.kept = KeptServers()
    return app


class _AnyCase:
    """Matches routes in lower case; keeps the path as it was sent."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            scope = {**scope, SENT_PATH: path, "path": path.lower().rstrip("/") or "/"}
        await self.app(scope, receive, send)


_NOT_CACHED: Headers = [(b"cache-control", b"no-cache"), (b"pragma", b"no-cache"), (b"expires", b"-1")]
_CACHED: Headers = [(b"cache-control", b"max-age=300, private")]


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
def http_date(seconds: int) -> bytes:
    """A moment as HTTP headers write it (RFC 9110, section 5.6.7)."""
    return formatdate(seconds, usegmt=True).encode("ascii")
