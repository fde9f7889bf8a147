"""The filter language: from a line of text to the servers it asks for. ``grammar`` says what there is."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from tui.model.filter import grammar
from tui.model.filter.predicates import (
    Either,
    Every,
    Field,
    Group,
    InState,
    Marked,
    Matcher,
    Not,
    Regex,
    Scope,
    Term,
    Word,
)
from tui.model.filter.values import (
    QueryError,
    Value,
    compile_glob,
    flag,
    glob_to_regex,
    number_test,
    parse_regex,
    states,
    time_test,
)
from tui.model.fleet import Fleet
from tui.model.listing.catalog import Catalog
from tui.model.listing.columns import Column, Kind
from tui.model.server import Server

__all__ = ["Query", "QueryError", "Scope", "parse", "select"]

_DEEPEST = 50
"""Parentheses within parentheses."""
_LONGEST_CHAIN = 10
"""Named filters within named filters."""


class Query(NamedTuple):
    """A filter that parsed. False where it asks for nothing, so that everything matches."""

    text: str
    term: Term | None
    highlights: tuple[tuple[str, re.Pattern[str]], ...] = ()
    """(column, or "" for any column of text; what to set off there)."""

    def __bool__(self) -> bool:
        return self.term is not None

    def bind(self, scope: Scope) -> Matcher:
        """What finds the matching ones among rows of the scope's catalog, in ascending order: all or some."""
        return list if self.term is None else self.term.bind(scope, want=True)

    def spans(self, column: str, text: str) -> list[tuple[int, int]]:
        """Where in ``text``, which stands in ``column``, is what was asked for: starts and ends, in order."""
        found = sorted(
            match.span()
            for where, pattern in self.highlights
            if where == column or (not where and column in _SEARCHED)
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


_SEARCHED = {"id", "name", "group", "dc", "power", "status", "os", "ip", "description", "changed"}


def parse(text: str, named: Mapping[str, str] | None = None) -> Query:
    """Read a filter; ``named`` are the filters that ``@name`` means, as they would be typed.

    Raises QueryError, which says where and what, on one that does not parse.
    """
    parser = _Parser(text, named or {})
    term = parser.whole()
    return Query(text, term, tuple(parser.highlights))


def select(fleet: Fleet, text: str, named: Mapping[str, str] | None = None) -> list[Server]:
    """The servers of ``fleet`` that ``text`` asks for, in natural order of id; nothing is marked or running.

    ``named`` as for ``parse``. Raises QueryError.
    """
    query = parse(text, named)
    catalog = Catalog(fleet)
    return [catalog.servers[row] for row in query.bind(Scope(catalog))(range(len(catalog)))]


_BARE = re.compile(r'[^\s()"]+')
_FIELD = re.compile(r"([A-Za-z_]+):")
_NAME = re.compile(f"@({grammar.FILTER_NAME})")
_KEYWORD = re.compile(r"(or|and)(?=[\s()]|$)", re.IGNORECASE)


class _Parser:
    """Recursive descent: either > both > one."""

    def __init__(self, text: str, named: Mapping[str, str], within: tuple[str, ...] = ()) -> None:
        self.text = text
        self.named = named
        self.within = within
        """The named filters that this text is part of."""
        self.at = 0
        self.depth = 0
        self.negations = 0
        self.highlights: list[tuple[str, re.Pattern[str]]] = []

    def whole(self) -> Term | None:
        self.skip()
        if self.at == len(self.text):
            return None
        term = self.either()
        if self.at < len(self.text):
            raise QueryError("this ) closes nothing", self.at)
        return term

    def either(self) -> Term:
        terms = [self.both()]
        while self.keyword("or"):
            terms.append(self.both())
        return terms[0] if len(terms) == 1 else Either(tuple(terms))

    def both(self) -> Term:
        terms = [self.one()]
        while True:
            if self.keyword("and"):
                terms.append(self.one())
                continue
            self.skip()
            if self.at == len(self.text) or self.text[self.at] == ")" or _KEYWORD.match(self.text, self.at):
                return terms[0] if len(terms) == 1 else Every(tuple(terms))
            terms.append(self.one())

    def one(self) -> Term:
        self.skip()
        if self.at == len(self.text):
            raise QueryError("something is missing here at the end", self.at)
        if (word := _KEYWORD.match(self.text, self.at)) is not None:
            raise QueryError(
                f"nothing stands before this {word[0]}; quote the word to search for it", self.at
            )
        char = self.text[self.at]
        if char == "!":
            return self.negation()
        if char == "(":
            return self.parenthesis()
        if char == ")":
            raise QueryError("there is nothing before this )", self.at)
        if (name := _NAME.match(self.text, self.at)) is not None:
            return self.named_filter(name[1])
        field = _FIELD.match(self.text, self.at)
        if field is None:
            return self.word(self.value(pattern=False))
        meant = grammar.find_field(field[1])
        if meant is None:
            raise QueryError(
                f"there is no field {field[1]!r}; there are {', '.join(grammar.field_names())}. "
                "Quote text that has a colon in it",
                self.at,
            )
        self.at = field.end()
        return self.field(field[1], meant)

    def named_filter(self, name: str) -> Term:
        start = self.at
        self.at += len(name) + 1
        if name not in self.named:
            there_are = f"; there are {', '.join(sorted(self.named))}" if self.named else ""
            raise QueryError(f"there is no filter named {name!r}{there_are}", start)
        if name in self.within:
            raise QueryError(f"the filter named {name!r} is part of itself", start)
        if len(self.within) >= _LONGEST_CHAIN:
            raise QueryError(f"more than {_LONGEST_CHAIN} named filters within one another", start)
        parser = _Parser(self.named[name], self.named, (*self.within, name))
        parser.negations = self.negations
        try:
            term = parser.whole()
        except QueryError as error:
            raise QueryError(f"in the filter named {name!r}: {error.message}", start) from error
        if term is None:
            raise QueryError(f"the filter named {name!r} is empty", start)
        self.highlights += parser.highlights
        return term

    def negation(self) -> Term:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] == "!":
            self.at += 1
        turns = self.at - start
        self.negations += turns
        term = self.one()
        self.negations -= turns
        return Not(term) if turns % 2 else term

    def parenthesis(self) -> Term:
        start = self.at
        self.depth += 1
        if self.depth > _DEEPEST:
            raise QueryError(f"more than {_DEEPEST} parentheses within one another", start)
        self.at += 1
        term = self.either()
        if self.at == len(self.text):
            raise QueryError("this ( is not closed", start)
        self.at += 1
        self.depth -= 1
        return term

    def keyword(self, word: str) -> bool:
        self.skip()
        found = _KEYWORD.match(self.text, self.at)
        if found is None or found[0].lower() != word:
            return False
        self.at = found.end()
        return True

    def skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def value(self, *, pattern: bool = True) -> Value:
        start = self.at
        char = self.text[start : start + 1]
        if char == '"':
            end = self.text.find('"', start + 1)
            if end < 0:
                raise QueryError("this quote is not closed", start)
            self.at = end + 1
            return Value(self.text[start + 1 : end], start + 1, quoted=True)
        if char == "/" and pattern:
            return self.pattern()
        bare = _BARE.match(self.text, start)
        if bare is None:
            return Value("", start)
        self.at = bare.end()
        return Value(bare[0], start)

    def pattern(self) -> Value:
        start = end = self.at
        while True:
            end = self.text.find("/", end + 1)
            if end < 0:
                raise QueryError("this pattern has no / at its end", start)
            before = self.text[start + 1 : end]
            if (len(before) - len(before.rstrip("\\"))) % 2 == 0:
                self.at = end + 1
                return Value(before, start + 1, regex=True)

    # -- terms

    def word(self, value: Value) -> Term:
        if not value.text:
            raise QueryError("nothing to search for stands between these quotes", value.position)
        if value.is_wild:
            return Regex(re.compile(f"^{glob_to_regex(value.text)}$", re.IGNORECASE | re.MULTILINE))
        self.highlight("", re.escape(value.text))
        return Word(value.text.casefold())

    def field(self, name: str, meant: Column | str) -> Term:
        value = self.value()
        if not value.text and not value.quoted:
            raise QueryError(f"{name}: needs a value, {_example(name)}", value.position)
        if meant == grammar.REGEX:
            if not value.regex:
                raise QueryError("a pattern stands between slashes, as in re:/web[0-4]/", value.position)
            return Regex(self.highlight("", parse_regex(value)))
        if isinstance(meant, str):
            return Marked() if flag(value, "yes", "no") else Not(Marked())
        match meant.kind:
            case Kind.FLAG:
                wanted = flag(value, "on", "off", "unknown")
                return Field(meant, lambda flag: flag is wanted, few=True)
            case Kind.NUMBER | Kind.SIZE:
                return Field(meant, number_test(meant, value), few=True)
            case Kind.TIME:
                return Field(meant, time_test(value), few=False)
            case Kind.STATE:
                return InState(states(value))
            case Kind.GROUP:
                return Group(meant, tuple(map(compile_glob, value.text.strip("/").split("/"))))
        return self.text_field(meant, value)

    def text_field(self, column: Column, value: Value) -> Term:
        few = column.kind is Kind.WORD
        if value.regex:
            search = self.highlight(column.name, parse_regex(value)).search
            return Field(column, lambda text: search(text or "") is not None, few)
        if not value.text:
            return Field(column, lambda text: not text, few)
        if value.is_wild:
            covers = compile_glob(value.text).fullmatch
            return Field(column, lambda text: bool(text) and covers(text) is not None, few)
        needle = value.text.casefold()
        if column.kind is Kind.TEXT:
            self.highlight(column.name, re.escape(value.text))
            return Field(column, lambda text: needle in text.casefold(), few)
        return Field(column, lambda text: (text or "").casefold() == needle, few)

    def highlight(self, column: str, pattern: str | re.Pattern[str]) -> re.Pattern[str]:
        pattern = re.compile(pattern, re.IGNORECASE) if isinstance(pattern, str) else pattern
        if self.negations % 2 == 0:
            self.highlights.append((column, pattern))
        return pattern


def _example(name: str) -> str:
    examples = (example for rule in grammar.GRAMMAR for example in rule.examples)
    found = next((example for example in examples if example.startswith(f"{name.lower()}:")), None)
    return f"as in {found}" if found else f'as in {name}:web, or {name}:"" for an empty one'
