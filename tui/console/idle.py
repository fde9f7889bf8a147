"""The idle lock: who has gone, and who comes to the keyboard meanwhile."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from tui.console.app import PitstopApp
    from tui.console.screens.lock import LockScreen


class IdleLock:
    """Hides the console after ``after`` seconds without a key, until the password is given; 0 is never.

    What wakes it does nothing else, also when it comes before the lock had time to show itself.
    """

    def __init__(self, app: "PitstopApp", after: float, monotonic: Callable[[], float]) -> None:
        self._app = app
        self._after = after
        self._monotonic = monotonic
        self._touched = monotonic()
        self._screen: LockScreen | None = None
        self._held: dict[object, Callable[[], object]] = {}

    @property
    def locked(self) -> bool:
        """Whether the password is asked for."""
        return self._screen is not None

    def start(self) -> None:
        """Watch from now on."""
        if self._after:
            self._app.set_timer(self._after, self.look)

    def look(self) -> None:
        """Lock, if nothing was pressed for long enough, and look again when that may be so."""
        left = self._touched + self._after - self._monotonic()
        if left <= 0:
            self.lock()
        self._app.set_timer(left if left > 0 else self._after, self.look)

    def lock(self) -> None:
        """Hide everything and ask for the password. There is none to ask for before the login."""
        store, engine = self._app.store, self._app.engine
        if self._screen is None and store is not None and engine is not None and store.session is not None:
            from tui.console.screens.lock import LockScreen

            self._screen = LockScreen(store.session.user, engine.unlock)
            self._app.push_screen(self._screen, self._opened)

    def admits(self, event: events.Event) -> bool:
        """Whether something pressed, pasted or clicked may act."""
        if not self._after or not isinstance(event, events.InputEvent | events.Paste):
            return True
        if self._monotonic() - self._touched >= self._after:
            self.lock()
        self._touched = self._monotonic()
        if self._screen is None or self._screen.awake:
            return True
        if not isinstance(event, events.MouseMove):
            self._screen.wake()
        return False

    def hold(self, what: Callable[[], object], *, once: object) -> None:
        """Do something when the console is open again: it would be seen, or be in the way.

        What is the same by ``once`` is done once, in the place of the last.
        """
        self._held.pop(once, None)
        self._held[once] = what

    def _opened(self, _: None) -> None:
        self._screen = None
        self._touched = self._monotonic()
        held, self._held = self._held, {}
        for what in held.values():
            what()
