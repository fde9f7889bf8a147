"""The programs that ``list`` compares: ``python -m tests.benchmarks.list_host KIND ROWS``.

Both lists show the same servers and have the same keys: space marks, a marks all, c changes a cell of the row
under the cursor, o sorts by group, f filters to 2 %, F removes the filter, g starts 500 updates a second of
visible rows, G stops them.
"""

import random
import sys
from collections.abc import Callable, Iterator

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.widgets import DataTable, Static

from tui.console.theme import THEME
from tui.console.widgets.server_list import ServerList
from tui.model.fleet import Fleet
from tui.model.group import DataCenter, Group
from tui.model.operation import State, Target
from tui.model.selection import Selection
from tui.model.server import Server

NEEDLE = "batch07"
"""Part of the description of 2 % of the servers."""
PER_TICK, TICK = 25, 0.05


COLUMNS = (("mark", 2), ("id", 16), ("group", 12), ("power", 8), ("state", 12))
"""Columns of the DataTable, with their widths."""
PLACES = ("GB3", "VA1", "WA1")


def servers_in(place: int, count: int) -> Iterator[Server]:
    """Every third of ``count`` servers, those of one data center, in 40 groups; a function of ``count``."""
    name = PLACES[place]
    for i in range(place, count, len(PLACES)):
        yield Server(
            id=f"{name}ACMEWEB{i}",
            name=f"web{i}",
            group_id=f"{name}-{i * 7 % 40}",
            data_center=name,
            status="active",
            power="started" if i % 5 else "stopped",
            maintenance=i % 9 == 0,
            os="UBUNTU14_64",
            cpu=1 + i % 8,
            memory_mb=1024 * (1 + i % 16),
            storage_gb=16 + i % 100,
            ip=f"10.{place}.{i >> 8 & 255}.{i & 255}",
            description=f"batch{i * 13 % 50:02d} of the web tier, rack {i % 977}",
            modified="2026-11-02T10:11:12Z",
            modified_by="ops@acme",
            kind="standard",
        )


def make_fleet(count: int) -> Fleet:
    """``count`` servers in three data centers."""
    fleet = Fleet("ACME")
    for place, name in enumerate(PLACES):
        groups = [Group(f"{name}-{i}", f"Team {i}", name, None, f"Team {i}") for i in range(40)]
        fleet.replace(DataCenter(name), groups, list(servers_in(place, count)), 0.0)
    return fleet


class Host(App[None]):
    """The servers and the keys that both lists share."""

    BINDINGS = [
        Binding(key, f"do('{name}')", priority=True)
        for key, name in (
            ("space", "mark"), ("a", "mark_all"), ("u", "unmark"), ("c", "cell"), ("o", "sort"),
            ("f", "filter"), ("F", "clear"), ("g", "go"), ("G", "stop"),
        )
    ]  # fmt: skip

    def __init__(self, count: int) -> None:
        super().__init__()
        self.fleet = make_fleet(count)
        self.random = random.Random(1)

    def action_do(self, name: str) -> None:
        """Run the method that belongs to a key."""
        getattr(self, name)()

    def go(self) -> None:
        """Start 500 updates a second."""
        self.ticking = self.set_interval(TICK, self.tick)

    def stop(self) -> None:
        """Stop the updates."""
        self.ticking.stop()

    def tick(self) -> None:
        """The updates of one tick."""
        raise NotImplementedError


class Pitstop(Host):
    """The list of the console."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.register_theme(THEME)
        self.theme = THEME.name

    def compose(self) -> ComposeResult:
        """Textual: the list."""
        self.list = ServerList(self.fleet, Selection())
        self.states = self._states()
        self.waiting: dict[str, Target] = {}
        self.ticks = 0
        yield self.list

    def mark(self) -> None:
        self.list.marking.toggle_at_cursor()

    def mark_all(self) -> None:
        self.list.marking.mark_all()

    def unmark(self) -> None:
        self.list.marking.unmark_all()

    def cell(self) -> None:
        server = self.list.cursor_server
        if server is not None:
            self.list.set_operation_states({server.id: Target(server.id, next(self.states))})

    def sort(self) -> None:
        self.list.sort("group")

    def filter(self) -> None:
        self.list.set_filter(NEEDLE)

    def clear(self) -> None:
        self.list.set_filter("")

    def tick(self) -> None:
        """Update as the console's bridge does: at 10 Hz, with the newest state of each server."""
        ids = [self.list.id_at(index) for index in self.list.seen()]
        for _ in range(PER_TICK):
            id_ = self.random.choice(ids)
            self.waiting[id_] = Target(id_, next(self.states))
        self.ticks += 1
        if self.ticks % 2 == 0:
            self.list.set_operation_states(self.waiting)
            self.waiting = {}

    def _states(self) -> Iterator[State]:
        while True:
            yield from (State.QUEUED, State.EXECUTING, State.SUCCEEDED, State.VERIFIED)


class Table(Host):
    """A plain DataTable of five columns."""

    def compose(self) -> ComposeResult:
        """Textual: the table."""
        self.table: DataTable[str] = DataTable(cursor_type="row")
        yield self.table

    def on_mount(self) -> None:
        """Textual: fill it."""
        for name, width in COLUMNS:
            self.table.add_column(name, key=name, width=width)
        self.fill(self.fleet.servers.values())
        self.flip = 0

    def fill(self, servers: object) -> None:
        for server in servers:  # type: ignore[attr-defined]
            self.table.add_row(
                "",
                server.id,
                self.fleet.path(server),
                server.power,
                "on" if server.maintenance else "off",
                key=server.id,
            )

    def row_key(self, row: int) -> object:
        return self.table.coordinate_to_cell_key((row, 0)).row_key  # type: ignore[arg-type]

    def mark(self) -> None:
        self.table.update_cell(self.row_key(self.table.cursor_row), "mark", "✓")  # type: ignore[arg-type]
        self.table.action_cursor_down()

    def mark_all(self) -> None:
        for key in self.table.rows:
            self.table.update_cell(key, "mark", "✓")

    def cell(self) -> None:
        self.flip += 1
        self.table.update_cell(self.row_key(self.table.cursor_row), "state", f"state {self.flip % 7}")  # type: ignore[arg-type]

    def sort(self) -> None:
        self.table.sort("group")

    def filter(self) -> None:
        self.table.clear()
        self.fill([server for server in self.fleet.servers.values() if NEEDLE in server.description])

    def clear(self) -> None:
        self.table.clear()
        self.fill(self.fleet.servers.values())

    def tick(self) -> None:
        top = int(self.table.scroll_offset.y)
        for _ in range(PER_TICK):
            self.flip += 1
            key = self.row_key(top + self.random.randrange(min(36, self.table.row_count)))
            self.table.update_cell(key, "state", f"state {self.flip % 7}")  # type: ignore[arg-type]


class Rows(App[None]):
    """The DataTable without a fleet, to measure its memory alone."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def compose(self) -> ComposeResult:
        """Textual: the table."""
        table: DataTable[str] = DataTable(cursor_type="row")
        for name, width in COLUMNS:
            table.add_column(name, key=name, width=width)
        for place in range(len(PLACES)):
            for one in servers_in(place, self.count):
                state = "on" if one.maintenance else "off"
                table.add_row("", one.id, one.group_id, one.power or "", state, key=one.id)
        yield table


class OneStatic(App[None]):
    """One Static: the smallest Textual program."""

    def compose(self) -> ComposeResult:
        """Textual: the text."""
        yield Static("GB3ACMEWEB0")


def main() -> None:
    """Run the requested program."""
    kind, count = sys.argv[1], int(sys.argv[2])
    kinds: dict[str, Callable[[int], App[None]]] = {
        "pitstop": Pitstop,
        "datatable": Table,
        "rows": Rows,
        "static": lambda _: OneStatic(),
    }
    app = kinds[kind](count)
    app.run()


if __name__ == "__main__":
    main()
