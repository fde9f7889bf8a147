"""The platform as the engine uses it; ``tui.api.endpoints.Api`` implements it over HTTP."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tui.engine.clock import Clock
from tui.engine.endpoint import Endpoint
from tui.model.group import DataCenter
from tui.model.operation import Action
from tui.model.server import ServerDetails

if TYPE_CHECKING:
    from tui.api.endpoints import Answer, LoginAnswer, Tree


class Platform(Protocol):
    """A connection to one endpoint. Every request may raise ApiError; see ``tui.api.endpoints.Api``."""

    async def login(self, user: str, password: str) -> "LoginAnswer":
        """Log in with one attempt."""
        ...

    async def data_centers(self, account: str) -> list[DataCenter]:
        """Read the data centers of an account."""
        ...

    async def group_tree(self, account: str, data_center: DataCenter) -> "Tree":
        """Read all groups and servers of a data center."""
        ...

    async def server(self, account: str, server_id: str) -> ServerDetails:
        """Read everything about one server."""
        ...

    async def operate(
        self,
        account: str,
        action: Action,
        server_ids: Sequence[str],
        may_leave: Callable[[], Awaitable[None]],
    ) -> "list[Answer]":
        """Request an action on servers with one POST. ``may_leave`` is awaited just before; it may raise."""
        ...

    async def job_status(self, account: str, job_id: str) -> str:
        """Read the status of a job, as the platform spells it."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


OnSeconds = Callable[[float], None]
Connect = Callable[[Endpoint, Clock, OnSeconds, OnSeconds], Platform]
"""Makes a connection to an endpoint. The callbacks receive, in seconds, the latency of each answer and each
pause that the endpoint requests."""


def connecting(state: Path) -> Connect:
    """Return what makes connections over HTTP.

    Processes with the same ``state`` folder share the request budget of each user at an endpoint.
    """

    def connect(endpoint: Endpoint, clock: Clock, on_latency: OnSeconds, on_pause: OnSeconds) -> Platform:
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
            # A sandbox in the process has no other users.
            shared=shared if endpoint.transport is None else None,
        )

    return connect
