"""All that Pitstop uses of Textual's private API, under public names, each with its reason.

No other module touches a private name of Textual's. tests/terminal/test_textual_private.py fails when one of
them changes in a new version of Textual, and says which.
"""

import asyncio
import threading
from collections.abc import Iterable
from functools import lru_cache, partial
from typing import Any, TextIO

from rich.console import RenderableType
from textual import events
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual._styles_cache import StylesCache
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.binding import BindingsMap
from textual.dom import DOMNode
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.keys import _character_to_key
from textual.screen import Screen

__all__ = [
    "SYNC_END", "SYNC_START", "ChopsUpdate", "CompositorUpdate", "KeyParser", "LayoutUpdate", "TextualApp",
    "TextualDriver", "fix_colour_cache", "key_name", "modal_bindings",
]  # fmt: skip


class TextualApp(App[None]):
    """Textual's application with hooks for what it paints and for errors, which Textual keeps private."""

    # -- hooks, to be overridden

    def paint_update(self, update: CompositorUpdate) -> bool:
        """Paint an update of the screen. False leaves it to Textual, which writes it at once."""
        return False

    def batch_ended(self) -> None:
        """Called when updates that were held back may be written."""

    def handle_error(self, error: Exception) -> None:
        """Handle an exception that nothing caught. Textual prints a traceback with local variables."""
        super()._handle_exception(error)

    # -- what Textual knows

    @property
    def driver(self) -> Driver | None:
        """The driver of the terminal; None before the application runs."""
        return self._driver

    @property
    def event_loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop that the application runs in; to reach it from other threads."""
        return self._loop

    @property
    def in_batch(self) -> bool:
        """Whether updates are held back until the end of a batch."""
        return bool(self._batch_count)

    @property
    def can_synchronize(self) -> bool:
        """Whether the terminal shows what is between ``SYNC_START`` and ``SYNC_END`` at once."""
        return self._sync_available

    def abort(self, error: Exception | None = None) -> None:
        """Leave without a traceback; with an error, ``return_code`` becomes 1."""
        if error is not None:
            self._return_code = 1
            if self._exception is None:  # what a test of the application raises
                self._exception = error
                self._exception_event.set()
        self._close_messages_no_wait()

    # -- Textual's names of the hooks

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if not (isinstance(renderable, CompositorUpdate) and self.paint_update(renderable)):
            super()._display(screen, renderable)

    def _end_batch(self) -> None:
        super()._end_batch()
        self.batch_ended()

    def _handle_exception(self, error: Exception) -> None:
        self.handle_error(error)

    def _load_screen_css(self, screen: Screen[Any]) -> None:
        """Load the style sheet of a new screen, and prepare it so that it is styled and laid out once.

        Textual parses all style sheets twice more for the first screen of a mode, and adds the classes of the
        terminal's size after the first layout.
        """
        super()._load_screen_css(screen)
        screen._css_update_count = self._css_update_count
        width, height = self.size
        for size, own, default in (
            (width, screen.HORIZONTAL_BREAKPOINTS, self.HORIZONTAL_BREAKPOINTS),
            (height, screen.VERTICAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS),
        ):
            screen.add_class(
                *screen._get_breakpoint_classes(size, default or [] if own is None else own), update=False
            )


class TextualDriver(LinuxDriver):
    """Textual's driver with hooks for the signals of job control and for the size of the terminal."""

    # -- hooks, to be overridden

    def terminal_size(self) -> tuple[int, int]:
        """Columns and lines. Textual prefers COLUMNS and LINES, which a resize leaves as they are."""
        return super()._get_terminal_size()

    def stop_signalled(self) -> None:
        """Handle SIGTSTP; called in the signal handler, so in the middle of anything."""

    def continue_signalled(self) -> None:
        """Handle SIGCONT; called in the signal handler, so in the middle of anything."""

    # -- what Textual knows

    @property
    def application(self) -> App[Any]:
        """The application that this is the driver of."""
        return self._app

    @property
    def file(self) -> TextIO | None:
        """Where the terminal is written to."""
        return self._file

    @property
    def event_loop(self) -> asyncio.AbstractEventLoop:
        """The loop that the application runs in."""
        return self._loop

    @property
    def debug(self) -> bool:
        """Whether Textual logs what it reads."""
        return self._debug

    @property
    def reads_keys(self) -> bool:
        """Whether the input thread runs: the terminal is in application mode."""
        thread: threading.Thread | None = self._key_thread
        return thread is not None and thread.is_alive()

    # -- Textual's names of the hooks

    def _get_terminal_size(self) -> tuple[int, int]:
        return self.terminal_size()

    def _sigtstp_application(self, *_: object) -> None:
        self.stop_signalled()

    def _sigcont_application(self, *_: object) -> None:
        self.continue_signalled()


class KeyParser(XTermParser):
    """Textual's parser of terminal input with a hook for sequences: its own loses alt with most keys."""

    def keys_of(self, sequence: str) -> Iterable[events.Key]:
        """The keys that a sequence stands for."""
        return super()._sequence_to_key_events(sequence)

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        return self.keys_of(sequence)


def modal_bindings(screen: Screen[Any]) -> list[tuple[DOMNode, BindingsMap]]:
    """The bindings that keys reach while ``screen`` is on top; the public chain goes on below a dialog."""
    return screen._modal_binding_chain


def key_name(character: str) -> str:
    """Textual's name of the key that types ``character``, e.g. ``question_mark``."""
    return _character_to_key(character)


def fix_colour_cache() -> None:
    """Make Textual's cache of border colours keep colours only.

    Its key includes the widget's cache of styles, so that it keeps the last 1,024 widgets that were closed
    (Textualize/textual#6665). Does nothing where Textual has fixed that.
    """
    cached = getattr(StylesCache.get_inner_outer, "__wrapped__", None)
    if cached is not None:
        colours = lru_cache(1024)(partial(cached, StylesCache))
        StylesCache.get_inner_outer = lambda _, *key: colours(*key)  # type: ignore[method-assign, assignment]
