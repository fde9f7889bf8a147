"""Ranges of numbered names as tickets write them: web01-05, web01..web05, web0[1-5], web01/02/03."""

import re
from collections.abc import Iterator

MOST = 1000
"""More names than that in one range are taken for a mistake."""
LONGEST = 256
"""Characters; a longer word is no range, and looking whether it might be one takes its time."""

_NUMBERED = re.compile(r"(.*[^\W\d].*?)(\d+)", re.DOTALL)
"""A name with a letter in it and a number at its end."""
_SEPARATOR = re.compile(r"\.{2,}|[._-]")
_SPANS = re.compile(r"\.{2,}|-")


class NotExpandable(ValueError):
    """It reads like a range, and it is not certain of what."""


def numbered(name: str) -> tuple[str, str] | None:
    """``name`` without the number at its end, and that number; None where there is none."""
    found = _NUMBERED.fullmatch(name) if len(name) <= LONGEST else None
    return (found[1], found[2]) if found else None


def ends(word: str) -> Iterator[tuple[str, str, str]]:
    """All that stands left and right of a separator within ``word``: left, separator, right."""
    for match in _SEPARATOR.finditer(word) if len(word) <= LONGEST else ():
        if left := word[: match.start()]:
            yield left, match[0], word[match.end() :]


def expand(left: str, separator: str, right: str) -> list[str] | None:
    """The names from ``left`` to ``right``, a name with the same stem or the number alone.

    None where it is no range at all. Raises NotExpandable where it might be one: numbers of different width,
    backwards, too many of them, or a separator that may as well mean two single names.
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
            return None  # two names side by side
        high = last[1]
    elif len(high) > len(low) and separator in {"-", ".", "_"}:
        return None  # a date, a port, a serial number
    elif separator in {".", "_"}:
        if len(high) == len(low):
            raise NotExpandable
        return None
    return [stem + number for number in span(low, high)]


def span(low: str, high: str) -> list[str]:
    """The numbers from ``low`` to ``high``, as wide as they are. Raises NotExpandable."""
    if not (low.isascii() and high.isascii() and low.isdigit() and high.isdigit() and len(low) == len(high)):
        raise NotExpandable
    if len(low) > 18 or not 0 <= int(high) - int(low) < MOST:
        raise NotExpandable
    return [str(number).zfill(len(low)) for number in range(int(low), int(high) + 1)]


def alternatives(text: str) -> list[str] | None:
    """The numbers that stand between brackets: "1-5", "01..05", "01,02,07-09". None for a single one.

    Raises NotExpandable.
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
        if len(found) > MOST:
            raise NotExpandable
    return found
