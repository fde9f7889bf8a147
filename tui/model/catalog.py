"""A fleet laid out for showing: rows in natural order of id, searchable text, orders by column."""

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from tui.model.columns import COLUMNS, Column, Kind, cell_text
from tui.model.fleet import Fleet
from tui.model.ordering import Order, natural_keys, order_by
from tui.model.server import Server

_TEXTS_AT_ONCE = 4096


def _pack(rows: list[int]) -> Sequence[int]:
    return array("I", rows)


class Catalog:
    """The servers of a fleet as rows ``0..n-1``, in natural order of id.

    What is derived from them (texts to search, orders by column) is made when first asked for, or
    ahead of time by ``prepare``, and kept until the servers it came from change.
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
        self.reload()

    def __len__(self) -> int:
        return len(self.servers)

    def reload(self) -> list[int] | None:
        """Take in the fleet as it is now.

        Returns the rows whose server changed; None if servers came or went, so that rows are not
        what they were. What did not change is kept.
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
        """Take in some servers of the fleet again; returns their rows. Ids without a row are passed over."""
        rows = [row for id_ in ids if (row := self.rows.get(id_)) is not None and id_ in self.fleet.servers]
        self._take(rows)
        return rows

    def text(self, column: Column, row: int) -> str:
        """What ``column`` says in ``row``."""
        return cell_text(column, self.servers[row], self.paths)

    def texts(self, upto: int | None = None) -> Sequence[str]:
        """The searchable text of every row before ``upto``: casefolded, one column of text per line."""
        end = len(self.servers) if upto is None else min(upto, len(self.servers))
        while self._texts_done < end:
            start, stop = self._texts_done, min(end, self._texts_done + _TEXTS_AT_ONCE)
            for row in range(start, stop):
                if not self._texts[row]:
                    self._texts[row] = self._text_of(self.servers[row])
            self._texts_done = stop
        return self._texts

    def prepare(self, rows: int = _TEXTS_AT_ONCE) -> bool:
        """Make the next ``rows`` searchable ahead of time; False when there is nothing left to do."""
        self.texts(self._texts_done + rows)
        return self._texts_done < len(self.servers)

    def has_order(self, column: str) -> bool:
        """Whether ``order`` of this column costs nothing."""
        return column == "id" or column in self._orders

    def order(self, column: str, descending: bool = False) -> Sequence[int]:
        """All rows by ``column``, ties by id. The state of an operation is no field: all are equal in it."""
        if column == "id" or COLUMNS[column].kind is Kind.STATE:
            rows = range(len(self.servers))
            return rows[::-1] if descending and column == "id" else rows
        order = self._orders.get(column)
        if order is None:
            order = self._orders[column] = order_by(self._keys(COLUMNS[column]), _pack)
        return order.descending() if descending else order.ascending

    def _fill(self, *, keep_texts: bool) -> None:
        servers = list(self.fleet.servers.values())
        keys = natural_keys([server.id for server in servers])
        before, rows, texts = self.servers, self.rows, self._texts[: self._texts_done]
        self.servers = [servers[row] for row in sorted(range(len(servers)), key=keys.__getitem__)]
        self.ids = [server.id for server in self.servers]
        self.rows = {id_: row for row, id_ in enumerate(self.ids)}
        self._texts = [""] * len(servers)
        self._texts_done = 0
        self._orders.clear()
        if texts and keep_texts:
            for row, server in enumerate(self.servers):
                was = rows.get(server.id, len(texts))
                if was < len(texts) and before[was] is server:
                    self._texts[row] = texts[was]

    def _take(self, rows: Sequence[int]) -> None:
        stale: set[str] = set()
        for row in rows:
            old, new = self.servers[row], self.fleet.servers[self.ids[row]]
            if old is new:
                continue
            self.servers[row] = new
            self._texts[row] = self._text_of(new) if row < self._texts_done else ""
            stale.update(name for name in self._orders if COLUMNS[name].get(old) != COLUMNS[name].get(new))
        for name in stale:
            del self._orders[name]

    def _text_of(self, server: Server) -> str:
        name = "" if server.name.upper() == server.id else server.name
        return (
            f"{server.id}\n{name}\n{self.paths.get(server.group_id, '')}\n{server.data_center}\n"
            f"{server.power or ''}\n{server.status}\n{server.os}\n{server.ip}\n"
            f"{server.description}\n{server.modified}"
        ).casefold()

    def _keys(self, column: Column) -> Sequence[int] | Sequence[str]:
        """A key per row: a rank where there are few distinct values, else the natural key."""
        values: list[Any] = list(map(column.get, self.servers))
        distinct = set(values)
        if column.kind in (Kind.NUMBER, Kind.SIZE):
            return [_AFTER_ALL if value is None else value for value in values]
        if column.kind is Kind.GROUP:
            return _ranks(values, {value: self.paths.get(value, "") for value in distinct})
        if len(distinct) * 4 <= len(values) or column.kind is Kind.FLAG:
            return _ranks(values, {value: _sortable(column, value) for value in distinct})
        return natural_keys([_sortable(column, value) for value in values])


_AFTER_ALL = 2**62
"""Numbers that are not known sort last."""


def _sortable(column: Column, value: object) -> str:
    if column.kind is Kind.FLAG:
        return "2" if value is None else "0" if value else "1"
    return str(value) if value else "\uffff"


def _ranks(values: Sequence[Any], texts: Mapping[Any, str]) -> list[int]:
    wordings = sorted(set(texts.values()))
    order = sorted(zip(natural_keys(wordings), wordings, strict=True))
    rank = {wording: index for index, (_, wording) in enumerate(order)}
    of = {value: rank[text] for value, text in texts.items()}
    return [of[value] for value in values]
