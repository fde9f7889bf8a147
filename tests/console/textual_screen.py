"""What tests of the console read through Textual's private API: the screen, notifications, caches."""

import gc
from typing import Any

from textual._styles_cache import StylesCache
from textual.app import App
from textual.strip import Strip
from textual.widget import Widget


def screen_lines(app: App[Any]) -> list[Strip]:
    """The screen line by line, with all layers composed."""
    return app.screen._compositor.render_strips()


def is_visible(widget: Widget) -> bool:
    """Whether any cell of a widget is on the screen."""
    return widget in widget.screen._compositor.visible_widgets


def notifications(app: App[Any]) -> list[str]:
    """The texts of the notifications, oldest first."""
    return [notification.message for notification in app._notifications]


def caches_of_styles() -> int:
    """The number of style caches in memory: one for each widget that is not garbage-collected."""
    gc.collect()
    return sum(isinstance(one, StylesCache) for one in gc.get_objects())
