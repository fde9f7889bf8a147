"""Where a run of the campaign happens: the sandbox, the wire, the time they share, and lives that are killed.

A killed life leaves behind what the operating system would have: the journal's files as they were at that
moment, and whatever the sandbox had received. Nothing the abandoned engine does afterwards reaches either.
"""

import asyncio
import shutil
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, cast

import httpx
import msgspec

from tests.campaign.proxy import REFUSALS, WEEK
from tests.campaign.scenario import Kill, Moment, Scenario
from tests.engine.clock import EPOCH, VirtualLoop
from tui.engine.endpoint import Endpoint
from tui.engine.journal.writer import JournalWriter
from tui.sandbox.app import create_app
from tui.sandbox.config import SandboxConfig

ROUND_TRIP = (0.01, 0.2)
"""Seconds that an answer is under way on a link that works."""

Wrap = Callable[["Wire"], httpx.AsyncBaseTransport]
"""What a test puts between the engine and the wire."""


class Killed(BaseException):
    """The process is gone."""


class MortalLoop(VirtualLoop):
    """A virtual event loop that goes on from a moment, and can end before any of its steps."""

    def __init__(self, begins: float, die: Callable[[], None], last_step: int | None) -> None:
        super().__init__()
        self.virtual_time = begins
        self.doomed = False
        self.steps = 0
        inner = self._selector
        self.set_exception_handler(lambda *_: None)

        class Scythe:
            def __getattr__(_self, name: str) -> Any:
                return getattr(inner, name)

            def select(_self, timeout: float | None = None) -> Any:
                self.steps += 1
                if self.steps == last_step:
                    die()
                if self.doomed:
                    raise Killed
                return inner.select(timeout)

        self._selector = Scythe()


class Post(NamedTuple):
    """A POST of an operation that left the engine."""

    at: float
    action: str
    ids: tuple[str, ...]
    outcome: str
    """"answered", "unsent", "lost", or "killed"."""


class World:
    """One sandbox and everything that lives around it."""

    def __init__(self, scenario: Scenario, directory: Path) -> None:
        self.scenario = scenario
        self.directory = directory
        self.lives = 0
        self.elapsed = 0.0
        self.loop: MortalLoop | None = None
        self.kill: Kill | None = None
        self.counted: Counter[Moment] = Counter()
        self.posts: list[Post] = []
        self.struck: Counter[str] = Counter()
        """What was done to the run beside the sandbox's own faults."""
        self.random = Random(f"world {scenario.seed}")
        config = SandboxConfig(
            servers=scenario.servers,
            seed=scenario.seed,
            faults=dict(scenario.faults),
            strict_case=True,
            job_seconds=scenario.job_seconds,
        )
        self.app = create_app(config, clock=self.now)
        self.plane = self.app.state.plane
        self._graveyard: list[object] = []
        self._left_open: list[Callable[[], None]] = []

    # -- time

    def seconds(self) -> float:
        """Since the run began."""
        return self.loop.virtual_time if self.loop is not None else self.elapsed

    def now(self) -> float:
        """The sandbox's clock."""
        return EPOCH + self.seconds()

    def rest(self, seconds: float) -> None:
        """Let time pass while no life is."""
        self.elapsed += seconds

    # -- lives

    @property
    def journal_path(self) -> Path:
        """The journal of this life: what the one before it left."""
        return self.directory / f"life-{self.lives}" / "journal.db"

    def live(self, kill: Kill | None, life: Callable[[], Awaitable[None]]) -> bool:
        """Run ``life`` on a loop of its own, until its end (True) or until it is killed (False)."""
        if self.lives == 0:
            self._begin_life()
        self.kill, self.counted = kill, Counter()
        last_step = kill.number if kill and kill.moment is Moment.STEP else None
        loop = self.loop = MortalLoop(self.elapsed, self.die, last_step)
        try:
            loop.run_until_complete(life())
            loop.run_until_complete(loop.shutdown_default_executor())
        except Killed:
            self._bury(loop)
            return False
        except BaseException:
            self._bury(loop)
            raise
        finally:
            self.elapsed = loop.virtual_time
            self.loop = None
            self.kill = None
        loop.close()
        return True

    def die(self) -> None:
        """Kill -9, now: from here on nothing of this life has any effect."""
        loop = self.loop
        if loop is None or loop.doomed:
            return
        loop.doomed = True
        self.struck["kill"] += 1
        before = self.journal_path
        self._begin_life()
        for name in (before.name, before.name + "-wal"):
            with suppress(FileNotFoundError):
                shutil.copy(before.with_name(name), self.journal_path.with_name(name))

    def reach(self, moment: Moment) -> None:
        """Count a moment, and die of it if this is the one."""
        self.counted[moment] += 1
        if self.kill and self.kill.moment is moment and self.counted[moment] == self.kill.number:
            self.die()

    @property
    def dead(self) -> bool:
        """Whether this life has been killed."""
        return self.loop is not None and self.loop.doomed

    def outlives(self, close: Callable[[], None]) -> None:
        """Something that a killed life cannot close; the operating system would."""
        self._left_open.append(close)

    def _begin_life(self) -> None:
        self.lives += 1
        self.journal_path.parent.mkdir(parents=True, mode=0o700)

    def _bury(self, loop: MortalLoop) -> None:
        """Keep what was abandoned until the run is over, so that nothing of it is cleaned up meanwhile."""
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            cast(Any, task)._log_destroy_pending = False
        self._graveyard += [loop, *tasks]

    def close(self) -> None:
        """Forget the dead; what Python says of their unfinished coroutines is no news."""
        hook = sys.unraisablehook
        sys.unraisablehook = lambda _: None
        try:
            for one in self._graveyard:
                if isinstance(one, asyncio.Task):
                    with suppress(Exception, Killed):
                        one.get_coro().close()
            for one in self._graveyard:
                if isinstance(one, MortalLoop):
                    one.close()
            self._graveyard.clear()
            for close in self._left_open:
                close()
        finally:
            sys.unraisablehook = hook

    # -- the wire

    def endpoint(self, wrap: Wrap | None = None) -> Endpoint:
        """The way of the present life to the sandbox."""

        def transport() -> httpx.AsyncBaseTransport:
            wire = Wire(self)
            return wrap(wire) if wrap else wire

        return Endpoint("campaign", "http://127.0.0.1:8765", sandbox=True, transport=transport)

    def down(self) -> bool:
        """Whether the link is down now."""
        return any(outage.begins <= self.seconds() < outage.ends for outage in self.scenario.outages)

    def truth(self) -> dict[str, Any]:
        """What the sandbox knows of every server now; a copy, as over HTTP."""
        return cast(dict[str, Any], msgspec.json.decode(msgspec.json.encode(self.plane.truth())))


class Wire(httpx.AsyncBaseTransport):
    """From the engine to the sandbox: takes time, fails as links do, and is where some kills strike."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._life = world.lives
        self._inner = httpx.ASGITransport(app=cast(Any, world.app))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request, there and back."""
        world = self._world
        await asyncio.sleep(world.random.uniform(*ROUND_TRIP))
        post = request.method == "POST" and "/operations/" in request.url.path
        if post:
            world.reach(Moment.BEFORE_POST)
        self._check_alive()
        if world.down():
            world.struck["outage"] += 1
            self._note(post, request, "unsent")
            raise httpx.ConnectError("No route to host", request=request)
        login = request.url.path.endswith("/authentication/login")
        if not login and world.random.random() < world.scenario.weeks:
            world.struck["week"] += 1
            self._note(post, request, "unsent")
            return httpx.Response(429, headers={"Retry-After": str(WEEK)}, json={"message": "Later."})
        request.headers["accept-encoding"] = "identity"
        try:
            response = await self._inner.handle_async_request(request)
        except httpx.TransportError:
            self._note(post, request, "lost")
            raise
        if post:
            world.reach(Moment.IN_POST)
            if world.dead:
                self._note(post, request, "killed")
            self._check_alive()
            if world.random.random() < world.scenario.lost_answers:
                world.struck["lost answer"] += 1
                self._note(post, request, "lost")
                await asyncio.sleep(30)
                raise httpx.ReadTimeout("The read operation timed out", request=request)
            if world.random.random() < world.scenario.refused_after:
                world.struck["refused after"] += 1
                response = httpx.Response(
                    world.random.choice(REFUSALS), json={"message": "Refused on the way."}
                )
            self._note(post, request, "answered")
        elif world.down():
            world.struck["lost login"] += login
            raise httpx.ReadError("Connection reset by peer", request=request)
        world.reach(Moment.AFTER_POST if post else Moment.READING)
        return response

    def _check_alive(self) -> None:
        if self._world.dead or self._life != self._world.lives:
            raise httpx.ConnectError("a dead process sends nothing")

    def _note(self, post: bool, request: httpx.Request, outcome: str) -> None:
        if post:
            ids = tuple(msgspec.json.decode(request.content, type=list[str]))
            action = request.url.path.rpartition("/")[2]
            self._world.posts.append(Post(self._world.seconds(), action, ids, outcome))


def witnessed(journal: JournalWriter, world: World) -> JournalWriter:
    """The journal, with every call of it a moment at which a life may end: before it or after it."""

    class Witness:
        def __getattr__(self, name: str) -> Any:
            value = getattr(journal, name)
            if not callable(value):
                return value

            def call(*args: Any, **kwargs: Any) -> Any:
                world.reach(Moment.JOURNAL)
                result = value(*args, **kwargs)
                world.reach(Moment.JOURNAL)
                return result

            return call

    return cast(JournalWriter, Witness())
