"""Group trees and servers: bytes to model.

A tree can have a hundred megabytes, so it is decoded server by server, straight into small structs without
the fields that nobody shows. Only a server that does not fit them is decoded field by field, so that one of
an unexpected shape does not lose the rest.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from tui.api import nodes
from tui.api.errors import Malformed, Oversized
from tui.api.lenient_json import (
    TEXT_LIMIT,
    Body,
    decode_json,
    is_valid_id,
    list_items,
    object_fields,
    strip_bom,
    to_bool,
    to_count,
    to_integer,
    to_text,
    to_texts,
)
from tui.api.limits import DEFAULT, Limits
from tui.api.memory import Allowance
from tui.api.wire import Tree
from tui.model.group import DataCenter, Group
from tui.model.server import Disk, IpAddress, Server, ServerDetails
from tui.model.text import clean

NAME_LIMIT = 256
"""Longest name of a group that is kept, in characters."""
GROUP_SIZE = 500
SERVER_SIZE = 400
"""Bytes that a group and a server take in memory, without their own long texts."""
PATH_LIMIT = 1024
"""Longest path of a group, in characters: a few long names must not fill the memory through every path."""


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


_server_decoder = msgspec.json.Decoder(_Server, strict=False)

_SIZES: dict[int | float | None, int] = {gigabytes << 10: gigabytes << 10 for gigabytes in range(1, 129)}
"""The usual amounts of memory in MB, so that each number is kept once."""
_NO_DETAILS = _Details()
_NO_CHANGE = _Change()


class _Shared(dict[str, str]):
    """Cleaned text by text: values that thousands of servers share are cleaned and kept once."""

    def __init__(self, room: Allowance | None = None) -> None:
        self._room = room

    def __missing__(self, text: str) -> str:
        kept = self[text] = clean(text, TEXT_LIMIT)
        if self._room is not None:
            self._room.take(2 * _size(kept))
        return kept


def group_tree(
    body: Body, data_center: DataCenter, limits: Limits = DEFAULT, room: Allowance | None = None
) -> Tree:
    """All groups and servers below a root group, from the detailed answer.

    The memory that they need is taken from ``room``, in bytes.

    Raises:
        Malformed: the answer is not a group tree.
        Oversized: it exceeds a bound in ``limits``, or ``room``.
    """
    room = room or Allowance(limits.memory, "The group tree takes too much memory.")
    root = nodes.root_group(strip_bom(body), limits)
    strays = nodes.stray_allowance(limits)
    shared = _Shared(room)
    groups: list[Group] = []
    servers: list[Server] = []
    known: set[str] = set()
    waiting: list[tuple[nodes.Group | nodes.LenientGroup, str | None, str, int]] = [(root, None, "", 1)]
    while waiting:
        node, parent, above, level = waiting.pop()
        if level > limits.depth:
            raise Oversized(f"The group tree has more than {limits.depth} levels.")
        id_ = node.id.casefold()
        if not is_valid_id(id_):
            if parent is None:
                raise Malformed("The group tree has no usable root group.")
            id_ = parent  # the content of a group without an id goes to the group above
        name = clean(node.name or "", NAME_LIMIT)
        path = clean(name if parent is None else above + name, PATH_LIMIT)
        if id_ not in known:  # a second group of that id could close a circle
            known.add(id_)
            if len(known) > limits.groups:
                raise Oversized(f"The group tree has more than {limits.groups:,} groups.")
            kind = shared[(node.kind or "default").lower()]
            description = clean(node.description or "", TEXT_LIMIT)
            room.take(GROUP_SIZE + _size(path) + _size(description))
            groups.append(Group(id_, name, data_center.id, parent, path, description, kind))
        below = "" if parent is None else path + "/"
        for raw in nodes.items(node.servers, limits.servers):
            if nodes.size_of(raw) > limits.server_body:
                raise Oversized(f"The group tree has a server of more than {limits.server_body:,} bytes.")
            wire = _wire(raw)
            server = _server(wire, id_, data_center.id, shared) if wire is not None else None
            if server is None:
                strays.take()
                continue
            room.take(SERVER_SIZE + _size(server.name) + _size(server.ip) + _size(server.description))
            servers.append(server)
        children: Sequence[nodes.Group | nodes.LenientGroup] = node.groups or ()
        waiting.extend((child, id_, below, level + 1) for child in reversed(children))
    return Tree(tuple(groups), tuple(servers))


def _size(text: str) -> int:
    """The most bytes that a text takes in memory: one wide character makes all of them wide."""
    return len(text) if text.isascii() else 4 * len(text)


def _server(wire: _Server, group_id: str, data_center: str, shared: _Shared) -> Server | None:
    """The server, or None where it has no valid id. Runs a hundred thousand times per tree."""
    id_ = wire.id.upper()
    if not is_valid_id(id_):
        return None
    name = wire.name or id_
    # One object for both.
    name = id_ if name == id_ else clean(name, TEXT_LIMIT)
    details = wire.details or _NO_DETAILS
    change = wire.change or _NO_CHANGE
    ip, has_public_ip = "", False
    if details.addresses:
        if len(details.addresses) == 1 and not details.addresses[0].public:
            ip = details.addresses[0].internal or ""
        else:
            ip = " ".join(part for one in details.addresses for part in (one.internal, one.public) if part)
            has_public_ip = any(one.public for one in details.addresses)
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
        to_integer(details.cpu),
        _SIZES.get(details.memory_mb) or to_integer(details.memory_mb),
        to_integer(details.storage_gb),
        clean(ip, TEXT_LIMIT),
        clean(wire.description, TEXT_LIMIT) if wire.description else "",
        clean(change.at, TEXT_LIMIT) if change.at else "",
        shared[change.by or ""],
        shared[wire.kind or ""],
        wire.is_template or False,
        has_public_ip,
    )


def _wire(raw: msgspec.Raw) -> _Server | None:
    """One server entity, whatever types its fields have; None for anything else."""
    try:
        return _server_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return _wire_server(object_fields(decode_json(bytes(raw))))
    except Malformed:
        return None


def _wire_server(fields: dict[str, Any]) -> _Server:
    details = object_fields(fields.get("details"))
    change = object_fields(fields.get("changeinfo"))
    return _Server(
        id=to_text(fields.get("id")),
        name=to_text(fields.get("name")),
        group_id=to_text(fields.get("groupid")),
        location=to_text(fields.get("locationid")),
        status=to_text(fields.get("status")),
        os=to_text(fields.get("os")),
        kind=to_text(fields.get("type")),
        description=to_text(fields.get("description")),
        is_template=to_bool(fields.get("istemplate")),
        details=_Details(
            power=to_text(details.get("powerstate")),
            maintenance=to_bool(details.get("inmaintenancemode")),
            cpu=to_count(details.get("cpu")),
            memory_mb=to_count(details.get("memorymb")),
            storage_gb=to_count(details.get("storagegb")),
            addresses=[_Address(one.internal, one.public) for one in _addresses(details, "ipaddresses")],
        ),
        change=_Change(at=to_text(change.get("modifieddate")), by=to_text(change.get("modifiedby"))),
    )


def server(body: Body, limits: Limits = DEFAULT) -> ServerDetails:
    """Everything about one server.

    Raises:
        Malformed: the answer is not a server.
    """
    fields = object_fields(decode_json(body, limits))
    wire = _wire_server(fields)
    # Without a locationId: ids begin with the data center.
    found = _server(wire, (wire.group_id or "").casefold(), wire.id[:3].upper(), _Shared())
    if found is None:
        raise Malformed("The answer is not a server: it has no usable id.")
    details = object_fields(fields.get("details"))
    custom = [object_fields(item) for item in list_items(details.get("customfields"))]
    return ServerDetails(
        server=found,
        host_name=to_text(details.get("hostname")),
        ips=tuple(_addresses(details, "ipaddresses") + _addresses(details, "secondaryipaddresses")),
        alert_policies=_names(details.get("alertpolicies")),
        snapshots=_names(details.get("snapshots")),
        disks=tuple(
            Disk(
                to_text(disk.get("id")),
                to_count(disk.get("sizegb")) or 0,
                to_texts(disk.get("partitionpaths")),
            )
            for disk in map(object_fields, list_items(details.get("disks")))
            if disk
        ),
        custom_fields=tuple(
            (to_text(field.get("name")), to_text(field.get("displayvalue")) or to_text(field.get("value")))
            for field in custom
            if field
        ),
        raw=bytes(body),
    )


def _names(value: Any) -> tuple[str, ...]:
    names = (to_text(object_fields(item).get("name")) or to_text(item) for item in list_items(value))
    return tuple(name for name in names if name)


def _addresses(details: dict[str, Any], key: str) -> list[IpAddress]:
    found = []
    for item in list_items(details.get(key)):
        fields = object_fields(item) or {"internal": item}
        address = IpAddress(to_text(fields.get("internal")), to_text(fields.get("public")))
        if address.internal or address.public:
            found.append(address)
    return found
