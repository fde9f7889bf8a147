"""Servers as CSV and JSON."""

import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st

from tests.model.fleets import some_fleet
from tui.model.operation import State, Target
from tui.model.server import Server
from tui.report.servers import safe_cell, servers_csv, servers_json

WEB2 = "WA1ACMEWEB2"


def test_json_has_what_the_list_shows() -> None:
    fleet = some_fleet()
    rows = json.loads(servers_json(fleet.servers.values(), fleet, {WEB2: Target(WEB2, State.FAILED)}))
    assert len(rows) == 5
    assert (
        rows[0] | {"id": WEB2, "group": "Web", "maintenance": True, "operation": "failed", "cpu": 2}
        == rows[0]
    )
    assert rows[3]["maintenance"] is None


def test_csv_can_be_read_back() -> None:
    fleet = some_fleet()
    rows = list(csv.DictReader(io.StringIO(servers_csv(fleet.servers.values(), fleet), newline="")))
    assert [row["id"] for row in rows] == list(fleet.servers)
    assert (rows[0]["maintenance"], rows[1]["maintenance"], rows[3]["maintenance"]) == ("true", "false", "")
    assert rows[2]["description"] == "(old) a/b"


@given(st.text())
def test_no_cell_is_a_formula(text: str) -> None:
    fleet = some_fleet()
    server = Server("X1", name=text, description=text)
    row = next(csv.DictReader(io.StringIO(servers_csv([server], fleet), newline="")))
    assert not row["description"].lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert row["description"] in (text, "'" + text)
    assert json.loads(servers_json([server], fleet))[0]["description"] == text


def test_cells_that_are_no_formula_are_unchanged() -> None:
    cells: list[str | int | bool | None] = ["web", 12, -3, None, True, "=1+1", " =1", "a=b"]
    assert [safe_cell(cell) for cell in cells] == ["web", 12, -3, "", "true", "'=1+1", "' =1", "a=b"]
