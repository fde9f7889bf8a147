"""The queue: takes operations and makes jobs of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from tui.sandbox.config import SandboxConfig
from tui.sandbox.faults import Faults
from tui.sandbox.fleet import Change, Fleet, Server
from tui.sandbox.job import Job
from tui.sandbox.operations import CANNOT_QUEUE, MAINTENANCE, Accepted, Operation, Refused, judge
from tui.sandbox.seeds import rng

WAITING_SHARE = 0.15
"""The share of a job's time before it executes."""

RESUMED_ONE_IN = 50
"""One job in so many is stopped by hand meanwhile and goes on as `resumed`."""

SETTLE_SECONDS = (5.0, 30.0)


class Outcome(NamedTuple):
    """The result for one server of a POST: its job, or the message of the refusal, which may be absent."""

    server: str
    job: Job | None
    message: str | None


class Queue:
    """Makes one job per data center of each POST, and keeps all jobs."""

    def __init__(self, config: SandboxConfig, faults: Faults, clock: Callable[[], float]) -> None:
        self.config = config
        self.faults = faults
        self.clock = clock
        self.jobs: dict[str, Job] = {}
        self._posts = 0
        self._last_number: Counter[str] = Counter()

    def status(self, alias: str, job_id: str) -> str | None:
        """The status of a job of an account; None where there is no such job."""
        job = self.jobs.get(job_id)
        return job.status(self.clock()) if job and job.alias == alias else None

    def submit(
        self, fleet: Fleet, operation: Operation, targets: Mapping[str, bool | None], user: str
    ) -> list[Outcome]:
        """Queue an operation; returns one outcome per distinct server, in another order than the request's.

        `targets` maps ids as they were sent to the value that setMaintenance carries, None for others.
        """
        now = self.clock()
        accepted: dict[str, list[tuple[Server, Accepted]]] = {}
        outcomes: dict[str, Outcome] = {}
        wanted = {sent.upper(): (sent, value) for sent, value in targets.items()}
        for server_id, (sent, value) in wanted.items():
            server = fleet.servers.get(server_id)
            if server is None:
                outcomes[server_id] = Outcome(server_id, None, CANNOT_QUEUE)
                continue
            server.reached[operation.name] = server.reached.get(operation.name, 0) + 1
            if self.config.strict_case and operation.name in MAINTENANCE and sent != server_id:
                outcomes[server_id] = Outcome(server_id, None, CANNOT_QUEUE)
                continue
            busy = server.job is not None and server.job.ends > now
            verdict = judge(operation, value, server, server.at(now), busy)
            if isinstance(verdict, Refused):
                outcomes[server_id] = Outcome(server_id, None, verdict.message)
            else:
                accepted.setdefault(server.group.data_center, []).append((server, verdict))
        for data_center, members in accepted.items():
            job = self._queue(fleet.alias, data_center, operation, members, user, now)
            for server, _ in members:
                outcomes[server.id] = Outcome(server.id, job, None)
        return self._in_another_order([outcomes[server_id] for server_id in wanted])

    def _queue(
        self,
        alias: str,
        data_center: str,
        operation: Operation,
        members: list[tuple[Server, Accepted]],
        user: str,
        now: float,
    ) -> Job:
        chance = rng("job", self.config.seed, len(self.jobs))
        seconds = self._seconds(operation, len(members), chance)
        outcome = "succeeded"
        changing = members
        for fault, status in (("job-fails", "failed"), ("job-unknown", "unknown")):
            if self.faults.fires(fault):
                outcome = status
                # At least one server stays as it was; with two or more, at least one changes.
                changing = chance.sample(members, chance.randint(min(1, len(members) - 1), len(members) - 1))
                break
        lag = chance.uniform(*SETTLE_SECONDS) * self.config.time_scale if self.faults.fires("settle") else 0.0
        job = Job(
            id=self._next_id(data_center),
            alias=alias,
            operation=operation.name,
            servers=tuple(server.id for server, _ in members),
            changed=tuple(server.id for server, _ in changing),
            created=now,
            begins=now + seconds * WAITING_SHARE,
            resumes=now + seconds * (0.6 if chance.randrange(RESUMED_ONE_IN) == 0 else 1),
            ends=now + seconds,
            outcome=outcome,
        )
        self.jobs[job.id] = job
        for server, _ in members:
            server.job = job
            server.queued[operation.name] = server.queued.get(operation.name, 0) + 1
        for server, change in changing:
            server.add(Change(job.ends, job.ends + lag, change.power, change.maintenance, user), now)
        return job

    def _seconds(self, operation: Operation, servers: int, chance: random.Random) -> float:
        if self.config.job_seconds is not None:
            return chance.uniform(*self.config.job_seconds)
        return operation.duration(servers) * self.config.time_scale

    def _next_id(self, data_center: str) -> str:
        if data_center not in self._last_number:
            first = rng("jobs of", data_center, self.config.seed).randrange(20_000, 200_000)
            self._last_number[data_center] = first
        self._last_number[data_center] += 1
        return f"{data_center.lower()}-{self._last_number[data_center]}"

    def _in_another_order(self, outcomes: list[Outcome]) -> list[Outcome]:
        shuffled = outcomes[:]
        rng("order", self.config.seed, self._posts).shuffle(shuffled)
        self._posts += 1
        return shuffled if shuffled != outcomes else shuffled[::-1]
