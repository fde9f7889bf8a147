"""The request budget, on a clock that the test moves."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.api.service import Clock, Service, queued, status
from tui.api.budget import URGENT_IN_A_ROW, CrossProcessBudget, RequestBudget
from tui.api.errors import Unreachable
from tui.model.operation import Action


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Timeline(Clock):
    """A clock whose sleepers wake when the test advances it."""

    def __init__(self) -> None:
        super().__init__()
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, future))
        await future

    async def advance(self, seconds: float) -> None:
        """Advance by ``seconds`` and wake the sleepers in order."""
        end = self.now + seconds
        await settle()
        while due := [sleeper for sleeper in self._sleepers if sleeper[0] <= end + 1e-9]:
            when, future = min(due, key=lambda sleeper: sleeper[0])
            self._sleepers.remove((when, future))
            self.now = max(self.now, when)
            if not future.done():
                future.set_result(None)
            await settle()
        self.now = end


def make_budget(clock: Clock, rate: float = 10.0, burst: int = 3, slots: int = 100) -> RequestBudget:
    return RequestBudget(rate, burst, slots, sleep=clock.sleep, monotonic=clock.monotonic)


class Crowd:
    """Tasks that acquire a budget, and the order in which they are admitted."""

    def __init__(self, budget: RequestBudget) -> None:
        self.budget = budget
        self.entered: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.release = asyncio.Event()

    def send(self, name: str, *, urgent: bool = False, hold_slot: bool = False) -> None:
        async def go() -> None:
            async with self.budget.acquire(urgent=urgent):
                self.entered.append(name)
                if hold_slot:
                    await self.release.wait()

        self.tasks[name] = asyncio.create_task(go())


async def test_a_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    clock = Timeline()
    crowd = Crowd(make_budget(clock))
    for number in range(10):
        crowd.send(str(number))
    await settle()
    assert len(crowd.entered) == 3
    for expected in (4, 5, 6):
        await clock.advance(0.1)
        assert len(crowd.entered) == expected
    await clock.advance(10)
    assert crowd.entered == [str(number) for number in range(10)]


async def test_idle_time_saves_no_more_than_one_burst() -> None:
    clock = Timeline()
    budget = make_budget(clock)
    clock.now += 3600
    crowd = Crowd(budget)
    for number in range(5):
        crowd.send(str(number))
    await settle()
    assert len(crowd.entered) == 3
    await clock.advance(1)


async def test_urgent_requests_go_first_but_do_not_starve_others() -> None:
    clock = Timeline()
    crowd = Crowd(make_budget(clock, burst=1))
    crowd.send("first")
    for number in range(3):
        crowd.send(f"reading {number}")
    for number in range(2 * URGENT_IN_A_ROW + 1):
        crowd.send(f"operation {number}", urgent=True)
    await clock.advance(10)
    urgent_run = ["operation"] * URGENT_IN_A_ROW
    kinds = [name.split()[0] for name in crowd.entered]
    assert kinds == ["first", *urgent_run, "reading", *urgent_run, "reading", "operation", "reading"]
    assert crowd.entered[1] == "operation 0"


async def test_no_more_requests_than_slots_are_open() -> None:
    crowd = Crowd(make_budget(Timeline(), burst=50, slots=2))
    for number in range(5):
        crowd.send(str(number), hold_slot=True)
    await settle()
    assert crowd.entered == ["0", "1"]
    crowd.release.set()
    await settle()
    assert crowd.entered == ["0", "1", "2", "3", "4"]


async def test_a_cancelled_waiter_uses_no_token_and_no_slot() -> None:
    clock = Timeline()
    crowd = Crowd(make_budget(clock, burst=1, slots=1))
    crowd.send("inside", hold_slot=True)
    crowd.send("gives up")
    crowd.send("waits")
    await settle()
    crowd.tasks["gives up"].cancel()
    await settle()
    crowd.release.set()
    await clock.advance(0.1)
    assert crowd.entered == ["inside", "waits"]


async def test_a_waiter_cancelled_while_it_is_admitted_gives_its_slot_back() -> None:
    clock = Timeline()
    budget = make_budget(clock, burst=1, slots=1)
    crowd = Crowd(budget)
    inside = budget.acquire()
    await inside.__aenter__()
    clock.now += 1
    crowd.send("late")
    await settle()
    await inside.__aexit__(None, None, None)  # admits the next waiter, whose task has not run yet
    crowd.tasks["late"].cancel()
    await settle()
    assert crowd.entered == []
    crowd.send("next")
    await settle()
    assert crowd.entered == ["next"]


async def test_a_hold_stops_all_requests_and_ends_without_a_burst() -> None:
    clock = Timeline()
    budget = make_budget(clock)
    budget.hold(5)
    crowd = Crowd(budget)
    for number in range(5):
        crowd.send(str(number), urgent=True)
    await clock.advance(5)
    assert crowd.entered == []
    await clock.advance(0.1)
    assert len(crowd.entered) == 1
    await clock.advance(0.2)
    assert len(crowd.entered) == 3
    await clock.advance(1)


class ScriptedSharedBudget(CrossProcessBudget):
    """A budget shared with other processes, with scripted waits."""

    def __init__(self, *waits: float) -> None:
        self.waits = list(waits)
        self.taken: list[int] = []
        self.holds: list[float] = []

    async def take(self, number: int) -> list[float]:
        self.taken.append(number)
        return [self.waits.pop(0) for _ in range(number)]

    async def hold(self, seconds: float) -> None:
        self.holds.append(seconds)


async def test_a_budget_shared_between_processes_is_respected_as_well() -> None:
    clock = Timeline()
    budget = make_budget(clock, burst=10)
    shared = ScriptedSharedBudget(0.0, 2.0, 1.0, 1.0)
    budget.share(shared)
    crowd = Crowd(budget)
    for number in range(4):
        crowd.send(str(number))
    await settle()
    assert crowd.entered == ["0"]
    await clock.advance(2)
    assert crowd.entered == ["0", "1"]
    await clock.advance(1)
    assert crowd.entered == ["0", "1", "2", "3"]
    assert shared.taken == [2, 2], "tokens are taken a few at a time, and none without a waiter"


async def test_an_urgent_request_takes_the_shared_token_of_an_ordinary_one() -> None:
    clock = Timeline()
    budget = make_budget(clock)
    budget.share(ScriptedSharedBudget(1.0, 1.0))
    crowd = Crowd(budget)
    crowd.send("reading")
    await settle()
    crowd.send("operation", urgent=True)
    await clock.advance(1)
    assert crowd.entered == ["operation"]
    await clock.advance(1)


async def test_a_hold_is_shared_and_discards_tokens_taken_before_it() -> None:
    clock = Timeline()
    budget = make_budget(clock, burst=10)
    shared = ScriptedSharedBudget(0.0, 1.0, 0.0, 0.0)
    budget.share(shared)
    crowd = Crowd(budget)
    for number in range(3):
        crowd.send(str(number))
    await settle()
    budget.hold(5)
    await clock.advance(4.9)
    assert (crowd.entered, shared.holds) == (["0"], [5])
    await clock.advance(1)
    assert crowd.entered == ["0", "1", "2"]


async def test_closing_rejects_those_who_wait_for_a_shared_budget() -> None:
    budget = make_budget(Timeline())
    budget.share(ScriptedSharedBudget(1_000.0))
    crowd = Crowd(budget)
    crowd.send("waits")
    await settle()
    budget.close()
    await settle()
    assert isinstance(crowd.tasks["waits"].exception(), Unreachable)


async def test_waits_below_the_resolution_of_the_clock_end() -> None:
    clock = Clock()
    clock.now = 1_700_000_000.0  # where a float resolves no less than 0.2 microseconds
    budget = make_budget(clock, rate=7.3, burst=1)
    budget.hold(1e-7)
    crowd = Crowd(budget)
    for number in range(50):
        crowd.send(str(number))
    async with asyncio.timeout(10):
        await asyncio.gather(*crowd.tasks.values())
    assert len(crowd.entered) == 50


async def test_closing_rejects_those_who_wait() -> None:
    budget = make_budget(Timeline(), burst=1)
    crowd = Crowd(budget)
    crowd.send("in")
    crowd.send("waits")
    await settle()
    budget.close()
    await settle()
    assert isinstance(crowd.tasks["waits"].exception(), Unreachable)


@pytest.mark.parametrize(("rate", "burst", "slots"), [(0, 1, 1), (-1, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_a_budget_without_rate_burst_or_slots_is_refused(rate: float, burst: int, slots: int) -> None:
    with pytest.raises(ValueError, match="budget"):
        make_budget(Clock(), rate, burst, slots)


async def test_all_calls_of_a_client_share_one_budget() -> None:
    service = Service(status())
    api = await service.logged_in(requests_per_second=10, burst=5)
    started = service.clock.now
    await asyncio.gather(*(api.job_status("ACME", f"wa1-{number}") for number in range(100)))
    # The login took one token of the burst of five, so 96 requests wait for theirs.
    assert service.clock.now - started == pytest.approx(9.6)


async def test_retries_count_as_requests() -> None:
    service = Service(httpx.Response(500), httpx.Response(500), status())
    api = await service.logged_in(requests_per_second=1, burst=1)
    await api.job_status("ACME", "wa1-1")
    assert service.clock.now - 1000 >= 3


async def test_an_operation_overtakes_waiting_reads() -> None:
    service = Service(lambda request: queued("A1") if request.method == "POST" else status())
    api = await service.logged_in(requests_per_second=10, burst=1)
    readings = [asyncio.create_task(api.job_status("ACME", f"wa1-{number}")) for number in range(20)]
    await asyncio.sleep(0)
    await asyncio.gather(api.operate("ACME", Action.POWER_ON, ["A1"]), *readings)
    assert [request.method for request in service.requests].index("POST") == 0
