"""The OpenAPI document: valid, complete, and the same from the command line and over HTTP."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.sandbox.conftest import MakeWorld
from tests.sandbox.world import World
from tui import __version__
from tui.cli import cli
from tui.contract.openapi import document
from tui.contract.routes import ROUTES


def operations() -> dict[str, Any]:
    """`METHOD path` -> what the document says of it."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    }


def test_the_document_is_valid() -> None:
    assert list(OpenAPIV31SpecValidator(document()).iter_errors()) == []


def test_every_route_is_in_it() -> None:
    assert set(operations()) == {route.label for route in ROUTES}
    assert len(operations()) == len(ROUTES)


def test_names_of_operations_are_unique() -> None:
    ids = [operation["operationId"] for operation in operations().values()]
    assert len(set(ids)) == len(ids)
    assert "getServersIdSnapshotsNumber" in ids


def test_calls_need_a_token_but_for_the_login() -> None:
    assert document()["security"] == [{"bearer": []}]
    assert [label for label, one in operations().items() if one.get("security") == []] == [
        "POST /v2/authentication/login"
    ]


def test_bodies_answers_and_errors_are_described() -> None:
    described = operations()
    snapshot = described["POST /v2/operations/{alias}/servers/createSnapshot"]
    assert set(snapshot["requestBody"]["content"]) == {
        "application/json",
        "application/x-www-form-urlencoded",
    }
    assert set(snapshot["responses"]) == {"200", "400", "401", "403", "500"}
    answer = snapshot["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"type": "array", "items": {"$ref": "#/components/schemas/Outcome"}}
    assert set(described["PATCH /v2/servers/{alias}/{id}"]["responses"]) >= {"204", "400", "404"}
    schemas = document()["components"]["schemas"]
    assert set(schemas["Problem"]["properties"]) == {"message", "modelState"}
    assert all(schema["description"] for schema in schemas.values())
    plain = described["POST /v2/operations/{alias}/servers/powerOff"]
    assert "one job" in plain["description"]
    assert "Raises" not in "".join(one.get("description", "") for one in described.values())


def test_parameters_are_those_of_the_path_and_the_query() -> None:
    group = operations()["GET /v2/groups/{alias}/{id}"]["parameters"]
    assert [(one["name"], one["in"], one["required"]) for one in group] == [
        ("alias", "path", True),
        ("id", "path", True),
        ("serverDetail", "query", False),
    ]


async def test_it_is_served_without_a_token_and_printed(make_world: MakeWorld) -> None:
    world = await make_world(user=None)
    served = await world.http.get("/openapi.json")
    assert served.status_code == 200
    assert served.headers["Content-Type"].startswith("application/json")
    assert served.json() == document()
    printed = CliRunner().invoke(cli, ["sandbox", "--openapi"])
    assert printed.exit_code == 0
    assert json.loads(printed.stdout) == document()


async def test_the_root_says_what_this_is(world: World) -> None:
    world.http.headers.pop("Authorization")
    answer = await world.http.get("/")
    assert answer.text.count("\n") == 0
    what = answer.json()
    assert what == {
        "name": "pitstop sandbox",
        "version": __version__,
        "servers": 240,
        "contract": "/openapi.json",
    }
    assert (await world.http.get(what["contract"])).status_code == 200
