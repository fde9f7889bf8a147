"""Who may use the contract: users and their roles, accounts, logins."""

from __future__ import annotations

from typing import NamedTuple

OPERATING_ROLES = frozenset({"AccountAdmin", "ServerAdmin", "ServerOperator"})
CREDENTIALS_ROLES = frozenset({"AccountAdmin", "SecurityAdmin", "ServerAdmin"})


class User(NamedTuple):
    """Somebody who is logged in."""

    name: str
    alias: str
    roles: tuple[str, ...]

    @property
    def may_operate(self) -> bool:
        """Whether one of the roles allows power and maintenance operations."""
        return not OPERATING_ROLES.isdisjoint(self.roles)

    @property
    def may_see_credentials(self) -> bool:
        """Whether one of the roles shows the credentials of servers."""
        return not CREDENTIALS_ROLES.isdisjoint(self.roles)


class Account(NamedTuple):
    """An account; `parent` is None for the one at the top."""

    alias: str
    name: str
    parent: str | None
    primary: str
    """The code of its primary data center."""


class Login(NamedTuple):
    """A login that succeeded; `location` is the primary data center of the user's account."""

    user: User
    token: str
    location: str


class LoginRefused(Exception):
    """The login was refused; its text is the API's message."""
