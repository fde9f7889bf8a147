"""The parser of the filter language, which ``grammar`` describes."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from tui.model.filter import grammar
from tui.model.filter.terms import (
    AllTerm,
    AnyTerm,
    ColumnTerm,
    GroupTerm,
    HoldTerm,
    MarkedTerm,
    NotTerm,
    RegexTerm,
    StateTerm,
    Term,
    TextTerm,
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
from tui.model.listing.columns import Column, ColumnType

MAX_NESTED_PARENTHESES = 50
MAX_NESTED_FILTERS = 10


class Parsed(NamedTuple):
    """A filter that parses."""

    term: "Term | None"
    """None for an empty filter."""
    highlights: "Highlights" = ()
    of_windows: bool = False
    """Whether it asks for the windows that hold servers."""


Highlights = tuple[tuple[str, re.Pattern[str]], ...]
"""Column name, or "" for every searched column, and the pattern to highlight there."""


def parse_term(text: str, named: Mapping[str, str]) -> Parsed:
    """Parse a filter into its term.

    ``named`` are the filters that ``@name`` stands for, as typed.

    Raises:
        QueryError: the filter does not parse; it says where and why.
    """
    parser = _Parser(text, named)
    term = parser.whole()
    return Parsed(term, tuple(parser.highlights), parser.of_windows)


_BARE = re.compile(r'[^\s()"]+')
_FIELD = re.compile(r"([A-Za-z_]+):")
_NAME = re.compile(f"@({grammar.FILTER_NAME})")
_OF_WINDOWS = {grammar.MINE, grammar.WINDOW, grammar.REASON}
_KEYWORD = re.compile(r"(or|and)(?=[\s()]|$)", re.IGNORECASE)


class _Parser:
    """A recursive descent parser: ``any_term`` calls ``all_term``, which calls ``one_term``.

    Every step starts at ``at``, moves it past what it parsed, and raises QueryError on a mistake.
    """

    def __init__(self, text: str, named: Mapping[str, str], within: tuple[str, ...] = ()) -> None:
        self.text = text
        self.named = named
        self.within = within
        """Names of the filters around this one, the outermost first."""
        self.at = 0
        self.depth = 0
        self.negations = 0
        self.highlights: list[tuple[str, re.Pattern[str]]] = []
        self.of_windows = False

    def whole(self) -> Term | None:
        self.skip()
        if self.at == len(self.text):
            return None
        term = self.any_term()
        if self.at < len(self.text):
            raise QueryError("this ) closes nothing", self.at)
        return term

    def any_term(self) -> Term:
        terms = [self.all_term()]
        while self.keyword("or"):
            terms.append(self.all_term())
        return terms[0] if len(terms) == 1 else AnyTerm(tuple(terms))

    def all_term(self) -> Term:
        terms = [self.one_term()]
        while True:
            if self.keyword("and"):
                terms.append(self.one_term())
                continue
            self.skip()
            if self.at == len(self.text) or self.text[self.at] == ")" or _KEYWORD.match(self.text, self.at):
                return terms[0] if len(terms) == 1 else AllTerm(tuple(terms))
            terms.append(self.one_term())

    def one_term(self) -> Term:
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
        prefix = _FIELD.match(self.text, self.at)
        if prefix is None:
            return self.text_term(self.value(pattern=False))
        field = grammar.find_field(prefix[1])
        if field is None:
            raise QueryError(
                f"there is no field {prefix[1]!r}; there are {', '.join(grammar.field_names())}. "
                "Quote text that has a colon in it",
                self.at,
            )
        self.at = prefix.end()
        return self.field_term(prefix[1], field)

    def named_filter(self, name: str) -> Term:
        start = self.at
        self.at += len(name) + 1
        if name not in self.named:
            there_are = f"; there are {', '.join(sorted(self.named))}" if self.named else ""
            raise QueryError(f"there is no filter named {name!r}{there_are}", start)
        if name in self.within:
            raise QueryError(f"the filter named {name!r} is part of itself", start)
        if len(self.within) >= MAX_NESTED_FILTERS:
            raise QueryError(f"more than {MAX_NESTED_FILTERS} named filters within one another", start)
        parser = _Parser(self.named[name], self.named, (*self.within, name))
        parser.negations = self.negations
        try:
            term = parser.whole()
        except QueryError as error:
            raise QueryError(f"in the filter named {name!r}: {error.message}", start) from error
        if term is None:
            raise QueryError(f"the filter named {name!r} is empty", start)
        self.highlights += parser.highlights
        self.of_windows |= parser.of_windows
        return term

    def negation(self) -> Term:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] == "!":
            self.at += 1
        count = self.at - start
        self.negations += count
        term = self.one_term()
        self.negations -= count
        return NotTerm(term) if count % 2 else term

    def parenthesis(self) -> Term:
        start = self.at
        self.depth += 1
        if self.depth > MAX_NESTED_PARENTHESES:
            raise QueryError(f"more than {MAX_NESTED_PARENTHESES} parentheses within one another", start)
        self.at += 1
        term = self.any_term()
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

    def value(self, *, pattern: bool) -> Value:
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

    def text_term(self, value: Value) -> Term:
        if not value.text:
            raise QueryError("nothing to search for stands between these quotes", value.position)
        if value.is_wild:
            return RegexTerm(re.compile(f"^{glob_to_regex(value.text)}$", re.IGNORECASE | re.MULTILINE))
        self.highlight("", re.escape(value.text))
        return TextTerm(value.text.casefold())

    def field_term(self, name: str, field: Column | str) -> Term:
        value = self.value(pattern=field == grammar.REGEX or _takes_pattern(field))
        if not value.text and not value.quoted:
            raise QueryError(f"{name}: needs a value, {_example(name)}", value.position)
        if field == grammar.REGEX:
            if not value.regex:
                raise QueryError("a pattern stands between slashes, as in re:/web[0-4]/", value.position)
            return RegexTerm(self.highlight("", parse_regex(value)))
        if field in _OF_WINDOWS:
            return self.hold_term(field, value)
        if isinstance(field, str):
            return MarkedTerm() if flag(value, "yes", "no") else NotTerm(MarkedTerm())
        match field.type:
            case ColumnType.FLAG:
                wanted = flag(value, "on", "off", "unknown")
                return ColumnTerm(field, lambda flag: flag is wanted, few=True)
            case ColumnType.NUMBER | ColumnType.SIZE:
                return ColumnTerm(field, number_test(field, value), few=True)
            case ColumnType.TIME:
                return ColumnTerm(field, time_test(value), few=False)
            case ColumnType.STATE:
                return StateTerm(states(value))
            case ColumnType.GROUP:
                return GroupTerm(field, tuple(map(compile_glob, value.text.strip("/").split("/"))))
        return self.column_term(field, value)

    def hold_term(self, field: Column | str, value: Value) -> Term:
        self.of_windows = True
        if field == grammar.MINE:
            mine = HoldTerm(lambda hold: True)
            return mine if flag(value, "yes", "no") else NotTerm(mine)
        if not value.text:
            return NotTerm(HoldTerm(lambda hold: field == grammar.WINDOW or bool(hold.reason)))
        if value.is_wild:
            covers = compile_glob(value.text).fullmatch
            if field == grammar.REASON:
                return HoldTerm(lambda hold: covers(hold.reason) is not None)
            return HoldTerm(lambda hold: any(map(covers, (hold.window_id, hold.reason))))
        needle = value.text.casefold()
        if field == grammar.REASON:
            return HoldTerm(lambda hold: needle in hold.reason.casefold())
        return HoldTerm(lambda hold: needle in {hold.window_id.casefold(), hold.reason.casefold()})

    def column_term(self, column: Column, value: Value) -> Term:
        few = column.type is ColumnType.WORD
        if value.regex:
            search = self.highlight(column.name, parse_regex(value)).search
            return ColumnTerm(column, lambda text: search(text or "") is not None, few)
        if not value.text:
            return ColumnTerm(column, lambda text: not text, few)
        if value.is_wild:
            covers = compile_glob(value.text).fullmatch
            return ColumnTerm(column, lambda text: bool(text) and covers(text) is not None, few)
        needle = value.text.casefold()
        if column.type is ColumnType.TEXT:
            self.highlight(column.name, re.escape(value.text))
            return ColumnTerm(column, lambda text: needle in text.casefold(), few)
        return ColumnTerm(column, lambda text: (text or "").casefold() == needle, few)

    def highlight(self, column: str, pattern: str | re.Pattern[str]) -> re.Pattern[str]:
        pattern = re.compile(pattern, re.IGNORECASE) if isinstance(pattern, str) else pattern
        if self.negations % 2 == 0:
            self.highlights.append((column, pattern))
        return pattern


def _takes_pattern(field: Column | str) -> bool:
    return isinstance(field, Column) and field.type in {ColumnType.TEXT, ColumnType.WORD}


def _example(name: str) -> str:
    examples = (example for rule in grammar.GRAMMAR for example in rule.examples)
    found = next((example for example in examples if example.startswith(f"{name.lower()}:")), None)
    return f"as in {found}" if found else f'as in {name}:web, or {name}:"" for an empty one'
