"""The idle lock: hides the console while its operator is away."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import App

if TYPE_CHECKING:
    from tui.console.screens.lock import LockScreen


class IdleLock:
    """Hides the console after ``after`` seconds without a key until the password is given; 0 is never.

    The key that wakes it does nothing else, even if it comes before the lock is on the screen.
    ``make_screen`` gives the screen that asks for the password, or None before the login.
    """

    def __init__(
        self,
        app: App[Any],
        after: float,
        monotonic: Callable[[], float],
        make_screen: "Callable[[], LockScreen | None]",
    ) -> None:
        self._app = app
        self._after = after
        self._monotonic = monotonic
        self._make_screen = make_screen
        self._touched = monotonic()
        self._screen: LockScreen | None = None
        self._held: dict[object, Callable[[], object]] = {}

    @property
    def locked(self) -> bool:
        """Whether the console is hidden and needs the password."""
        return self._screen is not None

    def start(self) -> None:
        """Start to watch."""
        if self._after:
            self._app.set_timer(self._after, self.check)

    def check(self) -> None:
        """Lock if nothing was pressed for ``after`` seconds; else check again when that may be so."""
        remaining = self._touched + self._after - self._monotonic()
        if remaining <= 0:
            self.lock()
        self._app.set_timer(remaining if remaining > 0 else self._after, self.check)

    def lock(self) -> None:
        """Hide everything and ask for the password; nothing before the login, when there is none."""
        if self._screen is None and (screen := self._make_screen()) is not None:
            self._screen = screen
            self._app.push_screen(screen, self._unlocked)

    def admits(self, event: events.Event) -> bool:
        """Whether a key, a paste or a click may act."""
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

    def hold(self, action: Callable[[], object], *, once: object) -> None:
        """Do ``action`` after unlocking; a later one with the same key ``once`` replaces it."""
        self._held.pop(once, None)
        self._held[once] = action

    def _unlocked(self, _: None) -> None:
        self._screen = None
        self._touched = self._monotonic()
        held, self._held = self._held, {}
        for action in held.values():
            action()
