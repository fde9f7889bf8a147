"""Doing something once, later."""

import asyncio
from collections.abc import Callable

from textual.message_pump import MessagePump


def later(node: MessagePump, seconds: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
    """Have ``node`` call ``callback`` after ``seconds``, however busy the machine is.

    A one-shot timer of Textual's that is late by its own interval before it has begun never fires.
    """
    return asyncio.get_running_loop().call_later(seconds, node.call_later, callback)
