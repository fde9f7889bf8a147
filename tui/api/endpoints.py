"""The calls of the v2 API that Pitstop makes, typed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from tui.api import trees, wire
from tui.api.budget import Shared
from tui.api.client import Client
from tui.api.errors import BadRequest, Malformed, NotFound
from tui.api.http import httpx
from tui.api.lenient_json import is_usable_id
from tui.api.limits import DEFAULT, Limits
from tui.api.secret import Secret
from tui.api.wire import Answer, Session, Tree
from tui.model.group import DataCenter
from tui.model.operation import Action
from tui.model.server import ServerDetails

__all__ = ["Answer", "Api", "Session", "Tree"]


class Api:
    """One endpoint, spoken to by one logged-in user.

    All calls raise `ApiError` and nothing else; which one tells what may be done next (see
    `tui.api.errors`). Readings are repeated a little by themselves when they fail in passing.
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
        shared: Callable[[str], Shared] | None = None,
    ) -> None:
        """Prepare for ``url``, an origin with or without ``/v2``; nothing is sent.

        ``transport`` leads somewhere else than the network. ``on_latency`` is told how many seconds
        each answer took, ``on_pause`` for how many seconds the endpoint is left alone because it asked so.
        ``shared`` makes the budget that a user shares with other processes.

        Raises:
            BadEndpoint: the URL is none, or is plain http to another machine without ``allow_http``.
        """
        self._limits = limits
        self._client = Client(
            url,
            transport=transport,
            allow_http=allow_http,
            sleep=sleep,
            monotonic=monotonic,
            requests_per_second=requests_per_second,
            burst=burst,
            on_latency=on_latency,
            on_pause=on_pause,
            limits=limits,
            shared=shared,
        )

    async def login(self, user: str, password: str) -> Session:
        """Log in, once; user and password are then kept in memory to renew the token.

        Source: Authentication/login. Never repeated by itself.
        """
        secret = Secret(password)
        del password  # no frame of ours holds it when something fails
        return await self._client.login(user, secret)

    async def data_centers(self, account: str) -> list[DataCenter]:
        """The data centers of an account with their root groups.

        Source: Data Centers/get-data-center-list; groupLinks on the list as seen in recorded traffic.
        """
        return await self._client.read(
            f"/datacenters/{_segment(account)}?groupLinks=true",
            lambda body: wire.data_centers(body),
            what=f"account {account}",
        )

    async def group_tree(self, account: str, data_center: DataCenter) -> Tree:
        """All groups and servers of a data center, in one request.

        Source: Groups/get-group; serverDetail as seen in recorded traffic.
        """
        if not data_center.root_group_id:
            raise NotFound(
                f"{data_center.id} shows no root group: your role may not let you see its servers."
            )
        root = _segment(data_center.root_group_id, upper=False)

        def decode(body: bytearray) -> Tree:
            memory = self._client.memory
            room = memory.room_beside(body)
            free = room.left
            tree = trees.group_tree(body, data_center, self._limits, room)
            _expect(tree.groups[0].id, root)
            memory.keep(data_center.id, free - room.left)
            return tree

        return await self._client.read(
            f"/groups/{_segment(account)}/{root}?serverDetail=detailed",
            decode,
            what=f"the root group of {data_center.id}",
            tree=True,
        )

    async def server(self, account: str, server_id: str) -> ServerDetails:
        """Everything about one server. Source: Servers/get-server."""

        def decode(body: bytearray) -> ServerDetails:
            details = trees.server(body, self._limits)
            _expect(details.server.id, server_id)
            return details

        return await self._client.read(
            f"/servers/{_segment(account)}/{_segment(server_id)}",
            decode,
            what=f"server {server_id.upper()}",
        )

    async def operate(
        self,
        account: str,
        action: Action,
        server_ids: Sequence[str],
        may_leave: Callable[[], Awaitable[None]] | None = None,
    ) -> list[Answer]:
        """Ask for ``action`` on servers, in one POST; one answer for each server that it mentions.

        ``may_leave`` is asked just before the request leaves, however long that waited for its turn; what it
        raises is raised here, and nothing was sent.

        Source: Power Operations, Servers/start-maintenance. Repeated only where the endpoint provably
        did not carry it out.

        Raises:
            OutcomeUnsure: it may or may not have been received; look at the servers before anything else.
        """
        for server_id in server_ids:
            _segment(server_id)
        body = wire.operation_request(server_ids)
        return await self._operate(account, action.value, server_ids, body, may_leave)

    async def set_maintenance(self, account: str, wanted: Mapping[str, bool]) -> list[Answer]:
        """Give each server the maintenance state it is mapped to, in one POST; otherwise as `operate`.

        Source: Servers/set-maintenance-mode.
        """
        for server_id in wanted:
            _segment(server_id)
        return await self._operate(account, "setMaintenance", wanted, wire.maintenance_request(wanted))

    async def job_status(self, account: str, job_id: str) -> str:
        """The platform's word for how a job is doing, as it is. Source: Queue/get-status."""
        return await self._client.read(
            f"/operations/{_segment(account)}/status/{_segment(job_id, upper=False)}",
            lambda body: wire.job_status(body),
            what=f"job {job_id}",
        )

    async def aclose(self) -> None:
        """Close the connections and forget the credentials."""
        await self._client.aclose()

    async def _operate(
        self,
        account: str,
        operation: str,
        server_ids: Sequence[str] | Mapping[str, bool],
        body: bytes,
        may_leave: Callable[[], Awaitable[None]] | None = None,
    ) -> list[Answer]:
        if not server_ids:
            return []
        path = f"/operations/{_segment(account)}/servers/{operation}"
        found = await self._client.operate(path, body, wire.answers, what=operation, may_leave=may_leave)
        asked = {server_id.upper() for server_id in server_ids}
        return [answer for answer in found if answer.server_id in asked]


def _expect(id_: str, asked: str) -> None:
    """Refuse the answer to another request: one that came twice, and late, looks like the answer to this."""
    if id_.casefold() != asked.casefold():
        raise Malformed(f"The answer is about something else than {asked}.")


def _segment(id_: str, *, upper: bool = True) -> str:
    """An id or alias as a part of a path, upper case as the platform wants it."""
    if not is_usable_id(id_):
        raise BadRequest(f"{id_!r} cannot be an id or an account alias; nothing was sent.")
    return id_.upper() if upper else id_
