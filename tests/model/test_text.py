"""Text: cleaned, counted and listed."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.model.text import clean, counted, named

ANY_TEXT = st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF))


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("", ""),
        ("WA1ACMEWEB01", "WA1ACMEWEB01"),
        ("[bold]not markup[/]", "[bold]not markup[/]"),
        ("\x1b[2J\x1b]0;owned\x07", "\ufffd[2J\ufffd]0;owned\ufffd"),
        ("\x9b31m", "\ufffd31m"),
        ("a\tb\r\nc\u2028d", "a b c d"),
        ("web\u202e10bew", "web\ufffd10bew"),
        ("pay\u200bpal\ufeff", "pay\ufffdpal\ufffd"),
        ("\ud800", "\ufffd"),
        ("Zürich 東京 e\u0301 مرحبا", "Zürich 東京 e\u0301 مرحبا"),
        ("no\u00a0break", "no\u00a0break"),
    ],
)
def test_control_and_format_characters_are_replaced_and_nothing_else(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(("limit", "cut"), [(None, "abcdef"), (6, "abcdef"), (5, "abcd…"), (1, "…"), (0, "")])
def test_long_text_is_cut_with_an_ellipsis(limit: int | None, cut: str) -> None:
    assert clean("abcdef", limit) == cut


def test_every_control_and_format_character_is_replaced() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        category = unicodedata.category(character)
        if category in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            assert clean(character) in ("\ufffd", " "), hex(code)
        elif category != "Cn":  # an unassigned one may be a format character in a later Unicode
            assert clean(character) == character, hex(code)


@given(ANY_TEXT, st.none() | st.integers(0, 20))
def test_cleaned_text_is_stable_encodable_and_within_the_limit(text: str, limit: int | None) -> None:
    cleaned = clean(text, limit)
    assert clean(cleaned, limit) == cleaned
    assert limit is None or len(cleaned) <= limit
    cleaned.encode()


def test_a_number_and_its_noun_agree() -> None:
    assert [counted(number) for number in (0, 1, 1204)] == ["0 servers", "1 server", "1,204 servers"]
    assert counted(2, "data center") == "2 data centers"


def test_ids_beyond_the_limit_are_counted() -> None:
    ids = [f"WA1A{number}" for number in range(1, 1300)]
    assert named(ids[:6]) == "WA1A1, WA1A2, WA1A3, WA1A4, WA1A5, WA1A6"
    assert named(ids[:7]).endswith("WA1A6 and 1 more")
    assert named(ids, 2) == "WA1A1, WA1A2 and 1,297 more"
    assert named([]) == ""
