"""The terminal driver: Textual's, which also reports which keys came in one read."""

import contextlib
import os
import select
from codecs import getincrementaldecoder
from collections.abc import Iterable

from textual import events
from textual.message import Message

from tui.console.terminal.display import DisplayDriver
from tui.console.terminal.textual_private import KeyParser

READ_SIZE = 4096
"""Bytes of one read: the size of a Linux terminal's buffer."""
TICK = 0.1
"""Seconds after which an escape byte without a sequence is the key Escape."""
REST_OF_TEXT = 0.01
"""Seconds to wait for more of a text, so that a paste stays in one piece. Nobody types as fast."""
REST_OF_MUCH = 0.5
"""The same after a full buffer: the rest of the paste cannot be written before that was read."""
PASTE_MOST = 1 << 20
"""Bytes of text after which there is no more waiting."""
_SEQUENCE_STARTS = frozenset("[O]P_^\x1b")
"""What follows the escape byte of a sequence."""


class KeysRead(Message):
    """Keys that came in one read, in their order."""

    def __init__(self, keys: list[events.Key]) -> None:
        super().__init__()
        self.keys = keys


class AltKeyParser(KeyParser):
    """Reads every key that follows an escape byte as ``alt+`` that key.

    Textual knows letters only; of Enter, a slash or a digit the escape byte would be lost.
    """

    def keys_of(self, sequence: str) -> Iterable[events.Key]:
        """The keys that a sequence stands for, with alt where an escape byte is before one."""
        alt = False
        if len(sequence) == 2 and sequence[0] == "\x1b" and sequence[1] not in _SEQUENCE_STARTS:
            if sequence == "\x1b\t" and os.environ.get("TERM") == "linux":
                return super().keys_of(sequence)  # the Linux console's shift+tab
            sequence, alt = sequence[1], True
        keys = super().keys_of(sequence)
        return (events.Key(f"alt+{key.key}", key.character) for key in keys) if alt else keys


class Driver(DisplayDriver):
    """Posts the keys of one read together, and survives a terminal that has hung up."""

    newest: events.Event | None = None
    """The key or paste that was read last."""
    _posting = False
    """Whether something was read and is not posted yet."""

    def run_input_thread(self) -> None:
        """Textual: read until the driver stops or the terminal has hung up."""
        parser, decoder = AltKeyParser(self.debug), getincrementaldecoder("utf-8")("replace")
        while not self.exit_event.is_set():
            messages: list[Message] = []
            self._posting = False
            if self._readable(TICK):
                self._posting = True
                data = piece = self._read()
                while _is_text(data) and len(data) < PASTE_MOST and self._readable(_time_to_wait(piece)):
                    data += (piece := self._read())
                if text := decoder.decode(data):
                    messages += parser.feed(text)
            messages += parser.tick()
            self._post(messages)

    def has_unread_input(self) -> bool:
        """Whether there is input newer than ``newest``."""
        return self._posting or self._readable(0)

    def _read(self) -> bytes:
        """Read once. No data means a hang-up; another thread notices that and ends the program."""
        data = b""
        with contextlib.suppress(OSError):
            data = os.read(self.fileno, READ_SIZE)
        if not data:
            self.exit_event.wait(TICK)
        return data

    def _readable(self, timeout: float) -> bool:
        return bool(select.select([self.fileno], [], [], timeout)[0])

    def _post(self, messages: Iterable[Message]) -> None:
        keys: list[events.Key] = []
        for message in messages:
            if isinstance(message, events.Key | events.Paste):
                self.newest = message
            if isinstance(message, events.Key):
                keys.append(message)
                continue
            if keys:
                self.process_message(KeysRead(keys))
                keys = []
            self.process_message(message)
        if keys:
            self.process_message(KeysRead(keys))


def _is_text(data: bytes) -> bool:
    """Whether ``data`` is text only, without a sequence of a key or the mouse."""
    return bool(data.strip()) and b"\x1b" not in data and b"\0" not in data


def _time_to_wait(piece: bytes) -> float:
    """How long to wait for what follows a piece of text, in seconds."""
    return REST_OF_MUCH if len(piece) >= READ_SIZE - 1 else REST_OF_TEXT
