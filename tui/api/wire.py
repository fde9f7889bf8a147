"""Bytes to model, model to bytes.

What is sent follows the documentation to the letter. What comes back is taken as the platform and the
years have shaped it: fields absent or null, numbers as text, ids and keys in any case. Group trees run to
a hundred megabytes, so they are decoded straight into lean structs that skip what nobody shows; only a
tree that does not fit is taken apart entity by entity, so that one odd server does not lose the rest.

Every function here gives a value or raises `Malformed` (or `Oversized`), nothing else. All text is
cleaned on the way in (`tui.model.text.clean`).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from tui.api.errors import Malformed, Oversized
from tui.api.limits import DEFAULT, Limits
from tui.api.secret import Secret
from tui.model.group import DataCenter, Group
from tui.model.server import Disk, IpAddress, Server, ServerDetails
from tui.model.text import clean

Body = bytes | bytearray

TEXT_LIMIT = 4096
"""Longest name, description or the like that is kept, in characters."""
MESSAGE_LIMIT = 300
"""Longest message of the endpoint that is passed on."""
NO_REASON = "refused, and the endpoint gives no reason (mostly: it is already as asked)"
"""In our words, where a refusal has no message. Source: clc-python-sdk issue 41."""

_usable_id = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}").fullmatch


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


def is_usable_id(text: str) -> bool:
    """Whether ``text`` can be an id or alias: nothing that means something else in a path."""
    return _usable_id(text) is not None


# --- small answers ------------------------------------------------------------------------------------


def login(body: Body) -> tuple[Session, Secret] | None:
    """Who is logged in, and the token; None where there is no usable token in the answer."""
    fields = _fields(_loose(body))
    token = fields.get("bearertoken")
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]{1,16384}", token.strip()):
        return None
    session = Session(
        user=_text(fields.get("username")),
        account=_text(fields.get("accountalias")).upper(),
        roles=tuple(text for role in _list(fields.get("roles")) if (text := _text(role))),
        location=_text(fields.get("locationalias")).upper(),
    )
    return session, Secret(token.strip())


def data_centers(body: Body) -> list[DataCenter]:
    """The data centers of an account with their root groups, in the endpoint's order."""
    found = {}
    for item in _expect_list(_loose(body), "the list of data centers"):
        fields = _fields(item)
        id_ = _text(fields.get("id")).upper()
        if is_usable_id(id_):
            root = _link(fields.get("links"), "group").casefold()
            found[id_] = DataCenter(id_, _text(fields.get("name")), root)
    return list(found.values())


def job_status(body: Body) -> str:
    """The platform's word for how a job is doing."""
    word = _text(_fields(_loose(body)).get("status"))
    if not word:
        raise Malformed("The answer about a job has no status.")
    return word


def answers(body: Body) -> list[Answer]:
    """What became of each server of an operation, each once, in the endpoint's order.

    An entity that names no server, or does not tell whether it was queued, says nothing: it is left
    out, and whoever asked must look at that server again.
    """
    value = _loose(body)
    if isinstance(value, dict) and "server" in _fields(value):
        value = [value]
    found: dict[str, Answer] = {}
    for item in _expect_list(value, "the answer to the operation"):
        answer = _answer(_fields(item))
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
    id_ = _text(fields.get("server")).upper()
    job_id = _link(fields.get("links"), "status")
    message = clean(_text(fields.get("errormessage")), MESSAGE_LIMIT)
    queued = _flag(fields.get("isqueued"))
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
        value = _loose(body)
    except Malformed:
        return ""
    parts: dict[str, None] = {}
    if isinstance(value, str):
        parts[_text(value)] = None
    for item in value if isinstance(value, list) else [value]:
        fields = _fields(item)
        for key in ("message", "error", "errormessage", "exceptionmessage"):
            parts[_text(fields.get(key))] = None
        for key in ("modelstate", "validationmessages"):
            parts.update((text, None) for text in _texts(fields.get(key)))
    return clean(" ".join(part for part in parts if part), MESSAGE_LIMIT)


# --- servers and trees --------------------------------------------------------------------------------


class _Address(msgspec.Struct, gc=False):
    internal: str | None = None
    public: str | None = None


class _Details(msgspec.Struct, gc=False):
    power: str | None = msgspec.field(name="powerState", default=None)
    maintenance: bool | None = msgspec.field(name="inMaintenanceMode", default=None)
    cpu: int | float | None = None
    memory_mb: int | float | None = msgspec.field(name="memoryMB", default=None)
    storage_gb: int | float | None = msgspec.field(name="storageGB", default=None)
    addresses: list[_Address] | None = msgspec.field(name="ipAddresses", default=None)


class _Change(msgspec.Struct, gc=False):
    at: str | None = msgspec.field(name="modifiedDate", default=None)
    by: str | None = msgspec.field(name="modifiedBy", default=None)


class _Server(msgspec.Struct, gc=False):
    id: str
    name: str | None = None
    group_id: str | None = msgspec.field(name="groupId", default=None)
    location: str | None = msgspec.field(name="locationId", default=None)
    status: str | None = None
    os: str | None = None
    kind: str | None = msgspec.field(name="type", default=None)
    description: str | None = None
    is_template: bool | None = msgspec.field(name="isTemplate", default=None)
    details: _Details | None = None
    change: _Change | None = msgspec.field(name="changeInfo", default=None)


class _Group(msgspec.Struct, gc=False):
    id: str
    name: str | None = None
    kind: str | None = msgspec.field(name="type", default=None)
    description: str | None = None
    groups: "list[_Group] | None" = None
    servers: list[_Server] | None = None


_group_decoder = msgspec.json.Decoder(_Group, strict=False)
_server_decoder = msgspec.json.Decoder(_Server, strict=False)
_parts_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items_decoder = msgspec.json.Decoder(list[msgspec.Raw])

_SIZES: dict[int | float | None, int] = {gigabytes << 10: gigabytes << 10 for gigabytes in range(1, 129)}
"""Amounts of memory in MB as servers have them, so that each number is kept once."""
_NO_DETAILS = _Details()
_NO_CHANGE = _Change()


class _Shared(dict[str, str]):
    """Cleaned text by text: values that thousands of servers share are cleaned and kept once."""

    def __missing__(self, text: str) -> str:
        kept = self[text] = clean(text, TEXT_LIMIT)
        return kept


def group_tree(body: Body, data_center: DataCenter, limits: Limits = DEFAULT) -> Tree:
    """All groups and servers below a root group, from the detailed answer."""
    body = _checked(body, limits)
    try:
        root: _Group | _LooseGroup = _group_decoder.decode(body)
    except RecursionError:
        raise Oversized("The group tree is nested too deeply.") from None
    except (msgspec.ValidationError, UnicodeDecodeError):
        root = _LooseGroup(body)
    except msgspec.DecodeError:
        body = _repaired(body)
        root = _LooseGroup(body)
    return _tree(root, data_center, limits)


def _tree(root: "_Group | _LooseGroup", data_center: DataCenter, limits: Limits) -> Tree:
    shared = _Shared()
    groups: list[Group] = []
    servers: list[Server] = []
    known: set[str] = set()
    waiting: list[tuple[_Group | _LooseGroup, str | None, str, int]] = [(root, None, "", 1)]
    while waiting:
        node, parent, above, level = waiting.pop()
        if level > limits.depth:
            raise Oversized(f"The group tree has more than {limits.depth} levels.")
        id_ = node.id.casefold()
        if not is_usable_id(id_):
            if parent is None:
                raise Malformed("The group tree has no usable root group.")
            id_ = parent  # what is below a nameless group stays with the group above
        name = clean(node.name or "", TEXT_LIMIT)
        path = name if parent is None else above + name
        if id_ not in known:  # a second group of that id could close a circle
            known.add(id_)
            kind = shared[(node.kind or "default").lower()]
            description = clean(node.description or "", TEXT_LIMIT)
            groups.append(Group(id_, name, data_center.id, parent, path, description, kind))
        below = "" if parent is None else path + "/"
        servers.extend(
            server
            for wire in node.servers or ()
            if (server := _server(wire, id_, data_center.id, shared)) is not None
        )
        node.servers = None  # let go as we go along: a tree is large
        children: Sequence[_Group | _LooseGroup] = node.groups or ()
        waiting.extend((child, id_, below, level + 1) for child in reversed(children))
    return Tree(tuple(groups), tuple(servers))


def _server(wire: _Server, group_id: str, data_center: str, shared: _Shared) -> Server | None:
    """The server, or None where it has no usable id. Called a hundred thousand times: no frills."""
    id_ = wire.id.upper()
    if _usable_id(id_) is None:
        return None
    name = wire.name or id_
    if name == id_:
        id_ = name  # one object for both
    else:
        name = clean(name, TEXT_LIMIT)
    details = wire.details or _NO_DETAILS
    change = wire.change or _NO_CHANGE
    ip = ""
    if details.addresses:
        if len(details.addresses) == 1 and not details.addresses[0].public:
            ip = details.addresses[0].internal or ""
        else:
            ip = " ".join(part for one in details.addresses for part in (one.internal, one.public) if part)
    power = details.power
    return Server(
        id_,
        name,
        group_id,
        data_center if not wire.location or wire.location == data_center else shared[wire.location.upper()],
        shared[wire.status or ""],
        shared[power] if power else None,
        details.maintenance,
        shared[wire.os or ""],
        _whole(details.cpu),
        _SIZES.get(details.memory_mb) or _whole(details.memory_mb),
        _whole(details.storage_gb),
        clean(ip, TEXT_LIMIT),
        clean(wire.description, TEXT_LIMIT) if wire.description else "",
        clean(change.at, TEXT_LIMIT) if change.at else "",
        shared[change.by or ""],
        shared[wire.kind or ""],
        wire.is_template or False,
    )


class _LooseGroup:
    """A group node taken apart piece by piece, for trees that do not fit the strict structs."""

    def __init__(self, body: Body | msgspec.Raw) -> None:
        try:
            parts = {key.casefold(): value for key, value in _parts_decoder.decode(body).items()}
        except RecursionError:
            raise Oversized("The group tree is nested too deeply.") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Malformed(f"The group tree is not what the API documents ({_why(error)}).") from None
        self.id = _raw_text(parts.get("id"))
        self.name = _raw_text(parts.get("name"))
        self.kind = _raw_text(parts.get("type"))
        self.description = _raw_text(parts.get("description"))
        self._groups = parts.get("groups")
        self._servers = parts.get("servers")

    @property
    def groups(self) -> "Sequence[_LooseGroup]":
        found = []
        for raw in _raw_items(self._groups):
            try:
                found.append(_LooseGroup(raw))
            except Oversized:
                raise
            except Malformed:
                continue  # not a group at all
        return found

    @property
    def servers(self) -> Iterator[_Server] | None:
        return (server for raw in _raw_items(self._servers) if (server := _loose_server(raw)) is not None)

    @servers.setter
    def servers(self, _: None) -> None:
        self._servers = None


def _raw_items(raw: msgspec.Raw | None) -> list[msgspec.Raw]:
    try:
        return [] if raw is None else _items_decoder.decode(raw)
    except RecursionError:
        raise Oversized("The group tree is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []


def _raw_text(raw: msgspec.Raw | None) -> str:
    if raw is None or len(bytes(raw)) > 16 * TEXT_LIMIT:
        return ""
    try:
        return _text(_loose(bytes(raw)))
    except Malformed:
        return ""


def _loose_server(raw: msgspec.Raw) -> _Server | None:
    """One server entity, whatever types its fields have; None where there is no telling."""
    try:
        return _server_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return _wire_server(_fields(_loose(bytes(raw))))
    except Malformed:
        return None


def _wire_server(fields: dict[str, Any]) -> _Server:
    details = _fields(fields.get("details"))
    change = _fields(fields.get("changeinfo"))
    return _Server(
        id=_text(fields.get("id")),
        name=_text(fields.get("name")),
        group_id=_text(fields.get("groupid")),
        location=_text(fields.get("locationid")),
        status=_text(fields.get("status")),
        os=_text(fields.get("os")),
        kind=_text(fields.get("type")),
        description=_text(fields.get("description")),
        is_template=_flag(fields.get("istemplate")),
        details=_Details(
            power=_text(details.get("powerstate")),
            maintenance=_flag(details.get("inmaintenancemode")),
            cpu=_number(details.get("cpu")),
            memory_mb=_number(details.get("memorymb")),
            storage_gb=_number(details.get("storagegb")),
            addresses=[_Address(one.internal, one.public) for one in _addresses(details, "ipaddresses")],
        ),
        change=_Change(at=_text(change.get("modifieddate")), by=_text(change.get("modifiedby"))),
    )


def server(body: Body, limits: Limits = DEFAULT) -> ServerDetails:
    """Everything about one server."""
    fields = _fields(_loose(body, limits))
    wire = _wire_server(fields)
    found = _server(wire, (wire.group_id or "").casefold(), "", _Shared())
    if found is None:
        raise Malformed("The answer is not a server: it has no usable id.")
    details = _fields(fields.get("details"))
    custom = [_fields(item) for item in _list(details.get("customfields"))]
    return ServerDetails(
        server=found,
        host_name=_text(details.get("hostname")),
        ips=tuple(_addresses(details, "ipaddresses") + _addresses(details, "secondaryipaddresses")),
        alert_policies=_names(details.get("alertpolicies")),
        snapshots=_names(details.get("snapshots")),
        disks=tuple(
            Disk(_text(disk.get("id")), _number(disk.get("sizegb")) or 0, _texts(disk.get("partitionpaths")))
            for disk in map(_fields, _list(details.get("disks")))
            if disk
        ),
        custom_fields=tuple(
            (_text(field.get("name")), _text(field.get("displayvalue")) or _text(field.get("value")))
            for field in custom
            if field
        ),
        raw=bytes(body),
    )


# --- taking what comes --------------------------------------------------------------------------------

_SPACES = bytes.maketrans(bytes(range(0x20)), b" " * 0x20)
_LONE_HIGH = re.compile(rb"\\u(?<!\\\\u)[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})")
_LONE_LOW = re.compile(rb"\\u(?<!\\\\u)(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u)[dD][c-fC-F][0-9a-fA-F]{2}")
_BOM = b"\xef\xbb\xbf"


def _checked(body: Body, limits: Limits) -> Body:
    """``body`` without a byte order mark, once it is known not to blow up when decoded."""
    if body.count(b"{") + body.count(b"[") > limits.objects:
        raise Oversized(f"The answer has more than {limits.objects:,} parts.")
    return body[3:] if body.startswith(_BOM) else body


def _repaired(body: Body) -> Body:
    """``body`` with the breaches of JSON undone that say nothing about the rest of it.

    Raw control characters within text, and halves of surrogate pairs, as left by software that cuts
    text to a length.
    """
    body = body.translate(_SPACES)
    return _LONE_LOW.sub(rb"\\ufffd", _LONE_HIGH.sub(rb"\\ufffd", body))


def _loose(body: Body, limits: Limits = DEFAULT) -> Any:
    """Any JSON value."""
    body = _checked(body, limits)
    try:
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # Slower and more forgiving: control characters in text, lone surrogates, odd encoding.
            return json.loads(body.decode("utf-8", "replace"), strict=False)
    except RecursionError:
        raise Oversized("The answer is nested too deeply.") from None
    except ValueError as error:
        raise Malformed(f"The answer is cut short or not JSON ({_why(error)}).") from None


def _why(error: Exception) -> str:
    return clean(str(error), 120).rstrip(".")


def _fields(value: Any) -> dict[str, Any]:
    """An object's fields by key in lower case; none for anything else."""
    return {key.casefold(): item for key, item in value.items()} if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _expect_list(value: Any, what: str) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise Malformed(f"The answer is not {what}.")
    return value or []


def _text(value: Any) -> str:
    """A scalar as clean text without spaces around; empty for anything else."""
    if isinstance(value, str):
        return clean(value.strip(), TEXT_LIMIT)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return str(value)
        except ValueError:  # an integer of thousands of digits
            return ""
    return ""


def _texts(value: Any) -> tuple[str, ...]:
    """All text in a list, or in the values of an object, or the text itself."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        value = [value]
    flat: list[Any] = []
    for item in value:
        flat.extend(item if isinstance(item, list) else [item])
    return tuple(text for item in flat if (text := _text(item)))


def _names(value: Any) -> tuple[str, ...]:
    return tuple(name for item in _list(value) if (name := _text(_fields(item).get("name")) or _text(item)))


def _addresses(details: dict[str, Any], key: str) -> list[IpAddress]:
    found = []
    for item in _list(details.get(key)):
        fields = _fields(item) or {"internal": item}
        address = IpAddress(_text(fields.get("internal")), _text(fields.get("public")))
        if address.internal or address.public:
            found.append(address)
    return found


def _flag(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(value.strip().casefold())
    return bool(value) if isinstance(value, bool) or value in (0, 1) else None


def _number(value: Any) -> int | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return _whole(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: int | float | None) -> int | None:
    """A count as an integer; None for what no machine has."""
    if value is None:
        return None
    return int(value) if 0 <= value < 1e15 else None


def _link(links: Any, rel: str) -> str:
    """The id that the link of this ``rel`` leads to; empty where there is none that is usable.

    Only ever the id: an address in an answer is never followed.
    """
    for item in _list(links):
        fields = _fields(item)
        if _text(fields.get("rel")).casefold() == rel:
            href = _text(fields.get("href")).partition("?")[0].rstrip("/").rpartition("/")[2]
            for id_ in (_text(fields.get("id")), href):
                if is_usable_id(id_):
                    return id_
    return ""
