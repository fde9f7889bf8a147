"""Texts that attack a terminal, a reader or a spreadsheet; and a check for what of them got through."""

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
"""Name -> payload. Each must stay plain text, wherever it comes from and wherever it is written."""

_OURS = re.compile(
    "\x1b(?:"
    "\\[[0-9;:]*m"  # colours
    "|\\[[0-9;]*[HKJ]"  # cursor position, erase
    "|\\[\\?[0-9;]+(?:[hl]|\\$p)"  # modes: on, off, and the query for one
    "|\\[[<>=]?[0-9]*[cut]"  # keyboard modes and window operations
    "|\\[[0-9 ]* q"  # the cursor's shape
    "|\\]22;[a-z-]*\x07"  # the mouse pointer's
    ")"
)
"""The control sequences that Textual and Pitstop write. None sets a title or the clipboard, makes a link or
requests the cursor's position."""


def unsafe_characters(text: str, *, lines: str = "\n") -> set[str]:
    """Characters of ``text`` that control a terminal or deceive a reader, outside Pitstop's own sequences.

    ``lines`` are the control characters that separate lines and cells.
    """
    rest = _OURS.sub("", text)
    return {
        f"{char!a} after {rest[max(0, index - 12) : index]!a}"
        for index, char in enumerate(rest)
        if char not in lines and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    }
