"""The account's data centers, groups and servers: read whole in 1 + (number of data centers) requests."""

import asyncio
from collections.abc import Callable

from tui.api.errors import ApiError, NotFound
from tui.engine import memory
from tui.engine.clock import Clock
from tui.engine.events import (
    DataCenterFailed,
    DataCenterRead,
    DataCentersListed,
    DetailsFailed,
    DetailsRead,
    Event,
    FleetFailed,
    FleetRead,
    ReadingAgain,
    ServersRead,
)
from tui.engine.session import Session
from tui.model.fleet import Fleet
from tui.model.group import DataCenter
from tui.model.server import Server

PAUSES = (15.0, 30.0, 60.0, 120.0)
"""Seconds before what could not be read is tried again: once, twice, and so on; the last one stays."""


class Inventory:
    """One account's fleet, kept as it was last read. What is read is told."""

    def __init__(self, account: str, session: Session, clock: Clock, tell: Callable[[Event], None]) -> None:
        self.fleet = Fleet(account)
        self._account = account
        self._session = session
        self._clock = clock
        self._tell = tell
        self._data_centers: dict[str, DataCenter] = {}
        self._places: dict[str, str] = {}
        self._begun: dict[str, float] = {}
        self._refreshing: asyncio.Task[None] | None = None
        self._listed = False
        """Whether the data centers of the account could be listed when that was last tried."""
        self._failures = 0
        """Readings in a row that left something unread."""
        self._turn = 0

    async def refresh(self) -> None:
        """Read everything. Asked again meanwhile, it is the same reading."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh())
        await asyncio.shield(self._refreshing)

    async def keep_reading(self) -> None:
        """Read everything, then what could not be read again and again, ever more rarely, until it is read.

        Asked again meanwhile, or closed, this one goes no further.
        """
        self._turn += 1
        turn = self._turn
        await self.refresh()
        while turn == self._turn and (not self._listed or self.fleet.missing()):
            pause = PAUSES[min(self._failures, len(PAUSES) - 1)]
            self._failures += 1
            self._tell(ReadingAgain(self._clock.now() + pause))
            await self._clock.sleep(pause)
            if turn == self._turn:
                await (self._read(self.fleet.missing()) if self._listed else self.refresh())
        if turn == self._turn:
            self._failures = 0

    def close(self) -> None:
        """Stop reading."""
        self._turn += 1
        if self._refreshing is not None:
            self._refreshing.cancel()

    async def read_details(self, server_id: str) -> None:
        """Read everything about one server."""
        try:
            details = await self._session.read(lambda api: api.server(self._account, server_id))
        except ApiError as error:
            self._tell(DetailsFailed(server_id, str(error)))
            return
        self.fleet.update([details.server])
        self._tell(DetailsRead(details, self._clock.now()))

    async def read_server(self, server_id: str) -> Server:
        """Read one server. Raises ApiError."""
        details = await self._session.read(lambda api: api.server(self._account, server_id))
        self.fleet.update([details.server])
        self._tell(ServersRead((details.server,), self._clock.now()))
        return details.server

    async def read_data_center(self, data_center_id: str) -> tuple[Server, ...]:
        """Read all servers of a data center in one request. Raises ApiError."""
        if data_center_id not in self._data_centers:
            await self._read_data_centers()
        data_center = self._data_centers.get(data_center_id)
        if data_center is None:
            raise NotFound(f"the account has no data center {data_center_id}")
        begun = self._clock.monotonic()
        tree = await self._session.read(lambda api: api.group_tree(self._account, data_center))
        # Of two readings at once, the one that was begun later counts, whichever comes last.
        if begun >= self._begun.get(data_center_id, begun):
            self._begun[data_center_id] = begun
            at = self._clock.now()
            self.fleet.replace(data_center, tree.groups, tree.servers, at)
            self._tell(DataCenterRead(data_center, tree.groups, tree.servers, at))
        return tree.servers

    def place_of(self, server_id: str) -> str:
        """The data center of a server: as read, else as it was noted, else as its name begins."""
        server = self.fleet.servers.get(server_id)
        return server.data_center if server else self._places.get(server_id, server_id[:3])

    def note_places(self, data_center_id: str, server_ids: tuple[str, ...]) -> None:
        """Say where servers are that may not have been read yet."""
        self._places.update((id_, data_center_id) for id_ in server_ids if id_ not in self.fleet.servers)

    async def _refresh(self) -> None:
        try:
            await self._read_data_centers()
        except ApiError as error:
            self.fleet.unlisted = str(error)
            self._tell(FleetFailed(self.fleet.unlisted))
            return
        await self._read(self.fleet.expected)

    async def _read_data_centers(self) -> None:
        self._listed = False
        found = await self._session.read(lambda api: api.data_centers(self._account))
        self._listed = True
        self._data_centers = {data_center.id: data_center for data_center in found}
        self.fleet.expect(self._data_centers)
        self._tell(DataCentersListed(self.fleet.expected))

    async def _read(self, data_centers: tuple[str, ...]) -> None:
        failed = await asyncio.gather(*map(self._read_or_tell, data_centers))
        memory.give_back()
        at = min(self.fleet.read_at.values(), default=self._clock.now())
        self._tell(FleetRead(self.fleet.expected, tuple(filter(None, failed)), at))

    async def _read_or_tell(self, data_center_id: str) -> str:
        begun = self._clock.monotonic()
        try:
            await self.read_data_center(data_center_id)
        except ApiError as error:
            if begun >= self._begun.get(data_center_id, begun):  # else it was read meanwhile
                self.fleet.fail((data_center_id,), str(error))
                self._tell(DataCenterFailed(data_center_id, str(error)))
                return data_center_id
        return ""
