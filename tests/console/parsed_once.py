"""Parses Textual's style sheets once in a process: every application under test has the same ones.

Parsing takes a third of the time of opening a console. The parsed rules are only read afterwards.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import cache
from typing import Any
from unittest.mock import patch

from textual.css import stylesheet
from textual.css.model import RuleSet
from textual.css.parse import parse
from textual.css.tokenize import tokenize_values
from textual.css.tokenizer import Token

Tokens = dict[str, list[Token]]


@cache
def _tokens(variables: frozenset[tuple[str, str]]) -> Tokens:
    return tokenize_values(dict(variables))


def _values(variables: dict[str, str]) -> Tokens:
    """Return the same object for the same variables, so that ``_rules`` can compare them by identity."""
    return _tokens(frozenset(variables.items()))


class _Variables:
    """Variables compared by identity: ``_tokens`` keeps them alive, so no identity is used twice."""

    def __init__(self, tokens: Tokens | None) -> None:
        self.tokens = tokens

    def __hash__(self) -> int:
        return id(self.tokens)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Variables) and self.tokens is other.tokens


@cache
def _rules(scope: str, css: str, read_from: Any, variables: _Variables, **options: Any) -> list[RuleSet]:
    return list(parse(scope, css, read_from, variable_tokens=variables.tokens, **options))


def _parse(
    scope: str, css: str, read_from: Any, variable_tokens: Tokens | None = None, **options: Any
) -> Iterable[RuleSet]:
    return _rules(scope, css, read_from, _Variables(variable_tokens), **options)


def parsed_once() -> AbstractContextManager[object]:
    """Return a context in which a style sheet is parsed the first time only."""
    return patch.multiple(stylesheet, tokenize_values=_values, parse=_parse)
