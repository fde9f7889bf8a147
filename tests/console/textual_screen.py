"""What tests of the console read of Textual's private API: what is on the screen, and what is kept of it."""

import gc
from typing import Any

from textual._styles_cache import StylesCache
from textual.app import App
from textual.strip import Strip
from textual.widget import Widget


def screen_lines(app: App[Any]) -> list[Strip]:
    """The screen line by line, with everything that is on top of something else."""
    return app.screen._compositor.render_strips()


def is_visible(widget: Widget) -> bool:
    """Whether any cell of a widget is on the screen."""
    return widget in widget.screen._compositor.visible_widgets


def notifications(app: App[Any]) -> list[str]:
    """The passing messages, oldest first."""
    return [notification.message for notification in app._notifications]


def caches_of_styles() -> int:
    """How many caches of a widget's styles there are: one for each widget that is not collected."""
    gc.collect()
    return sum(isinstance(one, StylesCache) for one in gc.get_objects())
