"""Writes to stderr on a thread of its own, so that a reader who stops reading stops nothing else."""

import os
import select
import threading
from collections import deque
from typing import NamedTuple, TextIO

MOST = 1000
"""Lines that wait for the reader. Older ones are dropped, and their number is written."""
PATIENCE = 3.0
"""Seconds without any reading after which ``flush`` gives up."""


class _Item(NamedTuple):
    text: str
    passing: bool
    """Whether a newer item replaces it."""
    stays: bool
    """Whether it ends its line; otherwise the next item overwrites it."""


class Writer:
    """Writes lines to a stream. Only ``flush`` and ``close`` wait for the reader.

    A closed pipe is no error.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._items: deque[_Item] = deque()
        self._dropped = 0
        self._changed = threading.Condition()
        self._busy = False
        self._closed = False
        self._reader_closed = False
        self._taken = 0
        self._on_line = False
        self._thread: threading.Thread | None = None

    def line(self, text: str) -> None:
        """Write a line."""
        self._put(_Item(text, passing=False, stays=True))

    def progress(self, text: str, *, rewritten: bool) -> None:
        """Write a progress line, which a newer one replaces; ``rewritten``: also on the screen."""
        self._put(_Item(text, passing=True, stays=not rewritten))

    def flush(self) -> None:
        """Wait until everything is written, or nothing has been read for ``PATIENCE`` seconds."""
        with self._changed:
            before = -1
            while (self._items or self._busy) and not self._reader_closed and before != self._taken:
                before = self._taken
                self._changed.wait_for(
                    lambda: self._reader_closed or not (self._items or self._busy), timeout=PATIENCE
                )

    def close(self) -> None:
        """Flush, and end the thread."""
        self.flush()
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _put(self, item: _Item) -> None:
        with self._changed:
            if self._reader_closed or self._closed:
                return
            if self._items and self._items[-1].passing:
                self._items.pop()
            elif len(self._items) >= MOST:
                self._items.popleft()
                self._dropped += 1
            self._items.append(item)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="pitstop-stderr", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _run(self) -> None:
        while (text := self._next()) is not None:
            try:
                self._write(text)
            except (OSError, ValueError):
                self._reader_closed = True  # the terminal or pipe is closed; the work goes on
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _next(self) -> str | None:
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed)
            if not self._items or self._reader_closed:
                return None
            self._busy = True
            text = "\r\x1b[K" if self._on_line else ""
            if self._dropped:
                text += f"({self._dropped:,} lines left out: nobody took them)\n"
                self._dropped = 0
            item = self._items.popleft()
            self._on_line = not item.stays
            return text + item.text + ("\n" if item.stays else "")

    def _write(self, text: str) -> None:
        stream = self._stream
        data = text.encode(stream.encoding or "ascii", stream.errors or "replace")
        while data:
            try:
                taken = os.write(stream.fileno(), data)
            except BlockingIOError:  # another program made the stream non-blocking
                select.select([], [stream.fileno()], [])
            else:
                data = data[taken:]
                self._taken += taken
