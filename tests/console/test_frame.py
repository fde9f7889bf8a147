"""Frames are written to the terminal as differences: all that changed, and nothing else."""

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


def new_frame() -> Frame:
    return Frame(Console(color_system="truecolor", force_terminal=True))


def make_strip(*parts: tuple[str, Style | None], width: int = WIDTH) -> Strip:
    return Strip([Segment(*part) for part in parts]).adjust_cell_length(width)


def full_update(*lines: Strip) -> LayoutUpdate:
    return LayoutUpdate([[line] for line in lines], Region(0, 0, WIDTH, len(lines)))


def partial_update(line: Strip, y: int, left: int, right: int) -> ChopsUpdate:
    """An update of one line from ``left`` up to ``right``."""
    chops: list[dict[int, Strip | None]] = [{0: None, left: None, right: None} for _ in range(HEIGHT)]
    chops[y][left] = line
    return ChopsUpdate(chops, [(y, left, right)], [[left, right, WIDTH]] * HEIGHT)


def output(frame: Frame, cursor: tuple[int, int] = (0, 0)) -> str:
    return "".join(frame.difference(Offset(*cursor)))


def test_an_unchanged_frame_writes_nothing() -> None:
    frame = new_frame()
    lines = [make_strip((f"line {y}", STYLES[1])) for y in range(HEIGHT)]
    frame.paint(full_update(*lines))
    assert "line 3" in output(frame)
    frame.paint(full_update(*lines))
    assert output(frame) == ""


def test_only_changed_cells_are_written() -> None:
    frame = new_frame()
    frame.paint(full_update(*[make_strip(("the cursor is here", None))] * HEIGHT))
    output(frame)
    frame.paint(partial_update(make_strip(("was", STYLES[1]), width=3), 2, 11, 14))
    assert output(frame) == "\x1b[3;12H\x1b[31mwas\x1b[0m\x1b[1;1H"
    assert output(frame, (3, 1)) == "\x1b[2;4H", "the cursor moved"


def test_text_painted_over_before_the_write_is_never_written() -> None:
    frame = new_frame()
    frame.paint(full_update(*[make_strip(("old", None))] * HEIGHT))
    frame.paint(full_update(*[make_strip(("new", None))] * HEIGHT))
    assert "old" not in output(frame)


def test_the_whole_frame_is_written_after_forget() -> None:
    frame = new_frame()
    frame.paint(full_update(*[make_strip(("same", None))] * HEIGHT))
    first = output(frame)
    frame.forget()
    assert output(frame) == first


def test_the_whole_frame_is_written_after_a_resize() -> None:
    frame = new_frame()
    frame.paint(full_update(*[make_strip(("same", None))] * HEIGHT))
    output(frame)
    frame.paint(full_update(*[make_strip(("same", None))] * (HEIGHT + 1)))
    assert output(frame).count("same") == HEIGHT + 1


@pytest.mark.parametrize("text", ["e\N{COMBINING ACUTE ACCENT}x", "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{ROCKET}"])
def test_joined_characters_are_written_in_one_piece(text: str) -> None:
    frame = new_frame()
    frame.paint(full_update(*[make_strip((text, None))] * HEIGHT))
    assert text in output(frame)
    frame.paint(full_update(*[make_strip((text, STYLES[1]))] * HEIGHT))
    assert text in output(frame)


@pytest.mark.parametrize("seed", range(8))
def test_successive_differences_give_the_same_screen_as_one_whole_frame(seed: int) -> None:
    rng = random.Random(seed)
    frame, screen = new_frame(), pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.Stream(screen)

    def any_strip(width: int) -> Strip:
        parts = [(rng.choice(WORDS), rng.choice(STYLES)) for _ in range(9)]
        return make_strip(*parts, width=width)

    frame.paint(full_update(*[any_strip(WIDTH) for _ in range(HEIGHT)]))
    for _ in range(60):
        left = rng.randrange(1, WIDTH - 1)
        right = rng.randrange(left + 1, WIDTH)
        frame.paint(partial_update(any_strip(right - left), rng.randrange(HEIGHT), left, right))
        if rng.random() < 0.7:
            stream.feed(output(frame))
    stream.feed(output(frame))
    fresh = pyte.Screen(WIDTH, HEIGHT)
    frame.forget()
    pyte.Stream(fresh).feed(output(frame))
    assert screen.display == fresh.display
    assert [dict(screen.buffer[y]) for y in range(HEIGHT)] == [dict(fresh.buffer[y]) for y in range(HEIGHT)]
