"""`pitstop servers`: the list."""

from collections.abc import Mapping, Sequence

from tui.engine.errors import JournalError
from tui.headless.engine import HeadlessConfig, HeadlessEngine, logged_in, select_servers
from tui.headless.exits import Exit, Stop
from tui.headless.narration import Narrator
from tui.headless.output import Cell, write_json, write_rows, write_text
from tui.model.filter.query import parse
from tui.model.fleet import Fleet
from tui.model.listing.catalog import Catalog
from tui.model.listing.columns import COLUMNS, Column, ColumnLayout, ColumnType, cell_text, parse_sort
from tui.model.server import Server
from tui.model.text import counted
from tui.model.window import Hold
from tui.report.servers import server_row, servers_csv

PLAIN = ("id", "group", "dc", "power", "maint", "status", "os", "cpu", "memory", "ip", "description")
"""The columns in a pipe, whatever the settings: scripts count them."""


async def list_servers(config: HeadlessConfig, narrator: Narrator, query: str, form: str) -> Exit:
    """Print the servers that ``query`` matches. ``form`` is json, csv, or empty for a table.

    Raises:
        Stop: the query or a setting cannot be parsed, or no data center can be read.
    """
    columns = shown_columns(config.settings.columns if narrator.live else ())
    order = sort_order(config.settings.sort)
    select_servers(Fleet(), query, config.settings)  # a wrong query is reported before the login
    async with logged_in(config, narrator) as engine:
        fleet = await engine.read_fleet()
        of_windows = parse(query, config.settings.filters).of_windows
        holds = await _holds(engine, needed=of_windows) if form or of_windows else None
        found = in_order(select_servers(fleet, query, config.settings, holds), fleet, *order)
    if form == "json":
        write_json([server_row(server, fleet, holds=holds) for server in found])
    elif form == "csv":
        write_text(servers_csv(found, fleet, holds=holds))
    else:
        paths = {group.id: group.path for group in fleet.groups.values()}
        rows = [[_cell(column, server, paths) for column in columns] for server in found]
        write_rows([column.title for column in columns], rows)
    if narrator.live:
        narrator.say(f"{counted(len(found), 'server')} of {len(fleet.servers):,}")
    elif not fleet.servers and not fleet.problems:
        narrator.say(f"the account {fleet.account} has no servers")
    return Exit.UNREACHABLE if fleet.problems else Exit.VERIFIED


async def _holds(engine: HeadlessEngine, *, needed: bool) -> Mapping[str, Hold] | None:
    """What the operator's windows hold in maintenance; None where the journal cannot say, unless ``needed``.

    Raises:
        JournalError: it cannot say, and is needed.
    """
    if not engine.config.journal.exists():  # A list of servers begins none.
        return {}
    try:
        return await engine.service.holds()
    except JournalError:  # The engine has reported why.
        if needed:
            raise
        return None


def shown_columns(chosen: Sequence[str]) -> list[Column]:
    """The columns of the settings, without the operation's state, else the usual ones.

    Raises:
        Stop: there is no such column.
    """
    try:
        names = [item.name for item in ColumnLayout.parse(chosen).columns] if chosen else PLAIN
    except ValueError as error:
        raise Stop(Exit.USAGE, f"columns: {error}") from None
    return [COLUMNS[name] for name in names if COLUMNS[name].type is not ColumnType.STATE]


def sort_order(text: str) -> tuple[str, bool]:
    """Parse the setting ``sort``; see ``parse_sort``.

    Raises:
        Stop: there is no such column.
    """
    try:
        return parse_sort(text)
    except ValueError as error:
        raise Stop(Exit.USAGE, f"sort: {error}") from None


def in_order(servers: Sequence[Server], fleet: Fleet, column: str, descending: bool) -> list[Server]:
    """Sort servers by a column, ties by id."""
    catalog = Catalog(fleet)
    wanted = {server.id for server in servers}
    return [catalog.servers[row] for row in catalog.order(column, descending) if catalog.ids[row] in wanted]


def _cell(column: Column, server: Server, paths: Mapping[str, str]) -> Cell:
    amber = column.type is ColumnType.FLAG and bool(server.maintenance)
    return Cell(cell_text(column, server, paths), "amber" if amber else "")
