"""What a filter asks for, and how that is found among the rows of a catalog.

A term is bound to a catalog once and then asked for rows: rows in, rows out, each term one list comprehension
or chain of C-level maps over the rows that the terms before it let through.
"""

import re
from collections.abc import Callable, Container, Mapping, Sequence
from itertools import compress
from operator import not_
from typing import Any, NamedTuple, Protocol

from tui.model.listing.catalog import Catalog
from tui.model.listing.columns import Column
from tui.model.operation import State, Target

Rows = Sequence[int]
Matcher = Callable[[Rows], list[int]]


class Scope(NamedTuple):
    """What a filter is asked about."""

    catalog: Catalog
    marked: Container[str] = ()
    states: Mapping[str, Target] = {}
    """Server id -> where it stands in its newest operation."""


class Term(Protocol):
    """Something a row can satisfy."""

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """What finds, among ascending rows, those that satisfy it (or, unless ``want``, do not)."""
        ...


class Word(NamedTuple):
    """Text that stands in any column of text; casefolded."""

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


class Regex(NamedTuple):
    """A pattern found in any column of text; columns are lines there."""

    pattern: re.Pattern[str]

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """See Term."""
        search, catalog = self.pattern.search, scope.catalog

        def match(rows: Rows) -> list[int]:
            texts = catalog.texts(upto=rows[-1] + 1 if rows else 0)
            return [row for row in rows if (search(texts[row]) is not None) is want]

        return match


class Field(NamedTuple):
    """A column whose value passes a test; asked once per distinct value where those are ``few``."""

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


class Group(NamedTuple):
    """Being in a group or below it; ``segments`` match names that follow one another in its path."""

    column: Column
    segments: tuple[re.Pattern[str], ...]

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """See Term."""
        ids = {id_ for id_, path in scope.catalog.paths.items() if self.covers(path)}
        return Field(self.column, ids.__contains__, few=False).bind(scope, want)

    def covers(self, path: str) -> bool:
        """Whether a group of this path is the one asked for, or below it."""
        names, size = path.split("/"), len(self.segments)
        return any(
            all(pattern.fullmatch(name) for pattern, name in zip(self.segments, names[start:], strict=False))
            for start in range(len(names) - size + 1)
        )


class Marked(NamedTuple):
    """Being marked."""

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """See Term."""
        ids, marked = scope.catalog.ids, scope.marked
        return lambda rows: [row for row in rows if (ids[row] in marked) is want]


class InState(NamedTuple):
    """Standing in one of ``states`` in the newest operation."""

    states: frozenset[State]

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """See Term."""
        ids, states = scope.catalog.ids, self.states
        there = {id_ for id_, target in scope.states.items() if target.state in states}
        return lambda rows: [row for row in rows if (ids[row] in there) is want]


class Not(NamedTuple):
    """The opposite of a term."""

    term: Term

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """See Term."""
        return self.term.bind(scope, not want)


class Every(NamedTuple):
    """Every of several terms."""

    terms: tuple[Term, ...]

    def bind(self, scope: Scope, want: bool) -> Matcher:
        """See Term."""
        matchers = [term.bind(scope, want) for term in self.terms]
        return _narrow(matchers) if want else _widen(matchers)


class Either(NamedTuple):
    """At least one of several terms."""

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
