"""`pitstop servers`: the list."""

from collections.abc import Mapping, Sequence

from tui.headless.exits import Exit, Stop
from tui.headless.narration import Narrator
from tui.headless.output import Cell, write_json, write_rows, write_text
from tui.headless.session import HeadlessConfig, chosen, opened
from tui.model.fleet import Fleet
from tui.model.listing.catalog import Catalog
from tui.model.listing.columns import COLUMNS, Column, ColumnLayout, ColumnType, cell_text, parse_sort
from tui.model.server import Server
from tui.model.text import counted
from tui.report import server_row, servers_csv

PLAIN = ("id", "group", "dc", "power", "maint", "status", "os", "cpu", "memory", "ip", "description")
"""What a pipe gets, whatever the settings say: scripts count columns."""


async def list_servers(work: HeadlessConfig, narrator: Narrator, query: str, form: str) -> Exit:
    """Print the servers that ``query`` asks for as ``form``: json, csv, or empty for a table. Raises Stop."""
    columns = shown_columns(work.settings.columns if narrator.live else ())
    order = sort_order(work.settings.sort)
    chosen(Fleet(), query, work.settings)  # what does not parse is said before anybody logs in
    async with opened(work, narrator) as session:
        fleet = await session.read_fleet()
        found = in_order(session.choose(query), fleet, *order)
    if form == "json":
        write_json([server_row(server, fleet) for server in found])
    elif form == "csv":
        write_text(servers_csv(found, fleet))
    else:
        paths = {group.id: group.path for group in fleet.groups.values()}
        rows = [[_cell(column, server, paths) for column in columns] for server in found]
        write_rows([column.title for column in columns], rows)
    if narrator.live:
        narrator.say(f"{counted(len(found), 'server')} of {len(fleet.servers):,}")
    elif not fleet.servers and not fleet.problems:
        narrator.say(f"the account {fleet.account} has no servers")
    return Exit.UNREACHABLE if fleet.problems else Exit.VERIFIED


def shown_columns(chosen: Sequence[str]) -> list[Column]:
    """The columns that the settings choose, else the usual ones. Raises Stop."""
    try:
        names = [item.name for item in ColumnLayout.parse(chosen).columns] if chosen else PLAIN
    except ValueError as error:
        raise Stop(Exit.USAGE, f"columns: {error}") from None
    return [COLUMNS[name] for name in names if COLUMNS[name].type is not ColumnType.STATE]


def sort_order(text: str) -> tuple[str, bool]:
    """Parse the setting ``sort``; see ``parse_sort``. Raises Stop."""
    try:
        return parse_sort(text)
    except ValueError as error:
        raise Stop(Exit.USAGE, f"sort: {error}") from None


def in_order(servers: Sequence[Server], fleet: Fleet, column: str, descending: bool) -> list[Server]:
    """The same servers by a column, ties by id."""
    catalog = Catalog(fleet)
    wanted = {server.id for server in servers}
    return [catalog.servers[row] for row in catalog.order(column, descending) if catalog.ids[row] in wanted]


def _cell(column: Column, server: Server, paths: Mapping[str, str]) -> Cell:
    amber = column.type is ColumnType.FLAG and bool(server.maintenance)
    return Cell(cell_text(column, server, paths), "amber" if amber else "")
