"""An application whose input goes through the gate, and what its screens need of that."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, TypeVar, cast

from textual.app import App
from textual.events import Event, InputEvent, Paste
from textual.screen import Screen

from tui.console.terminal.display import DisplayApp
from tui.console.terminal.driver import KeysRead
from tui.console.terminal.gate import InputGate


class GatedApp(DisplayApp):
    """An application that gets keys, pastes and mouse events from an ``InputGate``, one at a time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gate = InputGate(self, self.dispatch_input, self.say)

    async def dispatch_input(self, event: Event) -> None:
        """Handle an event that the gate lets through."""
        await super().on_event(event)

    def say(self, text: str) -> None:
        """Show a line that answers what was pressed; an empty text removes it."""
        raise NotImplementedError

    async def on_event(self, event: Event) -> None:
        """Textual: hand input to the gate, handle everything else."""
        if isinstance(event, InputEvent | Paste) and not event.is_forwarded:
            self.gate.take([event])
        else:
            await super().on_event(event)

    def on_keys_read(self, message: KeysRead) -> None:
        """Hand the keys of one read to the gate."""
        self.gate.take(message.keys)

    async def push_screen_wait(self, screen: Screen[Any] | str) -> Any:  # type: ignore[override]
        """Show a screen and return its answer; the gate dispatches input meanwhile."""
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def take(answer: Any) -> None:
            self.gate.begin()
            answered.set_result(answer)

        await self.push_screen(screen, take)
        self.gate.end()
        try:
            return await answered
        except asyncio.CancelledError:
            self.gate.begin()
            raise


def gate_of(app: "App[Any]") -> InputGate:
    """The gate of a ``GatedApp``."""
    return cast(GatedApp, app).gate


Action = TypeVar("Action", bound=Callable[..., Coroutine[Any, Any, None]])


def conversation(action: Action) -> Action:
    """Run an action of a screen as a worker, because it asks in several steps.

    Keys wait while it is at work, not while it waits for an answer (see ``GatedApp.push_screen_wait``).
    """

    @wraps(action)
    async def run(screen: Screen[Any], *arguments: Any) -> None:
        gate = gate_of(screen.app)

        async def talk() -> None:
            try:
                await action(screen, *arguments)
            finally:
                gate.end()

        gate.begin()
        screen.run_worker(talk())

    return cast(Action, run)
