"""Reading the servers again: on command, and at an interval."""

import asyncio
from dataclasses import dataclass, field

from tui.console.actions.base import Actions
from tui.console.facade import EngineFacade
from tui.console.later import later
from tui.console.preferences import Preferences
from tui.console.store import Store
from tui.console.widgets.details import Details
from tui.console.widgets.server_list import ServerList
from tui.console.widgets.status_bar import StatusBar


@dataclass(eq=False, repr=False)
class RefreshActions(Actions):
    """Reads on command, and an interval after the last reading ended, so that readings never pile up."""

    store: Store
    engine: EngineFacade
    preferences: Preferences
    servers: ServerList
    details: Details
    status: StatusBar
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)

    def action_now(self) -> None:
        """Read all servers again."""
        self._cancel_timer()
        self.store.reading = True
        self.servers.set_first_reading(self.store.read_at is None)
        if self.details.display:
            self.details.reread()
        self.engine.refresh()
        self.engine.read_prior_targets()
        self.status.check()

    def action_every(self, seconds: int) -> None:
        """Read the servers again ``seconds`` after each reading; 0 is never."""
        self.preferences.choose(refresh_interval=seconds)
        self._cancel_timer()
        self.schedule()
        every = f"{seconds} seconds after each reading" if seconds else "only when asked"
        self.notify(f"The servers are read again {every}")

    def schedule(self) -> None:
        """Start the timer for the next reading, unless it runs or the servers are being read."""
        interval = self.preferences.settings.refresh_interval
        if self._timer is None and interval and not self.store.reading:
            self._timer = later(self.screen, interval, self._due)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        if self._timer is not None:  # else it was cancelled after it had fired
            self._timer = None
            self.action_now()
