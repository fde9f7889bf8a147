"""The engine as the console sees it."""

from collections.abc import Callable
from typing import Protocol

from tui.engine import events
from tui.engine.endpoint import Endpoint
from tui.model.plan import Plan


class EngineFacade(Protocol):
    """What the console asks of the engine. Every call returns at once; results are events."""

    def start(self) -> None:
        """Start the engine's thread."""

    def login(self, endpoint: Endpoint, user: str, password: str, account: str = "") -> None:
        """Log in, once."""

    def unlock(self, password: str) -> None:
        """Compare a password with the one of the login, without sending anything."""

    def refresh(self) -> None:
        """Read the whole inventory again."""

    def details(self, server_id: str) -> None:
        """Read everything about one server."""

    def run(self, plan: Plan, *, reason: str = "") -> str:
        """Carry out ``plan``; gives the operation's id."""
        ...

    def left(self) -> None:
        """Tell what this account's windows left in maintenance, and what is under way or in doubt."""

    def cancel(self, operation_id: str) -> None:
        """Send nothing more of an operation."""

    def resume(self, *, send_planned: bool = False) -> None:
        """Take up what the journal says is unfinished; what was never sent goes out only if so told."""

    def wind_down(self, *, send_rest: bool) -> None:
        """Settle what was sent (with ``send_rest`` the whole wave under way), leave the rest to a resume."""

    def on_news(self, wake: Callable[[], None]) -> None:
        """Have ``wake`` called, from any thread, when there is something to drain after nothing was."""

    def drain(self) -> list[events.Event]:
        """All events since the last call, in order."""
        ...

    def running(self) -> bool:
        """Whether anything is sent and not settled."""
        ...

    def stop(self, timeout: float = 5.0) -> None:
        """End the engine's thread."""
