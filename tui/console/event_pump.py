"""When the engine's events are taken: soon after they are emitted, and not too often."""

import time
from collections.abc import Callable

from textual.message_pump import MessagePump

from tui.console.later import later


class EventPump:
    """Makes ``node`` call ``take`` soon after ``wake``, at most once per ``interval`` seconds."""

    def __init__(self, node: MessagePump, take: Callable[[], None], interval: float) -> None:
        self._node = node
        self._take = take
        self._interval = interval
        self._taken = 0.0
        self._scheduled = False

    def wake(self) -> None:
        """Note that there are events to take. May be called from any thread."""
        self._node.call_later(self.schedule)

    def schedule(self) -> None:
        """Do the same as ``wake``, from the thread of ``node``."""
        if not self._scheduled:
            self._scheduled = True
            later(self._node, max(0.0, self._taken + self._interval - time.monotonic()), self._run)

    def _run(self) -> None:
        self._scheduled = False
        self._taken = time.monotonic()
        self._take()
