"""Carries a scenario out: an operator works, the process is killed, and the next process resumes."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tests.campaign.promises import Promise, Violation
from tests.campaign.scenario import Kill, Outage, Scenario, draw
from tests.campaign.verdict import judge
from tests.campaign.world import World, Wrap, killable
from tui.engine.events import EngineFailed, Event, JournalChanged, LoggedIn, LoginNeeded, OperationNotStarted
from tui.engine.journal.owner import Owner
from tui.engine.journal.writer import JournalWriter
from tui.engine.options import Options
from tui.engine.service import EngineService
from tui.model.operation import Action, Operation
from tui.model.plan import make_plan

PATIENCE = 2 * 86_400.0
"""Virtual seconds that one process may take: faults come and go, so every operation ends."""

ATTEMPTS = 100
"""How often an operator tries to log in or to read the fleet, half a minute apart."""


class Result(msgspec.Struct, frozen=True):
    """The result of one run."""

    seed: int
    violations: tuple[Violation, ...]
    struck: dict[str, int]
    """Fault, kill or the like -> how often it happened."""
    states: dict[str, int]
    """State -> servers that ended in it."""
    operations: int
    posts: int
    seconds: float
    """Virtual time."""


class GaveUp(Exception):
    """A process did not finish its work; the message explains what is missing."""


def run_seed(seed: int) -> Result:
    """Carry out the run of a seed, with its journals in a temporary directory."""
    memory = Path("/dev/shm")  # On a disk, thousands of syncs would take time.
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

    ``wrap`` and ``wrap_journal`` put something between the engine and its transport or journal: tests of the
    campaign use them to make an engine with a defect.
    """
    random.seed(f"engine {scenario.seed}")  # The engine's jitter: the same seed runs the same.
    world = World(scenario, directory)
    run = _Run(scenario, world, wrap, wrap_journal)
    violations: list[Violation] = []
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
    """The operator of one run, over all the processes that it takes."""

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
        self.problems: list[Violation] = []
        self._wrap = wrap
        self._wrap_journal = wrap_journal
        self._kills = list(scenario.kills)
        self.logins = 0
        """How often the operator logged in."""
        self._random = random.Random(f"operator {scenario.seed}")

    def operate(self, operation_id: str, action: Action) -> Operation | None:
        """Plan and run one operation, in as many processes as it takes; returns it from the journal."""
        self.planned = ()
        all_ids = sorted(self.world.truth()["servers"])
        named = self._random.sample(all_ids, max(1, int(len(all_ids) * self.scenario.share)))

        async def work(service: EngineService, journal: JournalWriter) -> None:
            await service.operations.resume(send_planned=True)
            if not self._is_in_journal(journal, operation_id):
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
                    stopping = asyncio.create_task(self._cancel_later(service, operation_id))
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
            if self._run_process(kill, work):
                break
            assert kill is not None
            self.world.pass_time(kill.downtime)
        self._wait_for_the_end_of_trouble()
        self._run_process(None, lambda service, _: service.operations.resume(send_planned=True))
        with closing(self._journal()) as journal:
            return (
                journal.load(operation_id).operation if self._is_in_journal(journal, operation_id) else None
            )

    def check_logins(self) -> list[Violation]:
        """Return a violation if the engine logged in more often than there was a reason to."""
        count = self.world.app.state.record.by_route["POST /v2/authentication/login"]
        allowed = (
            self.logins + self.world.plane.faults.struck["expire-token"] + self.world.struck["lost login"]
        )
        what = f"{count} logins for {allowed} reasons"
        return [Violation(Promise.NO_BUG, what)] if count > allowed else []

    def _run_process(
        self, kill: Kill | None, work: Callable[[EngineService, JournalWriter], Awaitable[None]]
    ) -> bool:
        """Run one process: log in, do ``work``. Returns False when it was killed."""
        world, scenario = self.world, self.scenario

        async def process() -> None:
            events: list[Event] = []
            journal = self._journal()
            world.close_after_kill(journal.database.close)
            clock = ProcessClock(world, self.scenario.clock_jump if world.process_number == 2 else 0.0)
            service = EngineService(
                journal=self._wrap_journal(killable(journal, world)),
                emit=events.append,
                clock=clock,
                options=Options(batch_size=self.scenario.batch_size),
            )
            async with asyncio.timeout(PATIENCE):
                await self._log_in(service, events)
                background = [
                    asyncio.create_task(self._log_in_again(service, events)),
                    *(asyncio.create_task(self._fill_disk(journal, full)) for full in scenario.disk_full),
                ]
                await work(service, journal)
            for task in background:
                task.cancel()
            await service.close()
            journal.close()
            self.problems += [
                Violation(Promise.NO_BUG, f"{type(event).__name__}: {event.message}")
                for event in events
                if isinstance(event, OperationNotStarted | EngineFailed | JournalChanged)
                and not (scenario.disk_full and "disk is full" in event.message)
                and not (scenario.disk_full and isinstance(event, JournalChanged) and not event.message)
            ]

        try:
            return world.run_process(kill, process)
        except TimeoutError:
            self.problems.append(Violation(Promise.ENDS, f"a process did not end within {PATIENCE:g} s"))
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
        """Check every minute whether a login is needed, and log in, as an operator would."""
        while True:
            await asyncio.sleep(60)
            about_login = (event for event in reversed(events) if isinstance(event, LoginNeeded | LoggedIn))
            if isinstance(next(about_login, None), LoginNeeded):
                self.logins += 1
                await service.login(self.world.endpoint(self._wrap), "demo", "pitstop")

    async def _fill_disk(self, journal: JournalWriter, full: Outage) -> None:
        """Limit the journal's size for a while, which SQLite reports as a full disk."""
        await asyncio.sleep(max(0.0, full.begins - self.world.seconds()))
        if self.world.seconds() < full.ends:
            self.world.struck["disk full"] += 1
            _limit_pages(journal, 1)  # A limit below the present size counts as the present size.
            await asyncio.sleep(full.ends - self.world.seconds())
            _limit_pages(journal, 2**30)

    async def _cancel_later(self, service: EngineService, operation_id: str) -> None:
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

    def _wait_for_the_end_of_trouble(self) -> None:
        """Wait until all jobs have ended, and there is room on the disk."""
        ends = [job["ends"] for job in self.world.truth()["jobs"].values()]
        ends += [full.ends for full in self.scenario.disk_full]
        self.world.pass_time(max([0.0, *(at - self.world.seconds() for at in ends)]) + 120)

    def _journal(self) -> JournalWriter:
        owner = Owner("campaign", self.world.process_number, "")
        return JournalWriter(
            self.world.journal_path,
            owner=owner,
            alive=lambda other, _: other == owner,
            now=self.world.now,
            uptime=lambda: ("boot", self.world.seconds()),
        )

    @staticmethod
    def _is_in_journal(journal: JournalWriter, operation_id: str) -> bool:
        return operation_id in journal.operations("night")


def _limit_pages(journal: JournalWriter, pages: int) -> None:
    with journal.database.reading() as db:
        db.execute(f"PRAGMA max_page_count = {pages}")


class ProcessClock:
    """The engine's clock in the world's time; its wall clock may be wrong."""

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
