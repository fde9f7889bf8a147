"""`pitstop servers`: the list."""

from typing import Any

from tui.headless.exits import Exit
from tui.headless.narration import Narrator, counted
from tui.headless.output import Cell, write_csv, write_json, write_rows
from tui.headless.session import Work, opened
from tui.model.columns import flag_text, size_text
from tui.model.fleet import Fleet
from tui.model.server import Server

HEADER = (
    "ID",
    "Group",
    "DC",
    "Power",
    "Maintenance",
    "Status",
    "OS",
    "CPU",
    "Memory",
    "IP address",
    "Description",
)
CSV_HEADER = (
    *("id", "name", "group", "data_center", "power", "maintenance", "status", "os", "cpu", "memory_mb"),
    *("storage_gb", "ip", "description", "modified", "modified_by"),
)


async def list_servers(work: Work, query: str, form: str) -> Exit:
    """Print the servers that ``query`` asks for as ``form``: json, csv, or empty for a table. Raises Stop."""
    narrator = Narrator()
    async with opened(work, narrator) as session:
        fleet = await session.read_fleet()
        found = session.choose(query)
    if form == "json":
        write_json([as_object(server, fleet) for server in found])
    elif form == "csv":
        rows = ([_plain(value) for value in as_object(server, fleet).values()] for server in found)
        write_csv(CSV_HEADER, rows)
    else:
        write_rows(HEADER, [_row(server, fleet) for server in found])
    if narrator.live:
        narrator.say(f"{counted(len(found), 'server')} of {len(fleet.servers):,}")
    elif not fleet.servers and not fleet.problems:
        narrator.say(f"the account {fleet.account} has no servers")
    return Exit.UNREACHABLE if fleet.problems else Exit.VERIFIED


def as_object(server: Server, fleet: Fleet) -> dict[str, Any]:
    """A server as JSON shows it; the names of CSV_HEADER."""
    return {
        "id": server.id,
        "name": server.name,
        "group": fleet.path(server),
        "data_center": server.data_center,
        "power": server.power,
        "maintenance": server.maintenance,
        "status": server.status,
        "os": server.os,
        "cpu": server.cpu,
        "memory_mb": server.memory_mb,
        "storage_gb": server.storage_gb,
        "ip": server.ip,
        "description": server.description,
        "modified": server.modified,
        "modified_by": server.modified_by,
    }


def _plain(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _row(server: Server, fleet: Fleet) -> list[Cell]:
    return [
        Cell(server.id),
        Cell(fleet.path(server)),
        Cell(server.data_center),
        Cell(server.power or "-"),
        Cell(flag_text(server.maintenance), "amber" if server.maintenance else ""),
        Cell(server.status),
        Cell(server.os),
        Cell("-" if server.cpu is None else str(server.cpu)),
        Cell(size_text(server.memory_mb) or "-"),
        Cell(server.ip),
        Cell(server.description),
    ]
