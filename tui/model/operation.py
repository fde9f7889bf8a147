"""Operations on servers, and the state machine of one server in one operation."""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from tui.model.server import Server


class Action(StrEnum):
    """What can be asked of servers. The values are the platform's own spelling in the URL."""

    START_MAINTENANCE = "startMaintenance"
    STOP_MAINTENANCE = "stopMaintenance"
    POWER_ON = "powerOn"
    POWER_OFF = "powerOff"
    PAUSE = "pause"
    RESET = "reset"
    REBOOT = "reboot"
    SHUT_DOWN = "shutDown"

    @property
    def label(self) -> str:
        """The action as a heading, e.g. "Start maintenance"."""
        return _LABELS[self]

    @property
    def result(self) -> str:
        """How a server is after the action, as words after "is" or "is not", e.g. "in maintenance"."""
        return _RESULTS[self]

    @property
    def leaves_trace(self) -> bool:
        """Whether a server shows by its own fields that this was done to it.

        A reset or a reboot does not, so nothing can verify it: SUCCEEDED is then the best that can
        honestly be said, and how such an operation ends well.
        """
        return self not in (Action.RESET, Action.REBOOT)

    def settled(self, server: Server) -> bool | None:
        """Whether ``server`` is as this action leaves it; None where the server cannot tell."""
        match self:
            case Action.START_MAINTENANCE:
                return server.maintenance
            case Action.STOP_MAINTENANCE:
                return None if server.maintenance is None else not server.maintenance
            case Action.RESET | Action.REBOOT:
                return None
            case _:
                return None if server.power is None else server.power == _POWER_AFTER[self]


_LABELS = {
    Action.START_MAINTENANCE: "Start maintenance",
    Action.STOP_MAINTENANCE: "End maintenance",
    Action.POWER_ON: "Power on",
    Action.POWER_OFF: "Power off",
    Action.PAUSE: "Pause",
    Action.RESET: "Reset",
    Action.REBOOT: "Reboot",
    Action.SHUT_DOWN: "Shut down",
}
_RESULTS = {
    Action.START_MAINTENANCE: "in maintenance",
    Action.STOP_MAINTENANCE: "out of maintenance",
    Action.POWER_ON: "started",
    Action.POWER_OFF: "stopped",
    Action.PAUSE: "paused",
    Action.RESET: "reset",
    Action.REBOOT: "rebooted",
    Action.SHUT_DOWN: "stopped",
}
_POWER_AFTER = {
    Action.POWER_ON: "started",
    Action.POWER_OFF: "stopped",
    Action.PAUSE: "paused",
    Action.SHUT_DOWN: "stopped",
}


class State(StrEnum):
    """Where one server stands in one operation. JSON and the journal use these names."""

    PLANNED = "planned"
    SUBMITTING = "submitting"
    QUEUED = "queued"
    EXECUTING = "executing"
    LOOKING = "looking"
    """Its request was refused or its job failed, which says little of a single server: it is read to see."""
    SUCCEEDED = "succeeded"
    VERIFIED = "verified"
    REFUSED = "refused"
    FAILED = "failed"
    UNSURE = "unsure"
    CANCELLED = "cancelled"


TRANSITIONS: Mapping[State, frozenset[State]] = {
    # A refused login, a full disk or the operator's word stops what was not sent.
    State.PLANNED: frozenset({State.SUBMITTING, State.CANCELLED}),
    # cancelled: the request provably never left; planned: nor did it, and it may later.
    # looking: the endpoint refused the whole request; verified: it did, and the server shows otherwise.
    State.SUBMITTING: frozenset(
        {
            State.PLANNED,
            State.QUEUED,
            State.LOOKING,
            State.VERIFIED,
            State.REFUSED,
            State.FAILED,
            State.UNSURE,
            State.CANCELLED,
        }
    ),
    State.QUEUED: frozenset({State.EXECUTING, State.LOOKING, State.SUCCEEDED, State.FAILED, State.UNSURE}),
    State.EXECUTING: frozenset({State.LOOKING, State.SUCCEEDED, State.FAILED, State.UNSURE}),
    State.LOOKING: frozenset({State.VERIFIED, State.FAILED, State.UNSURE}),
    State.SUCCEEDED: frozenset({State.VERIFIED, State.UNSURE}),
    # Settled by re-reading the server. cancelled: it is untouched, so it may be asked for again.
    State.UNSURE: frozenset({State.VERIFIED, State.FAILED, State.CANCELLED}),
    State.VERIFIED: frozenset(),
    State.REFUSED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
}
"""Which state may follow which. A state may always be repeated with a new message or job id."""

ENDED = frozenset(state for state, following in TRANSITIONS.items() if not following)
"""States that nothing follows. SUCCEEDED and UNSURE can also be how an operation leaves a server."""

IN_FLIGHT = frozenset({State.SUBMITTING, State.QUEUED, State.EXECUTING, State.LOOKING, State.SUCCEEDED})


class StateStyle(msgspec.Struct, frozen=True):
    """How a state is shown everywhere: the word and sign first, the colour after."""

    word: str
    sign: str
    ascii: str
    colour: str
    """dim, blue, green, red or magenta: a role that the theme gives a colour to."""
    meaning: str
    """What the state means, in one line."""


STATE_STYLES: Mapping[State, StateStyle] = {
    State.PLANNED: StateStyle("planned", "·", ".", "dim", "will be sent"),
    State.SUBMITTING: StateStyle("sending", "→", ">", "blue", "on its way to the platform"),
    State.QUEUED: StateStyle("queued", "…", "~", "blue", "the platform has a job for it that has not begun"),
    State.EXECUTING: StateStyle("running", "▸", "*", "blue", "its job is being carried out"),
    State.LOOKING: StateStyle(
        "looking",
        "◔",
        "@",
        "blue",
        "its job failed; whether the server changed all the same is being looked up",
    ),
    State.SUCCEEDED: StateStyle(
        "checking", "◌", "o", "blue", "its job has ended; whether the server changed is being looked up"
    ),
    State.VERIFIED: StateStyle(
        "verified", "✓", "+", "green", "the server was read again and is as it should be"
    ),
    State.REFUSED: StateStyle(
        "refused", "⊘", "/", "red", "the platform did not take it; the message says why"
    ),
    State.FAILED: StateStyle("failed", "✗", "x", "red", "its job failed and the server did not change"),
    State.UNSURE: StateStyle(
        "unsure",
        "?",
        "?",
        "magenta",
        "the answer was lost and the server does not tell; look before doing it again",
    ),
    State.CANCELLED: StateStyle("not sent", "–", "-", "dim", "nothing was sent for it"),
}


class Target(msgspec.Struct, frozen=True):
    """One server in one operation, as last heard."""

    server_id: str
    state: State = State.PLANNED
    at: float = 0.0
    """When it came into this state, seconds since the epoch."""
    job_id: str = ""
    message: str = ""


class IllegalTransitionError(ValueError):
    """A state was to follow one that it cannot follow: a bug in the engine, never the API's doing."""


class Operation:
    """One action on many servers, under way or done.

    The engine and the screen each keep their own, fed by the same targets, so nothing is shared
    between their threads.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - the field's own word
        action: Action,
        server_ids: Iterable[str],
        *,
        account: str = "",
        window_id: str = "",
        reason: str = "",
        started: float = 0.0,
    ) -> None:
        self.id = id
        self.action = action
        self.account = account
        self.window_id = window_id
        self.reason = reason
        self.started = started
        """Seconds since the epoch."""
        self.ended: float | None = None
        """When nothing more could happen to it, or None while it is under way."""
        self.targets: dict[str, Target] = {
            server_id: Target(server_id, at=started) for server_id in server_ids
        }
        self._counts: Counter[State] = Counter({State.PLANNED: len(self.targets)})

    def apply(self, target: Target) -> None:
        """Take in what became of one server.

        Raises:
            IllegalTransitionError: the state cannot follow the one the server is in.
            KeyError: the server is not part of this operation.
        """
        before = self.targets[target.server_id].state
        if target.state is not before and target.state not in TRANSITIONS[before]:
            raise IllegalTransitionError(f"{target.server_id}: {before} cannot become {target.state}")
        self.targets[target.server_id] = target
        self._counts[before] -= 1
        self._counts[target.state] += 1

    @property
    def left_to_send(self) -> bool:
        """Whether servers are planned that nothing was sent for."""
        return bool(self._counts[State.PLANNED])

    @property
    def succeeded(self) -> bool:
        """Whether every server ended as well as its action lets one know."""
        good = self._counts[State.VERIFIED]
        if not self.action.leaves_trace:
            good += self._counts[State.SUCCEEDED]
        return good == len(self.targets)

    @property
    def doubtful(self) -> bool:
        """Whether the outcome of some server is not known: unsure, not yet as asked, or under way."""
        doubts = self.count(State.UNSURE, *IN_FLIGHT)
        return bool(doubts - (0 if self.action.leaves_trace else self._counts[State.SUCCEEDED]))

    def restore(self, targets: Iterable[Target]) -> None:
        """Put servers where the journal left them, whatever state that is."""
        for target in targets:
            self._counts[self.targets[target.server_id].state] -= 1
            self.targets[target.server_id] = target
            self._counts[target.state] += 1

    def count(self, *states: State) -> int:
        """How many servers are in one of ``states``."""
        return sum(self._counts[state] for state in states)

    def summary(self) -> dict[str, int]:
        """State name -> number of servers, for the states that occur, in the life's order."""
        return {state.value: self._counts[state] for state in State if self._counts[state]}

    def ids(self, *states: State) -> list[str]:
        """The servers in one of ``states``, in the operation's order."""
        return [target.server_id for target in self.targets.values() if target.state in states]


def operation_json(operation: Operation) -> dict[str, object]:
    """The operation as the commands without a screen print it; null ids for one that was never begun."""
    return {
        "operation": operation.id or None,
        "window": operation.window_id or None,
        "servers": [
            {
                "id": target.server_id,
                "state": target.state.value,
                "job_id": target.job_id,
                "message": target.message,
            }
            for target in operation.targets.values()
        ],
        "summary": operation.summary(),
    }
