"""The small answers, bytes to model, and the bodies of requests, model to bytes.

Requests follow the documentation to the letter. Answers are read leniently, as the platform has shaped them
over the years: fields absent or null, numbers as text, ids and keys in any case. Group trees:
`tui.api.trees`.
"""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from tui.api.errors import Malformed, Oversized
from tui.api.lenient_json import (
    Body,
    decode_json,
    expect_list,
    is_valid_id,
    linked_id,
    list_items,
    object_fields,
    to_bool,
    to_text,
    to_texts,
)
from tui.api.limits import DEFAULT, Limits
from tui.api.secret import Secret
from tui.model.group import DataCenter, Group
from tui.model.server import Server
from tui.model.text import clean

MESSAGE_LIMIT = 300
"""Longest message of the endpoint that is kept, in characters."""
STATUS_LIMIT = 100
"""Longest status of a job that is kept, in characters."""
NO_REASON = "refused, and the endpoint gives no reason (usually it is already in the requested state)"
"""The message of a refusal that has none. Source: clc-python-sdk issue 41."""


class LoginAnswer(msgspec.Struct, frozen=True):
    """The user that a login was answered with. ``account`` and ``location`` are upper case."""

    user: str
    account: str
    roles: tuple[str, ...]
    location: str


class Answer(msgspec.Struct, frozen=True):
    """The answer to an operation for one server (id upper case): its job, or why it was refused."""

    server_id: str
    queued: bool
    job_id: str = ""
    message: str = ""


class Tree(NamedTuple):
    """All groups and servers of one data center; a group comes before those below it."""

    groups: tuple[Group, ...]
    servers: tuple[Server, ...]


# --- requests -----------------------------------------------------------------------------------------


def login_request(user: str, password: Secret) -> Secret:
    """The body of a login, as a secret."""
    body = {"username": user, "password": password.reveal()}
    return Secret(msgspec.json.encode(body).decode())


def operation_request(server_ids: Iterable[str]) -> bytes:
    """The body of an operation: the bare array of ids, upper case, each once."""
    return msgspec.json.encode(list(dict.fromkeys(id_.upper() for id_ in server_ids)))


# --- answers ------------------------------------------------------------------------------------------


def login(body: Body) -> tuple[LoginAnswer, Secret] | None:
    """The user and the token of a login; None where the answer has no usable token.

    Raises:
        Malformed: it is not JSON.
    """
    fields = object_fields(decode_json(body))
    token = fields.get("bearertoken")
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]{1,16384}", token.strip()):
        return None
    answer = LoginAnswer(
        user=to_text(fields.get("username")),
        account=to_text(fields.get("accountalias")).upper(),
        roles=tuple(text for role in list_items(fields.get("roles")) if (text := to_text(role))),
        location=to_text(fields.get("locationalias")).upper(),
    )
    return answer, Secret(token.strip())


def data_centers(body: Body) -> list[DataCenter]:
    """The data centers of an account with their root groups, in the endpoint's order.

    Raises:
        Malformed: the answer is not a list.
        Oversized: there are more than an account can have.
    """
    found = {}
    items = expect_list(decode_json(body), "the list of data centers")
    if len(items) > DEFAULT.data_centers:
        raise Oversized(f"The account has more than {DEFAULT.data_centers} data centers.")
    for item in items:
        fields = object_fields(item)
        id_ = to_text(fields.get("id")).upper()
        if is_valid_id(id_):
            root = linked_id(fields.get("links"), "group").casefold()
            found[id_] = DataCenter(id_, to_text(fields.get("name")), root)
    return list(found.values())


def job_status(body: Body) -> str:
    """The status of a job, as the platform spells it.

    Raises:
        Malformed: the answer has no status.
    """
    status = to_text(object_fields(decode_json(body)).get("status"))
    if not status:
        raise Malformed("The answer about a job has no status.")
    return clean(status, STATUS_LIMIT)


def answers(body: Body) -> list[Answer]:
    """The answer for each server of an operation, each server once, in the endpoint's order.

    An entity without a server, or without a sign of whether it was queued, is omitted: the caller has to
    read that server again.

    Raises:
        Malformed: the answer is not a list.
    """
    value = decode_json(body)
    if isinstance(value, dict) and "server" in object_fields(value):
        value = [value]
    found: dict[str, Answer] = {}
    for item in expect_list(value, "the answer to the operation"):
        answer = _answer(object_fields(item))
        if answer is not None and (answer.queued or answer.server_id not in found):
            found[answer.server_id] = answer
    return list(found.values())


def is_answer_list(body: Body) -> bool:
    """Whether the body of a 400 is the list of answers per server (a batch none of which was queued)."""
    try:
        return bool(answers(body))
    except Malformed:
        return False


def _answer(fields: dict[str, Any]) -> Answer | None:
    id_ = to_text(fields.get("server")).upper()
    job_id = linked_id(fields.get("links"), "status")
    message = clean(to_text(fields.get("errormessage")), MESSAGE_LIMIT)
    queued = to_bool(fields.get("isqueued"))
    if queued is None and (job_id or message):
        queued = bool(job_id) and not message
    if queued is None or not is_valid_id(id_):
        return None
    if queued:
        return Answer(id_, True, job_id, message)
    return Answer(id_, False, "", message or NO_REASON)


def error_message(body: Body, limits: Limits = DEFAULT) -> str:
    """The message in the body of an error answer, in one line; empty where there is none.

    Knows the five shapes of recorded traffic: a bare string, ``message``, ``message`` with ``modelState``,
    ``error``, ``error`` with ``validationMessages``; and the ``exceptionMessage`` of a .NET failure.
    """
    if not body or len(body) > limits.error_body:
        return ""
    try:
        value = decode_json(body)
    except Malformed:
        return ""
    parts: dict[str, None] = {}
    if isinstance(value, str):
        parts[to_text(value)] = None
    for item in value if isinstance(value, list) else [value]:
        fields = object_fields(item)
        for key in ("message", "error", "errormessage", "exceptionmessage"):
            parts[to_text(fields.get(key))] = None
        for key in ("modelstate", "validationmessages"):
            parts.update((text, None) for text in to_texts(fields.get(key)))
    return clean(" ".join(part for part in parts if part), MESSAGE_LIMIT)
