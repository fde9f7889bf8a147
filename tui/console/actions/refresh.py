"""Reading the servers again by itself."""

import asyncio
from collections.abc import Callable

from textual.message_pump import MessagePump

from tui.console.later import later


class Refreshing:
    """Calls ``read`` so many seconds after the last reading ended, so that readings never pile up."""

    def __init__(self, node: MessagePump, read: Callable[[], object]) -> None:
        self._node = node
        self._read = read
        self._timer: asyncio.TimerHandle | None = None

    def began(self) -> None:
        """The servers are being read, whoever asked for it: no other reading before it has ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def ended(self, interval: float) -> None:
        """No reading is under way: begin the next one in ``interval`` seconds; 0 is never."""
        if self._timer is None and interval:
            self._timer = later(self._node, interval, self._due)

    def _due(self) -> None:
        if self._timer is not None:  # else it was taken back after it had fired
            self._timer = None
            self._read()
