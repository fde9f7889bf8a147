"""What is written of a frame: no more than what changed, and never less."""

import random

import pyte
import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset, Region
from textual.strip import Strip

from tui.console.terminal.frame import Frame
from tui.console.terminal.textual_private import ChopsUpdate, LayoutUpdate

WIDTH, HEIGHT = 30, 4
STYLES = (None, Style.parse("red"), Style.parse("bold on blue"))
WORDS = ("a", "pitstop", " ", "名前", "✓", "─┐", "          ")


def frame() -> Frame:
    return Frame(Console(color_system="truecolor", force_terminal=True))


def strip(*parts: tuple[str, Style | None], width: int = WIDTH) -> Strip:
    return Strip([Segment(*part) for part in parts]).adjust_cell_length(width)


def whole(*lines: Strip) -> LayoutUpdate:
    return LayoutUpdate([[line] for line in lines], Region(0, 0, WIDTH, len(lines)))


def part(line: Strip, y: int, left: int, right: int) -> ChopsUpdate:
    """An update of one line from ``left`` up to ``right``."""
    chops: list[dict[int, Strip | None]] = [{0: None, left: None, right: None} for _ in range(HEIGHT)]
    chops[y][left] = line
    return ChopsUpdate(chops, [(y, left, right)], [[left, right, WIDTH]] * HEIGHT)


def written(frame: Frame, cursor: tuple[int, int] = (0, 0)) -> str:
    return "".join(frame.difference(Offset(*cursor)))


def test_what_is_shown_already_is_not_written() -> None:
    one = frame()
    lines = [strip((f"line {y}", STYLES[1])) for y in range(HEIGHT)]
    one.paint(whole(*lines))
    assert "line 3" in written(one)
    one.paint(whole(*lines))
    assert written(one) == ""


def test_only_what_changed_is_written() -> None:
    one = frame()
    one.paint(whole(*[strip(("the cursor is here", None))] * HEIGHT))
    written(one)
    one.paint(part(strip(("was", STYLES[1]), width=3), 2, 11, 14))
    assert written(one) == "\x1b[3;12H\x1b[31mwas\x1b[0m\x1b[1;1H"
    assert written(one, (3, 1)) == "\x1b[2;4H", "the cursor moved"


def test_what_is_painted_over_before_it_was_written_is_never_written() -> None:
    one = frame()
    one.paint(whole(*[strip(("old", None))] * HEIGHT))
    one.paint(whole(*[strip(("new", None))] * HEIGHT))
    assert "old" not in written(one)


def test_a_forgotten_screen_is_written_whole() -> None:
    one = frame()
    one.paint(whole(*[strip(("same", None))] * HEIGHT))
    first = written(one)
    one.forget()
    assert written(one) == first


def test_another_size_is_written_whole() -> None:
    one = frame()
    one.paint(whole(*[strip(("same", None))] * HEIGHT))
    written(one)
    one.paint(whole(*[strip(("same", None))] * (HEIGHT + 1)))
    assert written(one).count("same") == HEIGHT + 1


@pytest.mark.parametrize("text", ["e\N{COMBINING ACUTE ACCENT}x", "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{ROCKET}"])
def test_joined_characters_are_written_in_one_piece(text: str) -> None:
    one = frame()
    one.paint(whole(*[strip((text, None))] * HEIGHT))
    assert text in written(one)
    one.paint(whole(*[strip((text, STYLES[1]))] * HEIGHT))
    assert text in written(one)


@pytest.mark.parametrize("seed", range(8))
def test_differences_lead_to_the_same_screen(seed: int) -> None:
    """Many changes written one after the other leave what one whole frame does."""
    chance = random.Random(seed)
    one, screen = frame(), pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.Stream(screen)

    def any_strip(width: int) -> Strip:
        parts = [(chance.choice(WORDS), chance.choice(STYLES)) for _ in range(9)]
        return strip(*parts, width=width)

    one.paint(whole(*[any_strip(WIDTH) for _ in range(HEIGHT)]))
    for _ in range(60):
        left = chance.randrange(1, WIDTH - 1)
        right = chance.randrange(left + 1, WIDTH)
        one.paint(part(any_strip(right - left), chance.randrange(HEIGHT), left, right))
        if chance.random() < 0.7:
            stream.feed(written(one))
    stream.feed(written(one))
    fresh = pyte.Screen(WIDTH, HEIGHT)
    one.forget()
    pyte.Stream(fresh).feed(written(one))
    assert screen.display == fresh.display
    assert [dict(screen.buffer[y]) for y in range(HEIGHT)] == [dict(fresh.buffer[y]) for y in range(HEIGHT)]
