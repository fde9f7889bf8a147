"""Parsed filters: which servers they let through, and what to highlight in them."""

from collections.abc import Mapping
from typing import NamedTuple

from tui.model.filter.parser import Highlights, parse_term
from tui.model.filter.terms import Matcher, Scope, Term
from tui.model.filter.values import QueryError
from tui.model.fleet import Fleet
from tui.model.listing.catalog import Catalog
from tui.model.listing.columns import SEARCHED_COLUMNS
from tui.model.server import Server
from tui.model.window import Hold

__all__ = ["Query", "QueryError", "Scope", "parse", "select"]


class Query(NamedTuple):
    """A parsed filter. It is false when it is empty and so matches every server."""

    text: str
    term: Term | None
    highlights: Highlights = ()
    of_windows: bool = False
    """Whether it asks for the windows that hold servers, so that their journal must be read."""

    def __bool__(self) -> bool:
        return self.term is not None

    def bind(self, scope: Scope) -> Matcher:
        """Return a function from ascending rows of the scope's catalog to those that match."""
        return list if self.term is None else self.term.bind(scope, want=True)

    def spans(self, column: str, text: str) -> list[tuple[int, int]]:
        """Return start and end of each part of ``text``, a value of ``column``, that the filter matches.

        They are in order and do not overlap.
        """
        found = sorted(
            match.span()
            for where, pattern in self.highlights
            if where == column or (not where and column in SEARCHED_COLUMNS)
            for match in pattern.finditer(text)
            if match.end() > match.start()
        )
        apart: list[tuple[int, int]] = []
        for start, end in found:
            if apart and start <= apart[-1][1]:
                apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
            else:
                apart.append((start, end))
        return apart


def parse(text: str, named: Mapping[str, str] | None = None) -> Query:
    """Parse a filter. ``named`` are the filters that ``@name`` stands for, as typed.

    Raises:
        QueryError: the filter does not parse; it says where and why.
    """
    return Query(text, *parse_term(text, named or {}))


def select(
    fleet: Fleet,
    text: str,
    named: Mapping[str, str] | None = None,
    holds: Mapping[str, Hold] | None = None,
) -> list[Server]:
    """Return the servers of ``fleet`` that match a filter, in natural order of id.

    No server counts as marked, or as part of an operation. ``named`` is as for ``parse``.
    ``holds`` is server id -> the window that holds it in maintenance.

    Raises:
        QueryError: the filter does not parse.
    """
    query = parse(text, named)
    catalog = Catalog(fleet)
    return [
        catalog.servers[row] for row in query.bind(Scope(catalog, holds=holds or {}))(range(len(catalog)))
    ]
