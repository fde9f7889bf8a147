"""One scenario carried out: an operator works, the process dies, the next one takes up what is left."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tests.campaign.scenario import Kill, Outage, Scenario, draw
from tests.campaign.verdict import judge
from tests.campaign.world import World, Wrap, witnessed
from tui.engine.events import EngineFailed, Event, JournalChanged, LoggedIn, LoginNeeded, OperationNotStarted
from tui.engine.journal.owner import Owner
from tui.engine.journal.writer import JournalWriter
from tui.engine.options import Options
from tui.engine.service import EngineService
from tui.model.operation import Action, Operation
from tui.model.plan import make_plan

PATIENCE = 2 * 86_400.0
"""Virtual seconds that one life may take: faults come and go, so every operation ends at last."""

ATTEMPTS = 100
"""How often an operator tries to log in or to read the fleet, half a minute apart."""


class Result(msgspec.Struct, frozen=True):
    """What came of one run."""

    seed: int
    violations: tuple[str, ...]
    struck: dict[str, int]
    """Fault, kill or the like -> how often it struck."""
    states: dict[str, int]
    """State -> servers that ended in it."""
    operations: int
    posts: int
    seconds: float
    """Virtual time."""


class GaveUp(Exception):
    """A life did not finish its work; the message explains what is missing."""


def run_seed(seed: int) -> Result:
    """Carry out the run of a seed, with its journals in a directory that is gone afterwards."""
    memory = Path("/dev/shm")  # Where a disk would be waited for thousands of times.
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as directory:
        return carry_out(draw(seed), Path(directory))


def carry_out(
    scenario: Scenario,
    directory: Path,
    *,
    wrap: Wrap | None = None,
    wrap_journal: Callable[[JournalWriter], JournalWriter] = lambda journal: journal,
) -> Result:
    """Carry a scenario out and judge it.

    ``wrap`` and ``wrap_journal`` put something between the engine and its wire or journal: a test of the
    campaign breaks them.
    """
    random.seed(f"engine {scenario.seed}")  # The engine's jitter: the same seed runs the same.
    world = World(scenario, directory)
    run = _Run(scenario, world, wrap, wrap_journal)
    violations: list[str] = []
    states: Counter[str] = Counter()
    try:
        for number, action in enumerate(scenario.actions):
            before = world.truth()
            operation = run.operate(f"op-{number}", action)
            violations += judge(scenario, operation, action, run.planned, before, world.truth(), world.now())
            violations += run.problems
            run.problems.clear()
            if operation is not None:
                states.update(target.state.value for target in operation.targets.values())
        violations += run.check_logins()
    finally:
        world.close()
    struck = Counter(world.plane.faults.struck) + world.struck
    return Result(
        scenario.seed,
        tuple(violations),
        dict(struck),
        dict(states),
        len(scenario.actions),
        len(world.posts),
        world.seconds(),
    )


class _Run:
    """The operator of one run, over all the lives it takes."""

    def __init__(
        self,
        scenario: Scenario,
        world: World,
        wrap: Wrap | None,
        wrap_journal: Callable[[JournalWriter], JournalWriter],
    ) -> None:
        self.scenario = scenario
        self.world = world
        self.planned: tuple[str, ...] = ()
        self.problems: list[str] = []
        self._wrap = wrap
        self._wrap_journal = wrap_journal
        self._kills = list(scenario.kills)
        self.logins = 0
        """How often the operator asked for a login."""
        self._random = random.Random(f"operator {scenario.seed}")

    def operate(self, operation_id: str, action: Action) -> Operation | None:
        """Plan and run one operation, over as many lives as it takes; what the journal says at the end."""
        self.planned = ()
        everyone = sorted(self.world.truth()["servers"])
        named = self._random.sample(everyone, max(1, int(len(everyone) * self.scenario.part)))

        async def work(service: EngineService, journal: JournalWriter) -> None:
            await service.operations.resume(send_planned=True)
            if not self._known(journal, operation_id):
                await self._read_fleet(service)
                plan = make_plan(
                    action,
                    named,
                    service.inventory.fleet,
                    batch_size=self.scenario.batch_size,
                    wave_size=self.scenario.wave_size,
                )
                self.planned = plan.server_ids
                if self.planned:
                    stopping = asyncio.create_task(self._stop_some_time(service, operation_id))
                    await service.operations.run(
                        plan,
                        operation_id=operation_id,
                        window_id="night",
                        reason="CHG-1",
                        max_failed=self.scenario.max_failed,
                    )
                    stopping.cancel()

        while True:
            kill = self._kills.pop(0) if self._kills else None
            if self._live(kill, work):
                break
            assert kill is not None
            self.world.rest(kill.downtime)
        self._let_trouble_end()
        self._live(None, lambda service, _: service.operations.resume(send_planned=True))
        with closing(self._journal()) as journal:
            return journal.load(operation_id).operation if self._known(journal, operation_id) else None

    def check_logins(self) -> list[str]:
        """Whether the engine logged in more often than there was a reason to."""
        count = self.world.app.state.record.by_route["POST /v2/authentication/login"]
        allowed = (
            self.logins + self.world.plane.faults.struck["expire-token"] + self.world.struck["lost login"]
        )
        return [f"{count} logins for {allowed} reasons"] if count > allowed else []

    def _live(
        self, kill: Kill | None, work: Callable[[EngineService, JournalWriter], Awaitable[None]]
    ) -> bool:
        """One life: log in, do ``work``. False when it was killed."""
        world, scenario = self.world, self.scenario

        async def life() -> None:
            events: list[Event] = []
            journal = self._journal()
            world.outlives(journal.database.close)
            clock = LifeClock(world, self.scenario.clock_jump if world.lives == 2 else 0.0)
            service = EngineService(
                journal=self._wrap_journal(witnessed(journal, world)),
                emit=events.append,
                clock=clock,
                options=Options(batch_size=self.scenario.batch_size),
            )
            async with asyncio.timeout(PATIENCE):
                await self._log_in(service, events)
                aside = [
                    asyncio.create_task(self._log_in_again(service, events)),
                    *(asyncio.create_task(self._fill_disk(journal, full)) for full in scenario.disk_full),
                ]
                await work(service, journal)
            for task in aside:
                task.cancel()
            await service.close()
            journal.close()
            self.problems += [
                f"{type(event).__name__}: {event.message}"
                for event in events
                if isinstance(event, OperationNotStarted | EngineFailed | JournalChanged)
                and not (scenario.disk_full and "disk is full" in event.message)
                and not (scenario.disk_full and isinstance(event, JournalChanged) and not event.message)
            ]

        try:
            return world.live(kill, life)
        except TimeoutError:
            self.problems.append(f"a life was not done after {PATIENCE:g} s")
            return True

    async def _log_in(self, service: EngineService, events: list[Event]) -> None:
        for _ in range(ATTEMPTS):
            self.logins += 1
            await service.login(self.world.endpoint(self._wrap), "demo", "pitstop")
            if any(isinstance(event, LoggedIn) for event in events):
                return
            await asyncio.sleep(30)
        raise GaveUp(f"no login: {events}")

    async def _log_in_again(self, service: EngineService, events: list[Event]) -> None:
        """The operator looks at the screen every minute, types the password while it is asked for."""
        while True:
            await asyncio.sleep(60)
            about_login = (event for event in reversed(events) if isinstance(event, LoginNeeded | LoggedIn))
            if isinstance(next(about_login, None), LoginNeeded):
                self.logins += 1
                await service.login(self.world.endpoint(self._wrap), "demo", "pitstop")

    async def _fill_disk(self, journal: JournalWriter, full: Outage) -> None:
        """Let the journal grow no further for a while: what SQLite meets then is a full disk."""
        await asyncio.sleep(max(0.0, full.begins - self.world.seconds()))
        if self.world.seconds() < full.ends:
            self.world.struck["disk full"] += 1
            _limit_pages(journal, 1)  # SQLite takes the present size for a limit below it.
            await asyncio.sleep(full.ends - self.world.seconds())
            _limit_pages(journal, 2**30)

    async def _stop_some_time(self, service: EngineService, operation_id: str) -> None:
        if self.scenario.cancelled_after is not None:
            await asyncio.sleep(self.scenario.cancelled_after)
            await service.operations.cancel(operation_id)

    async def _read_fleet(self, service: EngineService) -> None:
        for _ in range(ATTEMPTS):
            await service.inventory.refresh()
            if service.inventory.fleet.data_centers and not service.inventory.fleet.problems:
                return
            await asyncio.sleep(30)
        raise GaveUp(f"the fleet could not be read: {service.inventory.fleet.problems}")

    def _let_trouble_end(self) -> None:
        """Until all jobs have ended, and there is room on the disk."""
        ends = [job["ends"] for job in self.world.truth()["jobs"].values()]
        ends += [full.ends for full in self.scenario.disk_full]
        self.world.rest(max([0.0, *(at - self.world.seconds() for at in ends)]) + 120)

    def _journal(self) -> JournalWriter:
        life = Owner("campaign", self.world.lives, "")
        return JournalWriter(
            self.world.journal_path,
            owner=life,
            alive=lambda owner, _: owner == life,
            now=self.world.now,
            uptime=lambda: ("boot", self.world.seconds()),
        )

    @staticmethod
    def _known(journal: JournalWriter, operation_id: str) -> bool:
        return operation_id in journal.operations("night")


def _limit_pages(journal: JournalWriter, pages: int) -> None:
    with journal.database.reading() as db:
        db.execute(f"PRAGMA max_page_count = {pages}")


class LifeClock:
    """The engine's clock in the world's time; the wall clock may be set wrong."""

    def __init__(self, world: World, wrong_by: float) -> None:
        self._world = world
        self._wrong_by = wrong_by

    def now(self) -> float:
        """Wall-clock time."""
        return self._world.now() + self._wrong_by

    def monotonic(self) -> float:
        """The loop's time."""
        return self._world.seconds()

    async def sleep(self, seconds: float) -> None:
        """Wait in virtual time."""
        await asyncio.sleep(seconds)
