"""The columns of the server list: what each is called, reads, says, and how wide it may be."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from tui.model.server import Server

Item = TypeVar("Item")

GAP = 2
"""Cells between columns: with one, "started off" reads as one phrase."""


class Kind(StrEnum):
    """What the values of a column are, and so how they are filtered and sorted."""

    TEXT = "text"
    WORD = "word"
    """One of a few words."""
    NUMBER = "number"
    SIZE = "size"
    """A number of MB, shown and asked for with its unit."""
    FLAG = "flag"
    """On, off or not known."""
    GROUP = "group"
    TIME = "time"
    STATE = "state"
    """The state of the running operation: not a field of the server."""


class Column(msgspec.Struct, frozen=True):
    """One column. Widths are in terminal cells."""

    name: str
    """What settings, filters and exports call it."""
    title: str
    kind: Kind
    get: Callable[[Server], Any]
    """The server's value as it is; the group's id for the group column."""
    priority: int
    """Narrow terminals keep the lowest numbers; 0 is never dropped."""
    least: int
    most: int
    short: str = ""
    """The title where the column is too narrow for it."""
    aliases: tuple[str, ...] = ()
    help: str = ""


def _no_value(server: Server) -> None:
    return None


COLUMNS: Mapping[str, Column] = {column.name: column for column in (
    Column("id", "ID", Kind.TEXT, attrgetter("id"), 0, 8, 24, help="the server's id"),
    Column("group", "Group", Kind.GROUP, attrgetter("group_id"), 4, 8, 30, help="the path of its group"),
    Column("power", "Power", Kind.WORD, attrgetter("power"), 3, 7, 8, help="started, stopped or paused"),
    Column("maint", "Maintenance", Kind.FLAG, attrgetter("maintenance"), 0, 5, 11,
           short="Maint", aliases=("maintenance",), help="whether it is in maintenance mode"),
    Column("op", "Operation", Kind.STATE, _no_value, 1, 10, 10,
           aliases=("operation",), help="where it stands in the newest operation"),
    Column("status", "Status", Kind.WORD, attrgetter("status"), 2, 8, 16, help="active, archived, ..."),
    Column("changed", "Last change", Kind.TIME, attrgetter("modified"), 5, 16, 16,
           aliases=("modified",), help="when it was last changed, UTC"),
    Column("name", "Name", Kind.TEXT, attrgetter("name"), 10, 8, 24, help="its name"),
    Column("dc", "DC", Kind.WORD, attrgetter("data_center"), 6, 3, 5,
           aliases=("datacenter", "data_center"), help="its data center"),
    Column("cpu", "CPU", Kind.NUMBER, attrgetter("cpu"), 8, 3, 4, help="number of CPUs"),
    Column("memory", "Memory", Kind.SIZE, attrgetter("memory_mb"), 9, 6, 8,
           aliases=("mem", "ram"), help="its memory"),
    Column("ip", "IP address", Kind.TEXT, attrgetter("ip"), 7, 13, 31,
           aliases=("address",), help="its addresses"),
    Column("os", "OS", Kind.TEXT, attrgetter("os"), 11, 8, 22, help="its operating system"),
    Column("description", "Description", Kind.TEXT, attrgetter("description"), 12, 12, 200,
           aliases=("desc",), help="its description"),
)}  # fmt: skip
"""Every column by name, in the order they are shown unless settings say otherwise."""


def find_column(name: str) -> Column | None:
    """The column that ``name`` (or one of its aliases, in any case) means."""
    wanted = name.casefold()
    for column in COLUMNS.values():
        if wanted == column.name or wanted in column.aliases:
            return column
    return None


def size_text(megabytes: int | None) -> str:
    """A number of MB as people say it: "512 MB", "16 GB"."""
    if megabytes is None:
        return ""
    if megabytes and megabytes % 1024 == 0:
        return f"{megabytes // 1024} GB"
    return f"{megabytes} MB"


def flag_text(flag: bool | None) -> str:
    """On, off, or a dash where it is not known."""
    return "-" if flag is None else "on" if flag else "off"


def cell_text(column: Column, server: Server, paths: Mapping[str, str]) -> str:
    """What ``column`` says of ``server``; ``paths`` is group id -> path. Empty for the operation's state."""
    value = column.get(server)
    match column.kind:
        case Kind.GROUP:
            return paths.get(value, "")
        case Kind.FLAG:
            return flag_text(value)
        case Kind.SIZE:
            return size_text(value)
        case Kind.TIME:
            return str(value).removesuffix("Z").replace("T", " ")[:16]
        case _:
            return "" if value is None else str(value)


class Shown(msgspec.Struct, frozen=True):
    """A column to show; ``width`` is None where the program chooses it."""

    name: str
    width: int | None = None


class ColumnLayout(msgspec.Struct, frozen=True):
    """Which columns are shown, in what order, how wide."""

    columns: tuple[Shown, ...]

    @classmethod
    def parse(cls, items: Iterable[str]) -> "ColumnLayout":
        """Read ``name`` or ``name:width`` items as settings keep them.

        The id and the maintenance state are always there: put in front and at the end where ``items``
        leave them out. Raises ValueError, for the operator, on a name or width that makes no sense.
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
        """The layout as settings keep it; ``parse`` of it gives the same layout."""
        return [item.name if item.width is None else f"{item.name}:{item.width}" for item in self.columns]

    def fit(self, available: int, natural: Mapping[str, int], gap: int = GAP) -> list[tuple[Column, int]]:
        """The columns that go into ``available`` cells, and their widths.

        ``natural`` is the width that each column's content would like, 0 where it says nothing. The most
        important columns get it first; the first one that does not even find its least width is dropped,
        and all less important.
        """
        chosen = {item.name: item.width for item in self.columns}
        columns = [COLUMNS[name] for name in chosen if natural.get(name, 1) or not COLUMNS[name].priority]
        by_priority = sorted(columns, key=lambda column: column.priority)
        least = {
            # Ids differ at their ends, so an id that is cut says nothing.
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
            widths["id"] = max(1, widths["id"] + available - need)  # too narrow for what is never dropped
        return [(COLUMNS[name], widths[name]) for name in chosen if name in widths]


DEFAULT_LAYOUT = ColumnLayout(tuple(Shown(name) for name in COLUMNS))


def sample(items: Sequence[Item], count: int = 400) -> list[Item]:
    """At most ``count`` of ``items``, evenly spread; enough to guess the width of a column."""
    step = max(1, len(items) // count)
    return list(items[::step][:count]) if items else []
