"""What stands behind the contract: a `ControlPlane`, and the views that it gives of its fleet.

A view shows one moment. Ids of servers and codes of data centers are in upper case, aliases too; moments are
seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple, Protocol

from tui.contract.readings import Capabilities, Cost, Defaults, Policies, Prices, Usage

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


class NotSupported(Exception):
    """The control plane does not carry out such an operation; its text is the API's message."""


class Edit(NamedTuple):
    """Who made a change, and when."""

    by: str
    at: float


class Address(NamedTuple):
    """An internal address, and the public one that is mapped to it."""

    internal: str
    public: str | None = None
    ports: tuple[int, ...] = ()
    """The TCP ports that are open on the public one."""


class Policy(NamedTuple):
    """A policy that is attached to a server."""

    id: str
    name: str


class Snapshot(NamedTuple):
    """A snapshot of a server."""

    number: int
    taken: float


class CustomField(NamedTuple):
    """A custom field of the account, with its value where a server has one."""

    id: str
    name: str
    value: str = ""


class Partition(NamedTuple):
    """A file system of a server."""

    size_gb: float
    path: str


class Hardware(NamedTuple):
    """What a server consists of."""

    cpu: int
    memory_mb: int
    storage_gb: int
    host_name: str = ""
    addresses: tuple[Address, ...] = ()
    disks: tuple[int, ...] = ()
    """Sizes in GB."""
    partitions: tuple[Partition, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    alert_policies: tuple[Policy, ...] = ()
    custom_fields: tuple[CustomField, ...] = ()
    cpu_autoscale: Policy | None = None
    anti_affinity: Policy | None = None
    processor: str | None = None
    """The description of a bare metal server's processors; None for a virtual server."""
    storage: str | None = None
    grows_running: bool = False
    """Whether it gets CPUs and memory without a reboot."""


class ServerView(Protocol):
    """A server at one moment."""

    @property
    def version(self) -> Hashable:
        """A value that differs whenever anything else here does: what was encoded once is used again."""

    @property
    def id(self) -> str:
        """Its id, which is its name too."""

    @property
    def uuid(self) -> str:
        """Another id, of 32 hexadecimal digits, that some links use."""

    @property
    def description(self) -> str:
        """What it is for."""

    @property
    def group_id(self) -> str:
        """The id of its group."""

    @property
    def location(self) -> str:
        """The code of its data center."""

    @property
    def template(self) -> bool:
        """Whether it is a template."""

    @property
    def system(self) -> tuple[str, str]:
        """Its operating system: the text and the code."""

    @property
    def managed(self) -> bool:
        """Whether the operating system is managed by the platform."""

    @property
    def status(self) -> str:
        """Its status, as the platform spells it: active, archived, underConstruction and others."""

    @property
    def power(self) -> str:
        """Its power state: started, stopped or paused."""

    @property
    def maintenance(self) -> bool:
        """Whether it is in maintenance mode."""

    @property
    def type(self) -> str:
        """standard, hyperscale or bareMetal."""

    @property
    def storage_type(self) -> str:
        """standard, premium or hyperscale."""

    @property
    def created(self) -> Edit:
        """Who created it, and when."""

    @property
    def modified(self) -> Edit:
        """Who changed it last, and when."""

    @property
    def hardware(self) -> Hardware | None:
        """What it consists of; None where it is not built yet or not there any more."""


class GroupView(Protocol):
    """A group at one moment."""

    @property
    def id(self) -> str:
        """Its id: 32 hexadecimal digits in lower case."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def description(self) -> str | None:
        """What it is for."""

    @property
    def location(self) -> str:
        """The code of its data center."""

    @property
    def type(self) -> str:
        """The platform's type: default, archive or templates."""

    @property
    def parent_id(self) -> str | None:
        """The id of its parent; None for the root of a data center."""

    @property
    def servers_count(self) -> int:
        """Servers in the subtree, without those queued for restore."""

    @property
    def groups(self) -> Sequence[GroupView]:
        """The groups directly below."""

    @property
    def servers(self) -> Sequence[ServerView]:
        """Its own servers."""

    @property
    def created(self) -> Edit:
        """Who created it, and when."""

    @property
    def modified(self) -> Edit:
        """Who changed it last, and when."""


class DataCenterView(Protocol):
    """A data center at one moment."""

    @property
    def code(self) -> str:
        """Its code, for example WA1."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def root(self) -> GroupView:
        """Its root group."""

    @property
    def queued(self) -> int:
        """Servers whose last job has not ended."""


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
