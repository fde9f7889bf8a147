"""The queue of keys, pastes and mouse events: each is dispatched after the whole effect of the one before."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

from textual import events
from textual.app import ScreenStackError
from textual.message_pump import MessagePump
from textual.widgets import Input

from tui.console.terminal.driver import Driver
from tui.console.terminal.textual_private import TextualApp, modal_bindings
from tui.model.keystrokes import is_paste

log = logging.getLogger("pitstop.console")

EFFECT_TIMEOUT = 5.0
"""Seconds for the effect of one key. Then the queue is emptied: its keys were typed for that effect."""
TYPING_PAUSE = 1.0
"""Seconds without a key that end the discarding of what was typed before a screen changed by itself."""
PASTE_CONTINUES = 0.05
"""Seconds after a paste in which text still belongs to it: a link may deliver it in pieces."""


class QueuedEvent(NamedTuple):
    """An event of the keyboard or the mouse, and how it was read."""

    event: events.Event
    alone: bool
    """Whether the terminal delivered it in a read of its own."""


class InputQueue:
    """Dispatches input events in order, one at a time.

    The effect of a key is complete when every message that it caused was handled: by the focused widget, by
    its ancestors, by the screens that it opened or closed. Where an action asks the operator in several steps
    (see ``begin_effect``), it is complete when a question is on the screen or the action has ended.
    """

    def __init__(
        self,
        app: TextualApp,
        dispatch: Callable[[events.Event], Awaitable[None]],
        say: Callable[[str], None],
    ) -> None:
        """``dispatch`` handles an event in the application; ``say`` shows a line to the operator."""
        self._app = app
        self._dispatch_to_app = dispatch
        self._say = say
        self._queue: deque[QueuedEvent] = deque()
        self._arrived = asyncio.Event()
        self._no_effects = asyncio.Event()
        self._no_effects.set()
        self._effects = 0
        """How many effects go on outside Textual's messages."""
        self._settled = True
        """Whether the last event that was taken from the queue had its effect."""
        self._pasted_at = float("-inf")
        self._discarding_since: float | None = None
        """When the screen changed by itself, or when a key was discarded since; None while none is."""
        self._task: asyncio.Task[None] | None = None
        self.current = QueuedEvent(events.Event(), alone=False)
        """The event that is being dispatched, or was dispatched last."""
        self._newest: events.Event | None = None
        """The key or paste that was put into the queue last."""

    @property
    def idle(self) -> bool:
        """Whether every event that was put into the queue has had its effect."""
        return self._settled and not self._queue

    def is_newest(self, key: events.Key) -> bool:
        """Whether no other key came after this one."""
        driver = self._app.driver
        return (driver.newest if isinstance(driver, Driver) else self._newest) is key

    def has_unread_input(self) -> bool:
        """Whether the terminal has input that was not read yet: this process may have been stopped."""
        driver = self._app.driver
        return isinstance(driver, Driver) and driver.has_unread_input()

    def start(self) -> None:
        """Begin to dispatch. Must be called in the application's context."""
        self._task = asyncio.create_task(self._run(), name="input queue")
        self._task.add_done_callback(self._ended)

    def put(self, read: Iterable[events.Event]) -> None:
        """Append the events of one read."""
        read = list(read)
        for event in read:
            self._queue.append(QueuedEvent(event, alone=len(read) == 1))
            if isinstance(event, events.Key | events.Paste):
                self._newest = event
        self._arrived.set()

    def discard_typing(self) -> None:
        """Discard keys until the operator pauses: a screen opened or closed by itself during typing."""
        self._discarding_since = time.monotonic()

    def begin_effect(self) -> None:
        """Hold the next event until ``end_effect``: an effect goes on outside Textual's messages."""
        self._effects += 1
        self._no_effects.clear()

    def end_effect(self) -> None:
        """End such an effect; it is complete, or a question to the operator is on the screen."""
        self._effects -= 1
        if not self._effects:
            self._no_effects.set()

    # -- within

    def _ended(self, task: asyncio.Task[None]) -> None:
        """End the application when its queue ends: it must not look alive while it reads no keys."""
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._app.handle_error(error)

    async def _run(self) -> None:
        while True:
            while not self._queue:
                self._settled = True
                self._arrived.clear()
                await self._arrived.wait()
            self._settled = False
            self.current = self._next()
            event = self.current.event
            if self._is_discarded(event):
                self._say("What you were typing did not go anywhere: pause, then type again")
                continue
            try:
                async with asyncio.timeout(EFFECT_TIMEOUT):
                    await self._dispatch(event)
                    if not isinstance(event, events.MouseMove):
                        await self._wait_for_effect()
            except TimeoutError:
                log.warning(
                    "a key took longer than %g s; %d behind it dropped", EFFECT_TIMEOUT, len(self._queue)
                )
                self._queue.clear()

    def _is_discarded(self, event: events.Event) -> bool:
        """Whether an event belongs to what was being typed before the screen changed by itself."""
        if self._discarding_since is None or not isinstance(event, events.Key | events.Paste):
            return False
        if event.time - self._discarding_since >= TYPING_PAUSE:
            self._discarding_since = None
            return False
        self._discarding_since = event.time
        return True

    def _next(self) -> QueuedEvent:
        """Take the next event; text that was pasted without bracketed paste is one paste."""
        queued = self._queue.popleft()
        event = queued.event
        if not isinstance(event, events.Key):
            return queued
        if event.key.startswith("alt+") and not self._is_bound(event.key):
            self._queue.appendleft(QueuedEvent(_without_alt(event), alone=False))
            return QueuedEvent(_key("escape", "\x1b", event), alone=False)
        if isinstance(self._app.focused, Input):
            return queued
        text = [event, *self._text_ahead()] if _is_text(event) else []
        continues = event.time - self._pasted_at < PASTE_CONTINUES and _is_text(event)
        if not continues and not is_paste("".join(key.character or "" for key in text)):
            return queued
        for _ in text[1:]:
            self._queue.popleft()
        self._pasted_at = text[-1].time
        paste = events.Paste("".join(key.character or "" for key in text).replace("\r", "\n"))
        paste.time = event.time
        return QueuedEvent(paste, alone=False)

    def _text_ahead(self) -> Iterable[events.Key]:
        for event, alone in self._queue:
            if alone or not isinstance(event, events.Key) or not _is_text(event):
                return
            yield event

    def _is_bound(self, key: str) -> bool:
        return any(key in bindings.key_to_bindings for _, bindings in modal_bindings(self._app.screen))

    async def _dispatch(self, event: events.Event) -> None:
        done = asyncio.Event()

        async def dispatch() -> None:
            try:
                await self._dispatch_to_app(event)
            finally:
                done.set()

        if self._app.call_later(dispatch):
            await done.wait()

    async def _wait_for_effect(self) -> None:
        """Wait until every message that the last event caused is handled."""
        before: object = None
        while self._app.is_running:
            for node in self._busy_nodes():
                await _wait_until_handled(node)
            await self._no_effects.wait()
            now = (self._app.screen, self._app.focused)
            if now == before:
                return
            before = now

    def _busy_nodes(self) -> list[MessagePump]:
        """The nodes that may have messages, in the order in which messages bubble."""
        with suppress(ScreenStackError):  # the application is exiting
            busy = [node for node in self._app.screen.walk_children() if node.message_queue_size]
            return [*busy, *(self._app.focused or self._app.screen).ancestors_with_self]
        return [self._app]


async def _wait_until_handled(node: MessagePump) -> None:
    """Wait until ``node`` has handled what was posted to it before, or has been removed."""
    done = asyncio.Event()
    if node.call_later(done.set):
        while not done.is_set() and node.is_running:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await done.wait()


def _is_text(key: events.Key) -> bool:
    return key.is_printable or key.key in {"enter", "tab", "ctrl+j"}


def _key(name: str, character: str | None, like: events.Key) -> events.Key:
    key = events.Key(name, character)
    key.time = like.time
    return key


def _without_alt(key: events.Key) -> events.Key:
    name = key.key.removeprefix("alt+")
    if key.character is not None and len(name.removeprefix("shift+")) == 1:
        name = key.character
    return _key(name, key.character, key)
