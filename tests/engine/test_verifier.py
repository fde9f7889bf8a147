"""What is read after an operation, and what is reported."""

import asyncio
from collections.abc import Iterable

import pytest

from tests.engine.clock import VirtualClock
from tui.api.errors import ApiError, NotAllowed, NotFound, RateLimited, ServerFault, Unreachable
from tui.engine.polling.verifier import Verifier
from tui.model.operation import Action
from tui.model.server import Server

START = Action.START_MAINTENANCE
STOP = Action.STOP_MAINTENANCE
NIGHT = 8 * 3_600.0


class Cloud:
    """Servers whose maintenance flag is set at a given time; the first three letters are the data center."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.read_seconds = 0.1
        self.changes_at: dict[str, float] = {}
        """When each server's flag becomes true."""
        self.reads: list[tuple[float, str]] = []
        """Every reading: its time, and the server or data center."""
        self.outage: tuple[float, float, ApiError] | None = None
        self.in_flight = 0

    def add(self, data_center: str, count: int, changes_at: float = 0.0) -> list[str]:
        ids = [f"{data_center}ACME{len(self.changes_at) + n:04}" for n in range(count)]
        self.changes_at |= dict.fromkeys(ids, changes_at)
        return ids

    async def server(self, server_id: str) -> Server:
        [server] = await self._read(server_id, [server_id])
        return server

    async def data_center(self, data_center: str) -> Iterable[Server]:
        return await self._read(data_center, [id_ for id_ in self.changes_at if id_.startswith(data_center)])

    async def _read(self, what: str, ids: list[str]) -> list[Server]:
        started = self.clock.monotonic()
        self.reads.append((started, what))
        self.in_flight += 1
        try:
            seen = [
                Server(id_, maintenance=self.changes_at[id_] <= started)
                for id_ in ids
                if id_ in self.changes_at
            ]
            await self.clock.sleep(self.read_seconds)
        finally:
            self.in_flight -= 1
        if self.outage and self.outage[0] <= started < self.outage[1]:
            raise self.outage[2]
        if not seen:
            raise NotFound("there is no such server")
        return seen

    def times(self, what: str) -> list[float]:
        return [at for at, read in self.reads if read == what]


@pytest.fixture
def cloud(clock: VirtualClock) -> Cloud:
    return Cloud(clock)


@pytest.fixture
def verifier(cloud: Cloud, clock: VirtualClock) -> Verifier:
    return Verifier(
        read_server=cloud.server,
        read_data_center=cloud.data_center,
        data_center_of=lambda server_id: server_id[:3],
        clock=clock,
        jitter=lambda: 0.5,
    )


async def test_one_request_per_data_center_verifies_its_servers(verifier: Verifier, cloud: Cloud) -> None:
    ids = [*cloud.add("WA1", 3_000)[:100], *cloud.add("VA1", 3_000)[:100], *cloud.add("NY1", 50)[:1]]
    emitted: list[Server] = []
    assert await verifier.settle(START, ids, limit=300, on_server=emitted.append) == {}
    assert sorted(server.id for server in emitted) == sorted(ids)
    assert all(server.maintenance for server in emitted)
    assert sorted(what for _, what in cloud.reads) == sorted(["VA1", "WA1", ids[-1]])


async def test_servers_are_reported_as_soon_as_a_reading_shows_them(
    verifier: Verifier, cloud: Cloud, clock: VirtualClock
) -> None:
    ids = [*cloud.add("WA1", 5), *cloud.add("WA1", 5, changes_at=20)]
    seen: dict[str, float] = {}
    unsettled = await verifier.settle(
        START, ids, limit=300, on_server=lambda server: seen.update({server.id: clock.monotonic()})
    )
    assert unsettled == {}
    assert max(seen[id_] for id_ in ids[:5]) < 1
    assert 20 <= min(seen[id_] for id_ in ids[5:]) <= 40
    gaps = [late - early for early, late in zip(cloud.times("WA1"), cloud.times("WA1")[1:], strict=False)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > gaps[0]


@pytest.mark.parametrize(
    ("read_seconds", "limit", "times"),
    [
        (0.0, 130.0, [0, 2, 6, 14, 30, 60, 90, 120, 130]),
        (0.0, 30.5, [0, 2, 6, 14, 30, 31]),
        (0.25, 0.5, [0, 1]),
    ],
)
async def test_the_time_between_readings_doubles_to_half_a_minute_and_the_last_is_at_the_limit(
    verifier: Verifier, cloud: Cloud, read_seconds: float, limit: float, times: list[float]
) -> None:
    cloud.read_seconds = read_seconds
    ids = cloud.add("WA1", 2, changes_at=1_000)
    unsettled = await verifier.settle(START, ids, limit=limit, on_server=lambda server: None)
    assert unsettled == dict.fromkeys(ids, True)
    assert cloud.times("WA1") == times


@pytest.mark.parametrize(
    ("read_seconds", "backlogged", "times"),
    [
        (0.1, False, [0, 1, 2, 3]),
        (0.5, False, [0, 1.5, 3, 4.5]),
        (4.0, False, [0, 12, 24, 36]),
        (0.5, True, [0, 3, 6, 9]),
        (4.0, True, [0, 12, 24, 36]),
    ],
)
async def test_a_data_center_is_read_each_second_at_most_and_for_a_third_of_the_time(
    cloud: Cloud, clock: VirtualClock, read_seconds: float, backlogged: bool, times: list[float]
) -> None:
    verifier = Verifier(
        read_server=cloud.server,
        read_data_center=cloud.data_center,
        data_center_of=lambda server_id: server_id[:3],
        clock=clock,
        backlogged=lambda: backlogged,
    )
    await clock.sleep(100)
    cloud.read_seconds = read_seconds
    for _ in times:
        await verifier.settle(START, cloud.add("WA1", 2), limit=0, on_server=lambda server: None)
    assert [at - 100 for at in cloud.times("WA1")] == pytest.approx(times)


async def test_settling_ends_at_the_limit_after_a_last_reading(
    verifier: Verifier, cloud: Cloud, clock: VirtualClock
) -> None:
    ids = [
        *cloud.add("WA1", 5),
        *cloud.add("WA1", 5, changes_at=299.9),
        *cloud.add("WA1", 5, changes_at=1_000),
    ]
    emitted: list[Server] = []
    unsettled = await verifier.settle(START, ids, limit=300, on_server=emitted.append)
    assert unsettled == dict.fromkeys(ids[10:], True)
    assert len(emitted) == 10
    assert 300 <= clock.monotonic() < 305
    assert len(cloud.reads) < 20


async def test_a_limit_of_zero_is_one_reading(verifier: Verifier, cloud: Cloud, clock: VirtualClock) -> None:
    ids = [*cloud.add("WA1", 2), *cloud.add("WA1", 2, changes_at=50)]
    assert await verifier.settle(START, ids, limit=0, on_server=lambda server: None) == dict.fromkeys(
        ids[2:], True
    )
    assert cloud.reads == [(0.0, "WA1")]


@pytest.mark.parametrize(
    ("read_seconds", "times"),
    [
        (0.0, [3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 39, 45]),
        (0.5, [3, 15.5, 28, 40.5]),
    ],
)
async def test_watched_servers_are_read_at_growing_intervals_until_all_have_changed(
    cloud: Cloud, clock: VirtualClock, read_seconds: float, times: list[float]
) -> None:
    live = Verifier(
        read_server=cloud.server,
        read_data_center=cloud.data_center,
        data_center_of=lambda server_id: server_id[:3],
        clock=clock,
        live=True,
    )
    cloud.read_seconds = read_seconds
    ids = [*cloud.add("WA1", 5, changes_at=20), *cloud.add("WA1", 3, changes_at=40)]
    await live.watch(START, ids)
    assert cloud.times("WA1") == pytest.approx(times)
    await clock.sleep(100)
    assert len(cloud.reads) == len(times)


async def test_watched_servers_are_not_read_unless_live(
    verifier: Verifier, cloud: Cloud, clock: VirtualClock
) -> None:
    watching = asyncio.create_task(verifier.watch(START, cloud.add("WA1", 8)))
    await clock.sleep(100)
    assert cloud.reads == []
    watching.cancel()


async def test_servers_of_an_action_that_shows_in_no_state_are_not_read(
    verifier: Verifier, cloud: Cloud
) -> None:
    ids = cloud.add("WA1", 2)
    unsettled = await verifier.settle(Action.REBOOT, ids, limit=300, on_server=lambda server: None)
    assert unsettled == dict.fromkeys(ids, False)
    assert await verifier.settle(START, [], limit=300, on_server=lambda server: None) == {}
    assert cloud.reads == []


async def test_operations_share_the_readings(verifier: Verifier, cloud: Cloud, clock: VirtualClock) -> None:
    ids = cloud.add("WA1", 400, changes_at=60)
    batches = [set(ids[n : n + 10]) for n in range(0, 400, 10)]
    together = [verifier.settle(START, batch, limit=300, on_server=lambda server: None) for batch in batches]
    assert await asyncio.gather(*together) == [{}] * 40
    assert len(cloud.reads) <= 8, "as many as one batch alone needs"


async def test_a_reading_that_started_earlier_does_not_count(
    verifier: Verifier, cloud: Cloud, clock: VirtualClock
) -> None:
    cloud.read_seconds = 5.0
    first, second = cloud.add("WA1", 2, changes_at=100), cloud.add("WA1", 2, changes_at=2)
    early = asyncio.create_task(verifier.settle(START, first, limit=0, on_server=lambda server: None))
    await clock.sleep(3)
    assert await verifier.settle(START, second, limit=0, on_server=lambda server: None) == {}
    assert await early == dict.fromkeys(first, True)
    assert [what for _, what in cloud.reads] == ["WA1", "WA1"]


async def test_new_waits_do_not_shorten_the_pause_between_readings(
    verifier: Verifier, cloud: Cloud, clock: VirtualClock
) -> None:
    cloud.read_seconds = 4.0
    waiting = []
    for _ in range(60):
        ids = cloud.add("WA1", 2)
        waiting.append(
            asyncio.create_task(verifier.settle(START, ids, limit=60, on_server=lambda server: None))
        )
        await clock.sleep(1)
    assert await asyncio.gather(*waiting) == [{}] * 60
    assert len(cloud.reads) <= 7, "after a reading of four seconds comes a pause of eight"


async def test_the_last_server_is_read_alone(verifier: Verifier, cloud: Cloud) -> None:
    ids = [*cloud.add("WA1", 9), *cloud.add("WA1", 1, changes_at=10)]
    assert await verifier.settle(START, ids, limit=300, on_server=lambda server: None) == {}
    what = [read for _, read in cloud.reads]
    assert what == ["WA1", *[ids[-1]] * (len(what) - 1)]


@pytest.mark.parametrize("error", [Unreachable("no route"), ServerFault("it failed", 500)])
async def test_after_an_outage_beyond_the_limit_servers_are_read_once_more(
    verifier: Verifier, cloud: Cloud, clock: VirtualClock, error: ApiError
) -> None:
    ids = [*cloud.add("WA1", 2, changes_at=30), *cloud.add("WA1", 2, changes_at=10 * NIGHT)]
    cloud.outage = (0, NIGHT, error)
    emitted: list[Server] = []
    unsettled = await verifier.settle(START, ids, limit=300, on_server=emitted.append)
    assert unsettled == dict.fromkeys(ids[2:], True)
    assert {server.id for server in emitted} == set(ids[:2])
    assert NIGHT <= clock.monotonic() < NIGHT + 60
    assert len(cloud.reads) < NIGHT / 20


async def test_a_rate_limit_pause_is_kept(verifier: Verifier, cloud: Cloud) -> None:
    ids = cloud.add("WA1", 2)
    cloud.outage = (0, 1, RateLimited("slow down", 90.0))
    assert await verifier.settle(START, ids, limit=0, on_server=lambda server: None) == {}
    assert [round(at) for at in cloud.times("WA1")] == [0, 90]


@pytest.mark.parametrize("error", [Unreachable("no route"), RateLimited("slow down", None)])
async def test_failed_readings_are_repeated_after_pauses_that_double(
    verifier: Verifier, cloud: Cloud, error: ApiError
) -> None:
    cloud.read_seconds = 0.0
    cloud.outage = (0, 45, error)
    for _ in range(2):
        ids = cloud.add("WA1", 2)
        assert await verifier.settle(START, ids, limit=0, on_server=lambda server: None) == {}
    assert cloud.times("WA1") == [0, 0.75, 2.25, 5.25, 11.25, 23.25, 45.75, 46.75]


async def test_a_data_center_that_fails_does_not_delay_another(
    verifier: Verifier, cloud: Cloud, clock: VirtualClock
) -> None:
    ids = [*cloud.add("WA1", 2), *cloud.add("VA1", 2)]
    seen: dict[str, float] = {}

    async def failing(data_center: str) -> Iterable[Server]:
        if data_center == "WA1" and clock.monotonic() < 600:
            raise ServerFault("it failed", 500)
        return await cloud.data_center(data_center)

    verifier = Verifier(
        read_server=cloud.server, read_data_center=failing, data_center_of=lambda id_: id_[:3], clock=clock
    )
    await verifier.settle(
        START, ids, limit=300, on_server=lambda server: seen.update({server.id: clock.monotonic()})
    )
    assert max(seen[id_] for id_ in ids[2:]) < 1
    assert min(seen[id_] for id_ in ids[:2]) > 600


async def test_a_missing_or_forbidden_server_is_reported_as_not_read(
    verifier: Verifier, cloud: Cloud, clock: VirtualClock
) -> None:
    assert await verifier.settle(START, ["WA1GONE"], limit=60, on_server=lambda server: None) == {
        "WA1GONE": False
    }
    ids = cloud.add("VA1", 3)
    cloud.outage = (0, NIGHT, NotAllowed("not with this role"))
    unsettled = await verifier.settle(START, ids, limit=60, on_server=lambda server: None)
    assert unsettled == dict.fromkeys(ids, False)
    assert clock.monotonic() < 130


async def test_opposite_actions_each_see_their_own_state(verifier: Verifier, cloud: Cloud) -> None:
    ids = cloud.add("WA1", 2, changes_at=20)
    started, stopped = await asyncio.gather(
        verifier.settle(START, ids, limit=60, on_server=lambda server: None),
        verifier.settle(STOP, ids, limit=60, on_server=lambda server: None),
    )
    assert started == stopped == {}


async def test_servers_that_nobody_waits_for_are_not_read(
    verifier: Verifier, cloud: Cloud, clock: VirtualClock
) -> None:
    cloud.read_seconds = 5.0
    ids = cloud.add("WA1", 3, changes_at=NIGHT)
    for pause in (2.0, 20.0, 5.1):  # While it reads; while it waits; just after.
        waiting = asyncio.create_task(verifier.settle(START, ids, limit=NIGHT, on_server=lambda server: None))
        await clock.sleep(pause)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        reads = len(cloud.reads)
        await clock.sleep(1_000)
        assert len(cloud.reads) == reads
        assert cloud.in_flight == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
    cloud.changes_at = dict.fromkeys(ids, 0.0)
    assert await verifier.settle(START, ids, limit=0, on_server=lambda server: None) == {}


async def test_a_cancelled_wait_does_not_disturb_the_others(
    verifier: Verifier, cloud: Cloud, clock: VirtualClock
) -> None:
    cloud.read_seconds = 5.0
    ids = cloud.add("WA1", 4)
    stays = asyncio.create_task(verifier.settle(START, ids[:2], limit=0, on_server=lambda server: None))
    leaves = asyncio.create_task(verifier.settle(START, ids[2:], limit=0, on_server=lambda server: None))
    await clock.sleep(1)
    leaves.cancel()
    assert await stays == {}


async def test_an_unexpected_error_reaches_the_waiter(verifier: Verifier, cloud: Cloud) -> None:
    def on_server(server: Server) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await verifier.settle(START, cloud.add("WA1", 2), limit=0, on_server=on_server)
