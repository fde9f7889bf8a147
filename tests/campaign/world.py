"""The world of a simulated run: the sandbox, the transport to it, their virtual time, and killed processes.

A killed process leaves what a real one would leave: the journal's files as they were at that moment, and the
requests that the sandbox had received. Nothing that the abandoned engine does afterwards reaches either.
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
"""The range of seconds that a request takes on a link that works."""

Wrap = Callable[["Wire"], httpx.AsyncBaseTransport]
"""Puts something between the engine and its transport, for a test."""


class Killed(BaseException):
    """The simulated process was killed."""


class KillableLoop(VirtualLoop):
    """A virtual event loop that starts at a given time, and can be killed before any of its steps."""

    def __init__(self, begins: float, kill_now: Callable[[], None], last_step: int | None) -> None:
        super().__init__()
        self.virtual_time = begins
        self.killed = False
        self.steps = 0
        inner = self._selector
        self.set_exception_handler(lambda *_: None)

        class KillingSelector:
            def __getattr__(_self, name: str) -> Any:
                return getattr(inner, name)

            def select(_self, timeout: float | None = None) -> Any:
                self.steps += 1
                if self.steps == last_step:
                    kill_now()
                if self.killed:
                    raise Killed
                return inner.select(timeout)

        self._selector = KillingSelector()


class Post(NamedTuple):
    """A POST of an operation that left the engine."""

    at: float
    action: str
    ids: tuple[str, ...]
    outcome: str
    """"answered", "unsent", "lost", or "killed"."""


class World:
    """One sandbox, and the simulated processes that use it one after the other."""

    def __init__(self, scenario: Scenario, directory: Path) -> None:
        self.scenario = scenario
        self.directory = directory
        self.process_number = 0
        self.elapsed = 0.0
        self.loop: KillableLoop | None = None
        self.kill: Kill | None = None
        self.counted: Counter[Moment] = Counter()
        self.posts: list[Post] = []
        self.struck: Counter[str] = Counter()
        """Kills and faults beside the sandbox's own -> how often they happened."""
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
        self._abandoned: list[object] = []
        self._to_close: list[Callable[[], None]] = []

    # -- time

    def seconds(self) -> float:
        """Seconds since the start of the run."""
        return self.loop.virtual_time if self.loop is not None else self.elapsed

    def now(self) -> float:
        """The sandbox's clock."""
        return EPOCH + self.seconds()

    def pass_time(self, seconds: float) -> None:
        """Let time pass while no process runs."""
        self.elapsed += seconds

    # -- processes

    @property
    def journal_path(self) -> Path:
        """The journal of the current process: a copy of what the one before it left."""
        return self.directory / f"process-{self.process_number}" / "journal.db"

    def run_process(self, kill: Kill | None, process: Callable[[], Awaitable[None]]) -> bool:
        """Run ``process`` on a loop of its own, until its end (True) or until it is killed (False)."""
        if self.process_number == 0:
            self._start_process()
        self.kill, self.counted = kill, Counter()
        last_step = kill.number if kill and kill.moment is Moment.STEP else None
        loop = self.loop = KillableLoop(self.elapsed, self.kill_now, last_step)
        try:
            loop.run_until_complete(process())
            loop.run_until_complete(loop.shutdown_default_executor())
        except Killed:
            self._keep_abandoned(loop)
            return False
        except BaseException:
            self._keep_abandoned(loop)
            raise
        finally:
            self.elapsed = loop.virtual_time
            self.loop = None
            self.kill = None
        loop.close()
        return True

    def kill_now(self) -> None:
        """Do as kill -9 does: from here on nothing of the current process has any effect."""
        loop = self.loop
        if loop is None or loop.killed:
            return
        loop.killed = True
        self.struck["kill"] += 1
        before = self.journal_path
        self._start_process()
        for name in (before.name, before.name + "-wal"):
            with suppress(FileNotFoundError):
                shutil.copy(before.with_name(name), self.journal_path.with_name(name))

    def reach(self, moment: Moment) -> None:
        """Count a moment, and kill the process if this is the one."""
        self.counted[moment] += 1
        if self.kill and self.kill.moment is moment and self.counted[moment] == self.kill.number:
            self.kill_now()

    @property
    def killed(self) -> bool:
        """Whether the current process has been killed."""
        return self.loop is not None and self.loop.killed

    def close_after_kill(self, close: Callable[[], None]) -> None:
        """Register what a killed process cannot close, as the operating system would."""
        self._to_close.append(close)

    def _start_process(self) -> None:
        self.process_number += 1
        self.journal_path.parent.mkdir(parents=True, mode=0o700)

    def _keep_abandoned(self, loop: KillableLoop) -> None:
        """Keep the tasks of a killed process until the end of the run, so that no clean-up code runs."""
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            cast(Any, task)._log_destroy_pending = False
        self._abandoned += [loop, *tasks]

    def close(self) -> None:
        """Close what killed processes left, without Python's warnings about their unfinished coroutines."""
        hook = sys.unraisablehook
        sys.unraisablehook = lambda _: None
        try:
            for one in self._abandoned:
                if isinstance(one, asyncio.Task):
                    with suppress(Exception, Killed):
                        one.get_coro().close()
            for one in self._abandoned:
                if isinstance(one, KillableLoop):
                    one.close()
            self._abandoned.clear()
            for close in self._to_close:
                close()
        finally:
            sys.unraisablehook = hook

    # -- the transport

    def endpoint(self, wrap: Wrap | None = None) -> Endpoint:
        """The sandbox as an endpoint for the current process."""

        def transport() -> httpx.AsyncBaseTransport:
            wire = Wire(self)
            return wrap(wire) if wrap else wire

        return Endpoint("campaign", "http://127.0.0.1:8765", sandbox=True, transport=transport)

    def down(self) -> bool:
        """Whether the link is down now."""
        return any(outage.begins <= self.seconds() < outage.ends for outage in self.scenario.outages)

    def truth(self) -> dict[str, Any]:
        """The sandbox's own records of every server now; a copy, as over HTTP."""
        return cast(dict[str, Any], msgspec.json.decode(msgspec.json.encode(self.plane.truth())))


class Wire(httpx.AsyncBaseTransport):
    """The transport from the engine to the sandbox: it takes time, fails as links do, and can kill."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._process_number = world.process_number
        self._inner = httpx.ASGITransport(app=cast(Any, world.app))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request, and return its answer."""
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
        if not login and world.random.random() < world.scenario.week_pauses:
            world.struck["pause of a week"] += 1
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
            if world.killed:
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
        if self._world.killed or self._process_number != self._world.process_number:
            raise httpx.ConnectError("a dead process sends nothing")

    def _note(self, post: bool, request: httpx.Request, outcome: str) -> None:
        if post:
            ids = tuple(msgspec.json.decode(request.content, type=list[str]))
            action = request.url.path.rpartition("/")[2]
            self._world.posts.append(Post(self._world.seconds(), action, ids, outcome))


def killable(journal: JournalWriter, world: World) -> JournalWriter:
    """Wrap a journal so that a process can be killed before and after each call."""

    class Killable:
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

    return cast(JournalWriter, Killable())
