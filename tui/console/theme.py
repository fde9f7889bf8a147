"""Colours, and what replaces signs on a terminal with ASCII only.

Every colour has one meaning: blue is work under way, green done, red refused or failed, magenta unsure,
amber maintenance. They differ also with 256 and 16 colours, and no meaning rests on colour alone: a text
and a sign come first.
"""

from functools import lru_cache
from pathlib import Path

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import Theme

from tui.cells import cell_width

FOREGROUND = "#d0d0d0"
QUIET = "#8a8a8a"
BLUE = "#5fafff"
GREEN = "#5fd787"
RED = "#ff5f5f"
MAGENTA = "#d787ff"
CURSOR_LINE = "#3a3a3a"
MAINTENANCE = "#ffaf00"
"""Amber: maintenance itself, and nothing else."""

THEME = Theme(
    name="pitstop",
    primary=BLUE,
    secondary="#5f87af",
    accent=BLUE,
    warning=BLUE,
    error=RED,
    success=GREEN,
    foreground=FOREGROUND,
    background="#121212",
    surface="#1c1c1c",
    panel="#262626",
    dark=True,
    variables={
        "state-dim": QUIET,
        "state-blue": BLUE,
        "state-green": GREEN,
        "state-red": RED,
        "state-magenta": MAGENTA,
        "maintenance": MAINTENANCE,
        "quiet": QUIET,
        "rule": "#4e4e4e",
        "cursor-line": CURSOR_LINE,
        "block-cursor-background": BLUE,
        "block-cursor-foreground": "#121212",
        "block-cursor-text-style": "none",
        "input-selection-background": "#5f87af 50%",
        "scrollbar": "#4e4e4e",
        "scrollbar-hover": "#6c6c6c",
        "scrollbar-active": "#8a8a8a",
        "scrollbar-background": "#1c1c1c",
        "scrollbar-background-hover": "#1c1c1c",
        "scrollbar-background-active": "#1c1c1c",
        "scrollbar-corner-color": "#1c1c1c",
    },
)

_ASCII = str.maketrans(
    {
        # States, as the model's STATE_STYLES spells them.
        "·": ".", "→": ">", "…": "~", "▸": "*", "◌": "o", "◔": "@", "✓": "+", "⊘": "/", "✗": "x", "–": "-",
        # Everything else that is drawn.
        "●": "*", "○": "o", "▾": "v", "▼": "v", "▲": "^", "▶": ">", "◀": "<", "►": ">", "◂": "<",
        "↑": "^", "↓": "v", "←": "<", "↵": "<", "⏎": "<", "×": "x", "≥": ">", "≤": "<", "—": "-",
        "’": "'", "‘": "'", "“": '"', "”": '"', "•": "*",
        "─": "-", "━": "-", "═": "=", "│": "|", "┃": "|", "╎": "|", "▏": "|", "▕": "|", "▎": "|", "▌": "|",
        "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "+", "┬": "+", "┴": "+", "┼": "+",
        "╭": "+", "╮": "+", "╰": "+", "╯": "+", "╸": "-", "╺": "-", "╾": "-", "╼": "-",
        "█": "#", "▉": "#", "▊": "#", "▋": "#", "▓": "x", "▒": "+", "░": ".",
        "▁": " ", "▂": " ", "▃": " ", "▄": " ", "▅": " ", "▆": " ", "▇": " ", "▀": " ", "▔": " ", "▐": " ",
        "\N{NO-BREAK SPACE}": " ",
    }
)  # fmt: skip


@lru_cache(4096)
def to_ascii(text: str) -> str:
    """``text`` in ASCII, of the same width; characters without a replacement become question marks."""
    text = text.translate(_ASCII)
    if text.isascii():
        return text
    return "".join(char if char.isascii() else "?" * cell_width(char) for char in text)


class AsciiFilter(LineFilter):
    """Replaces everything beyond ASCII in what is drawn."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Textual: the segments in ASCII."""
        return [
            segment
            if segment.text.isascii()
            else Segment(to_ascii(segment.text), segment.style, segment.control)
            for segment in segments
        ]


def styles(name: str) -> Path:
    """The path of a style sheet: inside an installed package, else beside it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "styles"
    return (inside if inside.is_dir() else package.parent / "styles") / name
