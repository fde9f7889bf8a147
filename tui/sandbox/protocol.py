"""The contract over HTTP: routes, bodies and status codes. The data comes from a `ControlPlane`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl

import msgspec

from tui.sandbox import entities
from tui.sandbox.accounts import Account, LoginRefused, User
from tui.sandbox.fleet import Group, Server
from tui.sandbox.operations import OPERATIONS, UNSUPPORTED, Operation
from tui.sandbox.queue import Outcome
from tui.sandbox.server_entity import server_entity
from tui.sandbox.wire import Entity


class ControlPlane(Protocol):
    """The system behind the contract. Aliases and ids arrive as the client wrote them, in any case."""

    clock: Callable[[], float]
    kept: entities.Kept

    def login(self, name: str, password: str) -> tuple[User, str, str]:
        """Log a user in; returns the user, a bearer token and the primary data center.

        Raises:
            LoginRefused: with the API's message.
        """

    def user(self, token: str) -> User | None:
        """The user of a token; None when it is unknown or has expired."""

    def account(self, alias: str, user: User) -> Account | None:
        """An account that the user may access."""

    def data_centers(self, alias: str) -> Sequence[Group]:
        """The root group of each data center."""

    def data_center(self, alias: str, code: str) -> Group | None:
        """The root group of one data center."""

    def group(self, alias: str, group_id: str) -> Group | None:
        """A group."""

    def server(self, alias: str, server_id: str) -> Server | None:
        """A server."""

    def submit(
        self, alias: str, operation: Operation, targets: Mapping[str, bool | None], user: User
    ) -> Sequence[Outcome]:
        """Queue an operation for servers; returns one outcome per server."""

    def job_status(self, alias: str, job_id: str) -> str | None:
        """The status of a job."""


class Answer(NamedTuple):
    """An answer; without a body for None."""

    status: int
    body: bytes | None = None
    content_type: str = "application/json; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


class Call(NamedTuple):
    """An authorized request."""

    plane: ControlPlane
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    user: User
    account: Account

    @property
    def alias(self) -> str:
        """The account's alias in upper case."""
        return self.account.alias

    def has_query(self, name: str, value: str = "true") -> bool:
        """Whether a query parameter has this value, both in any case."""
        return self.query.get(name, "").lower() == value


class Invalid(Exception):
    """A body of the wrong shape; `field` is the part at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


Handler = Callable[[Call], Answer | Awaitable[Answer]]


class Route(NamedTuple):
    """One call of the contract. `path` is as the documents spell it; requests may spell it in any case."""

    method: str
    path: str
    handler: Handler
    fault: str | None = None
    operation: bool = False
    """Whether it changes servers: it needs an operating role, and the faults may drop its connection."""

    @property
    def label(self) -> str:
        """The name in the record of requests."""
        return f"{self.method} {self.path}"


def answer(status: int, value: object) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, msgspec.json.encode(value))


def problem(status: int, message: str, *headers: tuple[str, str]) -> Answer:
    """An answer of the platform's error shape."""
    return answer(status, {"message": message})._replace(headers=headers)


def invalid(error: Invalid) -> Answer:
    """The platform's 400 for a body of the wrong shape."""
    return answer(400, {"message": "The request is invalid.", "modelState": {error.field: [str(error)]}})


NOT_FOUND = Answer(404)
DENIED = problem(401, "Authorization has been denied for this request.")
BROKEN = problem(500, "An error has occurred.")


def login(plane: ControlPlane, content_type: str, body: bytes) -> Answer:
    """Answer POST /v2/authentication/login, whose body is JSON or a form, with keys in any case.

    Raises:
        Invalid: the body holds no credentials.
    """
    fields: object
    if content_type.lower().startswith("application/x-www-form-urlencoded"):
        fields = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    else:
        fields = _decoded(body, "credentials")
    if not isinstance(fields, dict):
        raise Invalid("credentials", "An object with username and password is required.")
    given = {str(key).lower(): value for key, value in fields.items()}
    name, password = given.get("username"), given.get("password")
    if not isinstance(name, str) or not isinstance(password, str):
        raise Invalid("credentials", "Both username and password are required.")
    try:
        user, token, location = plane.login(name, password)
    except LoginRefused as refusal:
        return problem(400, str(refusal))
    return answer(
        200,
        {
            "userName": user.name,
            "accountAlias": user.alias,
            "locationAlias": location,
            "roles": user.roles,
            "bearerToken": token,
        },
    )


def _data_centers(call: Call) -> Answer:
    return answer(200, [_data_center_entity(call, root) for root in call.plane.data_centers(call.alias)])


def _data_center(call: Call) -> Answer:
    root = call.plane.data_center(call.alias, call.path["datacenter"])
    return NOT_FOUND if root is None else answer(200, _data_center_entity(call, root))


def _data_center_entity(call: Call, root: Group) -> Entity:
    totals = entities.totals(root, call.plane.clock()) if call.has_query("totals") else None
    return entities.data_center(call.alias, root, call.has_query("grouplinks"), totals, call.user.may_operate)


async def _group(call: Call) -> Answer:
    group = call.plane.group(call.alias, call.path["id"])
    if group is None:
        return NOT_FOUND
    detailed = call.has_query("serverdetail", "detailed")
    plane, writable = call.plane, call.user.may_operate
    pieces = entities.group_tree(group, call.alias, plane.clock(), detailed, writable, plane.kept)
    return Answer(200, await _joined(pieces))


async def _joined(pieces: Iterator[bytes]) -> bytes:
    """Join the pieces; other requests are answered in between, as a large tree takes a second or two."""
    parts: list[bytes] = []
    for piece in pieces:
        parts.append(piece)
        if len(parts) % 500 == 0:
            await asyncio.sleep(0)
    return b"".join(parts)


def _server(call: Call) -> Answer:
    server = call.plane.server(call.alias, call.path["id"])
    if server is None:
        return NOT_FOUND
    state = server.shown_at(call.plane.clock())
    return answer(200, server_entity(server, state, call.alias, call.user.may_operate))


def _account(call: Call) -> Answer:
    primary = call.plane.data_centers(call.alias)[0].data_center
    return answer(200, entities.account(call.account, primary))


def _custom_fields(call: Call) -> Answer:
    return answer(200, entities.custom_fields())


def _status(call: Call) -> Answer:
    status = call.plane.job_status(call.alias, call.path["id"])
    return NOT_FOUND if status is None else answer(200, {"status": status})


def _operate(operation: Operation) -> Handler:
    def handler(call: Call) -> Answer:
        targets = _switches(call.body) if operation.name == "setMaintenance" else _ids(call.body)
        outcomes = call.plane.submit(call.alias, operation, targets, call.user)
        queued = any(outcome.job is not None for outcome in outcomes)
        return answer(200 if queued else 400, [entities.outcome(outcome, call.alias) for outcome in outcomes])

    return handler


def _unsupported(name: str) -> Handler:
    def handler(call: Call) -> Answer:
        return problem(
            400, f"The sandbox does not carry out {name}: it knows power and maintenance operations."
        )

    return handler


def _ids(body: bytes) -> dict[str, bool | None]:
    """The bare array of ids that most operations take."""
    ids = _decoded(body, "serverIds")
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
        raise Invalid("serverIds", "A list of server ids is required.")
    return dict.fromkeys(ids)


def _switches(body: bytes) -> dict[str, bool | None]:
    """The body of setMaintenance; its values may be booleans or the strings of the documents' sample."""
    value = _decoded(body, "servers")
    servers = value.get("servers") if isinstance(value, dict) else None
    if not isinstance(servers, list) or not servers:
        raise Invalid("servers", "A list of servers is required.")
    switches: dict[str, bool | None] = {}
    for server in servers:
        flag = server.get("inMaintenanceMode") if isinstance(server, dict) else None
        flag = {"true": True, "false": False}.get(flag.strip().lower()) if isinstance(flag, str) else flag
        if not isinstance(flag, bool) or not isinstance(server.get("id"), str):
            raise Invalid("servers", "Each server needs an id and inMaintenanceMode, true or false.")
        switches[server["id"]] = flag
    return switches


def _decoded(body: bytes, field: str) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid(field, "The body is not valid JSON.") from None


ROUTES: tuple[Route, ...] = (
    Route("GET", "/v2/operations/{alias}/status/{id}", _status, fault="status-500"),
    Route("GET", "/v2/datacenters/{alias}", _data_centers),
    Route("GET", "/v2/datacenters/{alias}/{datacenter}", _data_center),
    Route("GET", "/v2/groups/{alias}/{id}", _group, fault="group-500"),
    Route("GET", "/v2/servers/{alias}/{id}", _server),
    Route("GET", "/v2/accounts/{alias}", _account),
    Route("GET", "/v2/accounts/{alias}/customFields", _custom_fields),
    *(
        Route(
            "POST", f"/v2/operations/{{alias}}/servers/{operation.name}", _operate(operation), operation=True
        )
        for operation in OPERATIONS.values()
    ),
    *(
        Route("POST", f"/v2/operations/{{alias}}/servers/{name}", _unsupported(name), operation=True)
        for name in UNSUPPORTED
    ),
)
