"""Reads servers after an operation: a job's status says nothing about a single server."""

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
"""Seconds between the readings for one search: doubled from the first to the longest."""
SPACING = 1.0
"""Seconds at least from the start of one reading of a data center to the start of the next."""
BACKLOG_SPACING = 3.0
"""The same while status requests are backlogged: then every reading shows the end of many jobs."""
MANY = 20
"""From so many watched servers on, the whole data center is read rather than single servers."""
DUTY_CYCLE = 3.0
"""A data center is being read for at most one part in so many of the time."""
LIVE_DUTY_CYCLE = 20.0
"""The same for readings that only show how a job proceeds."""
LIVE_SHARE = 0.1
"""Such a reading follows the one before after this share of the time since the newest job was sent."""


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
        """Whether it only uses what is read for others."""
        self.pending = server_ids
        """Servers not yet read in the requested state."""
        self.contrary: set[str] = set()
        """Those of them that the newest reading showed in another state."""
        self.on_server = on_server
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when nothing is pending."""

    def apply(self, servers: Mapping[str, Server]) -> None:
        """Apply one reading."""
        self.contrary.clear()
        for server in [servers[id_] for id_ in sorted(self.pending) if id_ in servers]:
            settled = self.action.settled(server)
            if settled:
                self.pending.discard(server.id)
                self.on_server(server)
            elif settled is False:
                self.contrary.add(server.id)
        if not self.pending and not self.done.done():
            self.done.set_result(None)


class _DataCenter:
    """The readings of one data center, shared by all searches in it."""

    def __init__(
        self,
        read: Callable[[set[str]], Awaitable[Iterable[Server]]],
        clock: Clock,
        backlogged: Callable[[], bool],
        live: bool,
        jitter: Callable[[], float],
    ) -> None:
        self._read = read
        self._clock = clock
        self._backlogged = backlogged
        self._live = live
        self._jitter = jitter
        self._rounds: asyncio.Task[None] | None = None
        """Reads for passive searches."""
        self._searches: dict[_Search, None] = {}
        self._watching = 0
        """Passive searches among them."""
        self._next: asyncio.Task[None] | None = None
        """The reading that waits to start: every caller that needs one joins it."""
        self._current: asyncio.Task[None] | None = None
        """The reading in progress: it may have missed what happened since it started."""
        self._not_before = -math.inf
        self._live_from = -math.inf
        """When the next reading that only shows how jobs proceed may start."""
        self._watched_since = -math.inf
        """When the newest passive search began."""

    async def settle(self, search: _Search, limit: float) -> dict[str, bool]:
        """Read until nothing is pending, or until a reading that started after ``limit`` seconds is done."""
        deadline = self._clock.monotonic() + limit
        interval = FIRST_INTERVAL
        self._searches[search] = None
        try:
            while search.pending:
                remaining = deadline - self._clock.monotonic()
                await self._read_soon()
                if remaining <= 0:
                    break
                await self._pause(search, min(interval, max(0.0, deadline - self._clock.monotonic())))
                interval = min(2 * interval, LONGEST_INTERVAL)
        finally:
            self._remove(search)
        return {id_: id_ in search.contrary for id_ in search.pending}

    async def watch(self, search: _Search) -> None:
        """Wait until nothing is pending, by readings for others, because of a backlog, or of live ones."""
        self._searches[search] = None
        self._watching += 1
        self._watched_since = self._clock.monotonic()
        if self._rounds is None:
            self._rounds = asyncio.create_task(self._read_for_watchers())
        try:
            await search.done
        finally:
            self._watching -= 1
            self._remove(search)

    def _remove(self, search: _Search) -> None:
        del self._searches[search]
        if not self._watching and self._rounds is not None:
            self._rounds.cancel()
            self._rounds = None
        if not self._searches:
            for task in (self._next, self._current):
                if task is not None:
                    task.cancel()
            self._next = None

    async def _read_for_watchers(self) -> None:
        while True:
            await self._clock.sleep(BACKLOG_SPACING)
            live = self._live and self._clock.monotonic() >= self._live_from
            if live or self._backlogged():
                await self._read_soon()

    async def _pause(self, search: _Search, seconds: float) -> None:
        if search.pending:
            sleep = asyncio.ensure_future(self._clock.sleep(seconds))
            try:
                await asyncio.wait({sleep, search.done}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleep.cancel()

    async def _read_soon(self) -> None:
        """Return when a reading that started after this call has been applied."""
        if self._next is None:
            self._next = asyncio.create_task(self._read_after(self._current))
        await asyncio.shield(self._next)

    async def _read_after(self, previous: asyncio.Task[None] | None) -> None:
        if previous is not None:
            await asyncio.wait({previous})
        await self._clock.sleep(max(0.0, self._not_before - self._clock.monotonic()))
        self._current, self._next = self._next, None
        try:
            await self._read_until_answered()
        finally:
            self._current = None

    async def _read_until_answered(self) -> None:
        failures = 0
        while True:
            searches = [search for search in self._searches if search.pending]
            active = set[str]().union(*(search.pending for search in searches if not search.passive))
            wanted = set[str]().union(*(search.pending for search in searches))
            if not wanted:
                return
            if active and len(wanted) < MANY:
                wanted = active
            started = self._clock.monotonic()
            try:
                servers = await self._read(wanted)
            except (NotFound, NotAllowed, BadRequest):
                servers = ()  # An answer too: the servers cannot be read.
            except ApiError as error:
                failures += 1
                pause = error.wait if isinstance(error, RateLimited) else None
                await self._clock.sleep(backoff(failures, self._jitter()) if pause is None else pause)
                continue
            took = self._clock.monotonic() - started
            spacing = BACKLOG_SPACING if self._backlogged() else SPACING
            self._not_before = started + max(spacing, DUTY_CYCLE * took)
            age = started - self._watched_since
            self._live_from = started + max(LIVE_SHARE * age, LIVE_DUTY_CYCLE * took)
            shown = {server.id: server for server in servers if server.id in wanted}
            for search in searches:
                search.apply(shown)
            return


class Verifier:
    """Reads servers until they are in the requested state. One per account, shared by all operations.

    It makes at most one request per data center and round: for the server itself when only one is wanted
    there, else for the data center's whole tree. A round serves every caller that waits for servers of its
    data center; the first starts at once, later ones at growing intervals.

    Usage::

        verifier = Verifier(read_server=..., read_data_center=..., data_center_of=..., clock=clock)
        pending = await verifier.settle(action, ids, limit=300.0, on_server=lambda server: ...)

    There is nothing to start or close: it works while somebody waits.
    """

    def __init__(
        self,
        *,
        read_server: Callable[[str], Awaitable[Server]],
        read_data_center: Callable[[str], Awaitable[Iterable[Server]]],
        data_center_of: Callable[[str], str],
        clock: Clock,
        backlogged: Callable[[], bool] = lambda: False,
        live: bool = False,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Create a verifier.

        Args:
            read_server: Reads one server by its id (upper case).
            read_data_center: Reads all servers of a data center by the data center's id. Both are the
                engine's own, so that every reading also updates the fleet.
            data_center_of: Returns the data center of a server id, e.g. from the fleet. Any string that
                ``read_data_center`` accepts.
            clock: The engine's clock.
            backlogged: Whether there are too many jobs to request each one's status in time: watched
                servers are read then.
            live: Whether watched servers are read now and then in any case, so that an operator sees them
                change one by one: every few seconds at first, then at growing intervals.
            jitter: Returns random numbers from 0 up to 1; replaced in tests.
        """
        self._read_server = read_server
        self._read_data_center = read_data_center
        self._data_center_of = data_center_of
        self._clock = clock
        self._backlogged = backlogged
        self._live = live
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
        """Read servers until each is in the state that ``action`` results in.

        The first reading starts at once, the last one at the limit. A reading that fails because of the
        network or the endpoint is repeated, backed off with jitter, even beyond the limit. Never raises
        ``ApiError``.

        Args:
            action: What was requested. One that leaves no trace in a server (reset, reboot) cannot be
                verified: all ids are returned at once.
            server_ids: Upper case.
            limit: Seconds; 0 for one reading.
            on_server: Called with each server in the requested state, as soon as it is read.

        Returns:
            The ids that are still pending -> whether the last reading showed the server in another state.
            False for a server that no longer exists, may not be read, or does not show its state.
        """
        if not action.leaves_trace:
            return dict.fromkeys(server_ids, False)
        parts = await asyncio.gather(
            *(
                self._at(data_center).settle(_Search(action, ids, on_server), limit)
                for data_center, ids in self._by_data_center(server_ids).items()
            )
        )
        return {id_: contrary for part in parts for id_, contrary in part.items()}

    async def watch(self, action: Action, server_ids: Iterable[str]) -> None:
        """Wait until each server was read in the state that ``action`` results in, for whatever reason.

        Reads servers itself only in a backlog, or when it is a live one. Never returns when a server does not
        show its state.
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
                read, self._clock, self._backlogged, self._live, self._jitter
            )
        return known
