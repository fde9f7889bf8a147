"""The operations: their recorded durations, their effect on a server, and which servers they refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tui.contract.views import Snapshot
from tui.sandbox.fleet import Server, State

CANNOT_QUEUE = (
    "The operation cannot be queued because the server cannot be found or it is not in a valid state."
)
ALREADY_IN_STATE = "The server already in desired state."


class Operation(NamedTuple):
    """One operation of the platform; `seconds` are the times of a job of 3 and of 8 servers."""

    name: str
    seconds: tuple[float, float]
    fields: Mapping[str, Any] = {}
    """What it sets in the state of a server."""
    only_from: tuple[str, ...] = ("started", "stopped", "paused")
    status: str = "active"
    """The status that a server must have."""
    dated: bool = True
    """Whether it shows in the date of a server's last modification."""

    def duration(self, servers: int) -> float:
        """Seconds of a job of so many servers: linear through the two known points, at least 1."""
        few, many = self.seconds
        return max(1.0, few + (servers - 3) * (many - few) / 5)


OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation("startMaintenance", (12, 39), {"maintenance": True}),
        Operation("stopMaintenance", (27, 38), {"maintenance": False}),
        Operation("setMaintenance", (27, 39)),
        Operation("powerOn", (72, 161), {"power": "started"}),
        Operation("powerOff", (55, 145), {"power": "stopped"}),
        Operation("pause", (109, 262), {"power": "paused"}, only_from=("started", "paused")),
        Operation("reset", (54, 190), only_from=("started",)),
        Operation("reboot", (194, 519), only_from=("started",)),
        Operation("shutDown", (103, 267), {"power": "stopped"}, only_from=("started", "stopped")),
        Operation("archive", (49, 193), {"status": "archived", "power": "stopped"}, dated=False),
        Operation("createSnapshot", (372, 993)),
        # The times of the rest are invented.
        Operation("executePackage", (60, 120), only_from=("started",)),
        Operation("restore", (60, 120), {"status": "active"}, status="archived"),
        Operation("restoreSnapshot", (60, 120)),
        Operation("deleteSnapshot", (30, 60)),
    )
}
"""By name; all but the last were timed in recorded traffic."""

MAINTENANCE = frozenset({"startMaintenance", "stopMaintenance", "setMaintenance"})


class Refused(NamedTuple):
    """Why a server was not queued; the platform does not always give a message."""

    message: str | None


class Accepted(NamedTuple):
    """What the operation sets in the state of the server."""

    fields: Mapping[str, Any]


def judge(
    operation: Operation, wanted: bool | None, server: Server, state: State, busy: bool
) -> Accepted | Refused:
    """Decide whether an operation can be queued for a server in a state.

    `wanted` is the value that setMaintenance carries for this server. A server whose last job has not ended
    (`busy`) is refused as not in a valid state: one job at a time. What the platform did then, and what it
    answered to a maintenance operation on a server in the requested state, is not recorded. For a power
    operation two answers are known, with a message and without; each server always gives the same one.
    """
    if busy or server.template or state.status != operation.status or state.power not in operation.only_from:
        return Refused(CANNOT_QUEUE)
    fields = operation.fields if wanted is None else {"maintenance": wanted}
    if fields and all(getattr(state, name) == value for name, value in fields.items()):
        return Refused(ALREADY_IN_STATE if server.bits & 1 else None)
    return Accepted(fields)


def snapshots_after(
    operation: Operation, snapshots: tuple[Snapshot, ...], number: object, taken: float
) -> tuple[Snapshot, ...] | Refused:
    """The snapshots of a server after an operation: a new one replaces the one before.

    `number` names the snapshot that is to be deleted or restored; a server without it is refused.
    """
    if operation.name == "createSnapshot":
        return (Snapshot(max((snapshot.number for snapshot in snapshots), default=0) + 1, taken),)
    if number is not None and number not in {snapshot.number for snapshot in snapshots}:
        return Refused(CANNOT_QUEUE)
    if operation.name == "deleteSnapshot":
        return tuple(snapshot for snapshot in snapshots if snapshot.number != number)
    return snapshots
