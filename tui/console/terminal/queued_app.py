"""An application whose input is queued, and the helpers that its screens use."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Protocol, TypeVar, cast

from textual.app import App
from textual.events import Event, InputEvent, Paste
from textual.screen import Screen

from tui.console.terminal.display import DisplayApp
from tui.console.terminal.driver import KeysRead
from tui.console.terminal.input_queue import InputQueue


class QueuedInputApp(DisplayApp):
    """An application that gets keys, pastes and mouse events from an ``InputQueue``, one at a time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.input_queue = InputQueue(self, self.dispatch_input, self.say)

    async def dispatch_input(self, event: Event) -> None:
        """Handle an event that the queue dispatches."""
        await super().on_event(event)

    def say(self, text: str) -> None:
        """Show a line that answers what was pressed; an empty text removes it."""
        raise NotImplementedError

    async def on_event(self, event: Event) -> None:
        """Textual: queue input events, handle all others."""
        if isinstance(event, InputEvent | Paste) and not event.is_forwarded:
            self.input_queue.put([event])
        else:
            await super().on_event(event)

    def on_keys_read(self, message: KeysRead) -> None:
        """Queue the keys of one read."""
        self.input_queue.put(message.keys)

    async def push_screen_wait(self, screen: Screen[Any] | str) -> Any:  # type: ignore[override]
        """Show a screen and return its answer; input is dispatched meanwhile."""
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def take(answer: Any) -> None:
            self.input_queue.begin_effect()
            answered.set_result(answer)

        await self.push_screen(screen, take)
        self.input_queue.end_effect()
        try:
            return await answered
        except asyncio.CancelledError:
            self.input_queue.begin_effect()
            raise


def input_queue_of(app: "App[Any]") -> InputQueue:
    """The input queue of a ``QueuedInputApp``."""
    return cast(QueuedInputApp, app).input_queue


class HasScreen(Protocol):
    """A screen, or something that belongs to one."""

    @property
    def screen(self) -> Screen[Any]:
        """The screen."""
        ...


Action = TypeVar("Action", bound=Callable[..., Coroutine[Any, Any, None]])


def conversation(action: Action) -> Action:
    """Run an action as a worker of its screen, because it asks in several steps.

    ``action`` is a method of the screen, or of an object with an attribute ``screen``.

    Keys are queued while it works, not while it waits for an answer (``QueuedInputApp.push_screen_wait``).
    """

    @wraps(action)
    async def run(owner: HasScreen, *arguments: Any) -> None:
        queue = input_queue_of(owner.screen.app)

        async def talk() -> None:
            try:
                await action(owner, *arguments)
            finally:
                queue.end_effect()

        queue.begin_effect()
        owner.screen.run_worker(talk())

    return cast(Action, run)
