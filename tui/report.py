"""What is handed on: servers as CSV or JSON. Pure: text in, text out; whoever calls writes the file."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence

from tui.model.fleet import Fleet
from tui.model.operation import Target
from tui.model.server import Server

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a cell begins that a spreadsheet takes for a formula (OWASP, CSV injection); full width too."""

Row = dict[str, str | int | bool | None]


def server_row(server: Server, fleet: Fleet, states: Mapping[str, Target] | None = None) -> Row:
    """Everything the list knows of ``server``, by the names that JSON and CSV use.

    ``states`` is server id -> where it stands in its newest operation.
    """
    target = (states or {}).get(server.id)
    return {
        "id": server.id,
        "name": server.name,
        "group": fleet.path(server),
        "data_center": server.data_center,
        "power": server.power,
        "maintenance": server.maintenance,
        "status": server.status,
        "operation": target.state.value if target else None,
        "os": server.os,
        "cpu": server.cpu,
        "memory_mb": server.memory_mb,
        "storage_gb": server.storage_gb,
        "ip": server.ip,
        "description": server.description,
        "changed": server.modified,
        "changed_by": server.modified_by,
    }


def servers_json(servers: Iterable[Server], fleet: Fleet, states: Mapping[str, Target] | None = None) -> str:
    """An array of objects, one per server."""
    rows = [server_row(server, fleet, states) for server in servers]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def servers_csv(servers: Iterable[Server], fleet: Fleet, states: Mapping[str, Target] | None = None) -> str:
    """A line of names, then one line per server (RFC 4180). No cell is a formula to a spreadsheet."""
    names = list(server_row(Server(id=""), fleet))
    rows = (server_row(server, fleet, states) for server in servers)
    return to_csv(names, ([row[name] for name in names] for row in rows))


def to_csv(names: Sequence[str], rows: Iterable[Sequence[str | int | bool | None]]) -> str:
    """A table as CSV: true and false in lower case, None empty, an apostrophe before a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return out.getvalue()


def safe_cell(value: str | int | bool | None) -> str | int:
    """``value`` as a cell that a spreadsheet takes for what it is."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return "'" + value
    return value
