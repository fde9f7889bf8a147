"""The bodies of requests: JSON with keys in any case, or forms where clients of the platform send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from tui.contract.protocol import ServerEdit

FORM = "application/x-www-form-urlencoded"


class Invalid(Exception):
    """A body of the wrong shape; `field` is the part at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def credentials(body: bytes, content_type: str) -> tuple[str, str]:
    """The name and password of a login, from JSON or a form.

    Raises:
        Invalid: the body holds no credentials.
    """
    fields = _form(body) if _is_form(content_type) else _decoded(body, "credentials")
    if not isinstance(fields, dict):
        raise Invalid("credentials", "An object with username and password is required.")
    name, password = fields.get("username"), fields.get("password")
    if not isinstance(name, str) or not isinstance(password, str):
        raise Invalid("credentials", "Both username and password are required.")
    return name, password


def server_ids(body: bytes) -> dict[str, bool | None]:
    """The bare array of ids that most operations take.

    Raises:
        Invalid: the body is another one.
    """
    return _ids(_decoded(body, "serverIds"), "serverIds")


def maintenance_switches(body: bytes) -> dict[str, bool | None]:
    """The body of setMaintenance; its values may be booleans or the strings of the documents' sample.

    Raises:
        Invalid: the body is another one.
    """
    servers = _object(body, "servers").get("servers")
    if not isinstance(servers, list) or not servers:
        raise Invalid("servers", "A list of servers is required.")
    switches: dict[str, bool | None] = {}
    for server in servers:
        flag = server.get("inmaintenancemode") if isinstance(server, dict) else None
        flag = {"true": True, "false": False}.get(flag.strip().lower()) if isinstance(flag, str) else flag
        if not isinstance(flag, bool) or not isinstance(server.get("id"), str):
            raise Invalid("servers", "Each server needs an id and inMaintenanceMode, true or false.")
        switches[server["id"]] = flag
    return switches


def create_snapshot(body: bytes, content_type: str) -> tuple[dict[str, bool | None], int]:
    """The servers of createSnapshot, and for how many days it is kept: JSON or a form.

    The values may be text, as in the documents' sample; a form with one server has no list.

    Raises:
        Invalid: the body is another one.
    """
    fields = _form(body) if _is_form(content_type) else _object(body, "serverIds")
    ids = fields.get("serverids")
    days = fields.get("snapshotexpirationdays")
    if isinstance(days, str) and days.strip().isdecimal():
        days = int(days)
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= 10:
        raise Invalid("snapshotExpirationDays", "A number of days from 1 to 10 is required.")
    return _ids([ids] if isinstance(ids, str) else ids, "serverIds"), days


def execute_package(body: bytes) -> tuple[dict[str, bool | None], str, dict[str, object]]:
    """The servers of executePackage, the id of the package, and its parameters.

    Raises:
        Invalid: the body is another one.
    """
    fields = _object(body, "servers")
    ids = _ids(fields.get("servers"), "servers")
    package = fields.get("package")
    if not isinstance(package, dict) or not isinstance(package.get("packageid"), str):
        raise Invalid("package", "A package with its packageId is required.")
    parameters = package.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise Invalid("package", "The parameters are an object.")
    return ids, package["packageid"], parameters


def target_group(body: bytes) -> str:
    """The group to which a server is restored.

    Raises:
        Invalid: the body is another one.
    """
    group = _object(body, "targetGroupId").get("targetgroupid")
    if not isinstance(group, str):
        raise Invalid("targetGroupId", "The id of a group is required.")
    return group


def server_edit(body: bytes) -> ServerEdit:
    """The changes of a server's PATCH.

    Raises:
        Invalid: the body is another one, or changes what cannot be changed.
    """
    changes = _decoded(body, "body")
    if not isinstance(changes, list) or not changes:
        raise Invalid("body", "A list of changes is required.")
    values: dict[str, str] = {}
    for change in changes:
        if not isinstance(change, dict) or change.get("op") != "set":
            raise Invalid("op", "Each change is an object whose op is set.")
        member, value = str(change.get("member")), change.get("value")
        if member.lower() not in EDITABLE:
            raise Invalid("member", f"Only description and groupId can be set, not {member}.")
        if not isinstance(value, str):
            raise Invalid(member, "The value is a text.")
        values[EDITABLE[member.lower()]] = value
    return ServerEdit(**values)


EDITABLE = {"description": "description", "groupid": "group_id"}
"""Member of a PATCH in lower case -> field of `ServerEdit`."""


def _object(body: bytes, field: str) -> dict[str, Any]:
    value = _decoded(body, field)
    if not isinstance(value, dict):
        raise Invalid(field, "An object is required.")
    return value


def _ids(value: object, field: str) -> dict[str, bool | None]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise Invalid(field, "A list of server ids is required.")
    return dict.fromkeys(value)


def _is_form(content_type: str) -> bool:
    return content_type.lower().startswith(FORM)


def _form(body: bytes) -> dict[str, Any]:
    """The fields of a form, with keys in lower case; one that is given repeatedly is a list."""
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name.lower(): values if len(values) > 1 else values[0] for name, values in fields.items()}


def _decoded(body: bytes, field: str) -> Any:
    try:
        return _any_case(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid(field, "The body is not valid JSON.") from None


def _any_case(value: object) -> object:
    """The same with the keys of all objects in lower case, but for a package's own parameters."""
    if isinstance(value, Mapping):
        items = ((str(key).lower(), one) for key, one in value.items())
        return {key: one if key == "parameters" else _any_case(one) for key, one in items}
    return [_any_case(one) for one in value] if isinstance(value, list) else value
