"""The engine as the console uses it."""

from collections.abc import Callable
from typing import Protocol

from tui.engine.endpoint import Endpoint
from tui.engine.events import Event
from tui.model.plan import Plan


class EngineFacade(Protocol):
    """What the console needs of ``tui.engine.engine.Engine``; the tests' scripted engine provides it too.

    Every call returns at once; results are events.
    """

    def start(self) -> None:
        """Start the engine's thread."""

    def login(self, endpoint: Endpoint, user: str, password: str, account: str = "") -> None:
        """Log in with one attempt."""

    def unlock(self, password: str) -> None:
        """Compare a password with the one of the login; sends nothing."""

    def refresh(self) -> None:
        """Read the whole inventory, and retry data centers that cannot be read."""

    def read_details(self, server_id: str) -> None:
        """Read everything about one server."""

    def read_prior_targets(self) -> None:
        """Read from the journal which servers the account holds in maintenance, has under way or in doubt."""

    def run(self, plan: Plan, *, reason: str = "") -> str:
        """Carry a plan out; returns the operation's id."""
        ...

    def cancel(self, operation_id: str) -> None:
        """Send nothing more of an operation."""

    def resume(self, *, send_planned: bool = False) -> None:
        """Resume the unfinished operations in the journal; send unsent servers only with ``send_planned``."""

    def wind_down(self, *, send_rest: bool) -> None:
        """Settle what was sent (with ``send_rest`` the whole wave under way), keep the rest for a resume."""

    def on_events(self, wake: Callable[[], None]) -> None:
        """Set ``wake``: called on any thread when an event arrives in the empty queue."""

    def fetch_events(self) -> list[Event]:
        """Return all events since the last call, in order."""
        ...

    def running(self) -> bool:
        """Whether any request was sent whose outcome is not settled, or is about to be sent."""
        ...

    def stop(self, timeout: float = 5.0) -> None:
        """End the engine's thread, waiting ``timeout`` seconds at most."""
