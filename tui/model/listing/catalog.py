"""The catalog: a fleet as rows in natural order of id, with searchable texts and orders by column."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tui.model.fleet import Fleet
from tui.model.listing.columns import COLUMNS, Column, ColumnType, cell_text
from tui.model.listing.ordering import Order, natural_key, natural_keys, order_by, order_by_rank
from tui.model.server import Server

_ROWS_PER_STEP = 4096
"""Rows that one step of ``prepare`` handles."""
_MAX_INSERTED = 1000
"""Up to this many new servers are inserted one by one; for more, all rows are sorted anew."""


class Catalog:
    """The servers of a fleet as rows ``0..n-1``, in natural order of id.

    Searchable texts and orders by column are computed on first use, or ahead of time by ``prepare``, and kept
    until the servers change.
    """

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.servers: list[Server] = []
        self.ids: list[str] = []
        self.rows: dict[str, int] = {}
        self.paths: dict[str, str] = {}
        """Group id -> path."""
        self._texts: list[str] = []
        self._texts_done = 0
        self._orders: dict[str, Order] = {}
        self._stamp = 0
        """It grows with every change of the servers."""
        self.reload()

    def __len__(self) -> int:
        return len(self.servers)

    def reload(self) -> list[int] | None:
        """Read the fleet again, and keep what did not change.

        Returns the rows whose server changed; None if servers came or went, which renumbers the rows.
        """
        paths = {group.id: group.path for group in self.fleet.groups.values()}
        moved = paths != self.paths
        self.paths = paths
        if self.fleet.servers.keys() != self.rows.keys():
            self._fill(keep_texts=not moved)
            return None
        now = self.fleet.servers
        changed = [row for row, server in enumerate(self.servers) if now[server.id] is not server]
        self._take(changed)
        if moved:
            self._texts = [""] * len(self.servers)
            self._texts_done = 0
            self._orders.pop("group", None)
        return changed

    def update(self, ids: Sequence[str]) -> list[int]:
        """Read some servers of the fleet again. Returns their rows. Ids without a row are ignored."""
        rows = [row for id_ in ids if (row := self.rows.get(id_)) is not None and id_ in self.fleet.servers]
        self._take(rows)
        return rows

    def text(self, column: Column, row: int) -> str:
        """The text of a cell."""
        return cell_text(column, self.servers[row], self.paths)

    def texts(self, upto: int | None = None) -> Sequence[str]:
        """The searchable texts of the rows before ``upto``: casefolded, one line for each searched column."""
        end = len(self.servers) if upto is None else min(upto, len(self.servers))
        while self._texts_done < end:
            start, stop = self._texts_done, min(end, self._texts_done + _ROWS_PER_STEP)
            for row in range(start, stop):
                if not self._texts[row]:
                    self._texts[row] = self._text_of(self.servers[row])
            self._texts_done = stop
        return self._texts

    def prepare(self, columns: Iterable[str]) -> Iterator[None]:
        """Compute texts, and the orders by ``columns``, ahead of time, a part at each step.

        An order that a change makes stale meanwhile is computed on first use.
        """
        while self._texts_done < len(self.servers):
            self.texts(self._texts_done + _ROWS_PER_STEP)
            yield
        for name in columns:
            column, stamp = COLUMNS[name], self._stamp
            if name in self._orders or column.type not in (ColumnType.TEXT, ColumnType.TIME) or name == "id":
                continue  # There is nothing, or little, to compute.
            values = [_sortable(column, column.get(server)) for server in self.servers]
            yield
            if len(set(values)) * 4 <= len(values):
                continue
            keys: list[str] = []
            for start in range(0, len(values), _ROWS_PER_STEP):
                keys += _keys(column, values[start : start + _ROWS_PER_STEP])
                yield
            if stamp == self._stamp:
                self._orders[name] = order_by(keys)
            yield

    def order(self, column: str, descending: bool = False) -> Sequence[int]:
        """All rows by ``column``, ties by id. All rows are equal in the state column, which is no field."""
        if column == "id" or COLUMNS[column].type is ColumnType.STATE:
            rows = range(len(self.servers))
            return rows[::-1] if descending and column == "id" else rows
        order = self._orders.get(column)
        if order is None:
            order = self._orders[column] = self._make_order(COLUMNS[column])
        return order.descending() if descending else order.ascending

    def _fill(self, *, keep_texts: bool) -> None:
        """Set all rows anew, in natural order of id."""
        before, rows, texts = self.servers, self.rows, self._texts[: self._texts_done]
        self.servers = self._sorted_servers()
        self.ids = [server.id for server in self.servers]
        self.rows = {id_: row for row, id_ in enumerate(self.ids)}
        self._texts = [""] * len(self.servers)
        self._texts_done = 0
        self._orders.clear()
        self._stamp += 1
        if texts and keep_texts:
            for row, server in enumerate(self.servers):
                was = rows.get(server.id, len(texts))
                if was < len(texts) and before[was] is server:
                    self._texts[row] = texts[was]

    def _sorted_servers(self) -> list[Server]:
        """All servers in natural order of id. A few new ones are inserted without sorting the others."""
        now = self.fleet.servers
        kept = [now[server.id] for server in self.servers if server.id in now]
        added = [server for id_, server in now.items() if id_ not in self.rows]
        keys = natural_keys([server.id for server in added])
        added = [added[row] for row in sorted(range(len(added)), key=keys.__getitem__)]
        if not kept or not added:
            return kept or added
        if len(added) > _MAX_INSERTED:
            servers = [*kept, *added]
            keys = natural_keys([server.id for server in servers])
            return [servers[row] for row in sorted(range(len(servers)), key=keys.__getitem__)]
        found: list[Server] = []
        start = 0
        for server in added:
            end = bisect_left(kept, natural_key(server.id), lo=start, key=lambda one: natural_key(one.id))
            found += kept[start:end]
            found.append(server)
            start = end
        return found + kept[start:]

    def _take(self, rows: Sequence[int]) -> None:
        stale: set[str] = set()
        for row in rows:
            old, new = self.servers[row], self.fleet.servers[self.ids[row]]
            if old is new:
                continue
            self._stamp += 1
            self.servers[row] = new
            self._texts[row] = self._text_of(new) if row < self._texts_done else ""
            stale.update(name for name in self._orders if COLUMNS[name].get(old) != COLUMNS[name].get(new))
        for name in stale:
            del self._orders[name]

    def _text_of(self, server: Server) -> str:
        """The values of the columns in ``SEARCHED_COLUMNS``, as lines."""
        name = "" if server.name.upper() == server.id else server.name
        return (
            f"{server.id}\n{name}\n{self.paths.get(server.group_id, '')}\n{server.data_center}\n"
            f"{server.power or ''}\n{server.status}\n{server.os}\n{server.ip}\n"
            f"{server.description}\n{server.modified}"
        ).casefold()

    def _make_order(self, column: Column) -> Order:
        """Order by rank where there are few distinct values, else by natural key."""
        values: list[Any] = list(map(column.get, self.servers))
        distinct = set(values)
        if column.type is ColumnType.GROUP:
            return _ranked(values, {value: self.paths.get(value, _LAST) for value in distinct})
        if len(distinct) * 4 <= len(values) or column.type is ColumnType.FLAG:
            return _ranked(values, {value: _sortable(column, value) for value in distinct})
        return order_by(_keys(column, [_sortable(column, value) for value in values]))


_LAST = "\uffff"
"""The key of an unknown value, which sorts last."""


def _sortable(column: Column, value: object) -> str:
    if column.type is ColumnType.FLAG:
        return "2" if value is None else "0" if value else "1"
    return _LAST if value is None or value == "" else str(value)


def _keys(column: Column, values: Sequence[str]) -> Sequence[str]:
    """The sort keys of values. Times are their own keys, which takes no memory."""
    return values if column.type is ColumnType.TIME else natural_keys(values)


def _ranked(values: Sequence[Any], texts: Mapping[Any, str]) -> Order:
    """Order by the texts of the values, with one natural key for each text."""
    wordings = list(set(texts.values()))
    keys = dict(zip(wordings, natural_keys(wordings), strict=True))
    distinct = sorted(set(keys.values()))
    rank = {key: index for index, key in enumerate(distinct)}
    of = {value: rank[keys[text]] for value, text in texts.items()}
    return order_by_rank(map(of.__getitem__, values), len(distinct))
