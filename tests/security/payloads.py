"""Texts that mean something to a terminal, an eye or a spreadsheet; and how to find what got through."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

PAYLOADS: Mapping[str, str] = {
    "colour": "\x1b[31;5m",
    "clear": "\x1b[2J\x1b[H",
    "title": "\x1b]0;OWNED\x07",
    "clipboard": "\x1b]52;c;T1dORUQ=\x1b\\",
    "link": "\x1b]8;;http://evil.invalid\x1b\\here\x1b]8;;\x1b\\",
    "device-string": "\x1bP$qm\x1b\\",
    "reset": "\x1bc",
    "report": "\x1b[6n\x1b[c",
    "paste-end": "\x1b[201~",
    "eight-bit": "\x9b31m\x9d0;OWNED\x9c\x90q\x9c",
    "backspace": "good\b\b\b\bevil",
    "overwrite": "good\revil\n\x0b\x0clines\x85\u2028\u2029",
    "bell-and-nul": "\x07\x00\x7f\x0e\x0f",
    "override": "gpj\u202egnp.exe\u202c",
    "isolate": "\u2066a\u2067b\u2068c\u2069",
    "invisible": "pay\u200bpal\u2060\ufeff\u00ad\U000e0041",
    "half-a-character": "\ud800x\udfff",
    "markup": "[bold red]OWNED[/bold red][@click=app.quit]go[/] [/] [link=http://evil.invalid]x[/link]",
    "rich": ":smile: [on red] \\[x] [#ff0000]",
    "formula": '=HYPERLINK("http://evil.invalid","x")',
    "wide": "東京" * 30 + "e" + "\u0301" * 50,
}
"""By name. None of them may be more than text, wherever it comes from and wherever it goes."""

_OURS = re.compile(
    "\x1b(?:"
    "\\[[0-9;:]*m"  # colours
    "|\\[[0-9;]*[HKJ]"  # where to write, what to erase
    "|\\[\\?[0-9;]+(?:[hl]|\\$p)"  # modes, on, off, and the question whether there is one
    "|\\[[<>=]?[0-9]*[cut]"  # kinds of keys and of window
    "|\\[[0-9 ]* q"  # the cursor's shape
    "|\\]22;[a-z-]*\x07"  # the mouse pointer's
    ")"
)
"""What Textual and Pitstop write to act on the terminal, and no more: no title, no clipboard, no link, no
report of the cursor."""


def acting(text: str, *, lines: str = "\n") -> set[str]:
    """What in ``text`` a terminal would act on or an eye be deceived by, besides Pitstop's own sequences.

    ``lines`` are the control characters that part lines and cells.
    """
    rest = _OURS.sub("", text)
    return {
        f"{char!a} after {rest[max(0, index - 12) : index]!a}"
        for index, char in enumerate(rest)
        if char not in lines and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    }
