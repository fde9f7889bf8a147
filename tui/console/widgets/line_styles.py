"""The styles of the parts of a list, by name; each is computed once."""

from collections.abc import Callable
from typing import Any

from rich.style import Style
from textual.scroll_view import ScrollView

from tui.console.theme import BLUE, CURSOR_LINE, FOREGROUND, GREEN, MAGENTA, MAINTENANCE, QUIET, RED

StyleLookup = Callable[[str], Style]
"""The style of a part of a list; of plain text for an empty name."""

PARTS = {
    "line--heading": Style(color=FOREGROUND, bold=True),
    "line--title": Style(color=FOREGROUND),
    "line--title-focus": Style(color=BLUE, bold=True),
    "line--current": Style(bgcolor=CURSOR_LINE),
    "line--cursor": Style(color=BLUE, bold=True),
    "line--match": Style(underline=True),
    "line--quiet": Style(color=QUIET),
    "state--dim": Style(color=QUIET),
    "state--blue": Style(color=BLUE),
    "state--green": Style(color=GREEN),
    "state--red": Style(color=RED),
    "state--magenta": Style(color=MAGENTA),
    "state--maintenance": Style(color=MAINTENANCE),
    "flag--on": Style(color=MAINTENANCE, bold=True),
}
"""Name of a part -> what is laid over the style of plain text.

Not component classes of the style sheet: Textual would match every rule against each of them, in each list,
whenever a list is mounted, focused or resized.
"""


class LineStyles(ScrollView):
    """A scrolling widget that has the styles of the parts of a list."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._styles: dict[str, Style] = {}

    @property
    def base_style(self) -> Style:
        """The style of plain text."""
        return self.style("")

    def style(self, name: str) -> Style:
        """The style of a part of a list; of plain text for an empty name."""
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self.base_style + PARTS[name] if name else self.rich_style
        return style

    @property
    def title_style(self) -> Style:
        """The style of the pane's title: bright in the pane that has the focus."""
        return self.style("line--title-focus" if self.has_focus else "line--title")

    @property
    def cursor_line_style(self) -> Style:
        """What is laid over the style of the line under the cursor: grey, or reverse without 256 colours."""
        style = self._styles.get("cursor line")
        if style is None:
            colours = not self.app.no_color and self.app.console.color_system in ("256", "truecolor")
            style = Style(bgcolor=self.style("line--current").bgcolor) if colours else Style(reverse=True)
            self._styles["cursor line"] = style
        return style

    def notify_style_update(self) -> None:
        """Textual: the styles changed."""
        super().notify_style_update()
        self._styles.clear()
