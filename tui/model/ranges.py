"""Ranges of numbered names as tickets write them: web01-05, web01..web05, web0[1-5], web01/02/03."""

import re
from collections.abc import Iterator

MAX_NAMES = 1000
"""A range of more names counts as a mistake."""
MAX_LENGTH = 256
"""Characters; a longer word is no range, and is not tested, as that would take long."""

_NUMBERED = re.compile(r"(.*[^\W\d].*?)(\d+)", re.DOTALL)
"""A name that has a letter and ends in a number."""
_SEPARATOR = re.compile(r"\.{2,}|[._-]")
_SPANS = re.compile(r"\.{2,}|-")


class NotExpandable(ValueError):
    """A text looks like a range, but its names are not certain."""


def numbered(name: str) -> tuple[str, str] | None:
    """Split ``name`` into its stem and the number at its end; None where it has none."""
    found = _NUMBERED.fullmatch(name) if len(name) <= MAX_LENGTH else None
    return (found[1], found[2]) if found else None


def ends(word: str) -> Iterator[tuple[str, str, str]]:
    """Split ``word`` at each separator in turn: into the left part, the separator and the right part."""
    for match in _SEPARATOR.finditer(word) if len(word) <= MAX_LENGTH else ():
        if left := word[: match.start()]:
            yield left, match[0], word[match.end() :]


def expand(left: str, separator: str, right: str) -> list[str] | None:
    """Return the names from ``left`` to ``right``, which is a name with the same stem, or its number alone.

    Returns None where the parts are no range.

    Raises:
        NotExpandable: they may be a range, but the numbers differ in width, descend or are too many, or the
            separator may as well join two single names.
    """
    first = numbered(left)
    if first is None:
        return None
    stem, low = first
    high = right
    if not right.isdecimal():
        last = numbered(right)
        if last is None or last[0].casefold() != stem.casefold():
            chain = rf"\d{{{len(low)}}}(?:[._-]\d{{{len(low)}}})+"
            if re.fullmatch(chain, right):
                raise NotExpandable
            return None
        if separator in {".", "_"}:
            return None  # Two names side by side.
        high = last[1]
    elif len(high) > len(low) and separator in {"-", ".", "_"}:
        return None  # A date, a port or a serial number.
    elif separator in {".", "_"}:
        if len(high) == len(low):
            raise NotExpandable
        return None
    return [stem + number for number in span(low, high)]


def span(low: str, high: str) -> list[str]:
    """Return the numbers from ``low`` to ``high``, padded to their width.

    Raises:
        NotExpandable: the limits differ in width, descend, are too far apart, or are no numbers.
    """
    if not (low.isascii() and high.isascii() and low.isdigit() and high.isdigit() and len(low) == len(high)):
        raise NotExpandable
    if len(low) > 18 or not 0 <= int(high) - int(low) < MAX_NAMES:
        raise NotExpandable
    return [str(number).zfill(len(low)) for number in range(int(low), int(high) + 1)]


def alternatives(text: str) -> list[str] | None:
    """Return the numbers that a text in brackets lists: "1-5", "01..05" or "01,02,07-09".

    Returns None for a single number.

    Raises:
        NotExpandable: a part is no number and no range, or there are too many.
    """
    pieces = [piece.strip() for piece in text.split(",")]
    if len(pieces) == 1 and not _SPANS.search(pieces[0]):
        return None
    found: list[str] = []
    for piece in pieces:
        low, *rest = (part.strip() for part in _SPANS.split(piece))
        if len(rest) > 1:
            raise NotExpandable
        found += span(low, rest[0] if rest else low)
        if len(found) > MAX_NAMES:
            raise NotExpandable
    return found
