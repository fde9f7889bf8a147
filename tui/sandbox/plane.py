"""The sandbox's control plane: accounts, their fleets, one queue, the faults, and the clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

from tui.sandbox.accounts import ACCOUNTS, Account, Accounts, User
from tui.sandbox.config import SandboxConfig
from tui.sandbox.entities import Kept
from tui.sandbox.faults import Faults
from tui.sandbox.fleet import Fleet, Group, Server
from tui.sandbox.operations import Operation
from tui.sandbox.queue import Outcome, Queue

SUB_ACCOUNT_DIVISOR = 8
"""The sub-account's fleet is so many times smaller."""


class SandboxPlane:
    """The `protocol.ControlPlane` of fleets made from a seed. Ids may be in any case."""

    def __init__(self, config: SandboxConfig, clock: Callable[[], float]) -> None:
        self.config = config
        self.clock = clock
        self.started = clock()
        self.faults = Faults(config)
        self.accounts = Accounts(config, clock)
        self.queue = Queue(config, self.faults, clock)
        self.kept = Kept()
        self._fleets: dict[str, Fleet] = {}

    def login(self, name: str, password: str) -> tuple[User, str, str]:
        """Log a user in; returns the user, a new token and the primary data center.

        Raises:
            LoginRefused: see `accounts.Accounts.login`.
        """
        location = "WA1"
        user, token = self.accounts.login(name, password, location)
        return user, token, location

    def user(self, token: str) -> User | None:
        """The user of a token; None when it is unknown or has expired."""
        return self.accounts.user(token)

    def account(self, alias: str, user: User) -> Account | None:
        """An account that a user may access: the user's own and those below it."""
        account = ACCOUNTS.get(alias.upper())
        return account if account and user.alias in (account.alias, account.parent) else None

    def data_centers(self, alias: str) -> Sequence[Group]:
        """The root group of each data center of an account."""
        return tuple(self._fleet(alias).roots.values())

    def data_center(self, alias: str, code: str) -> Group | None:
        """The root group of one data center."""
        return self._fleet(alias).roots.get(code.lower())

    def group(self, alias: str, group_id: str) -> Group | None:
        """A group of an account."""
        return self._fleet(alias).groups.get(group_id.lower())

    def server(self, alias: str, server_id: str) -> Server | None:
        """A server of an account."""
        return self._fleet(alias).servers.get(server_id.upper())

    def submit(
        self, alias: str, operation: Operation, targets: Mapping[str, bool | None], user: User
    ) -> Sequence[Outcome]:
        """Queue an operation; see `queue.Queue.submit`."""
        return self.queue.submit(self._fleet(alias), operation, targets, user.name)

    def job_status(self, alias: str, job_id: str) -> str | None:
        """The status of a job; None where there is no such job."""
        return self.queue.status(alias, job_id.lower())

    def truth(self) -> dict[str, Any]:
        """The true state, for tests and benchmarks; times in seconds since the sandbox started.

        ```
        {"now": SECONDS,
         "servers": {"WA1ACMEWEB01": {
             "maintenance": bool,         the true flag (fault `settle` makes reads show it later)
             "power": "started",
             "operations": {OP: N},       how often a POST of OP that was carried out named this server,
                                          whether it was queued or refused
             "queued": {OP: N}}},         how often it was queued
         "jobs": {"wa1-12345": {
             "account", "operation", "status", "created", "ends",
             "servers": [ID, ...],        all servers of the job
             "changed": [ID, ...]}},      those that change (or changed) when it ends
         "faults": {NAME: N}}             how often each fault has struck
        ```

        Servers of the sub-account are included once it has been accessed. Ids are in upper case.
        """
        now = self.clock()
        self._fleet("ACME")
        servers: dict[str, Any] = {}
        for server in chain.from_iterable(self._fleets.values()):
            state = server.at(now)
            servers[server.id] = {
                "maintenance": state.maintenance,
                "power": state.power,
                "operations": server.reached,
                "queued": server.queued,
            }
        return {
            "now": now - self.started,
            "servers": servers,
            "jobs": {
                job.id: {
                    "account": job.alias,
                    "operation": job.operation,
                    "status": job.status(now),
                    "created": job.created - self.started,
                    "ends": job.ends - self.started,
                    "servers": job.servers,
                    "changed": job.changed,
                }
                for job in self.queue.jobs.values()
            },
            "faults": self.faults.struck,
        }

    def _fleet(self, alias: str) -> Fleet:
        """The fleet of an account, created at the first access."""
        account = ACCOUNTS[alias.upper()]
        fleet = self._fleets.get(account.alias)
        if fleet is None:
            size = -(-self.config.servers // SUB_ACCOUNT_DIVISOR) if account.parent else self.config.servers
            fleet = self._fleets[account.alias] = Fleet(account.alias, size, self.config.seed)
        return fleet
