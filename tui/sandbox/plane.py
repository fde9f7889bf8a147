"""The sandbox's control plane: accounts, their fleets, one queue, the faults, and the clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

from tui.contract import views
from tui.contract.accounts import Account, Login, User
from tui.contract.protocol import Network, Order, Outcome, ServerEdit
from tui.contract.readings import Capabilities, Cost, Defaults, Policies, Prices, Usage
from tui.contract.views import CustomField
from tui.sandbox import measures, names
from tui.sandbox.accounts import ACCOUNTS, Accounts
from tui.sandbox.config import SandboxConfig
from tui.sandbox.faults import Faults
from tui.sandbox.fleet import Change, Fleet, Move
from tui.sandbox.queue import Queue
from tui.sandbox.views import DataCenterView, GroupView, ServerView, credentials

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
        self._fleets: dict[str, Fleet] = {}

    async def login(self, name: str, password: str) -> Login:
        """Log a user in.

        Raises:
            LoginRefused: see `accounts.Accounts.login`.
        """
        return self.accounts.login(name, password)

    async def user(self, token: str) -> User | None:
        """The user of a token; None when it is unknown or has expired."""
        return self.accounts.user(token)

    async def account(self, alias: str, user: User) -> Account | None:
        """An account that a user may access: the user's own and those below it."""
        account = ACCOUNTS.get(alias.upper())
        return account if account and user.alias in (account.alias, account.parent) else None

    async def data_centers(self, alias: str) -> Sequence[DataCenterView]:
        """The data centers of an account."""
        now = self.clock()
        return [DataCenterView(root, now) for root in self.fleet(alias).roots.values()]

    async def data_center(self, alias: str, code: str) -> DataCenterView | None:
        """One data center."""
        root = self.fleet(alias).roots.get(code.lower())
        return None if root is None else DataCenterView(root, self.clock())

    async def group(self, alias: str, group_id: str) -> GroupView | None:
        """A group of an account."""
        group = self.fleet(alias).groups.get(group_id.lower())
        return None if group is None else GroupView(group, self.clock())

    async def server(self, alias: str, server_id: str) -> ServerView | None:
        """A server of an account, by either id."""
        server = self.fleet(alias).server(server_id)
        return None if server is None else ServerView(server, self.clock())

    async def networks(self, alias: str, code: str) -> Sequence[Network]:
        """Two invented networks of a data center."""
        return measures.networks(alias, code, self.config.seed)

    async def capabilities(self, alias: str, code: str) -> Capabilities:
        """The same for every data center."""
        return names.CAPABILITIES

    async def defaults(self, alias: str, group_id: str) -> Defaults:
        """The same for every group; those of a root are its own."""
        group = self.fleet(alias).groups[group_id.lower()]
        return measures.defaults(group, alias, self.config.seed)

    async def policies(self, alias: str) -> Policies:
        """The policies of every account."""
        return names.POLICIES

    async def usage(
        self, alias: str, servers: Sequence[views.ServerView], moments: Sequence[float]
    ) -> Mapping[str, Sequence[Usage]]:
        """Invented, and always the same for a server and a moment."""
        return {server.id: measures.usage(server, moments) for server in servers}

    async def costs(self, alias: str, servers: Sequence[views.ServerView]) -> Mapping[str, Cost]:
        """Invented prices of what the servers consist of."""
        now = self.clock()
        return {server.id: measures.cost(server, now) for server in servers}

    async def prices(self, alias: str, server_id: str) -> Prices:
        """The same for every server."""
        return measures.PRICES

    async def custom_fields(self, alias: str) -> Sequence[CustomField]:
        """The custom fields of an account."""
        return [field for field, _ in names.CUSTOM_FIELDS]

    async def credentials(self, alias: str, server_id: str) -> tuple[str, str] | None:
        """The invented administrator of a server."""
        server = self.fleet(alias).server(server_id)
        return None if server is None else credentials(server)

    async def submit(self, alias: str, order: Order) -> Sequence[Outcome]:
        """Queue an operation; see `queue.Queue.submit`."""
        return self.queue.submit(self.fleet(alias), order)

    async def edit(self, alias: str, server_id: str, user: User, edit: ServerEdit) -> None:
        """Change the description of a server or its group."""
        fleet, now = self.fleet(alias), self.clock()
        server = fleet.servers[server_id.upper()]
        fields = {} if edit.description is None else {"description": edit.description}
        server.add(Change(now, now, user.name, fields), now)
        if edit.group_id is not None:
            fleet.move(Move(now, server, fleet.groups[edit.group_id]))

    async def job_status(self, alias: str, job_id: str) -> str | None:
        """The status of a job; None where there is no such job."""
        return self.queue.status(alias, job_id.lower())

    def prepare(self) -> None:
        """Make the fleet, so that the first request need not wait for it."""
        self.fleet("ACME")

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
             "changed": {ID: SECONDS}}},  those that change, each with the time when it does
         "faults": {NAME: N}}             how often each fault has struck
        ```

        Servers of the sub-account are included once it has been accessed. Ids are in upper case.
        """
        now = self.clock()
        self.fleet("ACME")
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
                    "changed": {server_id: at - self.started for server_id, at in job.changed.items()},
                }
                for job in self.queue.jobs.values()
            },
            "faults": self.faults.struck,
        }

    def fleet(self, alias: str) -> Fleet:
        """The fleet of an account, created at the first access."""
        account = ACCOUNTS[alias.upper()]
        fleet = self._fleets.get(account.alias)
        if fleet is None:
            size = -(-self.config.servers // SUB_ACCOUNT_DIVISOR) if account.parent else self.config.servers
            fleet = self._fleets[account.alias] = Fleet(account.alias, size, self.config.seed)
        fleet.carry_out_moves(self.clock())
        return fleet
