"""The styles of the parts of a list, by name; each is computed by Textual once."""

from collections.abc import Callable
from typing import Any

from rich.style import Style
from textual.scroll_view import ScrollView

StyleLookup = Callable[[str], Style]
"""The style of a component class; of plain text for an empty name."""


class LineStyles(ScrollView):
    """A scrolling widget with the component classes of lists, and a cache of their styles."""

    DEFAULT_CSS = """
    LineStyles {
        & > .line--heading { text-style: bold; color: $foreground; }
        & > .line--title { color: $foreground; }
        & > .line--title-focus { color: $primary; text-style: bold; }
        & > .line--current { background: $cursor-line; }
        & > .line--cursor { color: $primary; text-style: bold; }
        & > .line--match { text-style: underline; }
        & > .line--quiet { color: $quiet; }
        & > .state--dim { color: $state-dim; }
        & > .state--blue { color: $state-blue; }
        & > .state--green { color: $state-green; }
        & > .state--red { color: $state-red; }
        & > .state--magenta { color: $state-magenta; }
        & > .state--maintenance { color: $maintenance; }
        & > .flag--on { color: $maintenance; text-style: bold; }
    }
    """
    COMPONENT_CLASSES = {
        "line--heading",
        "line--title",
        "line--title-focus",
        "line--current",
        "line--cursor",
        "line--match",
        "line--quiet",
        "state--dim",
        "state--blue",
        "state--green",
        "state--red",
        "state--magenta",
        "state--maintenance",
        "flag--on",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._styles: dict[str, Style] = {}

    @property
    def base_style(self) -> Style:
        """The style of plain text."""
        return self.style("")

    def style(self, name: str) -> Style:
        """The style of a component class; of plain text for an empty name."""
        style = self._styles.get(name)
        if style is None:
            style = self.get_component_rich_style(name) if name else self.rich_style
            self._styles[name] = style
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
