"""The terminal driver: which keys came in one read, and when. The rest is Textual's."""

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
"""Bytes of one read: as much as a Linux terminal holds."""
TICK = 0.1
"""Seconds after which a lone escape byte is looked at again: it is the key, not the start of a sequence."""
REST_OF_TEXT = 0.01
"""Seconds that are waited for more of a text, so that a paste is not taken apart. No finger is as fast."""
REST_OF_MUCH = 0.5
"""The same behind as much as a terminal holds: whoever writes could not write more before that was read."""
PASTE_MOST = 1 << 20
"""Bytes of text after which no more is waited for."""
_SEQUENCE_STARTS = frozenset("[O]P_^\x1b")
"""What follows an escape byte in the sequences that terminals send by themselves."""


class KeysRead(Message):
    """Keys that arrived in one read, in their order."""

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
    """Textual's driver; hands over the keys of one read together, and lives on when the terminal has gone."""

    newest: events.Event | None = None
    """The key or paste that was read last."""
    _at_work = False
    """Whether something was read and is not handed over yet."""

    def run_input_thread(self) -> None:
        """Read until the driver is told to stop, or the terminal has gone."""
        parser, decoder = AltKeyParser(self.debug), getincrementaldecoder("utf-8")("replace")
        while not self.exit_event.is_set():
            messages: list[Message] = []
            self._at_work = False
            if self._readable(TICK):
                self._at_work = True
                data = piece = self._read()
                while _is_text(data) and len(data) < PASTE_MOST and self._readable(_patience(piece)):
                    data += (piece := self._read())
                if text := decoder.decode(data):
                    messages += parser.feed(text)
            messages += parser.tick()
            self._hand_over(messages)

    def has_unread_input(self) -> bool:
        """Whether there is input of which ``newest`` does not know yet."""
        return self._at_work or self._readable(0)

    def _read(self) -> bytes:
        """What there is to read; nothing when the terminal has gone: the watch for that ends the program."""
        data = b""
        with contextlib.suppress(OSError):
            data = os.read(self.fileno, READ_SIZE)
        if not data:
            self.exit_event.wait(TICK)
        return data

    def _readable(self, timeout: float) -> bool:
        return bool(select.select([self.fileno], [], [], timeout)[0])

    def _hand_over(self, messages: Iterable[Message]) -> None:
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
    """Whether there is nothing but text in what was read, and no sequence of a key or a mouse."""
    return bool(data.strip()) and b"\x1b" not in data and b"\0" not in data


def _patience(piece: bytes) -> float:
    """How long to wait for what comes behind a piece of text, in seconds."""
    return REST_OF_MUCH if len(piece) >= READ_SIZE - 1 else REST_OF_TEXT
