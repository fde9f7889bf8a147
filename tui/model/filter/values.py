"""The values of a filter's fields: flags, numbers, sizes, dates, states, wildcards and patterns."""

import operator
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from tui.model.listing.columns import Column, ColumnType
from tui.model.operation import STATE_STYLES, State

Test = Callable[[Any], bool]


class QueryError(ValueError):
    """A filter does not parse. ``position`` counts characters from 0; the message is for the operator."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


class Value(NamedTuple):
    """The text after a colon, or a word without a field."""

    text: str
    position: int
    quoted: bool = False
    regex: bool = False

    @property
    def is_wild(self) -> bool:
        """Whether the text has wildcards."""
        return not self.quoted and not self.regex and ("*" in self.text or "?" in self.text)


def glob_to_regex(text: str) -> str:
    """Translate * and ? in ``text`` into a regular expression. They match within one line."""
    pieces = {"*": "[^\n]*", "?": "[^\n]"}
    return "".join(pieces.get(part[:1], re.escape(part)) for part in re.split(r"(\*+|\?)", text))


def compile_glob(text: str) -> re.Pattern[str]:
    """Compile ``glob_to_regex(text)`` for ``fullmatch``, ignoring case."""
    return re.compile(glob_to_regex(text), re.IGNORECASE)


def parse_regex(value: Value) -> re.Pattern[str]:
    """Compile the regular expression in ``value``, ignoring case.

    Raises:
        QueryError: it does not parse, or a repeated group in it repeats something.
    """
    if repeats_repeats(value.text):
        raise QueryError("a repeated group that repeats something itself could run for ever", value.position)
    try:
        return re.compile(value.text, re.IGNORECASE | re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as error:
        where = getattr(error, "pos", None) or 0
        raise QueryError(f"the pattern does not parse: {error}", value.position + where) from None


def repeats_repeats(pattern: str) -> bool:
    """Whether a repeated group repeats something itself by ``*``, ``+`` or ``{``, as in ``(a+)+``.

    Such a pattern takes exponential time on a text that it almost matches, and nothing can interrupt it.
    """
    bare = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]])*\]", "x", pattern, flags=re.DOTALL)
    inside = [False]
    for index, char in enumerate(bare):
        if char == "(":
            inside.append(False)
        elif char == ")" and len(inside) > 1:
            repeats = inside.pop()
            inside[-1] |= repeats
            if repeats and bare[index + 1 : index + 2] in {"*", "+", "{"}:
                return True
        elif char in "*+{":
            inside[-1] = True
    return False


def flag(value: Value, yes: str, no: str, neither: str | None = None) -> bool | None:
    """Parse a flag: True, False, or None for the word ``neither``, where there is one.

    Raises:
        QueryError: the value is no flag.
    """
    word = value.text.casefold()
    if word in {yes, "on", "yes", "true"}:
        return True
    if word in {no, "off", "no", "false"}:
        return False
    if neither and word in {neither, ""}:
        return None
    choices = " or ".join([yes, no, *([neither] if neither else [])])
    raise QueryError(f"{choices} can stand here, not {value.text!r}", value.position)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "": operator.eq,
}
_COMPARISON = re.compile(r"(>=|<=|>|<|=|)(.*)", re.DOTALL)
_NUMBER = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)([a-z]*)", re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}([T ][0-9]{2}(:[0-9]{2}(:[0-9]{2})?)?)?)?)?")
_UNITS = {"": 1024.0, "g": 1024.0, "gb": 1024.0, "m": 1.0, "mb": 1.0, "t": 1024.0**2, "tb": 1024.0**2}
"""Unit -> MB. A number without a unit is in GB."""


def number_test(column: Column, value: Value) -> Test:
    """Return a test for numbers, in MB where the column is a size.

    Raises:
        QueryError: the value is no number, comparison or range.
    """
    if not value.text:
        return lambda number: number is None
    low, dots, high = value.text.partition("..")
    if dots:
        least, most = _number(column, low, value), _number(column, high, value)
        return lambda number: number is not None and least <= number <= most
    sign, text = _compared(value)
    compare, wanted = _COMPARE[sign], _number(column, text, value)
    return lambda number: number is not None and compare(number, wanted)


def time_test(value: Value) -> Test:
    """Return a test for times, which compares as many digits as the value has.

    Raises:
        QueryError: the value is no date.
    """
    if not value.text:
        return lambda time: not time
    sign, text = _compared(value)
    if _DATE.fullmatch(text) is None:
        raise QueryError(f"a date is written 2026-11-23, or just 2026-11, not {text!r}", value.position)
    date, compare = text.replace(" ", "T"), _COMPARE[sign]
    return lambda time: bool(time) and compare(time[: len(date)], date)


def states(value: Value) -> frozenset[State]:
    """Return the states that the value names, by name or by the word shown.

    Raises:
        QueryError: there is no such state.
    """
    if value.text == "*":
        return frozenset(State)
    word = value.text.casefold()
    found = frozenset(state for state in State if word in {state.value, STATE_STYLES[state].word})
    if not found:
        words = ", ".join(STATE_STYLES[state].word for state in State)
        raise QueryError(f"there is no state {value.text!r}; there are {words}; * is any", value.position)
    return found


def _compared(value: Value) -> tuple[str, str]:
    found = _COMPARISON.fullmatch(value.text)
    return (found[1], found[2]) if found else ("", value.text)


def _number(column: Column, text: str, value: Value) -> float:
    found = _NUMBER.fullmatch(text)
    unit = found[2].lower() if found else ""
    sized = column.type is ColumnType.SIZE
    if found is None or (unit not in _UNITS if sized else unit):
        kind = "a size like 4g or 512m" if sized else "a number"
        raise QueryError(
            f"{column.name}: takes {kind}, with >= or < before it, or a range like 2..8, not {value.text!r}",
            value.position,
        )
    return float(found[1]) * (_UNITS[unit] if sized else 1)
