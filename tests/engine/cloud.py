"""A scripted platform for the engine's tests; it records what it carried out."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from tui.api.errors import ApiError, LoginRefused, NotFound
from tui.api.wire import Answer, LoginAnswer, Tree
from tui.engine.clock import Clock
from tui.engine.endpoint import Endpoint
from tui.engine.platform import Platform
from tui.model.group import DataCenter, Group
from tui.model.operation import Action
from tui.model.server import Server, ServerDetails

ENDPOINT = Endpoint("test", "https://cloud.example/v2/")
PASSWORD = "correct-horse"


class Job(msgspec.Struct):
    """A job of the cloud; it changes servers when it ends."""

    id: str
    servers: tuple[str, ...]
    begins: float
    ends: float
    final_status: str = "succeeded"
    running_status: str = "executing"
    changes: frozenset[str] | None = None
    """Which of its servers it changes; None means all of them."""


class Cloud:
    """Servers, jobs, and hooks at every call."""

    def __init__(self, clock: Clock, servers: int = 6, data_centers: Sequence[str] = ("WA1",)) -> None:
        self.clock = clock
        self.centers = [DataCenter(id_, f"{id_} somewhere", f"{id_.lower()}-root") for id_ in data_centers]
        self.servers: dict[str, Server] = {}
        for number in range(servers):
            center = data_centers[number * len(data_centers) // servers]
            id_ = f"{center}ACME{number:05}"
            self.servers[id_] = Server(
                id_, id_, f"{center}-group", center, "active", power="started", maintenance=False
            )
        self.round_trip = 0.02
        self.job_seconds = 30.0
        self.settle_seconds = 0.0
        self.jobs: dict[str, Job] = {}
        self.requests: Counter[str] = Counter()
        self.posts: list[tuple[str, ...]] = []
        """The servers of each POST that was carried out."""
        self.on_call: Callable[[str], Awaitable[None] | None] = lambda call: None
        """Called with the name of each call before it is carried out; may raise or wait."""
        self.on_post: Callable[[int], ApiError | None] = lambda number: None
        """Called for each POST after it was carried out; what it returns is raised instead of the answer."""
        self.answer: Callable[[int, list[Answer]], list[Answer]] = lambda number, answers: answers
        self.posts_may_leave = asyncio.Event()
        """Cleared while POSTs wait before they leave, as in a pause."""
        self.posts_may_leave.set()
        self.refuse: dict[str, str] = {}
        """Server -> message with which it is refused."""
        self.make_job: Callable[[Job], Job] = lambda job: job
        self._numbers = itertools.count(1)
        self.actions: dict[str, Action] = {}
        """Job -> its action, until it was carried out."""

    def connect(
        self,
        endpoint: Endpoint,
        clock: Clock,
        on_latency: Callable[[float], None],
        on_pause: Callable[[float], None],
    ) -> Platform:
        """A connection to this cloud, for the engine."""
        return self

    async def login(self, user: str, password: str) -> LoginAnswer:
        await self._call("login")
        if password != PASSWORD:
            raise LoginRefused("We didn't recognize the username or password you entered.")
        return LoginAnswer(user, "ACME", ("ServerAdmin",), "WA1")

    async def data_centers(self, account: str) -> list[DataCenter]:
        await self._call("data_centers")
        return self.centers

    async def group_tree(self, account: str, data_center: DataCenter) -> Tree:
        await self._call("group_tree")
        group = Group(f"{data_center.id}-group", "Default", data_center.id)
        return Tree((group,), tuple(s for s in self.now().values() if s.data_center == data_center.id))

    async def server(self, account: str, server_id: str) -> ServerDetails:
        await self._call("server")
        found = self.now().get(server_id)
        if found is None:
            raise NotFound(f"there is no server {server_id}")
        return ServerDetails(found)

    async def operate(
        self,
        account: str,
        action: Action,
        server_ids: Sequence[str],
        may_leave: Callable[[], Awaitable[None]],
    ) -> list[Answer]:
        await self.posts_may_leave.wait()
        await may_leave()
        await self._call("operate")
        number = len(self.posts)
        self.posts.append(tuple(server_ids))
        now = self.clock.monotonic()
        answers, accepted = [], []
        for id_ in server_ids:
            if id_ in self.refuse:
                answers.append(Answer(id_, queued=False, message=self.refuse[id_]))
            else:
                accepted.append(id_)
        if accepted:
            id_ = f"{accepted[0][:3].lower()}-{next(self._numbers)}"
            job = self.make_job(Job(id_, tuple(accepted), now + 2, now + self.job_seconds))
            self.jobs[job.id] = job
            self.actions[job.id] = action
            answers += [Answer(server, queued=True, job_id=job.id) for server in reversed(accepted)]
        error = self.on_post(number)
        if error is not None:
            raise error
        return self.answer(number, answers)

    async def job_status(self, account: str, job_id: str) -> str:
        await self._call("job_status")
        job = self.jobs.get(job_id)
        if job is None:
            raise NotFound(f"there is no job {job_id}")
        now = self.clock.monotonic()
        return (
            "notStarted" if now < job.begins else job.running_status if now < job.ends else job.final_status
        )

    async def aclose(self) -> None:
        pass

    def now(self) -> dict[str, Server]:
        """The servers as they are at this moment."""
        now = self.clock.monotonic()
        for id_, job in list(self.jobs.items()):
            if now >= job.ends + self.settle_seconds and id_ in self.actions:
                action = self.actions.pop(id_)
                for server in job.servers if job.changes is None else job.changes:
                    self.change(server, action)
        return self.servers

    def change(self, server_id: str, action: Action) -> None:
        """Carry an action out on one server, as a job would."""
        before = self.servers[server_id]
        match action:
            case Action.START_MAINTENANCE | Action.STOP_MAINTENANCE:
                wanted = action is Action.START_MAINTENANCE
                self.servers[server_id] = msgspec.structs.replace(before, maintenance=wanted)
            case Action.POWER_ON | Action.POWER_OFF:
                power = "started" if action is Action.POWER_ON else "stopped"
                self.servers[server_id] = msgspec.structs.replace(before, power=power)
            case _:
                pass

    async def _call(self, name: str) -> None:
        self.requests[name] += 1
        await asyncio.sleep(self.round_trip)
        waiting = self.on_call(name)
        if waiting is not None:
            await waiting
