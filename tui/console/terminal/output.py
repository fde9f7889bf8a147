"""Writing to the terminal on a thread of its own, which may block without blocking the console."""

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
"""About how many bytes of a frame are written at once; between two such chunks it can be cancelled."""
STOP_TIMEOUT = 3.0
"""Seconds that a terminal may read nothing of the last output before it is discarded."""


class _Text(NamedTuple):
    """Something to write."""

    chunks: list[bytes]
    written: Callable[[], None] | None = None
    """Called on the writer's thread when a frame is written; a text without it cannot be dropped."""


class Output:
    """A queue of output and the thread that writes it. No method waits for the terminal but ``stop``.

    When the terminal has hung up, output is discarded without an error.
    """

    def __init__(self, file: TextIO) -> None:
        self._fd = file.fileno()
        self._encoding, self._errors = file.encoding, file.errors or "strict"
        self._queue: SimpleQueue[_Text | None] = SimpleQueue()
        self._closed = False
        self._no_frames = False
        self._written = 0
        self._thread = threading.Thread(target=self._run, name="pitstop-output", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Queue control sequences, which are never dropped."""
        self._queue.put(_Text([self._encode(text)]))

    def write_frame(self, sequences: Sequence[str], written: Callable[[], None]) -> None:
        """Queue a frame, given as sequences that are complete in themselves.

        ``written`` is called on another thread when all of it is written.
        """
        chunks: list[bytes] = []
        for data in map(self._encode, sequences):
            if chunks and len(chunks[-1]) < CHUNK:
                chunks[-1] += data
            else:
                chunks.append(data)
        self._queue.put(_Text(chunks, written))

    def drop_frames(self) -> None:
        """Cancel the frame that is being written, and write no other."""
        self._no_frames = True

    def stop(self) -> None:
        """Write what is queued and end the thread; discard the output if the terminal does not read it.

        Must be called in the main thread, and once.
        """
        self._queue.put(None)
        if not self._join():
            self._discard()
            self._join()

    def _join(self) -> bool:
        """Wait for the thread as long as the terminal reads; return whether it ended."""
        before = -1
        while self._thread.is_alive() and before != self._written:
            before = self._written
            self._thread.join(STOP_TIMEOUT)
        return not self._thread.is_alive()

    def _discard(self) -> None:
        """Empty the terminal's buffer, and wake the writer: only a signal interrupts its system call."""
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
        while data and not self._closed:
            try:
                count = os.write(self._fd, data)
            except BlockingIOError:  # another program made the terminal non-blocking
                select.select([], [self._fd], [])
            except OSError:
                self._closed = True
            else:
                data = data[count:]
                self._written += count
