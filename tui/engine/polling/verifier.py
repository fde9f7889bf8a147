"""Re-reads servers after an operation: the queue tells nothing of a single server."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping

from tui.api.errors import ApiError, BadRequest, NotAllowed, NotFound, RateLimited
from tui.engine.clock import Clock
from tui.engine.polling.schedule import backoff
from tui.model.operation import Action
from tui.model.server import Server

FIRST_INTERVAL = 2.0
LONGEST_INTERVAL = 30.0
"""Seconds between the looks of one search: doubling from the first to the longest."""
SPACING = 1.0
"""Seconds at least from the beginning of a reading of one data center to the next."""
CROWD_SPACING = 3.0
"""The same while so many jobs go on that each is asked for too seldom: then every look shows many ends."""
MANY = 20
"""From so many servers on that are watched, reading all of a data center serves better than reading one."""
BREATHER = 3.0
"""A data center is read for at most one part in so many of the time."""


class _Search:
    """The servers of one data center that one caller waits for."""

    def __init__(
        self,
        action: Action,
        server_ids: set[str],
        on_server: Callable[[Server], None],
        *,
        passive: bool = False,
    ) -> None:
        self.action = action
        self.passive = passive
        """Takes what others' readings show, and asks for none."""
        self.left = server_ids
        self.contrary: set[str] = set()
        """Those that the newest reading showed not to be as asked."""
        self.on_server = on_server
        self.found: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when nothing is left."""

    def see(self, servers: Mapping[str, Server]) -> None:
        """Take in all that one reading showed."""
        self.contrary.clear()
        for server in [servers[id_] for id_ in sorted(self.left) if id_ in servers]:
            settled = self.action.settled(server)
            if settled:
                self.left.discard(server.id)
                self.on_server(server)
            elif settled is False:
                self.contrary.add(server.id)
        if not self.left and not self.found.done():
            self.found.set_result(None)


class _DataCenter:
    """The readings of one data center, shared by all searches in it."""

    def __init__(
        self,
        read: Callable[[set[str]], Awaitable[Iterable[Server]]],
        clock: Clock,
        crowded: Callable[[], bool],
        jitter: Callable[[], float],
    ) -> None:
        self._read = read
        self._clock = clock
        self._crowded = crowded
        self._rounds: asyncio.Task[None] | None = None
        """Looks now and then while there is a crowd."""
        self._jitter = jitter
        self._searches: dict[_Search, None] = {}
        self._reading: asyncio.Task[None] | None = None
        """The reading that is waiting to begin: whoever wants a look joins it."""
        self._begun: asyncio.Task[None] | None = None
        """The reading under way: it may have missed what happened since it began."""
        self._not_before = -math.inf

    async def settle(self, search: _Search, limit: float) -> dict[str, bool]:
        """Look until nothing is left of the search, or a look that began at the limit is over."""
        deadline = self._clock.monotonic() + limit
        interval = FIRST_INTERVAL
        self._searches[search] = None
        try:
            while search.left:
                remaining = deadline - self._clock.monotonic()
                await self._look()
                if remaining <= 0:
                    break
                await self._pause(search, min(interval, max(0.0, deadline - self._clock.monotonic())))
                interval = min(2 * interval, LONGEST_INTERVAL)
        finally:
            self._leave(search)
        return {id_: id_ in search.contrary for id_ in search.left}

    async def watch(self, search: _Search) -> None:
        """Wait until nothing is left of the search, by what is read for others or for the crowd."""
        self._searches[search] = None
        if self._rounds is None:
            self._rounds = asyncio.create_task(self._look_around())
        try:
            await search.found
        finally:
            self._leave(search)

    def _leave(self, search: _Search) -> None:
        del self._searches[search]
        if not any(search.passive for search in self._searches) and self._rounds is not None:
            self._rounds.cancel()
            self._rounds = None
        if not self._searches:
            for task in (self._reading, self._begun):
                if task is not None:
                    task.cancel()
            self._reading = None

    async def _look_around(self) -> None:
        while True:
            await self._clock.sleep(CROWD_SPACING)
            if self._crowded():
                await self._look()

    async def _pause(self, search: _Search, seconds: float) -> None:
        if search.left:
            sleep = asyncio.ensure_future(self._clock.sleep(seconds))
            try:
                await asyncio.wait({sleep, search.found}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleep.cancel()

    async def _look(self) -> None:
        """Return when a reading that began after this call has been taken in."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._take(self._begun))
        await asyncio.shield(self._reading)

    async def _take(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        await self._clock.sleep(max(0.0, self._not_before - self._clock.monotonic()))
        self._begun, self._reading = self._reading, None
        try:
            await self._read_until_answered()
        finally:
            self._begun = None

    async def _read_until_answered(self) -> None:
        failures = 0
        while True:
            searches = [search for search in self._searches if search.left]
            asked = set[str]().union(*(search.left for search in searches if not search.passive))
            wanted = set[str]().union(*(search.left for search in searches))
            if not wanted:
                return
            if asked and len(wanted) < MANY:
                wanted = asked
            begun = self._clock.monotonic()
            try:
                servers = await self._read(wanted)
            except (NotFound, NotAllowed, BadRequest):
                servers = ()  # An answer too: the servers cannot be seen as asked.
            except ApiError as error:
                failures += 1
                told = error.wait if isinstance(error, RateLimited) else None
                await self._clock.sleep(backoff(failures, self._jitter()) if told is None else told)
                continue
            took = self._clock.monotonic() - begun
            spacing = CROWD_SPACING if self._crowded() else SPACING
            self._not_before = begun + max(spacing, BREATHER * took)
            shown = {server.id: server for server in servers if server.id in wanted}
            for search in searches:
                search.see(shown)
            return


class Verifier:
    """Reads servers until they are as asked. One per session, shared by all operations.

    At most one request per data center and round: the server itself when only one is looked for there,
    else the data center's whole tree. Rounds of one data center serve everyone who waits there; the
    first comes at once, later ones at growing intervals.

    Usage::

        verifier = Verifier(read_server=..., read_data_center=..., data_center_of=..., clock=clock)
        left = await verifier.settle(action, ids, limit=300.0, on_server=lambda server: ...)

    There is nothing to start and nothing to close: it works while somebody waits.
    """

    def __init__(
        self,
        *,
        read_server: Callable[[str], Awaitable[Server]],
        read_data_center: Callable[[str], Awaitable[Iterable[Server]]],
        data_center_of: Callable[[str], str],
        clock: Clock,
        crowded: Callable[[], bool] = lambda: False,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Make a verifier.

        Args:
            read_server: Reads one server by its id (upper case).
            read_data_center: Reads all servers of a data center by the data center's id. Both readings are
                the engine's own, so that it can also feed the fleet with what was read.
            data_center_of: The data center of a server id, e.g. from the fleet. Any string that
                ``read_data_center`` understands.
            clock: The engine's clock.
            crowded: Whether jobs are too many to be asked for one by one: what is watched is read then.
            jitter: Random numbers from 0 up to 1, replaced in tests.
        """
        self._crowded = crowded
        self._read_server = read_server
        self._read_data_center = read_data_center
        self._data_center_of = data_center_of
        self._clock = clock
        self._jitter = jitter
        self._data_centers: dict[str, _DataCenter] = {}

    async def settle(
        self,
        action: Action,
        server_ids: Iterable[str],
        *,
        limit: float,
        on_server: Callable[[Server], None],
    ) -> dict[str, bool]:
        """Read the servers until each is as ``action`` leaves it.

        The servers are read once at once, and a last time at the limit. A reading that fails because of
        the link or the endpoint is repeated, backed off with jitter, even beyond the limit. Never raises
        ``ApiError``.

        Args:
            action: What was asked for. One that leaves no trace in a server (reset, reboot) is not
                verified: all ids are returned at once.
            server_ids: Upper case.
            limit: Seconds; 0 for one look.
            on_server: Told each server that is as asked, as soon as it is.

        Returns:
            The ids that were not seen to be as asked -> whether the last look showed that they are not. It
            does not of a server that is gone, or may not be read, or does not tell.
        """
        if not action.leaves_trace:
            return dict.fromkeys(server_ids, False)
        left = await asyncio.gather(
            *(
                self._at(data_center).settle(_Search(action, ids, on_server), limit)
                for data_center, ids in self._by_data_center(server_ids).items()
            )
        )
        return {id_: shown for part in left for id_, shown in part.items()}

    async def watch(self, action: Action, server_ids: Iterable[str]) -> None:
        """Wait until each server was seen to be as ``action`` leaves it, in whatever is read anyway.

        Only in a crowd are servers read for that alone. Never returns where a server does not show it.
        """
        await asyncio.gather(
            *(
                self._at(data_center).watch(_Search(action, ids, lambda server: None, passive=True))
                for data_center, ids in self._by_data_center(server_ids).items()
            )
        )

    def _by_data_center(self, server_ids: Iterable[str]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for server_id in server_ids:
            found.setdefault(self._data_center_of(server_id), set()).add(server_id)
        return found

    def _at(self, data_center: str) -> _DataCenter:
        known = self._data_centers.get(data_center)
        if known is None:

            async def read(wanted: set[str]) -> Iterable[Server]:
                if len(wanted) == 1:
                    return [await self._read_server(next(iter(wanted)))]
                return await self._read_data_center(data_center)

            known = self._data_centers[data_center] = _DataCenter(
                read, self._clock, self._crowded, self._jitter
            )
        return known
