"""The small answers, bytes to model, and all that is sent, model to bytes.

What is sent follows the documentation to the letter. What comes back is taken as the platform and the
years have shaped it: fields absent or null, numbers as text, ids and keys in any case. Every function that
reads gives a value or raises `Malformed` (or `Oversized`), nothing else. Group trees: `tui.api.trees`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from tui.api.errors import Malformed, Oversized
from tui.api.lenient_json import (
    Body,
    expect_list,
    fields_of,
    flag_of,
    is_usable_id,
    items_of,
    link_id,
    loose_value,
    text_of,
    texts_of,
)
from tui.api.limits import DEFAULT, Limits
from tui.api.secret import Secret
from tui.model.group import DataCenter, Group
from tui.model.server import Server
from tui.model.text import clean

MESSAGE_LIMIT = 300
"""Longest message of the endpoint that is passed on."""
WORD_LIMIT = 100
"""The same for the word that says how a job is doing."""
NO_REASON = "refused, and the endpoint gives no reason (mostly: it is already as asked)"
"""In our words, where a refusal has no message. Source: clc-python-sdk issue 41."""


class Session(msgspec.Struct, frozen=True):
    """Who is logged in. ``account`` and ``location`` are upper case."""

    user: str
    account: str
    roles: tuple[str, ...]
    location: str


class Answer(msgspec.Struct, frozen=True):
    """What the endpoint says to an operation on one server (id upper case)."""

    server_id: str
    queued: bool
    job_id: str = ""
    message: str = ""


class Tree(NamedTuple):
    """All groups and servers of one data center; a group comes before those below it."""

    groups: tuple[Group, ...]
    servers: tuple[Server, ...]


# --- what is sent -------------------------------------------------------------------------------------


def login_request(user: str, password: Secret) -> Secret:
    """The body of a login."""
    body = {"username": user, "password": password.reveal()}
    return Secret(msgspec.json.encode(body).decode())


def operation_request(server_ids: Iterable[str]) -> bytes:
    """The body of an operation: the bare array of ids, upper case, each once."""
    return msgspec.json.encode(list(dict.fromkeys(id_.upper() for id_ in server_ids)))


def maintenance_request(wanted: Mapping[str, bool]) -> bytes:
    """The body of setMaintenance: each server with the state it is to have, as a boolean."""
    servers = [{"id": id_.upper(), "inMaintenanceMode": bool(on)} for id_, on in wanted.items()]
    return msgspec.json.encode({"servers": servers})


# --- small answers ------------------------------------------------------------------------------------


def login(body: Body) -> tuple[Session, Secret] | None:
    """Who is logged in, and the token; None where there is no usable token in the answer."""
    fields = fields_of(loose_value(body))
    token = fields.get("bearertoken")
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]{1,16384}", token.strip()):
        return None
    session = Session(
        user=text_of(fields.get("username")),
        account=text_of(fields.get("accountalias")).upper(),
        roles=tuple(text for role in items_of(fields.get("roles")) if (text := text_of(role))),
        location=text_of(fields.get("locationalias")).upper(),
    )
    return session, Secret(token.strip())


def data_centers(body: Body) -> list[DataCenter]:
    """The data centers of an account with their root groups, in the endpoint's order."""
    found = {}
    items = expect_list(loose_value(body), "the list of data centers")
    if len(items) > DEFAULT.data_centers:
        raise Oversized(f"The account has more than {DEFAULT.data_centers} data centers.")
    for item in items:
        fields = fields_of(item)
        id_ = text_of(fields.get("id")).upper()
        if is_usable_id(id_):
            root = link_id(fields.get("links"), "group").casefold()
            found[id_] = DataCenter(id_, text_of(fields.get("name")), root)
    return list(found.values())


def job_status(body: Body) -> str:
    """The platform's word for how a job is doing."""
    word = text_of(fields_of(loose_value(body)).get("status"))
    if not word:
        raise Malformed("The answer about a job has no status.")
    return clean(word, WORD_LIMIT)


def answers(body: Body) -> list[Answer]:
    """What became of each server of an operation, each once, in the endpoint's order.

    An entity that names no server, or does not tell whether it was queued, says nothing: it is left
    out, and whoever asked must look at that server again.
    """
    value = loose_value(body)
    if isinstance(value, dict) and "server" in fields_of(value):
        value = [value]
    found: dict[str, Answer] = {}
    for item in expect_list(value, "the answer to the operation"):
        answer = _answer(fields_of(item))
        if answer is not None and (answer.queued or answer.server_id not in found):
            found[answer.server_id] = answer
    return list(found.values())


def is_answer_list(body: Body) -> bool:
    """Whether the body of a refusal is the usual list per server (a batch none of which was queued)."""
    try:
        return bool(answers(body))
    except Malformed:
        return False


def _answer(fields: dict[str, Any]) -> Answer | None:
    id_ = text_of(fields.get("server")).upper()
    job_id = link_id(fields.get("links"), "status")
    message = clean(text_of(fields.get("errormessage")), MESSAGE_LIMIT)
    queued = flag_of(fields.get("isqueued"))
    if queued is None and (job_id or message):
        queued = bool(job_id) and not message
    if queued is None or not is_usable_id(id_):
        return None
    if queued:
        return Answer(id_, True, job_id, message)
    return Answer(id_, False, "", message or NO_REASON)


def error_message(body: Body, limits: Limits = DEFAULT) -> str:
    """What the body of a refusal says, in one line; empty where it says nothing.

    Knows the five shapes met in the wild: a bare string, ``message``, ``message`` with ``modelState``,
    ``error``, ``error`` with ``validationMessages``; and the ``exceptionMessage`` of a .NET failure.
    """
    if not body or len(body) > limits.error_body:
        return ""
    try:
        value = loose_value(body)
    except Malformed:
        return ""
    parts: dict[str, None] = {}
    if isinstance(value, str):
        parts[text_of(value)] = None
    for item in value if isinstance(value, list) else [value]:
        fields = fields_of(item)
        for key in ("message", "error", "errormessage", "exceptionmessage"):
            parts[text_of(fields.get(key))] = None
        for key in ("modelstate", "validationmessages"):
            parts.update((text, None) for text in texts_of(fields.get(key)))
    return clean(" ".join(part for part in parts if part), MESSAGE_LIMIT)
