"""Natural order."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from tui.model.listing.ordering import natural_key, natural_keys, order_by, order_by_rank


def slow_key(value: str) -> list[tuple[int, int | str]]:
    """A slow, literal definition of natural order."""
    parts = re.split(r"([0-9]+)", value.casefold())
    return [(0, int(part)) if index % 2 else (1, part) for index, part in enumerate(parts)]


def test_numbers_count_as_numbers() -> None:
    names = ["WEB10", "web2", "WEB1", "db10", "DB9", "web", "2", "10", "", "web:"]
    assert sorted(names, key=natural_key) == [
        "", "2", "10", "DB9", "db10", "web", "WEB1", "web2", "WEB10", "web:",
    ]  # fmt: skip


@given(st.lists(st.text(alphabet="aB0129_", min_size=1, max_size=8).map(lambda text: "x" + text)))
def test_natural_keys_sort_like_the_literal_definition(names: list[str]) -> None:
    keys = dict(zip(names, natural_keys(names), strict=True))
    assert [slow_key(name) for name in sorted(names, key=keys.__getitem__)] == sorted(map(slow_key, names))


@example(["a1\nb2", "c3"])
@given(st.lists(st.text(max_size=6)))
def test_natural_keys_equal_the_natural_key_of_each(names: list[str]) -> None:
    plain = [name.replace("\n", " ") for name in names]
    assert natural_keys(plain) == [natural_key(name) for name in plain]
    assert len(natural_keys(names)) == len(names)


@given(st.lists(st.integers(0, 4)))
def test_sorting_is_stable_in_both_directions(keys: list[int]) -> None:
    rows = range(len(keys))
    for order in (order_by(keys), order_by_rank(keys, 5)):
        assert list(order.ascending) == sorted(rows, key=keys.__getitem__)
        assert list(order.descending()) == sorted(rows, key=keys.__getitem__, reverse=True)
