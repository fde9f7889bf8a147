"""The calls of the v2 API that Pitstop makes, typed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from tui.api import trees, wire
from tui.api.address import base_url
from tui.api.budget import CrossProcessBudget, RequestBudget
from tui.api.client import Client
from tui.api.connections import Connections
from tui.api.errors import BadRequest, Malformed, NotFound
from tui.api.http import httpx
from tui.api.lenient_json import is_valid_id
from tui.api.limits import DEFAULT, Limits
from tui.api.retry import RequestKind
from tui.api.secret import Secret
from tui.api.transport import Request, Transport
from tui.api.wire import Answer, LoginAnswer, Tree
from tui.model.group import DataCenter
from tui.model.operation import Action
from tui.model.server import ServerDetails

__all__ = ["Answer", "Api", "LoginAnswer", "Tree"]


class Api:
    """One endpoint with one logged-in user.

    Every call raises `ApiError` and nothing else; its class says what may be done next (see
    `tui.api.errors`). Reads are repeated a few times on transient failures.
    """

    def __init__(
        self,
        url: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        allow_http: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        requests_per_second: float = 20.0,
        burst: int = 40,
        on_latency: Callable[[float], None] | None = None,
        on_pause: Callable[[float], None] | None = None,
        limits: Limits = DEFAULT,
        shared: Callable[[str], CrossProcessBudget] | None = None,
    ) -> None:
        """Prepare requests to ``url``, an origin with or without ``/v2``; nothing is sent.

        ``transport`` replaces the network. ``on_latency`` receives the seconds that each answer took,
        ``on_pause`` the seconds for which the endpoint requested a pause. ``shared`` makes the budget that a
        user shares with other processes.

        Raises:
            BadEndpoint: the URL is invalid, or is plain http to another machine without ``allow_http``.
        """
        # A transport passed in does not lead to the network.
        base = base_url(url, allow_http=allow_http or transport is not None)
        self._limits = limits
        self._transport = Transport(
            base,
            Connections(base, transport, limits),
            RequestBudget(requests_per_second, burst, limits.connections, sleep=sleep, monotonic=monotonic),
            monotonic=monotonic,
            on_latency=on_latency,
            limits=limits,
        )
        self._client = Client(
            self._transport, sleep=sleep, monotonic=monotonic, on_pause=on_pause, limits=limits, shared=shared
        )

    async def login(self, user: str, password: str) -> LoginAnswer:
        """Log in, with one request; user and password stay in memory to renew the token.

        Source: Authentication/login.

        Raises:
            LoginRefused: with the endpoint's own message. Never repeated: the platform locks users.
            ApiError: the endpoint could not be reached, or its answer is not a login's.
        """
        secret = Secret(password)
        del password  # no frame of ours holds it when something fails
        return await self._client.login(user, secret)

    async def data_centers(self, account: str) -> list[DataCenter]:
        """The data centers of an account with their root groups.

        Source: Data Centers/get-data-center-list; groupLinks on the list as seen in recorded traffic.

        Raises:
            ApiError: the list could not be read.
        """
        path = f"/datacenters/{_segment(account)}?groupLinks=true"
        request = Request(RequestKind.READ, path, f"account {account}")
        return await self._client.request(request, wire.data_centers)

    async def group_tree(self, account: str, data_center: DataCenter) -> Tree:
        """All groups and servers of a data center, in one request.

        Source: Groups/get-group; serverDetail as seen in recorded traffic.

        Raises:
            NotFound: the data center has no root group that the user may see.
            ApiError: the tree could not be read.
        """
        if not data_center.root_group_id:
            raise NotFound(
                f"{data_center.id} shows no root group: your role may not let you see its servers."
            )
        root = _segment(data_center.root_group_id, upper=False)

        def decode(body: bytearray) -> Tree:
            memory = self._transport.memory
            room = memory.room_beside(body)
            free = room.remaining
            tree = trees.group_tree(body, data_center, self._limits, room)
            _check_id(tree.groups[0].id, root)
            memory.keep(data_center.id, free - room.remaining)
            return tree

        path = f"/groups/{_segment(account)}/{root}?serverDetail=detailed"
        request = Request(RequestKind.READ, path, f"the root group of {data_center.id}", tree=True)
        return await self._client.request(request, decode)

    async def server(self, account: str, server_id: str) -> ServerDetails:
        """Everything about one server.

        Source: Servers/get-server.

        Raises:
            ApiError: the server could not be read.
        """

        def decode(body: bytearray) -> ServerDetails:
            details = trees.server(body, self._limits)
            _check_id(details.server.id, server_id)
            return details

        path = f"/servers/{_segment(account)}/{_segment(server_id)}"
        request = Request(RequestKind.READ, path, f"server {server_id.upper()}")
        return await self._client.request(request, decode)

    async def operate(
        self,
        account: str,
        action: Action,
        server_ids: Sequence[str],
        may_leave: Callable[[], Awaitable[None]] | None = None,
    ) -> list[Answer]:
        """Request ``action`` for servers, in one POST; returns one answer per server that it mentions.

        ``may_leave`` is awaited just before the request is sent, however long it waited for the budget.
        What it raises is raised here, and nothing was sent. Repeated only where it provably was never sent.

        Source: Power Operations, Servers/start-maintenance.

        Raises:
            OutcomeUnsure: the endpoint may have received it; read the servers before anything else.
            ApiError: it was not carried out, or was refused with 429 or 401 (`RateLimited`, `TokenRenewed`).
        """
        if not server_ids:
            return []
        requested = {_segment(server_id) for server_id in server_ids}
        request = Request(
            RequestKind.OPERATION,
            f"/operations/{_segment(account)}/servers/{action.value}",
            action.value,
            wire.operation_request(server_ids),
            may_leave=may_leave,
        )
        answers = await self._client.request(request, wire.answers)
        return [answer for answer in answers if answer.server_id in requested]

    async def job_status(self, account: str, job_id: str) -> str:
        """The status of a job, as the platform spells it.

        Source: Queue/get-status.

        Raises:
            ApiError: the status could not be read.
        """
        path = f"/operations/{_segment(account)}/status/{_segment(job_id, upper=False)}"
        request = Request(RequestKind.READ, path, f"job {job_id}")
        return await self._client.request(request, wire.job_status)

    async def aclose(self) -> None:
        """Close the connections and forget the credentials."""
        await self._client.aclose()


def _check_id(id_: str, requested: str) -> None:
    """Refuse the answer to another request: a proxy may deliver an answer twice, and late."""
    if id_.casefold() != requested.casefold():
        raise Malformed(f"The answer is about something else than {requested}.")


def _segment(id_: str, *, upper: bool = True) -> str:
    """An id or alias as a part of a path, in upper case as the platform wants it."""
    if not is_valid_id(id_):
        raise BadRequest(f"{id_!r} cannot be an id or an account alias; nothing was sent.")
    return id_.upper() if upper else id_
