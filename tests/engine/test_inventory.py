"""Reading the account's servers."""

import asyncio
from pathlib import Path

import msgspec

from tests.engine.clock import VirtualClock
from tests.engine.cloud import Cloud
from tests.engine.console import Console
from tui.api.errors import NotFound, ServerFault
from tui.engine.events import (
    DataCenterFailed,
    DataCenterRead,
    DataCentersListed,
    DetailsFailed,
    DetailsRead,
    FleetFailed,
    FleetRead,
    Latency,
    RetryScheduled,
)


async def three_data_centers(clock: VirtualClock, path: Path) -> Console:
    cloud = Cloud(clock, 9, ("WA1", "DE1", "VA1"))
    return await Console(clock, cloud, path / "journal.db").login(refresh=False)


async def test_reading_the_fleet_takes_one_request_and_one_per_data_center(
    clock: VirtualClock, tmp_path: Path
) -> None:
    console = await three_data_centers(clock, tmp_path)
    await console.service.inventory.refresh()
    assert console.cloud.requests == {"login": 1, "data_centers": 1, "group_tree": 3}
    assert {event.data_center.id: len(event.servers) for event in console.emitted(DataCenterRead)} == {
        "WA1": 3,
        "DE1": 3,
        "VA1": 3,
    }
    read = console.emitted(FleetRead)[0]
    assert (set(read.data_centers), read.failed) == ({"WA1", "DE1", "VA1"}, ())
    assert console.service.inventory.fleet.servers == console.cloud.servers


async def test_data_centers_are_read_at_the_same_time(clock: VirtualClock, tmp_path: Path) -> None:
    console = await three_data_centers(clock, tmp_path)
    console.cloud.round_trip = 10
    before = clock.monotonic()
    await console.service.inventory.refresh()
    assert clock.monotonic() - before == 20


async def test_a_failed_data_center_hides_neither_others_nor_its_last_reading(
    clock: VirtualClock, tmp_path: Path
) -> None:
    console = await three_data_centers(clock, tmp_path)
    await console.service.inventory.refresh()
    count = 0

    def fail(call: str) -> None:
        nonlocal count
        if call == "group_tree":
            count += 1
            if count == 2:
                raise ServerFault("an error has occurred", 500)

    console.cloud.on_call = fail
    await console.service.inventory.refresh()
    failed = console.emitted(DataCenterFailed)
    assert [event.message for event in failed] == ["an error has occurred"]
    assert console.emitted(FleetRead)[1].failed == (failed[0].data_center,)
    assert len(console.emitted(DataCenterRead)) == 5
    assert len(console.service.inventory.fleet.servers) == 9
    assert console.service.inventory.fleet.problems == {failed[0].data_center: "an error has occurred"}


async def test_concurrent_refreshes_are_one(clock: VirtualClock, tmp_path: Path) -> None:
    console = await three_data_centers(clock, tmp_path)
    await asyncio.gather(*(console.service.inventory.refresh() for _ in range(5)))
    assert console.cloud.requests["data_centers"] == 1
    await console.service.inventory.refresh()
    assert console.cloud.requests["data_centers"] == 2


async def test_a_removed_data_center_is_dropped(clock: VirtualClock, tmp_path: Path) -> None:
    console = await three_data_centers(clock, tmp_path)
    await console.service.inventory.refresh()
    del console.cloud.centers[0]
    await console.service.inventory.refresh()
    assert set(console.service.inventory.fleet.data_centers) == {"DE1", "VA1"}
    assert len(console.service.inventory.fleet.servers) == 6
    assert console.emitted(FleetRead)[1].data_centers == ("DE1", "VA1")


async def test_a_failed_list_of_data_centers_is_one_message_and_keeps_the_fleet(
    console: Console, cloud: Cloud
) -> None:
    def fail(call: str) -> None:
        raise NotFound("there is no account ACME")

    cloud.on_call = fail
    await console.service.inventory.refresh()
    assert console.emitted(FleetFailed) == [FleetFailed("there is no account ACME")]
    assert len(console.service.inventory.fleet.servers) == 6


async def test_of_two_concurrent_readings_the_one_requested_later_counts(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    first = next(iter(cloud.servers))
    slow = asyncio.create_task(console.service.inventory.read_data_center("WA1"))
    await clock.sleep(0.01)
    cloud.round_trip = 0.001
    changed = msgspec.structs.replace(cloud.servers[first], description="newer")

    async def keep_old(call: str) -> None:
        await clock.sleep(1)

    before = dict(cloud.servers)
    cloud.on_call = lambda call: keep_old(call)  # The first one's answer is on its way for a second,
    await clock.sleep(0.02)
    cloud.on_call = lambda call: None
    cloud.servers = {**before, first: changed}  # while a second one is requested and answered.
    await console.service.inventory.read_data_center("WA1")
    cloud.servers = before
    await slow
    assert console.service.inventory.fleet.servers[first].description == "newer"


async def test_details_are_read_on_request(console: Console, cloud: Cloud) -> None:
    first = next(iter(cloud.servers))
    await console.service.inventory.read_details(first)
    assert [event.details.server.id for event in console.emitted(DetailsRead)] == [first]
    await console.service.inventory.read_details("WA1NONE")
    assert console.emitted(DetailsFailed) == [DetailsFailed("WA1NONE", "there is no server WA1NONE")]


async def test_data_centers_are_listed_before_the_first_is_read(clock: VirtualClock, tmp_path: Path) -> None:
    console = await three_data_centers(clock, tmp_path)
    seen: list[tuple[str, ...]] = []

    def note(call: str) -> None:
        if call == "group_tree":
            seen.append(console.service.inventory.fleet.missing())

    console.cloud.on_call = note
    await console.service.inventory.refresh()
    kinds = [type(event) for event in console.events if not isinstance(event, Latency)]
    assert kinds.index(DataCentersListed) < kinds.index(DataCenterRead)
    assert console.emitted(DataCentersListed) == [DataCentersListed(("WA1", "DE1", "VA1"))]
    assert seen[0] == ("WA1", "DE1", "VA1")
    assert console.service.inventory.fleet.missing() == ()


class Outage:
    """Fails the first calls of each kind, as many as given, and records when each was made."""

    def __init__(self, clock: VirtualClock, **calls: int) -> None:
        self.clock = clock
        self.calls = calls
        self.at: list[tuple[str, float]] = []

    def __call__(self, call: str) -> None:
        self.at.append((call, round(self.clock.monotonic())))
        if self.calls.get(call, 0) > 0:
            self.calls[call] -= 1
            raise ServerFault("an error has occurred", 500)


async def test_only_failed_data_centers_are_retried_with_backoff(clock: VirtualClock, tmp_path: Path) -> None:
    console = await three_data_centers(clock, tmp_path)
    started = clock.now()
    outage = console.cloud.on_call = Outage(clock, group_tree=3 + 3 + 3 + 3 + 3 + 2)
    await console.service.inventory.keep_reading()
    trees = [at for call, at in outage.at if call == "group_tree"]
    assert trees == [at for at in (0, 15, 45, 105, 225, 345) for _ in range(3)] + [465] * 2
    assert console.cloud.requests["data_centers"] == 1
    retries = [round(event.at - started) for event in console.emitted(RetryScheduled)]
    assert retries == [15, 45, 105, 225, 345, 465]
    assert [len(event.failed) for event in console.emitted(FleetRead)] == [3, 3, 3, 3, 3, 2, 0]
    assert len(console.service.inventory.fleet.servers) == 9
    assert console.service.inventory.fleet.missing() == ()


async def test_a_failed_list_of_data_centers_is_retried_with_all_readings(
    clock: VirtualClock, tmp_path: Path
) -> None:
    console = await three_data_centers(clock, tmp_path)
    await console.service.inventory.refresh()
    console.cloud.on_call = Outage(clock, data_centers=2)
    reading = asyncio.create_task(console.service.inventory.keep_reading())
    await clock.sleep(1)
    assert console.service.inventory.fleet.missing() == ("WA1", "DE1", "VA1")
    assert len(console.service.inventory.fleet.servers) == 9
    await reading
    assert len(console.emitted(FleetFailed)) == 2
    assert console.service.inventory.fleet.missing() == ()


async def test_refreshes_during_an_outage_do_not_pile_up(clock: VirtualClock, tmp_path: Path) -> None:
    console = await three_data_centers(clock, tmp_path)
    outage = console.cloud.on_call = Outage(clock, group_tree=1_000_000)
    tasks = []
    for _ in range(20):  # an operator who refreshes every ten seconds
        tasks.append(asyncio.create_task(console.service.inventory.keep_reading()))
        await clock.sleep(10)
    before = len(outage.at)
    await clock.sleep(1200)
    assert len(outage.at) - before == 3 * 10, "one try every two minutes"
    assert sum(task.done() for task in tasks) == 19
    outage.calls.clear()
    await asyncio.gather(*tasks)
    assert console.service.inventory.fleet.missing() == ()


async def test_a_single_refresh_is_not_retried(clock: VirtualClock, tmp_path: Path) -> None:
    console = await three_data_centers(clock, tmp_path)
    console.cloud.on_call = Outage(clock, group_tree=3)
    await console.service.inventory.refresh()
    await clock.sleep(1000)
    assert console.cloud.requests["group_tree"] == 3
    assert console.emitted(RetryScheduled) == []


async def test_a_failure_of_a_data_center_read_meanwhile_is_ignored(
    clock: VirtualClock, tmp_path: Path
) -> None:
    console = await three_data_centers(clock, tmp_path)
    slow = True

    async def fail_late(call: str) -> None:
        if call == "group_tree" and slow:
            await clock.sleep(5)
            raise ServerFault("an error has occurred", 500)

    console.cloud.on_call = fail_late
    reading = asyncio.create_task(console.service.inventory.refresh())
    await clock.sleep(1)
    slow = False
    await console.service.inventory.read_data_center("WA1")
    slow = True
    await reading
    assert console.service.inventory.fleet.missing() == ("DE1", "VA1")


async def test_the_problem_of_a_removed_data_center_is_dropped(clock: VirtualClock, tmp_path: Path) -> None:
    console = await three_data_centers(clock, tmp_path)
    console.cloud.on_call = Outage(clock, group_tree=3)
    await console.service.inventory.refresh()
    console.cloud.centers.clear()
    await console.service.inventory.refresh()
    assert console.service.inventory.fleet.problems == {}
