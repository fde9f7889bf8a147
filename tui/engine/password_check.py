"""Whether who is at the keyboard is who logged in: asked of the memory, never of the endpoint."""

from tui.api.secret import Secret
from tui.engine.clock import Clock
from tui.engine.events import Unlocked, UnlockRefused

FREE_TRIES = 2
"""Wrong tries that cost no pause."""
PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds after the next wrong try, doubled with each one more."""


class PasswordCheck:
    """Knows the password of the newest login that was accepted.

    No try burns one of the account's attempts. During a pause no password is looked at, right or wrong.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._password: Secret | None = None
        self._wrong = 0
        self._closed_until = float("-inf")

    def take(self, password: str) -> None:
        """Open for this password from now on."""
        self._password = Secret(password)

    def forget(self) -> None:
        """Open for none."""
        self._password = None

    def open(self, password: str) -> Unlocked | UnlockRefused:
        """Try a password."""
        now = self._clock.monotonic()
        if now < self._closed_until:
            return UnlockRefused(self._closed_until - now)
        if self._password is not None and self._password.is_(password):
            self._wrong = 0
            return Unlocked()
        self._wrong += 1
        more = self._wrong - FREE_TRIES
        wait = min(PAUSE * 2.0 ** min(more - 1, 20), LONGEST_PAUSE) if more > 0 else 0.0
        self._closed_until = now + wait
        return UnlockRefused(wait)
