"""What lists look like: the styles of their parts by name, asked of Textual once."""

from typing import Any

from rich.style import Style
from textual.scroll_view import ScrollView


class Looks(ScrollView):
    """A widget whose parts have the looks that the theme gives them."""

    DEFAULT_CSS = """
    Looks {
        & > .line--heading { text-style: bold; color: $foreground; }
        & > .line--title { color: $foreground; }
        & > .line--title-focus { color: $primary; text-style: bold; }
        & > .line--here { background: $cursor-line; }
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
        "line--here",
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
    def base(self) -> Style:
        """The style of plain text."""
        return self.look("")

    def look(self, name: str) -> Style:
        """The style of a component class."""
        style = self._styles.get(name)
        if style is None:
            style = self.get_component_rich_style(name) if name else self.rich_style
            self._styles[name] = style
        return style

    @property
    def title_look(self) -> Style:
        """The style of the pane's title: bright where the keys go."""
        return self.look("line--title-focus" if self.has_focus else "line--title")

    @property
    def here(self) -> Style:
        """What the line under the cursor wears over its own style; turned round where greys do not show."""
        style = self._styles.get("here")
        if style is None:
            colours = not self.app.no_color and self.app.console.color_system in ("256", "truecolor")
            style = Style(bgcolor=self.look("line--here").bgcolor) if colours else Style(reverse=True)
            self._styles["here"] = style
        return style

    def notify_style_update(self) -> None:
        """Textual: the styles are not what they were."""
        super().notify_style_update()
        self._styles.clear()
