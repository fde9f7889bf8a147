"""Checks the password of a locked console in memory, without a request to the endpoint."""

from tui.api.secret import Secret
from tui.engine.clock import Clock
from tui.engine.events import Unlocked, UnlockRefused

FREE_TRIES = 2
"""Wrong attempts that cost no pause."""
PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds after the first wrong attempt beyond those, doubled with each further one."""


class PasswordCheck:
    """Compares passwords with the one of the newest accepted login.

    An attempt does not count towards a lock of the account. During a pause every password is refused.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._password: Secret | None = None
        self._wrong = 0
        self._paused_until = float("-inf")

    def accept(self, password: str) -> None:
        """Accept this password, and no other, from now on."""
        self._password = Secret(password)

    def forget(self) -> None:
        """Accept no password any more."""
        self._password = None

    def check(self, password: str) -> Unlocked | UnlockRefused:
        """Return the event for an attempt to unlock."""
        now = self._clock.monotonic()
        if now < self._paused_until:
            return UnlockRefused(self._paused_until - now)
        if self._password is not None and self._password.is_(password):
            self._wrong = 0
            return Unlocked()
        self._wrong += 1
        more = self._wrong - FREE_TRIES
        wait = min(PAUSE * 2.0 ** min(more - 1, 20), LONGEST_PAUSE) if more > 0 else 0.0
        self._paused_until = now + wait
        return UnlockRefused(wait)
