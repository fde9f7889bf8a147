"""Every call of the contract in one table: the ASGI application and the OpenAPI document are made from it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from tui.contract import bodies, entities, shapes
from tui.contract.bodies import Invalid
from tui.contract.protocol import (
    Account,
    ControlPlane,
    DataCenterView,
    LoginRefused,
    NotSupported,
    Order,
    User,
)
from tui.contract.server_entity import server_entity

JSON = "application/json; charset=utf-8"
LOGIN_PATH = "/v2/authentication/login"


class Answer(NamedTuple):
    """An answer; without a body for None. `cached` tells the client that it may keep it for 5 minutes."""

    status: int
    body: bytes | None = None
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    cached: bool = False


class Call(NamedTuple):
    """An authorized request; the names of its query parameters are in lower case."""

    plane: ControlPlane
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    content_type: str
    user: User
    account: Account

    @property
    def alias(self) -> str:
        """The account's alias in upper case."""
        return self.account.alias

    def has_query(self, name: str, value: str = "true") -> bool:
        """Whether a query parameter has this value, both in any case."""
        return self.query.get(name, "").lower() == value


Handler = Callable[[Call], Awaitable[Answer]]


class Route(NamedTuple):
    """One call of the contract. `path` is as the documents spell it; requests may spell it in any case."""

    method: str
    path: str
    handler: Handler | None
    """None for the login, which has no user yet."""
    summary: str
    answers: Any = None
    """The type of the JSON of its good answer; None for an answer without a body."""
    body: Any = None
    """The type of the JSON that it takes."""
    query: tuple[str, ...] = ()
    status: int = 200
    """The status of its good answer."""
    changes: bool = False
    """Whether it changes servers and so needs an operating role."""

    @property
    def label(self) -> str:
        """Its name in records and documents."""
        return f"{self.method} {self.path}"


def answer(status: int, value: object) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, msgspec.json.encode(value))


def problem(status: int, message: str, *headers: tuple[str, str]) -> Answer:
    """An answer of the platform's error shape."""
    return answer(status, shapes.Problem(message=message))._replace(headers=headers)


def invalid(error: Invalid) -> Answer:
    """The platform's 400 for a body of the wrong shape."""
    state = {error.field: [str(error)]}
    return answer(400, shapes.Problem(message="The request is invalid.", model_state=state))


NOT_FOUND = Answer(404)
DENIED = problem(401, "Authorization has been denied for this request.")
BROKEN = problem(500, "An error has occurred.")


async def login(plane: ControlPlane, content_type: str, body: bytes) -> Answer:
    """Answer a login, whose body is JSON or a form, with keys in any case.

    Raises:
        Invalid: the body holds no credentials.
    """
    try:
        user, token, location = await plane.login(*bodies.credentials(body, content_type))
    except LoginRefused as refusal:
        return problem(400, str(refusal))
    return answer(
        200,
        shapes.LoginAnswer(
            user_name=user.name,
            account_alias=user.alias,
            location_alias=location,
            roles=user.roles,
            bearer_token=token,
        ),
    )


async def _data_centers(call: Call) -> Answer:
    centers = sorted(await call.plane.data_centers(call.alias), key=lambda center: center.code)
    return answer(200, [_data_center_entity(call, center) for center in centers])._replace(cached=True)


async def _data_center(call: Call) -> Answer:
    center = await call.plane.data_center(call.alias, call.path["datacenter"])
    if center is None:
        return NOT_FOUND
    return answer(200, _data_center_entity(call, center))._replace(cached=True)


def _data_center_entity(call: Call, center: DataCenterView) -> shapes.DataCenter:
    return entities.data_center(
        call.alias,
        center,
        call.has_query("grouplinks"),
        call.has_query("totals"),
        call.user.may_operate,
    )


async def _group(call: Call) -> Answer:
    group = await call.plane.group(call.alias, call.path["id"])
    if group is None:
        return NOT_FOUND
    detailed = call.has_query("serverdetail", "detailed")
    return Answer(200, await _joined(entities.group_tree(group, call.alias, call.user, detailed)))


async def _joined(pieces: Iterator[bytes]) -> bytes:
    """Join the pieces; other requests are answered in between, as a large tree takes a second or two."""
    parts: list[bytes] = []
    for piece in pieces:
        parts.append(piece)
        if len(parts) % 20 == 0:
            await asyncio.sleep(0)
    return b"".join(parts)


async def _server(call: Call) -> Answer:
    server = await call.plane.server(call.alias, call.path["id"])
    if server is None:
        return NOT_FOUND
    return answer(200, server_entity(server, call.alias, call.user))


async def _account(call: Call) -> Answer:
    return answer(200, entities.account(call.account))


async def _custom_fields(call: Call) -> Answer:
    fields = await call.plane.custom_fields(call.alias)
    return answer(200, [entities.custom_field(field) for field in fields])


async def _status(call: Call) -> Answer:
    status = await call.plane.job_status(call.alias, call.path["id"])
    return NOT_FOUND if status is None else answer(200, shapes.JobStatus(status=status))


def _operate(operation: str) -> Handler:
    """The handler of an operation on a list of servers, whose answer is one entity per server."""

    async def handler(call: Call) -> Answer:
        read = bodies.maintenance_switches if operation == "setMaintenance" else bodies.server_ids
        try:
            outcomes = await call.plane.submit(call.alias, Order(operation, read(call.body), call.user))
        except NotSupported as error:
            return problem(400, str(error))
        return answer(200, [entities.outcome(outcome, call.alias) for outcome in outcomes])

    return handler


MAINTENANCE = ("startMaintenance", "stopMaintenance", "setMaintenance")
POWER = ("powerOn", "powerOff", "pause", "reset", "reboot", "shutDown")


def _operation(name: str) -> Route:
    body = shapes.SetMaintenance if name == "setMaintenance" else list[str]
    path = f"/v2/operations/{{alias}}/servers/{name}"
    summary = f"Queue {name} for servers"
    return Route("POST", path, _operate(name), summary, list[shapes.Outcome], body, changes=True)


ROUTES: tuple[Route, ...] = (
    Route("POST", LOGIN_PATH, None, "Log in", shapes.LoginAnswer, shapes.LoginRequest),
    Route("GET", "/v2/operations/{alias}/status/{id}", _status, "Read the status of a job", shapes.JobStatus),
    Route(
        "GET",
        "/v2/datacenters/{alias}",
        _data_centers,
        "List the data centers",
        list[shapes.DataCenter],
        query=("groupLinks", "totals"),
    ),
    Route(
        "GET",
        "/v2/datacenters/{alias}/{datacenter}",
        _data_center,
        "Read a data center",
        shapes.DataCenter,
        query=("groupLinks", "totals"),
    ),
    Route(
        "GET",
        "/v2/groups/{alias}/{id}",
        _group,
        "Read a group and all below it",
        shapes.Group,
        query=("serverDetail",),
    ),
    Route("GET", "/v2/servers/{alias}/{id}", _server, "Read a server", shapes.Server),
    Route("GET", "/v2/accounts/{alias}", _account, "Read the account", shapes.Account),
    Route(
        "GET",
        "/v2/accounts/{alias}/customFields",
        _custom_fields,
        "List the custom fields",
        list[shapes.CustomField],
    ),
    *map(_operation, MAINTENANCE + POWER),
)
