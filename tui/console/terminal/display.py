"""Textual's way to the terminal, one frame at a time: what is composed meanwhile is in the next, once."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from typing import Any, cast

from textual.message_pump import MessagePump

from tui.console.terminal.frame import Frame
from tui.console.terminal.output import Output
from tui.console.terminal.textual_private import (
    SYNC_END,
    SYNC_START,
    CompositorUpdate,
    TextualApp,
    TextualDriver,
    fix_colour_cache,
)


class DisplayDriver(TextualDriver):
    """Textual's driver, writing through ``Output``.

    The writer thread that Textual starts gets nothing to write: its queue blocks the event loop when
    the terminal stands still.
    """

    output: Output | None = None
    """While the terminal is ours."""
    _stopping = False
    _continued = False

    @property
    def _display_app(self) -> "DisplayApp":
        return cast(DisplayApp, self.application)

    def terminal_size(self) -> tuple[int, int]:
        """Columns and lines as the terminal reports them, whatever COLUMNS and LINES say."""
        width = height = 0
        if self.file is not None:
            with contextlib.suppress(OSError):
                width, height = os.get_terminal_size(self.file.fileno())
        return width or 80, height or 24

    def write(self, data: str) -> None:
        """Write control sequences."""
        if self.output is not None:
            self.output.write(data)

    def start_application_mode(self) -> None:
        """Take over the terminal and draw the whole screen on it."""
        if self.output is None and self.file is not None:
            self.output = Output(self.file)
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._display_app.draw_all()

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
        if self.reads_keys:
            self.suspend_application_mode()
        ours = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.killpg(0, signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, ours)
        self._stopping = False
        self._resume()
        return self._continued

    def _resume(self) -> None:
        """Take the terminal again, also when it was not given back: after SIGSTOP another had it."""
        if not self.application.is_running:
            return
        before = self.attrs_before
        owned = self.reads_keys
        if owned:
            self.write("\x1b[<u")
            self.disable_input()
        self.start_application_mode()
        if owned:
            self.attrs_before = before

    def stop_signalled(self) -> None:
        """Suspend, when the event loop is at it: Textual would at once."""
        self.event_loop.call_soon_threadsafe(self.suspend)

    def continue_signalled(self) -> None:
        """Take the terminal again, when the event loop is at it, unless ``suspend`` does."""
        self._continued = True
        if not self._stopping:
            self.event_loop.call_soon_threadsafe(self._resume)


def when_shown(node: MessagePump, callback: Callable[[], None]) -> None:
    """Call ``callback`` when the terminal has taken what ``node`` looks like after its next refresh."""
    app = node.app
    node.call_after_refresh(app.when_written if isinstance(app, DisplayApp) else _at_once, callback)


def _at_once(callback: Callable[[], None]) -> None:
    callback()


class DisplayApp(TextualApp):
    """An application whose terminal gets one frame at a time, however slow it is.

    What is composed while a frame is under way is painted over what is not written yet, so nothing
    queues up and the last state is always drawn. Only what differs from what the terminal shows is written.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        fix_colour_cache()
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
        if isinstance(self.driver, DisplayDriver) and not self.driver.suspend():
            self.notify("no shell that could have pitstop go on waits for it", markup=False)

    def draw_all(self) -> None:
        """Write the whole screen: the terminal may show anything."""
        if self._painted:
            self._frame.forget()
            self._sent = self._written  # what was under way to it is lost
            self._painted += 1
            self._send_soon()

    def paint_update(self, update: CompositorUpdate) -> bool:
        """Paint an update over the frame, and have the frame written."""
        if not isinstance(self.driver, DisplayDriver):
            return False
        self._frame.paint(update)
        self._painted += 1
        self._send_soon()
        self.post_display_hook()
        return True

    def batch_ended(self) -> None:
        """Write what was painted meanwhile."""
        self._send_soon()

    def _send_soon(self) -> None:
        if self._send_handle is None and self._painted != self._sent:
            self._send_handle = asyncio.get_running_loop().call_soon(self._send)

    def _send(self) -> None:
        """Write the frame, unless one is under way: then it is written when that has been."""
        self._send_handle = None
        driver = self.driver
        if not isinstance(driver, DisplayDriver) or driver.output is None:
            return
        if self.in_batch or self._sent != self._written or self._painted == self._sent:
            return
        number = self._sent = self._painted
        loop = asyncio.get_running_loop()

        def written() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._frame_written, number)

        sequences = self._frame.difference(self.screen.outer_size.clamp_offset(self.cursor_position))
        if not sequences:
            self._frame_written(number)
        elif self.can_synchronize:
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
