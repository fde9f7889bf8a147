"""A one-shot timer that always fires."""

import asyncio
from collections.abc import Callable

from textual.message_pump import MessagePump


def later(node: MessagePump, seconds: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
    """Make ``node`` call ``callback`` after ``seconds``, and return a handle to cancel it.

    Unlike Textual's ``set_timer``, which never fires if its task starts later than the whole interval.
    """
    return asyncio.get_running_loop().call_later(seconds, node.call_later, callback)
