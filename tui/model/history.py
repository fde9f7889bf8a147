"""The history of a line of text, browsed with up and down."""

from collections.abc import Iterable

MAX_LINES = 100


class History:
    """Distinct lines, the newest last. The unfinished line is kept while they are browsed."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self.lines: list[str] = list(lines)[-MAX_LINES:]
        self._at = len(self.lines)
        self._draft = ""

    def add(self, line: str) -> None:
        """Append ``line`` as the newest, and stop browsing."""
        line = line.strip()
        if line:
            self.lines = [*(other for other in self.lines if other != line), line][-MAX_LINES:]
        self._at, self._draft = len(self.lines), ""

    def older(self, current: str) -> str:
        """Return the line before the current one, or ``current`` where there is none."""
        if self._at == len(self.lines):
            self._draft = current
        if self._at == 0:
            return current
        self._at -= 1
        return self.lines[self._at]

    def newer(self, current: str) -> str:
        """Return the line after the current one; after the newest comes the unfinished line."""
        if self._at >= len(self.lines):
            return current
        self._at += 1
        return self._draft if self._at == len(self.lines) else self.lines[self._at]
