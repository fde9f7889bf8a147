"""The contract as an OpenAPI 3.1 document, made from the table of routes and the shapes."""

from __future__ import annotations

import re
from functools import lru_cache
from inspect import cleandoc
from typing import Any

import msgspec

from tui.contract import routes
from tui.contract.bodies import FORM
from tui.contract.calls import Route
from tui.contract.shapes import Problem

PATH = "/openapi.json"
"""Where the document is served, without a token."""

Json = dict[str, Any]

ABOUT = """The part of the CenturyLink Cloud v2 API that Pitstop and many other clients use.

Paths, ids, the names of query parameters and the keys of bodies may be written in any case. Ids of servers
go out in lower case, their names in upper case. Links show only what the user's roles allow. Answers are
compressed where the client accepts gzip. A method that a path does not support is answered with 405."""

PARAMETERS: dict[str, tuple[Json, str]] = {
    "alias": ({"type": "string"}, "The alias of an account: the user's own, or one below it."),
    "id": ({"type": "string"}, "The id of what the path names; for a server its name or its other id."),
    "datacenter": ({"type": "string"}, "The code of a data center, for example WA1."),
    "network": ({"type": "string"}, "The id of a network."),
    "number": ({"type": "integer"}, "The number of a snapshot."),
    "ip": ({"type": "string"}, "A public address."),
    "groupLinks": ({"type": "boolean"}, "Whether data centers have links to their root groups."),
    "totals": ({"type": "boolean"}, "Whether data centers have sums."),
    "serverDetail": ({"enum": ["detailed"]}, "detailed lists servers in full instead of links to them."),
    "ipAddresses": ({"enum": ["none", "claimed", "free", "all"]}, "Which addresses the network lists."),
    "type": ({"type": "string"}, "Addresses: claimed, free or all. Statistics: latest, hourly or realtime."),
    "start": ({"type": "string", "format": "date-time"}, "The first moment of the statistics."),
    "end": ({"type": "string", "format": "date-time"}, "The last moment of the statistics."),
    "sampleInterval": ({"type": "string"}, "The time between samples, for example 01:00:00."),
}
"""Parameter -> its schema and what it is."""

REFUSALS = {
    400: "The request is invalid, or what it asks for cannot be done.",
    401: "The token is missing, unknown or has expired.",
    403: "The user's roles do not allow it, or the account is another one's.",
    500: "Something went wrong; the same request may work later.",
}


@lru_cache(maxsize=1)
def encoded() -> bytes:
    """The document as JSON."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2) + b"\n"


def document() -> Json:
    """The document."""
    types = [one for route in routes.ROUTES for one in (route.answers, route.body) if one is not None]
    distinct = [*{repr(one): one for one in (*types, Problem)}.values()]
    schemas, components = msgspec.json.schema_components(distinct, ref_template="#/components/schemas/{name}")
    schema_of = {repr(one): schema for one, schema in zip(distinct, schemas, strict=True)}
    paths: dict[str, Json] = {}
    for route in routes.ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schema_of)
    refusals: dict[str, Json] = {
        str(status): {"description": text, "content": _content(schema_of[repr(Problem)])}
        for status, text in REFUSALS.items()
    }
    refusals["404"] = {"description": "There is no such thing; the answer has no body."}
    return {
        "openapi": "3.1.0",
        "info": {"title": "CenturyLink Cloud v2 contract", "version": "2", "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "responses": refusals,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "The token of the login."}
            },
        },
    }


def _operation(route: Route, schema_of: dict[str, Json]) -> Json:
    """What the document says of one call."""
    in_path = re.findall(r"{(\w+)}", route.path)
    operation: Json = {
        "operationId": _operation_id(route),
        "tags": [route.path.split("/")[2]],
        "summary": route.summary,
    }
    if (description := _description(route)) is not None:
        operation["description"] = description
    if parameters := [
        {"name": name, "in": where, "required": where == "path", "schema": schema, "description": text}
        for where, names in (("path", in_path), ("query", route.query))
        for name in names
        for schema, text in (PARAMETERS[name],)
    ]:
        operation["parameters"] = parameters
    if route.body is not None:
        schema = schema_of[repr(route.body)]
        operation["requestBody"] = {"required": True, "content": _content(schema, form=route.form)}
    good: Json = {"description": "No content."}
    if route.answers is not None:
        good = {"description": "The answer.", "content": _content(schema_of[repr(route.answers)])}
    operation["responses"] = {str(route.status): good} | {
        str(status): {"$ref": f"#/components/responses/{status}"} for status in _refusals(route, in_path)
    }
    if route.handler is None:
        operation["security"] = []
    return operation


def _operation_id(route: Route) -> str:
    """The method and the words of the path: getServersIdSnapshotsNumber."""
    words = [word.strip("{}") for word in route.path.split("/")[2:] if word != "{alias}"]
    return route.method.lower() + "".join(word[0].upper() + word[1:] for word in words)


def _description(route: Route) -> str | None:
    """What the handler's documentation says, without the errors that it raises."""
    handler = route.handler or routes.login
    text = cleandoc(handler.__doc__ or "").partition("\n\nRaises:")[0]
    return text or None


def _content(schema: Json, *, form: bool = False) -> Json:
    kinds = ("application/json", FORM) if form else ("application/json",)
    return {kind: {"schema": schema} for kind in kinds}


def _refusals(route: Route, in_path: list[str]) -> list[int]:
    """The statuses of the errors that a call can meet."""
    if route.handler is None:
        return [400]
    takes_more = route.body is not None or route.changes or bool(route.query)
    found = [400] if takes_more else []
    return [*found, 401, 403, *([404] if in_path != ["alias"] else []), 500]
