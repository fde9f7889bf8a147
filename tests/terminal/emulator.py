"""A terminal emulator: takes bytes, and keeps cells and modes.

pyte draws the cells. Everything it does not know (synchronised output, the kitty keyboard, queries, the
clipboard, the alternate screen) is removed before pyte sees it and recorded here for the tests.
"""

import base64
import codecs
import re
from typing import NamedTuple

import pyte
from pyte.screens import Char

_SEQUENCE = re.compile(
    r"\x1b(?:"
    r"\[(?P<csi>[0-?]*[ -/]*[@-~])"
    r"|\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|[PX^_](?P<dcs>[^\x1b]*)\x1b\\"
    r"|(?P<esc>[ -/]*[0-OQ-WYZ\\`a-~])"
    r")"
)
_ALTERNATE = {"47", "1047", "1049"}
_DRAWING = {"5", "6", "7", "25"}
"""Private modes that pyte implements itself."""
_QUERY = re.compile(r"\??[0-9;]*\$p|[>=]?[0-9;]*[cq]|\??[0-9;]*[nu]|[0-9;]*t")


class Cell(NamedTuple):
    """One character as drawn, with its colours as pyte names them (``default``, a name, or ``rrggbb``)."""

    text: str
    foreground: str
    background: str
    bold: bool
    reverse: bool
    underline: bool


class Emulator:
    """The cells and the modes of a terminal of ``columns`` x ``rows``."""

    def __init__(self, columns: int, rows: int) -> None:
        self.main = pyte.Screen(columns, rows)
        """The normal screen, which shows the shell and what programs print."""
        self.alternate = pyte.Screen(columns, rows)
        self._streams = {id(screen): pyte.Stream(screen) for screen in (self.main, self.alternate)}
        self.shown = self.main
        self.modes: set[int] = set()
        """Private modes that are on (``ESC [ ? N h``), beside those on in every terminal (7 and 25)."""
        self.hidden_cursor = False
        self.keyboard_depth = 0
        """How many kitty keyboard modes are pushed."""
        self.queries: list[str] = []
        """Queries that the program sent to the terminal. None is answered, as by a plain terminal."""
        self.copied: list[str] = []
        """Text put on the clipboard with OSC 52."""
        self.unknown: list[str] = []
        """Control strings that are none of the above (DCS, APC, odd OSC)."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._incomplete = ""

    def feed(self, data: bytes) -> None:
        """Process output of the program; sequences may be split anywhere."""
        text = self._incomplete + self._decoder.decode(data)
        self._incomplete = ""
        position = 0
        while (start := text.find("\x1b", position)) >= 0:
            self._draw(text[position:start])
            found = _SEQUENCE.match(text, start)
            if found is None:
                self._incomplete = text[start:]
                return
            self._sequence(found)
            position = found.end()
        self._draw(text[position:])

    def resize(self, columns: int, rows: int) -> None:
        """Change the size, as a window manager would."""
        for screen in (self.main, self.alternate):
            screen.resize(rows, columns)

    def lines(self) -> list[str]:
        """The screen now shown, without trailing blanks."""
        # A wide character's second cell is empty, so the texts of a row's cells are the row.
        columns = range(self.shown.columns)
        rows = (self.shown.buffer[row] for row in range(self.shown.lines))
        return ["".join([row[column].data for column in columns]).rstrip() for row in rows]

    def cell(self, column: int, row: int) -> Cell:
        """The cell at ``column``, ``row``, both from 0."""
        char: Char = self.shown.buffer[row][column]
        return Cell(char.data, char.fg, char.bg, char.bold, char.reverse, char.underscore)

    def unrestored_modes(self) -> set[str]:
        """Modes that a program switched on and did not switch off before it ended."""
        modes = {f"mode {mode}" for mode in self.modes}
        if self.hidden_cursor:
            modes.add("hidden cursor")
        if self.keyboard_depth > 0:
            modes.add("kitty keyboard")
        if self.shown is self.alternate:
            modes.add("alternate screen")
        return modes

    def _draw(self, text: str) -> None:
        if text:
            self._streams[id(self.shown)].feed(text)

    def _sequence(self, found: re.Match[str]) -> None:
        csi, osc, dcs = found["csi"], found["osc"], found["dcs"]
        if csi is not None:
            self._csi(csi)
        elif osc is not None:
            kind, _, rest = osc.partition(";")
            if kind == "52":
                self.copied.append(base64.b64decode(rest.partition(";")[2]).decode())
            elif kind not in {"0", "1", "2", "8"}:
                self.unknown.append(osc)
        elif dcs is not None:
            self.unknown.append(dcs)
        elif found["esc"] not in {"=", ">", "\\"}:
            self._draw(found[0])

    def _csi(self, csi: str) -> None:
        if csi.startswith("?") and csi[-1] in "hl":
            for mode in csi[1:-1].split(";"):
                self._private_mode(mode, on=csi[-1] == "h")
        elif re.fullmatch(r">[0-9;]*u", csi):
            self.keyboard_depth += 1
        elif re.fullmatch(r"<[0-9]*u", csi):
            self.keyboard_depth -= int(csi[1:-1] or 1)
        elif _QUERY.fullmatch(csi) and csi != "u":
            self.queries.append(csi)
        elif csi[0] not in "<=>" and ":" not in csi:
            self._draw(f"\x1b[{csi}")

    def _private_mode(self, mode: str, *, on: bool) -> None:
        if mode in _ALTERNATE:
            self.shown = self.alternate if on else self.main
            if on:
                self.alternate.reset()
        elif mode == "25":
            self.hidden_cursor = not on
        elif mode in _DRAWING:
            self._draw(f"\x1b[?{mode}{'h' if on else 'l'}")
        elif on:
            self.modes.add(int(mode))
        else:
            self.modes.discard(int(mode))
