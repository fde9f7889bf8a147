"""The terms of a filter, and how each finds its rows in a catalog.

A term is bound to a catalog once. The resulting function takes rows and returns those that match, in one list
comprehension or chain of C-level maps over the rows that the terms before it let through.
"""

import re
from collections.abc import Callable, Container, Mapping, Sequence
from itertools import compress
from operator import not_
from typing import Any, NamedTuple, Protocol

from tui.model.listing.catalog import Catalog
from tui.model.listing.columns import Column
from tui.model.operation import State, Target
from tui.model.window import Hold, is_mine

Rows = Sequence[int]
Matcher = Callable[[Rows], list[int]]


class Scope(NamedTuple):
    """The servers and marks that a filter is applied to."""

    catalog: Catalog
    marked: Container[str] = ()
    states: Mapping[str, Target] = {}
    """Server id -> its target in its newest operation."""
    holds: Mapping[str, Hold] = {}
    """Server id -> the window that holds it in maintenance."""


class Term(Protocol):
    """A condition on a row."""

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """Return a function from ascending rows to those that match, or without ``want`` do not match."""
        ...


class TextTerm(NamedTuple):
    """A casefolded text occurs in some column of text."""

    needle: str

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """See Term."""
        needle, catalog = self.needle, scope.catalog

        def match(rows: Rows) -> list[int]:
            texts = catalog.texts(upto=rows[-1] + 1 if rows else 0)
            if want:
                return [row for row in rows if needle in texts[row]]
            return [row for row in rows if needle not in texts[row]]

        return match


class RegexTerm(NamedTuple):
    """A pattern matches in some column of text. The pattern sees each column as a line."""

    pattern: re.Pattern[str]

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """See Term."""
        search, catalog = self.pattern.search, scope.catalog

        def match(rows: Rows) -> list[int]:
            texts = catalog.texts(upto=rows[-1] + 1 if rows else 0)
            return [row for row in rows if (search(texts[row]) is not None) is want]

        return match


class ColumnTerm(NamedTuple):
    """The value of a column passes a test. With ``few`` distinct values, each is tested once."""

    column: Column
    test: Callable[[Any], bool]
    few: bool

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """See Term."""
        server = scope.catalog.servers.__getitem__
        get = self.column.get
        verdict = _Verdicts(self.test).__getitem__ if self.few else self.test

        def match(rows: Rows) -> list[int]:
            verdicts = map(verdict, map(get, map(server, rows)))
            return list(compress(rows, verdicts if want else map(not_, verdicts)))

        return match


class GroupTerm(NamedTuple):
    """The server is in a group or below it. ``segments`` match consecutive names of the group's path."""

    column: Column
    segments: tuple[re.Pattern[str], ...]

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """See Term."""
        ids = {id_ for id_, path in scope.catalog.paths.items() if self.covers(path)}
        return ColumnTerm(self.column, ids.__contains__, few=False).bind(scope, want)

    def covers(self, path: str) -> bool:
        """Whether a group of this path matches, or one above it."""
        names, size = path.split("/"), len(self.segments)
        return any(
            all(pattern.fullmatch(name) for pattern, name in zip(self.segments, names[start:], strict=False))
            for start in range(len(names) - size + 1)
        )


class MarkedTerm(NamedTuple):
    """The server is marked."""

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """See Term."""
        ids, marked = scope.catalog.ids, scope.marked
        return lambda rows: [row for row in rows if (ids[row] in marked) is want]


class HoldTerm(NamedTuple):
    """The server is in maintenance by a window that passes a test."""

    test: Callable[[Hold], bool]

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """See Term."""
        servers = scope.catalog.servers
        matching = {id_: hold for id_, hold in scope.holds.items() if self.test(hold)}
        return lambda rows: [row for row in rows if is_mine(servers[row], matching) is want]


class StateTerm(NamedTuple):
    """The server is in one of ``states`` in its newest operation."""

    states: frozenset[State]

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """See Term."""
        ids, states = scope.catalog.ids, self.states
        matching = {id_ for id_, target in scope.states.items() if target.state in states}
        return lambda rows: [row for row in rows if (ids[row] in matching) is want]


class NotTerm(NamedTuple):
    """A term does not match."""

    term: Term

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """See Term."""
        return self.term.bind(scope, not want)


class AllTerm(NamedTuple):
    """All of several terms match."""

    terms: tuple[Term, ...]

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """See Term."""
        matchers = [term.bind(scope, want) for term in self.terms]
        return _narrow(matchers) if want else _widen(matchers)


class AnyTerm(NamedTuple):
    """At least one of several terms matches."""

    terms: tuple[Term, ...]

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """See Term."""
        matchers = [term.bind(scope, want) for term in self.terms]
        return _widen(matchers) if want else _narrow(matchers)


def _narrow(matchers: Sequence[Matcher]) -> Matcher:
    def match(rows: Rows) -> list[int]:
        for one in matchers:
            rows = one(rows)
        return list(rows)

    return match


def _widen(matchers: Sequence[Matcher]) -> Matcher:
    def match(rows: Rows) -> list[int]:
        found: list[int] = []
        for one in matchers:
            hits = one(rows)
            found += hits
            if hits:
                known = set(hits)
                rows = [row for row in rows if row not in known]
        return sorted(found)

    return match


class _Verdicts(dict[Any, bool]):
    def __init__(self, test: Callable[[Any], bool]) -> None:
        super().__init__()
        self._test = test

    def __missing__(self, value: Any) -> bool:
        verdict = self[value] = self._test(value)
        return verdict
