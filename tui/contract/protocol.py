"""What stands behind the contract: a `ControlPlane`.

It gives views of its fleet (`views`), values that few clients read (`readings`), and takes operations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from tui.contract.accounts import Account, Login, User
from tui.contract.readings import Capabilities, Cost, Defaults, Policies, Prices, Usage
from tui.contract.views import CustomField, DataCenterView, GroupView, ServerView


class NotSupported(Exception):
    """The control plane does not carry out such an operation; its text is the API's message."""


class Network(NamedTuple):
    """A network of a data center, of 256 addresses."""

    id: str
    vlan: int
    prefix: str
    """The first three bytes of its addresses."""


class Order(NamedTuple):
    """An operation that a user requested."""

    operation: str
    """The platform's name of it."""
    targets: Mapping[str, bool | None]
    """The ids as they were sent, each with the value that setMaintenance carries for it."""
    user: User
    parameters: Mapping[str, object] = {}
    """What the body says beside the servers, by the platform's names."""


class Outcome(NamedTuple):
    """The result for one server: the id of its job, or the message of the refusal, which may be absent."""

    server: str
    job: str | None
    message: str | None = None


class ServerEdit(NamedTuple):
    """A change that needs no job; None for what stays as it is. The group is in the server's data center."""

    description: str | None = None
    group_id: str | None = None


class ControlPlane(Protocol):
    """The system behind the contract. Aliases and ids arrive as the client wrote them, in any case.

    Every call is asynchronous: the answer may come from a database.
    """

    def clock(self) -> float:
        """The time, for the dates of answers."""

    async def login(self, name: str, password: str) -> Login:
        """Log a user in.

        Raises:
            LoginRefused: with the API's message.
        """

    async def user(self, token: str) -> User | None:
        """The user of a token; None when it is unknown or has expired."""

    async def account(self, alias: str, user: User) -> Account | None:
        """An account that the user may access."""

    async def data_centers(self, alias: str) -> Sequence[DataCenterView]:
        """The data centers of an account, in any order."""

    async def data_center(self, alias: str, code: str) -> DataCenterView | None:
        """One data center."""

    async def group(self, alias: str, group_id: str) -> GroupView | None:
        """A group."""

    async def server(self, alias: str, server_id: str) -> ServerView | None:
        """A server, by its id or its uuid."""

    async def networks(self, alias: str, code: str) -> Sequence[Network]:
        """The networks of a data center."""

    async def capabilities(self, alias: str, code: str) -> Capabilities:
        """What a data center offers to an account."""

    async def defaults(self, alias: str, group_id: str) -> Defaults:
        """What a new server of a group gets."""

    async def policies(self, alias: str) -> Policies:
        """The policies of an account."""

    async def usage(
        self, alias: str, servers: Sequence[ServerView], moments: Sequence[float]
    ) -> Mapping[str, Sequence[Usage]]:
        """How busy servers are: for each id one usage per moment. What is not measured is absent."""

    async def costs(self, alias: str, servers: Sequence[ServerView]) -> Mapping[str, Cost]:
        """What servers cost, by their ids. Servers without a price are absent."""

    async def prices(self, alias: str, server_id: str) -> Prices:
        """What the parts of a server cost."""

    async def custom_fields(self, alias: str) -> Sequence[CustomField]:
        """The custom fields of an account."""

    async def credentials(self, alias: str, server_id: str) -> tuple[str, str] | None:
        """The name and password of a server's administrator."""

    async def submit(self, alias: str, order: Order) -> Sequence[Outcome]:
        """Queue an operation; returns one outcome per distinct server, in the order in which they change.

        It returns once the jobs are sure to exist: the answer that names them leaves afterwards.

        Raises:
            NotSupported: no server of this plane can have such an operation.
        """

    async def edit(self, alias: str, server_id: str, user: User, edit: ServerEdit) -> None:
        """Change what is said of a server, at once.

        Raises:
            NotSupported: this plane does not change it.
        """

    async def job_status(self, alias: str, job_id: str) -> str | None:
        """The status of a job; None where there is no such job."""
