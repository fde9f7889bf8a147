"""Frames on the terminal, one at a time: all that Textual paints meanwhile is in the next one, once."""

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

    Textual's own writer thread gets nothing to write: its queue blocks the event loop when the terminal does
    not read.
    """

    output: Output | None = None
    """Set while the terminal is in application mode."""
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
        """Restore the terminal."""
        if self.output is not None:
            self.output.drop_frames()
            self.output.write(SYNC_END)
        super().stop_application_mode()

    def close(self) -> None:
        """Write the sequences that restore the terminal, and stop the output."""
        super().close()
        if self.output is not None:
            self.output.stop()
            self.output = None

    def suspend(self) -> bool:
        """Restore the terminal and stop the whole job until SIGCONT, as ctrl+z does with any program.

        Returns False when the system did not stop it: there is no shell with job control to continue it.
        """
        self._stopping, self._continued = True, False
        if self.reads_keys:
            self.suspend_application_mode()
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.killpg(0, signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, handler)
        self._stopping = False
        self._resume()
        return self._continued

    def _resume(self) -> None:
        """Enter application mode again, also after SIGSTOP, which stops the process without leaving it."""
        if not self.application.is_running:
            return
        before = self.attrs_before
        was_reading = self.reads_keys
        if was_reading:
            self.write("\x1b[<u")
            self.disable_input()
        self.start_application_mode()
        if was_reading:
            self.attrs_before = before

    def stop_signalled(self) -> None:
        """Suspend in the event loop; Textual does it in the signal handler."""
        self.event_loop.call_soon_threadsafe(self.suspend)

    def continue_signalled(self) -> None:
        """Take the terminal again in the event loop, unless ``suspend`` does."""
        self._continued = True
        if not self._stopping:
            self.event_loop.call_soon_threadsafe(self._resume)


def when_shown(node: MessagePump, callback: Callable[[], None]) -> None:
    """Call ``callback`` when the next refresh of ``node`` is written to the terminal."""
    app = node.app
    node.call_after_refresh(app.when_written if isinstance(app, DisplayApp) else _call, callback)


def _call(callback: Callable[[], None]) -> None:
    callback()


class DisplayApp(TextualApp):
    """An application that writes one frame at a time, however slow the terminal is.

    Updates are painted over what is not written yet, so nothing queues up and the last state is always
    drawn. Only cells that differ from those on the terminal are written.
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
        """Call ``callback`` in the event loop when all that is painted by now is written.

        Only this host's side is known: over SSH the output may still be on its way.
        """
        if self._written == self._painted:
            asyncio.get_running_loop().call_soon(callback)
        else:
            self._when_written.append((self._painted, callback))

    def action_suspend(self) -> None:
        """Stop as a job of the shell, until ``fg``."""
        if isinstance(self.driver, DisplayDriver) and not self.driver.suspend():
            self.notify("no shell that could have pitstop go on waits for it", markup=False)

    def draw_all(self) -> None:
        """Write the whole screen, whatever the terminal shows."""
        if self._painted:
            self._frame.forget()
            self._sent = self._written  # a frame that is being written is lost
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
        """Write the frame; if one is being written, after that."""
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
            return  # the whole screen was drawn anew meanwhile
        self._written = number
        waiting, self._when_written = self._when_written, []
        for painted, callback in waiting:
            if painted <= number:
                callback()
            else:
                self._when_written.append((painted, callback))
        self._send_soon()
