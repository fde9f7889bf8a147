"""`pitstop servers`: the list."""

from tui.headless.exits import Exit
from tui.headless.narration import Narrator, counted
from tui.headless.output import Cell, write_json, write_rows, write_text
from tui.headless.session import Work, opened
from tui.model.columns import flag_text, size_text
from tui.model.fleet import Fleet
from tui.model.server import Server
from tui.report import server_row, servers_csv

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


async def list_servers(work: Work, query: str, form: str) -> Exit:
    """Print the servers that ``query`` asks for as ``form``: json, csv, or empty for a table. Raises Stop."""
    narrator = Narrator()
    async with opened(work, narrator) as session:
        fleet = await session.read_fleet()
        found = session.choose(query)
    if form == "json":
        write_json([server_row(server, fleet) for server in found])
    elif form == "csv":
        write_text(servers_csv(found, fleet))
    else:
        write_rows(HEADER, [_row(server, fleet) for server in found])
    if narrator.live:
        narrator.say(f"{counted(len(found), 'server')} of {len(fleet.servers):,}")
    elif not fleet.servers and not fleet.problems:
        narrator.say(f"the account {fleet.account} has no servers")
    return Exit.UNREACHABLE if fleet.problems else Exit.VERIFIED


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
