"""The marks: a set of server ids that filtering, sorting and refreshing leave alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress

_HISTORY = 50
"""How many changes of the marks can be undone."""


class Selection:
    """A set of server ids out of a roster, kept as one byte per server.

    So marking everything, counting and undoing cost the same at 100 and at 100,000 servers. Rows are
    positions in the roster; ``rebase`` carries the marks over to a new one, by id.
    """

    def __init__(self, ids: Sequence[str] = ()) -> None:
        self._ids: Sequence[str] = ids
        self._rows: dict[str, int] = {id_: row for row, id_ in enumerate(ids)}
        self._flags = bytearray(len(ids))
        self._count = 0
        self._past: list[tuple[bytes, Mapping[str, tuple[str, ...]]]] = []
        self._partial: Mapping[str, tuple[str, ...]] = {}
        """Rule -> the data centers that were missing when marks were set by it. Replaced, never changed."""

    def __len__(self) -> int:
        return self._count

    def __contains__(self, server_id: object) -> bool:
        row = self._rows.get(server_id) if isinstance(server_id, str) else None
        return row is not None and bool(self._flags[row])

    def __iter__(self) -> Iterator[str]:
        return compress(self._ids, self._flags)

    @property
    def flags(self) -> Sequence[int]:
        """One byte per row of the roster, 1 where it is marked. Only to read."""
        return self._flags

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return bool(self._past)

    @property
    def missing(self) -> tuple[str, ...]:
        """The data centers that were missing when a rule chose what is marked: more may belong to it."""
        return tuple(dict.fromkeys(id_ for missing in self._partial.values() for id_ in missing))

    def by_rule(self, rule: str, missing: tuple[str, ...]) -> None:
        """What was marked just now was chosen by ``rule``, of all data centers but those ``missing``.

        The same rule once more, with fewer of them missing, makes the choice more complete. With the last
        mark this is forgotten, and it comes back with what is undone.
        """
        partial = {other: ids for other, ids in self._partial.items() if other != rule}
        self._partial = partial | ({rule: missing} if missing and self._count else {})

    def rebase(self, ids: Sequence[str], rows: dict[str, int] | None = None) -> list[str]:
        """Take a new roster; returns the marked ids that are not in it, whose marks are dropped.

        ``rows`` is id -> position in ``ids``, where the caller has it already.
        """
        rows = {id_: row for row, id_ in enumerate(ids)} if rows is None else rows
        if ids == self._ids:
            self._ids, self._rows = ids, rows
            return []
        marked = list(self)
        past = [(list(compress(self._ids, flags)), partial) for flags, partial in self._past[-1:]]
        self._ids, self._rows = ids, rows
        self._flags = self._of(marked)
        self._past = [(bytes(self._of(ids)), partial) for ids, partial in past]
        self._recount()
        return [id_ for id_ in marked if id_ not in rows]

    def mark(self, ids: Iterable[str], on: bool = True) -> int:
        """Mark (or unmark) ``ids``; returns how many changed. Unknown ids are passed over."""
        return self.mark_rows((row for id_ in ids if (row := self._rows.get(id_)) is not None), on)

    def toggle(self, server_id: str) -> bool:
        """Turn one mark round; returns whether it is marked now."""
        on = server_id not in self
        self.mark((server_id,), on)
        return on

    def mark_rows(self, rows: Iterable[int], on: bool = True) -> int:
        """As ``mark``, by position in the roster."""
        before = bytes(self._flags)
        if isinstance(rows, range) and rows.step == 1:
            self._flags[rows.start : rows.stop] = (b"\1" if on else b"\0") * len(rows)
        else:
            flags, value = self._flags, int(on)
            for row in rows:
                flags[row] = value
        return self._settle(before)

    def invert_rows(self, rows: Iterable[int]) -> int:
        """Turn the marks of ``rows`` round; returns how many changed."""
        before = bytes(self._flags)
        if isinstance(rows, range) and rows.step == 1:
            part = self._flags[rows.start : rows.stop]
            self._flags[rows.start : rows.stop] = part.translate(b"\1\0" + bytes(254))
        else:
            flags = self._flags
            for row in rows:
                flags[row] ^= 1
        return self._settle(before)

    def clear(self) -> int:
        """Unmark everything; returns how many were marked."""
        return self.mark_rows(range(len(self._flags)), on=False)

    def undo(self) -> int:
        """Take back the last change; returns how many marks that changed."""
        if not self._past:
            return 0
        before = self._flags
        flags, self._partial = self._past.pop()
        self._flags = bytearray(flags)
        self._recount()
        return _differences(before, self._flags)

    def count_rows(self, mask: bytes | bytearray) -> int:
        """How many marked rows are among those whose byte in ``mask`` is 1."""
        both = int.from_bytes(mask, "little") & int.from_bytes(self._flags, "little")
        return both.bit_count()

    def snapshot(self) -> bytes:
        """The marks as they are, for ``restore``."""
        return bytes(self._flags)

    def restore(self, snapshot: bytes) -> None:
        """Go back to ``snapshot`` without a trace in the history: a range is still being drawn."""
        if len(snapshot) == len(self._flags):
            self._flags[:] = snapshot
            self._recount()

    def draw_rows(self, rows: Iterable[int]) -> None:
        """Mark ``rows`` without leaving a trace in the history; ``settle`` makes it one change."""
        flags = self._flags
        for row in rows:
            flags[row] = 1
        self._recount()

    def settle(self, before: bytes) -> int:
        """Let everything since the snapshot ``before`` count as one change; returns how many marks differ."""
        return self._settle(before) if len(before) == len(self._flags) else 0

    def _of(self, ids: Iterable[str]) -> bytearray:
        flags = bytearray(len(self._ids))
        for id_ in ids:
            if (row := self._rows.get(id_)) is not None:
                flags[row] = 1
        return flags

    def _settle(self, before: bytes) -> int:
        if before == self._flags:
            return 0
        self._past.append((before, self._partial))
        del self._past[:-_HISTORY]
        self._recount()
        return _differences(before, self._flags)

    def _recount(self) -> None:
        self._count = self._flags.count(1)
        if not self._count:
            self._partial = {}


def _differences(one: bytes | bytearray, other: bytes | bytearray) -> int:
    return (int.from_bytes(one, "little") ^ int.from_bytes(other, "little")).bit_count()
