"""The queue: takes operations and makes jobs of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from tui.contract.protocol import NotSupported, Order, Outcome
from tui.sandbox.config import SandboxConfig
from tui.sandbox.faults import Faults
from tui.sandbox.fleet import Change, Fleet, Group, Move, Server
from tui.sandbox.job import Job
from tui.sandbox.operations import (
    CANNOT_QUEUE,
    MAINTENANCE,
    OPERATIONS,
    Operation,
    Refused,
    judge,
    snapshots_after,
)
from tui.sandbox.seeds import rng
from tui.sandbox.views import original_snapshots

WAITING_SHARE = 0.15
"""The share of a job's time before it executes."""

FIRST_CHANGE, LAST_CHANGE = 0.59, 0.9
"""The shares of a job's time at which its first and its last server change; recorded of a startMaintenance of
8 servers, which changed 23 to 35 s after the POST in a job of 39 s."""

RESUMED_ONE_IN = 50
"""One job in so many is stopped by hand meanwhile and goes on as `resumed`."""

SETTLE_SECONDS = (5.0, 30.0)

Member = tuple[Server, dict[str, Any]]
"""A server of a job, and what the job sets in its state."""


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

    def submit(self, fleet: Fleet, order: Order) -> list[Outcome]:
        """Queue an operation; returns one outcome per distinct server, in another order than the request's.

        Servers of one job change one by one, in the order of the outcomes.

        Raises:
            NotSupported: there is no such operation.
        """
        operation = OPERATIONS.get(order.operation)
        if operation is None:
            raise NotSupported(f"The sandbox does not carry out {order.operation}.")
        now = self.clock()
        accepted: dict[str, list[Member]] = {}
        outcomes: dict[str, Outcome] = {}
        wanted = {sent.upper(): (sent, value) for sent, value in order.targets.items()}
        for server_id in self._in_another_order(list(wanted)):
            sent, value = wanted[server_id]
            outcomes[server_id] = Outcome(server_id, None, CANNOT_QUEUE)
            server = fleet.servers.get(server_id)
            if server is None:
                continue
            server.reached[operation.name] = server.reached.get(operation.name, 0) + 1
            if self.config.strict_case and operation.name in MAINTENANCE and sent != server_id:
                continue
            fields = _fields(operation, order, value, server, now)
            if isinstance(fields, Refused):
                outcomes[server_id] = Outcome(server_id, None, fields.message)
            else:
                accepted.setdefault(server.group.data_center, []).append((server, fields))
        for data_center, members in accepted.items():
            job = self._queue(fleet, data_center, operation, members, order, now)
            for server, _ in members:
                outcomes[server.id] = Outcome(server.id, job.id)
        return list(outcomes.values())

    def _queue(
        self,
        fleet: Fleet,
        data_center: str,
        operation: Operation,
        members: list[Member],
        order: Order,
        now: float,
    ) -> Job:
        chance = rng("job", self.config.seed, len(self.jobs))
        seconds = self._seconds(operation, len(members), chance)
        outcome = "succeeded"
        unchanged: set[str] = set()
        for fault, status in (("job-fails", "failed"), ("job-unknown", "unknown")):
            if self.faults.fires(fault):
                outcome = status
                unchanged = _some(members, chance)
                break
        lag = (
            chance.uniform(*SETTLE_SECONDS) * self.config.time_scale if self.faults.fires("settle") else None
        )
        changed = {
            server.id: now + seconds * share
            for (server, _), share in zip(members, _shares(len(members)), strict=True)
            if server.id not in unchanged
        }
        job = Job(
            id=self._next_id(data_center),
            alias=fleet.alias,
            operation=operation.name,
            servers=tuple(server.id for server, _ in members),
            changed=changed,
            created=now,
            begins=now + seconds * WAITING_SHARE,
            resumes=now + seconds * (0.6 if chance.randrange(RESUMED_ONE_IN) == 0 else 1),
            ends=now + seconds,
            outcome=outcome,
        )
        self.jobs[job.id] = job
        for server, fields in members:
            server.job = job
            server.queued[operation.name] = server.queued.get(operation.name, 0) + 1
            if server.id not in changed:
                continue
            at = changed[server.id]
            shown_at = at if lag is None else job.ends + lag
            server.add(Change(at, shown_at, order.user.name, fields, operation.dated), now)
            if (group := _new_group(fleet, operation, order, server)) is not None:
                fleet.move(Move(shown_at, server, group))
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

    def _in_another_order(self, ids: list[str]) -> list[str]:
        shuffled = ids[:]
        rng("order", self.config.seed, self._posts).shuffle(shuffled)
        self._posts += 1
        return shuffled if shuffled != ids else shuffled[::-1]


def _shares(servers: int) -> list[float]:
    """The shares of a job's time at which its servers change: evenly, the last one shortly before its end."""
    step = (LAST_CHANGE - FIRST_CHANGE) / max(1, servers - 1)
    return [LAST_CHANGE - step * later for later in reversed(range(servers))]


def _fields(
    operation: Operation, order: Order, value: bool | None, server: Server, now: float
) -> dict[str, Any] | Refused:
    """What an operation sets in the state of a server, or why it refuses the server."""
    state = server.at(now)
    busy = server.job is not None and server.job.ends > now
    verdict = judge(operation, value, server, state, busy)
    if isinstance(verdict, Refused):
        return verdict
    fields = dict(verdict.fields)
    if "napshot" in operation.name:
        held = original_snapshots(server.bits) if state.snapshots is None else state.snapshots
        snapshots = snapshots_after(operation, held, order.parameters.get("snapshot"), now)
        if isinstance(snapshots, Refused):
            return snapshots
        fields["snapshots"] = snapshots
    return fields


def _some(members: list[Member], chance: random.Random) -> set[str]:
    """The servers that a job does not change that went wrong.

    At least one server stays as it was; with two or more, at least one changes.
    """
    changing = chance.sample(members, chance.randint(min(1, len(members) - 1), len(members) - 1))
    return {server.id for server, _ in members} - {server.id for server, _ in changing}


def _new_group(fleet: Fleet, operation: Operation, order: Order, server: Server) -> Group | None:
    """The group to which an operation moves a server; None where it stays."""
    if operation.name == "archive":
        root = fleet.roots[server.group.data_center.lower()]
        return next(group for group in root.groups if group.kind == "archive")
    return fleet.groups.get(str(order.parameters.get("targetgroupid")).lower())
