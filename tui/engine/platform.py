"""What the engine asks of the platform. ``tui.api.endpoints.Api`` does it over HTTP."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tui.engine.clock import Clock
from tui.engine.endpoint import Endpoint
from tui.model.group import DataCenter
from tui.model.operation import Action
from tui.model.server import ServerDetails

if TYPE_CHECKING:
    from tui.api.endpoints import Answer, Session, Tree


class Platform(Protocol):
    """A connection to one endpoint. Every call raises ApiError; see ``tui.api.endpoints`` for each."""

    async def login(self, user: str, password: str) -> "Session":
        """Log in; one attempt."""
        ...

    async def data_centers(self, account: str) -> list[DataCenter]:
        """The data centers of an account."""
        ...

    async def group_tree(self, account: str, data_center: DataCenter) -> "Tree":
        """All groups and servers of a data center."""
        ...

    async def server(self, account: str, server_id: str) -> ServerDetails:
        """One server."""
        ...

    async def operate(
        self,
        account: str,
        action: Action,
        server_ids: Sequence[str],
        may_leave: Callable[[], Awaitable[None]],
    ) -> "list[Answer]":
        """Ask for an action on servers: one POST. ``may_leave`` is asked just before, and may raise."""
        ...

    async def job_status(self, account: str, job_id: str) -> str:
        """The platform's word for a job."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


Told = Callable[[float], None]
Connect = Callable[[Endpoint, Clock, Told, Told], Platform]
"""Makes a connection to an endpoint; it tells the latency of each answer, and each pause that it is asked
for. In seconds."""


def connecting(state: Path) -> Connect:
    """Connections over HTTP; processes with that folder share the request budget of each user."""

    def connect(endpoint: Endpoint, clock: Clock, on_latency: Told, on_pause: Told) -> Platform:
        # The HTTP library is loaded here, not before.
        from tui.api.endpoints import Api
        from tui.engine.shared_budget import SharedBudget

        def shared(user: str) -> SharedBudget:
            name = f"{endpoint.key} {user.casefold()}"
            return SharedBudget(state, name, endpoint.requests_per_second, endpoint.burst)

        return Api(
            endpoint.url,
            transport=endpoint.transport() if endpoint.transport is not None else None,
            allow_http=endpoint.allow_http,
            sleep=clock.sleep,
            monotonic=clock.monotonic,
            requests_per_second=endpoint.requests_per_second,
            burst=endpoint.burst,
            on_latency=on_latency,
            on_pause=on_pause,
            # What is in the process is nobody else's.
            shared=shared if endpoint.transport is None else None,
        )

    return connect
