"""The operations: their recorded durations, their effect on a server, and which servers they refuse."""

from __future__ import annotations

from typing import NamedTuple

from tui.sandbox.fleet import Server, State

CANNOT_QUEUE = (
    "The operation cannot be queued because the server cannot be found or it is not in a valid state."
)
ALREADY_IN_STATE = "The server already in desired state."


class Operation(NamedTuple):
    """One operation of the platform; `seconds` are the recorded times of a job of 3 and of 8 servers."""

    name: str
    seconds: tuple[float, float]
    power: str | None = None
    maintenance: bool | None = None
    only_from: tuple[str, ...] = ("started", "stopped", "paused")

    def duration(self, servers: int) -> float:
        """Seconds of a job of so many servers: linear through the two recorded points, at least 1."""
        few, many = self.seconds
        return max(1.0, few + (servers - 3) * (many - few) / 5)


OPERATIONS: dict[str, Operation] = {
    operation.name.lower(): operation
    for operation in (
        Operation("startMaintenance", (12, 39), maintenance=True),
        Operation("stopMaintenance", (27, 38), maintenance=False),
        Operation("setMaintenance", (27, 39)),
        Operation("powerOn", (72, 161), power="started"),
        Operation("powerOff", (55, 145), power="stopped"),
        Operation("pause", (109, 262), power="paused", only_from=("started", "paused")),
        Operation("reset", (54, 190), only_from=("started",)),
        Operation("reboot", (194, 519), only_from=("started",)),
        Operation("shutDown", (103, 267), power="stopped", only_from=("started", "stopped")),
    )
}
"""By name in lower case."""

UNSUPPORTED: tuple[str, ...] = ("archive", "createSnapshot", "executePackage")
"""Operations of the platform that the sandbox refuses with a message."""

MAINTENANCE = frozenset({"startMaintenance", "stopMaintenance", "setMaintenance"})


class Refused(NamedTuple):
    """Why a server was not queued; the platform does not always give a message."""

    message: str | None


class Accepted(NamedTuple):
    """The state that the operation leads to; None leaves that part as it is."""

    power: str | None
    maintenance: bool | None


def judge(
    operation: Operation, wanted: bool | None, server: Server, state: State, busy: bool
) -> Accepted | Refused:
    """Decide whether an operation can be queued for a server in a state.

    `wanted` is the value that setMaintenance carries for this server. A server whose last job has not ended
    (`busy`) is refused as not in a valid state: one job at a time. What the platform did then, and what it
    answered to a maintenance operation on a server in the requested state, is not recorded. For a power
    operation two answers are known, with a message and without; each server always gives the same one.
    """
    if busy or server.template or server.status != "active" or state.power not in operation.only_from:
        return Refused(CANNOT_QUEUE)
    maintenance = operation.maintenance if wanted is None else wanted
    if (operation.power, maintenance) in ((state.power, None), (None, state.maintenance)):
        return Refused(ALREADY_IN_STATE if server.bits & 1 else None)
    return Accepted(operation.power, maintenance)
