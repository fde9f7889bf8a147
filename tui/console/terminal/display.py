"""Textual's way to the terminal, one frame at a time: what is composed meanwhile is in the next, once."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import CompositorUpdate
from textual._styles_cache import StylesCache
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message_pump import MessagePump
from textual.screen import Screen

from tui.console.terminal.frame import Frame
from tui.console.terminal.output import Output

# Textual's cache of colours keeps what 1,024 widgets looked like that are long gone, for each is a part of
# its key (Textualize/textual#6665). The colours alone decide.
# Where Textual has mended that, nothing is done.
if hasattr(StylesCache.get_inner_outer, "__wrapped__"):
    _colours = lru_cache(1024)(partial(StylesCache.get_inner_outer.__wrapped__, StylesCache))
    StylesCache.get_inner_outer = lambda _, *colours: _colours(*colours)  # type: ignore[method-assign, assignment]


class DisplayDriver(LinuxDriver):
    """Textual's driver, writing through ``Output``.

    The writer thread that Textual starts gets nothing to write: its queue blocks the event loop when
    the terminal stands still.
    """

    if TYPE_CHECKING:
        _app: "DisplayApp"

    output: Output | None = None
    """While the terminal is ours."""
    _stopping = False
    _continued = False

    def _get_terminal_size(self) -> tuple[int, int]:
        """The terminal's own word, whatever COLUMNS and LINES say."""
        width = height = 0
        if self._file is not None:
            with contextlib.suppress(OSError):
                width, height = os.get_terminal_size(self._file.fileno())
        return width or 80, height or 24

    def write(self, data: str) -> None:
        """Write control sequences."""
        if self.output is not None:
            self.output.write(data)

    def start_application_mode(self) -> None:
        """Take the terminal; whatever it shows, it gets all of the screen."""
        if self.output is None and self._file is not None:
            self.output = Output(self._file)
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._app.draw_all()

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was."""
        if self.output is not None:
            self.output.drop_frames()
            self.output.write(SYNC_END)
        super().stop_application_mode()

    def close(self) -> None:
        """Write what restores the terminal, and end the writing."""
        super().close()
        if self.output is not None:
            self.output.stop()
            self.output = None

    def suspend(self) -> bool:
        """Give the terminal back and stop with the whole job, as ctrl+z has any program do, until SIGCONT.

        False when the system did not stop it: no shell with job control would ever have it go on.
        """
        self._stopping, self._continued = True, False
        if self._owns_terminal:
            self.suspend_application_mode()
        ours = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.killpg(0, signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, ours)
        self._stopping = False
        self._resume()
        return self._continued

    @property
    def _owns_terminal(self) -> bool:
        return self._key_thread is not None and self._key_thread.is_alive()

    def _resume(self) -> None:
        """Take the terminal again, also when it was not given back: after SIGSTOP another had it."""
        if not self._app.is_running:
            return
        before = self.attrs_before
        owned = self._owns_terminal
        if owned:
            self.write("\x1b[<u")
            self.disable_input()
        self.start_application_mode()
        if owned:
            self.attrs_before = before

    # Textual's handlers of signals work where they interrupt it: in the middle of anything.

    def _sigtstp_application(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self.suspend)

    def _sigcont_application(self, *_: object) -> None:
        self._continued = True
        if not self._stopping:
            self._loop.call_soon_threadsafe(self._resume)


def when_shown(node: MessagePump, callback: Callable[[], None]) -> None:
    """Call ``callback`` when the terminal has taken what ``node`` looks like after its next refresh."""
    app = node.app
    node.call_after_refresh(app.when_written if isinstance(app, DisplayApp) else _at_once, callback)


def _at_once(callback: Callable[[], None]) -> None:
    callback()


class DisplayApp(App[None]):
    """An application whose terminal gets one frame at a time, however slow it is.

    What is composed while a frame is under way is painted over what is not written yet, so nothing
    queues up and the last state is always drawn. Only what differs from what the terminal shows is written.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._frame = Frame(self.console)
        # Each painted update has a number; a frame has that of the newest update in it.
        self._painted = self._sent = self._written = 0
        self._send_handle: asyncio.Handle | None = None
        self._when_written: list[tuple[int, Callable[[], None]]] = []

    def when_written(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` in the event loop when the terminal has taken all that is composed by now.

        That is what this host knows: beyond it, the terminal may be at the end of a long line.
        """
        if self._written == self._painted:
            asyncio.get_running_loop().call_soon(callback)
        else:
            self._when_written.append((self._painted, callback))

    def action_suspend(self) -> None:
        """Stop as a job of the shell; ``fg`` goes on."""
        if isinstance(self._driver, DisplayDriver) and not self._driver.suspend():
            self.notify("no shell that could have pitstop go on waits for it", markup=False)

    def draw_all(self) -> None:
        """Write the whole screen: the terminal may show anything."""
        if self._painted:
            self._frame.forget()
            self._sent = self._written  # what was under way to it is lost
            self._painted += 1
            self._send_soon()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if isinstance(renderable, CompositorUpdate) and isinstance(self._driver, DisplayDriver):
            self._frame.paint(renderable)
            self._painted += 1
            self._send_soon()
            self.post_display_hook()
        else:
            super()._display(screen, renderable)

    def _end_batch(self) -> None:
        super()._end_batch()
        self._send_soon()

    def _send_soon(self) -> None:
        if self._send_handle is None and self._painted != self._sent:
            self._send_handle = asyncio.get_running_loop().call_soon(self._send)

    def _send(self) -> None:
        """Write the frame, unless one is under way: then it is written when that has been."""
        self._send_handle = None
        driver = self._driver
        if not isinstance(driver, DisplayDriver) or driver.output is None:
            return
        if self._batch_count or self._sent != self._written or self._painted == self._sent:
            return
        number = self._sent = self._painted
        loop = asyncio.get_running_loop()

        def written() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._frame_written, number)

        sequences = self._frame.difference(self.screen.outer_size.clamp_offset(self.cursor_position))
        if not sequences:
            self._frame_written(number)
        elif self._sync_available:
            driver.output.write_frame([SYNC_START, *sequences, SYNC_END], written)
        else:
            driver.output.write_frame(sequences, written)

    def _frame_written(self, number: int) -> None:
        if number != self._sent:
            return  # the terminal was given away meanwhile
        self._written = number
        heard, self._when_written = self._when_written, []
        for painted, callback in heard:
            if painted <= number:
                callback()
            else:
                self._when_written.append((painted, callback))
        self._send_soon()
