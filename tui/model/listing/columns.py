"""The columns of the server list: their names, values, texts and widths."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from tui.model.server import Server

Item = TypeVar("Item")

GAP = 2
"""Cells between columns: with one, "started off" reads as one phrase."""


class ColumnType(StrEnum):
    """The type of a column's values, which decides how they are filtered, sorted and shown."""

    TEXT = "text"
    WORD = "word"
    """One of a few words."""
    NUMBER = "number"
    SIZE = "size"
    """A number of MB, shown and filtered with a unit."""
    FLAG = "flag"
    """On, off or unknown."""
    GROUP = "group"
    TIME = "time"
    STATE = "state"
    """The state in the newest operation, which is no field of the server."""


class Column(msgspec.Struct, frozen=True):
    """One column. Its widths are in terminal cells."""

    name: str
    """Its name in settings, filters and exports."""
    title: str
    type: ColumnType
    get: Callable[[Server], Any]
    """Return the value of a server; the group column has the group's id."""
    priority: int
    """A narrow terminal drops the highest first, and 0 never."""
    least: int
    most: int
    short: str = ""
    """The title where the column is too narrow for it."""
    aliases: tuple[str, ...] = ()
    help: str = ""


def _no_value(server: Server) -> None:
    return None


COLUMNS: Mapping[str, Column] = {column.name: column for column in (
    Column("id", "ID", ColumnType.TEXT, attrgetter("id"), 0, 8, 24, help="the server's id"),
    Column("group", "Group", ColumnType.GROUP, attrgetter("group_id"), 4, 8, 30,
           help="the path of its group"),
    Column("power", "Power", ColumnType.WORD, attrgetter("power"), 3, 7, 8,
           help="started, stopped or paused"),
    Column("maint", "Maintenance", ColumnType.FLAG, attrgetter("maintenance"), 0, 5, 11,
           short="Maint", aliases=("maintenance",), help="whether it is in maintenance mode"),
    Column("op", "Operation", ColumnType.STATE, _no_value, 1, 10, 10,
           aliases=("operation",), help="where it stands in the newest operation"),
    Column("status", "Status", ColumnType.WORD, attrgetter("status"), 2, 8, 16, help="active, archived, ..."),
    Column("changed", "Last change", ColumnType.TIME, attrgetter("modified"), 5, 16, 16,
           aliases=("modified",), help="when it was last changed, UTC"),
    Column("name", "Name", ColumnType.TEXT, attrgetter("name"), 10, 8, 24, help="its name"),
    Column("dc", "DC", ColumnType.WORD, attrgetter("data_center"), 6, 3, 5,
           aliases=("datacenter", "data_center"), help="its data center"),
    Column("cpu", "CPU", ColumnType.NUMBER, attrgetter("cpu"), 8, 3, 4, help="number of CPUs"),
    Column("memory", "Memory", ColumnType.SIZE, attrgetter("memory_mb"), 9, 6, 8,
           aliases=("mem", "ram"), help="its memory"),
    Column("ip", "IP address", ColumnType.TEXT, attrgetter("ip"), 7, 13, 31,
           aliases=("address",), help="its addresses"),
    Column("os", "OS", ColumnType.TEXT, attrgetter("os"), 11, 8, 22, help="its operating system"),
    Column("description", "Description", ColumnType.TEXT, attrgetter("description"), 12, 12, 200,
           aliases=("desc",), help="its description"),
)}  # fmt: skip
"""Name -> column, in the default order."""

SEARCHED_COLUMNS = frozenset(
    name
    for name, column in COLUMNS.items()
    if column.type in {ColumnType.TEXT, ColumnType.WORD, ColumnType.GROUP, ColumnType.TIME}
)
"""Names of the columns of text, in which a word without a field is searched."""


def find_column(name: str) -> Column | None:
    """Find a column by its name or an alias, in any case; None where there is no such column."""
    wanted = name.casefold()
    for column in COLUMNS.values():
        if wanted == column.name or wanted in column.aliases:
            return column
    return None


def parse_sort(text: str) -> tuple[str, bool]:
    """Parse the setting ``sort``: return the column's name, and whether ``text`` asks for descending order.

    Raises:
        ValueError: there is no such column. The message is for the operator.
    """
    column = find_column(text.removeprefix("-"))
    if column is None:
        raise ValueError(f"there is no column {text!r}; there are: {', '.join(COLUMNS)}")
    return column.name, text.startswith("-")


def size_text(megabytes: int | None) -> str:
    """A size in MB with its unit: "512 MB", "16 GB"; empty where it is unknown."""
    if megabytes is None:
        return ""
    if megabytes and megabytes % 1024 == 0:
        return f"{megabytes // 1024} GB"
    return f"{megabytes} MB"


def flag_text(flag: bool | None) -> str:
    """A flag as "on", "off", or "-" where it is unknown."""
    return "-" if flag is None else "on" if flag else "off"


def cell_text(column: Column, server: Server, paths: Mapping[str, str]) -> str:
    """The text of ``column`` for ``server``; ``paths`` is group id -> path. Empty for the column ``op``."""
    value = column.get(server)
    match column.type:
        case ColumnType.GROUP:
            return paths.get(value, "")
        case ColumnType.FLAG:
            return flag_text(value)
        case ColumnType.SIZE:
            return size_text(value)
        case ColumnType.TIME:
            return str(value).removesuffix("Z").replace("T", " ")[:16]
        case _:
            return "" if value is None else str(value)


class Shown(msgspec.Struct, frozen=True):
    """A column in a layout. ``width`` is in cells, None where the program chooses it."""

    name: str
    width: int | None = None


class ColumnLayout(msgspec.Struct, frozen=True):
    """The columns to show, in order, with their widths."""

    columns: tuple[Shown, ...]

    @classmethod
    def parse(cls, items: Iterable[str]) -> "ColumnLayout":
        """Parse the setting ``columns``: items ``name`` or ``name:width``.

        A layout always has the id, added in front, and the maintenance state, added at the end.

        Raises:
            ValueError: a name or a width is invalid. The message is for the operator.
        """
        shown: dict[str, Shown] = {}
        for item in items:
            name, _, width = item.partition(":")
            column = find_column(name.strip())
            if column is None:
                raise ValueError(f"there is no column {name.strip()!r}; there are: {', '.join(COLUMNS)}")
            if width.strip() and not (width.strip().isdecimal() and 1 <= int(width) <= 500):
                raise ValueError(f"the width of column {column.name} must be 1 to 500, not {width.strip()!r}")
            shown[column.name] = Shown(column.name, int(width) if width.strip() else None)
        columns = list(shown.values())
        if "id" not in shown:
            columns.insert(0, Shown("id"))
        if "maint" not in shown:
            columns.append(Shown("maint"))
        return cls(tuple(columns))

    def items(self) -> list[str]:
        """The setting ``columns`` that ``parse`` turns into this layout."""
        return [item.name if item.width is None else f"{item.name}:{item.width}" for item in self.columns]

    def fit(self, available: int, natural: Mapping[str, int], gap: int = GAP) -> list[tuple[Column, int]]:
        """Choose the columns that fit into ``available`` cells, and their widths.

        ``natural`` is column name -> the width of its widest content, 0 where every cell is empty. Columns
        get it by priority. The first one without room for its least width is dropped with all that follow.
        ``gap`` is the number of cells between columns.
        """
        chosen = {item.name: item.width for item in self.columns}
        columns = [COLUMNS[name] for name in chosen if natural.get(name, 1) or not COLUMNS[name].priority]
        by_priority = sorted(columns, key=lambda column: column.priority)
        least = {
            # Ids differ at their ends, so an id must not be cut.
            column.name: chosen[column.name]
            or min(column.most if column.name == "id" else column.least, max(natural.get(column.name, 0), 1))
            for column in by_priority
        }
        widths = {column.name: least[column.name] for column in by_priority if not column.priority}
        room = available - sum(widths.values()) - gap * (len(widths) - 1)
        for column in by_priority:
            if column.priority:
                room -= least[column.name] + gap
                if room < 0:
                    break
                widths[column.name] = least[column.name]
            if chosen[column.name] is None and room > 0:
                wish = min(natural.get(column.name, 0), column.most) - least[column.name]
                widths[column.name] += max(0, min(room, wish))
                room -= max(0, min(room, wish))
        if available < (need := sum(widths.values()) + gap * (len(widths) - 1)):
            # Not even the columns that are never dropped fit.
            widths["id"] = max(1, widths["id"] + available - need)
        return [(COLUMNS[name], widths[name]) for name in chosen if name in widths]


DEFAULT_LAYOUT = ColumnLayout(tuple(Shown(name) for name in COLUMNS))


def sample(items: Sequence[Item], count: int = 400) -> list[Item]:
    """Take at most ``count`` evenly spread items, enough to estimate the width of a column."""
    step = max(1, len(items) // count)
    return list(items[::step][:count]) if items else []
