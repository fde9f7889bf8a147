"""What was typed before, to be gone through with up and down."""

from collections.abc import Iterable

_LONGEST = 100


class History:
    """Lines, the newest last, each once. What is being typed is kept while one goes through them."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self.lines: list[str] = list(lines)[-_LONGEST:]
        self._at = len(self.lines)
        self._draft = ""

    def add(self, line: str) -> None:
        """Remember ``line`` as the newest."""
        line = line.strip()
        if line:
            self.lines = [*(other for other in self.lines if other != line), line][-_LONGEST:]
        self._at, self._draft = len(self.lines), ""

    def older(self, current: str) -> str:
        """The line before the one shown; ``current`` itself where there is none."""
        if self._at == len(self.lines):
            self._draft = current
        if self._at == 0:
            return current
        self._at -= 1
        return self.lines[self._at]

    def newer(self, current: str) -> str:
        """The line after the one shown, at last what was being typed."""
        if self._at >= len(self.lines):
            return current
        self._at += 1
        return self._draft if self._at == len(self.lines) else self.lines[self._at]
