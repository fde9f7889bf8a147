"""The way out to the terminal: one frame at a time, on a thread that may stand still as long as it likes."""

import contextlib
import os
import select
import signal
import termios
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import NamedTuple, TextIO

CHUNK = 1024
"""Bytes of a frame that are written at once, about: between two of them a frame can be broken off."""
PATIENCE = 3.0
"""Seconds that a terminal may take nothing of what is last written to it."""


class _Text(NamedTuple):
    """Something to write."""

    chunks: list[bytes]
    written: Callable[[], None] | None = None
    """Called on the writer's thread; for a frame, which can be dropped, and never for one that was."""


class Output:
    """Writes to a terminal from a thread of its own. Nothing here waits for it but ``stop``.

    When the terminal has gone, what is written to it goes nowhere, and no error comes of it.
    """

    def __init__(self, file: TextIO) -> None:
        self._fd = file.fileno()
        self._encoding, self._errors = file.encoding, file.errors or "strict"
        self._queue: SimpleQueue[_Text | None] = SimpleQueue()
        self._gone = False
        self._no_frames = False
        self._taken = 0
        self._thread = threading.Thread(target=self._run, name="pitstop-output", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Write control sequences. They are never dropped, and keep their order."""
        self._queue.put(_Text([self._encode(text)]))

    def write_frame(self, sequences: Sequence[str], written: Callable[[], None]) -> None:
        """Write a frame, given as sequences that are complete in themselves.

        ``written`` is called on another thread when the terminal has taken all of it.
        """
        chunks: list[bytes] = []
        for data in map(self._encode, sequences):
            if chunks and len(chunks[-1]) < CHUNK:
                chunks[-1] += data
            else:
                chunks.append(data)
        self._queue.put(_Text(chunks, written))

    def drop_frames(self) -> None:
        """Break off the frame that is being written, and write no other."""
        self._no_frames = True

    def stop(self) -> None:
        """Write what is queued, and end. What the terminal takes nothing of for a while is thrown away.

        To be called in the main thread, and once.
        """
        self._queue.put(None)
        if not self._ends():
            self._throw_away()
            self._ends()

    def _ends(self) -> bool:
        """Wait for the end, as long as the terminal takes something."""
        before = -1
        while self._thread.is_alive() and before != self._taken:
            before = self._taken
            self._thread.join(PATIENCE)
        return not self._thread.is_alive()

    def _throw_away(self) -> None:
        """Empty the terminal's buffer, and have the writer notice, for a signal alone wakes it."""
        signal.signal(signal.SIGURG, lambda *_: None)
        with contextlib.suppress(termios.error):
            termios.tcflush(self._fd, termios.TCOFLUSH)
        if self._thread.ident is not None:
            signal.pthread_kill(self._thread.ident, signal.SIGURG)

    def _encode(self, text: str) -> bytes:
        return text.encode(self._encoding, self._errors)

    def _run(self) -> None:
        while (text := self._queue.get()) is not None:
            for chunk in text.chunks:
                if text.written is not None and self._no_frames:
                    break
                self._write(chunk)
            else:
                if text.written is not None:
                    text.written()

    def _write(self, data: bytes) -> None:
        while data and not self._gone:
            try:
                taken = os.write(self._fd, data)
            except BlockingIOError:  # another program has set it so
                select.select([], [self._fd], [])
            except OSError:
                self._gone = True
            else:
                data = data[taken:]
                self._taken += taken
