"""Every call of the contract in one table: the ASGI application and the OpenAPI document are made from it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from tui.contract import bodies, entities, shapes
from tui.contract.accounts import LoginRefused
from tui.contract.actions import ACTIONS
from tui.contract.calls import NOT_FOUND, Answer, Call, Route, answer, problem
from tui.contract.center_resources import CENTER_RESOURCES
from tui.contract.measures import MEASURES
from tui.contract.policies import POLICIES
from tui.contract.protocol import ControlPlane
from tui.contract.resources import RESOURCES
from tui.contract.server_entity import server_entity
from tui.contract.views import DataCenterView

LOGIN_PATH = "/v2/authentication/login"

OFFERED_NOWHERE = (
    "/v2/groups/{alias}",
    "/v2/servers/{alias}",
    "/v2/servers/{alias}/{id}/publicIPAddresses",
    "/v2-experimental/networks/{alias}/{datacenter}/{network}/release",
)
"""Paths to which links lead although no method of theirs is in the table: they answer 405, not 404."""


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
    """List the data centers. With `groupLinks` this one call leads to the whole inventory."""
    centers = sorted(await call.plane.data_centers(call.alias), key=lambda center: center.code)
    return answer(200, [_data_center_entity(call, center) for center in centers])._replace(cached=True)


async def _data_center(call: Call) -> Answer:
    center = await call.data_center()
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
    """Read a group with all groups below it, and links to their servers or the servers in full."""
    group = await call.group()
    detailed = call.has_query("serverdetail", "detailed")
    pieces = entities.group_tree(group, call.alias, call.user, detailed, call.kept)
    return Answer(200, await _joined(pieces))


async def _joined(pieces: Iterator[bytes]) -> bytes:
    """Join the pieces; other requests are answered in between, as a large tree takes a second or two."""
    parts: list[bytes] = []
    for piece in pieces:
        parts.append(piece)
        if len(parts) % 20 == 0:
            await asyncio.sleep(0)
    return b"".join(parts)


async def _server(call: Call) -> Answer:
    """Read a server. One that is not active lacks most of its details, or all."""
    server = await call.server()
    return answer(200, server_entity(server, call.alias, call.user))


async def _account(call: Call) -> Answer:
    return answer(200, entities.account(call.account))


async def _custom_fields(call: Call) -> Answer:
    fields = await call.plane.custom_fields(call.alias)
    return answer(200, [entities.custom_field(field) for field in fields])


async def _status(call: Call) -> Answer:
    """Read how far a job is. Which of its servers went wrong shows in the servers alone."""
    status = await call.plane.job_status(call.alias, call.path["id"])
    return NOT_FOUND if status is None else answer(200, shapes.JobStatus(status=status))


ROUTES: tuple[Route, ...] = (
    Route("POST", LOGIN_PATH, None, "Log in", shapes.LoginAnswer, shapes.LoginRequest, form=True),
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
    *ACTIONS,
    *CENTER_RESOURCES,
    *RESOURCES,
    *POLICIES,
    *MEASURES,
)
