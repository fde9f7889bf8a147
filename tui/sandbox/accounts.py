"""Users, roles, bearer tokens, and the account with its sub-account."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter
from collections.abc import Callable

import msgspec

from tui.contract.accounts import Account, Login, LoginRefused, User
from tui.sandbox.config import SandboxConfig

NOT_RECOGNIZED = "We didn't recognize the username or password you entered. Please try again."
LOCKED = "This user has been locked after too many failed attempts. An Account Administrator can unlock it."
"""Invented: the platform's own message was never recorded."""

MAX_WRONG_PASSWORDS = 4

PRIMARY = "WA1"
PASSWORD = "pitstop"  # noqa: S105 - of every user, as the documentation says

USERS: dict[str, User] = {
    user.name: user
    for user in (User("demo", "ACME", ("ServerAdmin",)), User("viewer", "ACME", ("AccountViewer",)))
}

ACCOUNTS: dict[str, Account] = {
    account.alias: account
    for account in (
        Account("ACME", "Acme Corporation", None, PRIMARY),
        Account("ACMD", "Acme Devices", "ACME", PRIMARY),
    )
}


class Accounts:
    """Logs users in and keeps the tokens it issued."""

    def __init__(self, config: SandboxConfig, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._life = config.token_seconds
        self._secret = f"sandbox {config.seed}".encode()
        self._wrong: Counter[str] = Counter()
        self._tokens: dict[str, tuple[User, float]] = {}
        self._issued = 0

    def login(self, name: str, password: str) -> Login:
        """Log a user in, with a new token.

        Raises:
            LoginRefused: unknown user, wrong password, or locked after four wrong passwords in a row.
        """
        user = USERS.get(name.lower())
        if user is None:
            raise LoginRefused(NOT_RECOGNIZED)
        if self._wrong[user.name] >= MAX_WRONG_PASSWORDS:
            raise LoginRefused(LOCKED)
        if not hmac.compare_digest(password.encode(), PASSWORD.encode()):
            self._wrong[user.name] += 1
            raise LoginRefused(NOT_RECOGNIZED)
        self._wrong[user.name] = 0
        now = self._clock()
        self._tokens = {token: held for token, held in self._tokens.items() if held[1] > now}
        token = self._token(user, now)
        self._tokens[token] = (user, now + self._life)
        return Login(user, token, PRIMARY)

    def user(self, token: str) -> User | None:
        """The user of a token; None when it is unknown or has expired."""
        user, expires = self._tokens.get(token, (None, 0.0))
        return user if self._clock() < expires else None

    def expire(self, token: str) -> None:
        """Let a token expire now."""
        self._tokens.pop(token, None)

    def _token(self, user: User, now: float) -> str:
        """A JSON Web Token with the claims that were recorded, and a serial number that makes it unique."""
        self._issued += 1
        claims = {
            "iss": "urn:api-tier3",
            "aud": "urn:tier3-users",
            "nbf": int(now),
            "exp": int(now + self._life),
            "unique_name": user.name,
            "role": user.roles,
            "urn:tier3:account-alias": user.alias,
            "urn:tier3:location-alias": PRIMARY,
            "jti": self._issued,
        }
        signed = b".".join(
            _segment(msgspec.json.encode(part)) for part in ({"typ": "JWT", "alg": "HS256"}, claims)
        )
        signature = hmac.new(self._secret, signed, hashlib.sha256).digest()
        return (signed + b"." + _segment(signature)).decode("ascii")


def _segment(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
