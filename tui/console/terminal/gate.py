"""The one way in for keys, pastes and the mouse: each is dispatched after the effect of the one before."""

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

PATIENCE = 5.0
"""Seconds for the effect of one key. Then what was typed ahead is dropped: it was meant for that effect."""
QUIET_FOR = 1.0
"""Seconds without a key after which what is typed is meant for a screen that came or went by itself."""
PASTE_CONTINUES = 0.05
"""Seconds after a paste in which text still belongs to it: a link may deliver it in pieces."""


class Stroke(NamedTuple):
    """Something pressed, pasted or clicked, and what came with it."""

    event: events.Event
    alone: bool
    """Whether it came in a read of its own."""


class InputGate:
    """Dispatches input in order, one thing at a time.

    A key has had its whole effect when every message that it caused was handled: by the widget that has the
    focus, by what is around it, by the screens that it opened or closed. Where an action asks in several
    steps (see ``begin``), it has when a question is on the screen or the action has ended.
    """

    def __init__(
        self,
        app: TextualApp,
        dispatch: Callable[[events.Event], Awaitable[None]],
        say: Callable[[str], None],
    ) -> None:
        """``dispatch`` hands an event to the application; ``say`` shows a line to the operator."""
        self._app = app
        self._dispatch_to_app = dispatch
        self._say = say
        self._waiting: deque[Stroke] = deque()
        self._arrived = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._idle = True
        self._busy = 0
        self._pasted_at = float("-inf")
        self._deaf_since: float | None = None
        """When the screen changed by itself, or the last key that was dropped since; None while all count."""
        self._task: asyncio.Task[None] | None = None
        self.current = Stroke(events.Event(), alone=False)
        """What is being dispatched, or was dispatched last."""
        self._newest: events.Event | None = None
        """The key or paste that was taken in last."""

    @property
    def idle(self) -> bool:
        """Whether everything that was taken in has had its effect."""
        return self._idle and not self._waiting

    def is_newest(self, key: events.Key) -> bool:
        """Whether no other key came after this one."""
        driver = self._app.driver
        return (driver.newest if isinstance(driver, Driver) else self._newest) is key

    def unread(self) -> bool:
        """Whether the terminal has input that was not read yet: this process may have stood still."""
        driver = self._app.driver
        return isinstance(driver, Driver) and driver.unread()

    def open(self) -> None:
        """Begin to dispatch. To be called in the application's context."""
        self._task = asyncio.create_task(self._run(), name="input gate")
        self._task.add_done_callback(self._ended)

    def take(self, happened: Iterable[events.Event]) -> None:
        """Take in what came in one read."""
        happened = list(happened)
        for event in happened:
            self._waiting.append(Stroke(event, alone=len(happened) == 1))
            if isinstance(event, events.Key | events.Paste):
                self._newest = event
        self._arrived.set()

    def interrupt(self) -> None:
        """A screen came or went by itself: what is being typed was not meant for what is there now."""
        self._deaf_since = time.monotonic()

    # -- actions that go on beside the messages

    def begin(self) -> None:
        """An effect goes on beside the messages until ``end``."""
        self._busy += 1
        self._quiet.clear()

    def end(self) -> None:
        """Such an effect is over, or waits for the operator."""
        self._busy -= 1
        if not self._busy:
            self._quiet.set()

    # -- within

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A console that hears no key must not stand there as if it did."""
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._app.handle_error(error)

    async def _run(self) -> None:
        while True:
            while not self._waiting:
                self._idle = True
                self._arrived.clear()
                await self._arrived.wait()
            self._idle = False
            stroke = self._next()
            self.current = stroke
            if self._drops(stroke.event):
                self._say("What you were typing did not go anywhere: pause, then type again")
                continue
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._dispatch(stroke.event)
                    if not isinstance(stroke.event, events.MouseMove):
                        await self._settle()
            except TimeoutError:
                log.warning("a key took longer than %g s; %d behind it dropped", PATIENCE, len(self._waiting))
                self._waiting.clear()

    def _drops(self, event: events.Event) -> bool:
        """Whether something belongs to what was being typed before the screen changed by itself."""
        if self._deaf_since is None or not isinstance(event, events.Key | events.Paste):
            return False
        if event.time - self._deaf_since >= QUIET_FOR:
            self._deaf_since = None
            return False
        self._deaf_since = event.time
        return True

    def _next(self) -> Stroke:
        """The next thing to dispatch: text that was pasted unannounced as one paste, all else as it came."""
        stroke = self._waiting.popleft()
        event = stroke.event
        if not isinstance(event, events.Key):
            return stroke
        if event.key.startswith("alt+") and not self._is_bound(event.key):
            self._waiting.appendleft(Stroke(_without_alt(event), alone=False))
            return Stroke(_key("escape", "\x1b", event), alone=False)
        if isinstance(self._app.focused, Input):
            return stroke
        text = [event, *self._text_ahead()] if _is_text(event) else []
        continues = event.time - self._pasted_at < PASTE_CONTINUES and _is_text(event)
        if not continues and not is_paste("".join(key.character or "" for key in text)):
            return stroke
        for _ in text[1:]:
            self._waiting.popleft()
        self._pasted_at = text[-1].time
        paste = events.Paste("".join(key.character or "" for key in text).replace("\r", "\n"))
        paste.time = event.time
        return Stroke(paste, alone=False)

    def _text_ahead(self) -> Iterable[events.Key]:
        for stroke in self._waiting:
            if stroke.alone or not isinstance(stroke.event, events.Key) or not _is_text(stroke.event):
                return
            yield stroke.event

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

    async def _settle(self) -> None:
        """Wait until nothing that the last key caused is left to do."""
        before: object = None
        while self._app.is_running:
            for node in self._nodes():
                await _handled(node)
            await self._quiet.wait()
            now = (self._app.screen, self._app.focused)
            if now == before:
                return
            before = now

    def _nodes(self) -> list[MessagePump]:
        """Who may have something to do, in the order in which messages go up."""
        with suppress(ScreenStackError):  # the application is on its way out
            busy = [node for node in self._app.screen.walk_children() if node.message_queue_size]
            return [*busy, *(self._app.focused or self._app.screen).ancestors_with_self]
        return [self._app]


async def _handled(node: MessagePump) -> None:
    """Wait until ``node`` has handled what it was sent before, or is gone."""
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
