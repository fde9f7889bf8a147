"""Fitting text into the cells of a terminal."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.cells import cell_width, fit, printable


@given(st.text(), st.integers(0, 30), st.booleans())
def test_any_text_is_fitted_to_exactly_the_given_width(text: str, width: int, right: bool) -> None:
    fitted = fit(text, width, right=right)
    assert cell_len(fitted) == cell_width(fitted) == width
    assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in fitted)


@given(st.text(alphabet="ab \u0301é漢…\u200d\ufe0f\x1b", max_size=12))
def test_the_counted_cell_width_agrees_with_rich(text: str) -> None:
    assert cell_width(printable(text)) == cell_len(printable(text))


def test_text_is_cut_with_an_ellipsis_and_never_inside_a_character() -> None:
    assert fit("WA1ACMEWEB01", 8) == "WA1ACME…"
    assert fit("日本語", 5) == "日本…"
    assert fit("日本語", 4) == "日 …"
    assert fit("12", 5, right=True) == "   12"
    assert fit("abc", 1) == "a"
    assert fit("abc", 0) == ""
