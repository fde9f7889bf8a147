"""Reads an account's data centers, groups and servers: all in 1 + (number of data centers) requests."""

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
    RetryScheduled,
    ServersRead,
)
from tui.engine.session import Session
from tui.model.fleet import Fleet
from tui.model.group import DataCenter
from tui.model.server import Server

PAUSES = (15.0, 30.0, 60.0, 120.0)
"""Seconds before the first, second, … retry of what could not be read; the last one repeats."""


class Inventory:
    """One account's fleet as last read. Emits an event for every reading."""

    def __init__(self, account: str, session: Session, clock: Clock, emit: Callable[[Event], None]) -> None:
        self.fleet = Fleet(account)
        self._account = account
        self._session = session
        self._clock = clock
        self._emit = emit
        self._data_centers: dict[str, DataCenter] = {}
        self._noted: dict[str, str] = {}
        self._started: dict[str, float] = {}
        self._refreshing: asyncio.Task[None] | None = None
        self._listed = False
        """Whether the newest attempt to list the account's data centers succeeded."""
        self._failures = 0
        """Readings in a row that did not read everything."""
        self._calls = 0

    async def refresh(self) -> None:
        """Read everything; a call during a reading joins it.

        Emits DataCentersListed, DataCenterRead and FleetRead; for what cannot be read, DataCenterFailed or
        FleetFailed.
        """
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh())
        await asyncio.shield(self._refreshing)

    async def keep_reading(self) -> None:
        """Read everything, then retry what could not be read, until it is read.

        Pauses for ``PAUSES`` seconds between the attempts and emits RetryScheduled before each pause. A
        later call, and ``close``, end this one.
        """
        self._calls += 1
        call = self._calls
        await self.refresh()
        while call == self._calls and (not self._listed or self.fleet.missing()):
            pause = PAUSES[min(self._failures, len(PAUSES) - 1)]
            self._failures += 1
            self._emit(RetryScheduled(self._clock.now() + pause))
            await self._clock.sleep(pause)
            if call == self._calls:
                await (self._read(self.fleet.missing()) if self._listed else self.refresh())
        if call == self._calls:
            self._failures = 0

    def close(self) -> None:
        """End the reading in progress and all retries."""
        self._calls += 1
        if self._refreshing is not None:
            self._refreshing.cancel()

    async def read_details(self, server_id: str) -> None:
        """Read everything about one server; emits DetailsRead or DetailsFailed."""
        try:
            details = await self._session.read(lambda api: api.server(self._account, server_id))
        except ApiError as error:
            self._emit(DetailsFailed(server_id, str(error)))
            return
        self.fleet.update([details.server])
        self._emit(DetailsRead(details, self._clock.now()))

    async def read_server(self, server_id: str) -> Server:
        """Read one server; emits ServersRead.

        Raises:
            ApiError: it cannot be read; any but TokenExpired.
        """
        details = await self._session.read(lambda api: api.server(self._account, server_id))
        self.fleet.update([details.server])
        self._emit(ServersRead((details.server,), self._clock.now()))
        return details.server

    async def read_data_center(self, data_center_id: str) -> tuple[Server, ...]:
        """Read all servers of a data center in one request; emits DataCenterRead.

        Raises:
            ApiError: it cannot be read; any but TokenExpired.
        """
        if data_center_id not in self._data_centers:
            await self._read_data_centers()
        data_center = self._data_centers.get(data_center_id)
        if data_center is None:
            raise NotFound(f"the account has no data center {data_center_id}")
        started = self._clock.monotonic()
        tree = await self._session.read(lambda api: api.group_tree(self._account, data_center))
        # Of two readings at the same time the one that started later counts, whichever answer comes last.
        if started >= self._started.get(data_center_id, started):
            self._started[data_center_id] = started
            at = self._clock.now()
            self.fleet.replace(data_center, tree.groups, tree.servers, at)
            self._emit(DataCenterRead(data_center, tree.groups, tree.servers, at))
        return tree.servers

    def data_center_of(self, server_id: str) -> str:
        """Return the data center of a server: as read, else as noted, else the start of its id."""
        server = self.fleet.servers.get(server_id)
        return server.data_center if server else self._noted.get(server_id, server_id[:3])

    def note_data_centers(self, data_center_id: str, server_ids: tuple[str, ...]) -> None:
        """Note the data center of servers that may not have been read yet."""
        self._noted.update((id_, data_center_id) for id_ in server_ids if id_ not in self.fleet.servers)

    async def _refresh(self) -> None:
        try:
            await self._read_data_centers()
        except ApiError as error:
            self.fleet.unlisted = str(error)
            self._emit(FleetFailed(self.fleet.unlisted))
            return
        await self._read(self.fleet.expected)

    async def _read_data_centers(self) -> None:
        self._listed = False
        found = await self._session.read(lambda api: api.data_centers(self._account))
        self._listed = True
        self._data_centers = {data_center.id: data_center for data_center in found}
        self.fleet.expect(self._data_centers)
        self._emit(DataCentersListed(self.fleet.expected))

    async def _read(self, data_centers: tuple[str, ...]) -> None:
        failed = await asyncio.gather(*map(self._read_or_report, data_centers))
        memory.give_back()
        at = min(self.fleet.read_at.values(), default=self._clock.now())
        self._emit(FleetRead(self.fleet.expected, tuple(filter(None, failed)), at))

    async def _read_or_report(self, data_center_id: str) -> str:
        started = self._clock.monotonic()
        try:
            await self.read_data_center(data_center_id)
        except ApiError as error:
            if started >= self._started.get(data_center_id, started):  # else a later reading succeeded
                self.fleet.fail((data_center_id,), str(error))
                self._emit(DataCenterFailed(data_center_id, str(error)))
                return data_center_id
        return ""
