"""Servers as CSV or JSON text, and operations for JSON. The caller writes the file."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence

from tui.model.fleet import Fleet
from tui.model.operation import Operation, Target
from tui.model.outlook import Outlook
from tui.model.plan import Plan
from tui.model.server import Server
from tui.model.window import Hold, is_mine

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Beginnings of cells that spreadsheets read as formulas, full width too. Source: OWASP, CSV Injection."""

Cell = str | int | bool | None
Row = dict[str, Cell]


def server_row(
    server: Server,
    fleet: Fleet,
    states: Mapping[str, Target] | None = None,
    holds: Mapping[str, Hold] | None = None,
) -> Row:
    """Return the fields of ``server`` by the names that JSON and CSV use.

    ``states`` is server id -> its target in its newest operation, ``holds`` server id -> the window that
    holds it in maintenance; None where the windows are not known.
    """
    target = (states or {}).get(server.id)
    mine = None if holds is None else is_mine(server, holds)
    hold = holds[server.id] if holds and mine else None
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
        "mine": mine,
        "window": hold.window_id if hold else None,
        "reason": (hold.reason or None) if hold else None,
    }


def servers_json(
    servers: Iterable[Server],
    fleet: Fleet,
    states: Mapping[str, Target] | None = None,
    holds: Mapping[str, Hold] | None = None,
) -> str:
    """Return a JSON array with an object for each server; arguments as for ``server_row``."""
    rows = [server_row(server, fleet, states, holds) for server in servers]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def servers_csv(
    servers: Iterable[Server],
    fleet: Fleet,
    states: Mapping[str, Target] | None = None,
    holds: Mapping[str, Hold] | None = None,
) -> str:
    """Return CSV with a line of names and a line for each server; arguments as for ``server_row``."""
    names = list(server_row(Server(id=""), fleet))
    rows = (server_row(server, fleet, states, holds) for server in servers)
    return to_csv(names, ([row[name] for name in names] for row in rows))


def to_csv(names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a table as CSV with safe cells."""
    return csv_line(names) + "".join(map(csv_line, rows))


def csv_line(row: Sequence[Cell]) -> str:
    """Return one line of CSV with safe cells. Source: RFC 4180."""
    out = io.StringIO()
    csv.writer(out).writerow([safe_cell(value) for value in row])
    return out.getvalue()


def safe_cell(value: Cell) -> str | int:
    """Return ``value`` as a cell: a flag as "true" or "false", None empty, a formula after an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return "'" + value
    return value


def plan_json(plan: Plan, outlook: Outlook) -> dict[str, object]:
    """What a dry run adds to ``operation_json``; the estimate is null where nothing would be sent."""
    estimate = outlook.estimate
    return {
        "action": plan.action.value,
        "requests": len(plan.batches),
        "waves": plan.waves,
        "data_centers": dict(outlook.data_centers),
        "groups": dict(outlook.groups),
        "estimate": None
        if estimate is None
        else {"seconds": round(estimate.seconds, 1), "from_jobs": estimate.jobs, "text": str(estimate)},
        "warnings": [
            {
                "kind": warning.kind.value,
                "text": warning.text,
                "servers": list(warning.server_ids),
                "groups": list(warning.groups),
            }
            for warning in outlook.warnings
        ],
    }


def operation_json(operation: Operation) -> dict[str, object]:
    """The operation as the headless commands print it; ids are null for one that never started."""
    return {
        "operation": operation.id or None,
        "action": operation.action.value,
        "retry_of": operation.retry_of or None,
        "window": operation.window_id or None,
        "servers": [
            {
                "id": target.server_id,
                "state": target.state.value,
                "job_id": target.job_id,
                "message": target.message,
            }
            for target in operation.targets.values()
        ],
        "summary": operation.summary(),
    }
