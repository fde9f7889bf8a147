"""Doing something once, later; or once something else is done."""

import asyncio
import contextlib
from collections.abc import Callable

from textual.message_pump import MessagePump

PATIENCE = 2.0
"""Seconds that keys wait for what was typed before them; longer, and something else is wrong."""


def later(node: MessagePump, seconds: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
    """Have ``node`` call ``callback`` after ``seconds``, however busy the machine is.

    A one-shot timer of Textual's that is late by its own interval before it has begun never fires.
    """
    return asyncio.get_running_loop().call_later(seconds, node.call_later, callback)


async def caught_up(*nodes: MessagePump) -> None:
    """Wait until each of ``nodes``, one after the other, has handled what it was sent before."""
    for node in nodes:
        done = asyncio.Event()
        node.call_later(done.set)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), PATIENCE)
