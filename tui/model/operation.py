"""Operations on servers, and the state machine of one server in one operation."""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple, Self

import msgspec

from tui.model.server import Server


class _Row(NamedTuple):
    """The arguments of ``Action.__new__``, by name."""

    url_name: str
    label: str
    result: str
    job_seconds: tuple[float, float]
    maintenance: bool | None = None
    power: str | None = None
    warning: str = ""
    verb: str = ""
    only_from: tuple[str, ...] = ()
    drastic: bool = False


class Action(StrEnum):
    """What an operation does to servers. Source of the values: the operation's name in its URL."""

    _value_: str
    label: str
    """The action as a heading, e.g. "Start maintenance"."""
    result: str
    """The state that the action requests, as it follows "is": "in maintenance"."""
    job_seconds: tuple[float, float]
    """Seconds from POST to succeeded, for 3 and for 8 servers.

    Source: recorded with the vendor's Node SDK in 2015.
    """
    maintenance: bool | None
    """The maintenance mode that the action requests; None where it changes the power."""
    power: str | None
    """The power state that the action requests; None where it leads to none of its own."""
    warning: str
    """What the operator should know before confirming."""
    verb: str
    """What follows `pitstop` on the command line, e.g. "power off"."""
    only_from: tuple[str, ...]
    """The power states from which the platform takes it; any when empty."""
    drastic: bool
    """Whether it can lose data or ends what runs: its question wants the count, however few they are."""

    START_MAINTENANCE = _Row(
        "startMaintenance",
        "Start maintenance",
        "in maintenance",
        (12, 39),
        maintenance=True,
        warning="Maintenance mutes a server's alerts and can take it out of live traffic "
        "(load balancers, autoscale).",
        verb="start",
    )
    STOP_MAINTENANCE = _Row(
        "stopMaintenance", "End maintenance", "out of maintenance", (27, 38), maintenance=False, verb="stop"
    )
    POWER_ON = _Row("powerOn", "Power on", "started", (72, 161), power="started", verb="power on")
    POWER_OFF = _Row(
        "powerOff",
        "Power off",
        "stopped",
        (55, 145),
        power="stopped",
        warning="Power is cut at once: what is not on disk is lost.",
        verb="power off",
        drastic=True,
    )
    PAUSE = _Row(
        "pause",
        "Pause",
        "paused",
        (109, 262),
        power="paused",
        warning="Services on these servers stop.",
        verb="power pause",
        only_from=("started",),
    )
    RESET = _Row(
        "reset",
        "Reset",
        "reset",
        (54, 190),
        warning="Power is cut at once: what is not on disk is lost.",
        verb="power reset",
        only_from=("started",),
        drastic=True,
    )
    REBOOT = _Row(
        "reboot",
        "Reboot",
        "rebooted",
        (194, 519),
        warning="Services on these servers stop while they start again.",
        verb="power reboot",
        only_from=("started",),
    )
    SHUT_DOWN = _Row(
        "shutDown",
        "Shut down",
        "stopped",
        (103, 267),
        power="stopped",
        warning="Services on these servers stop.",
        verb="power shutdown",
        only_from=("started",),
        drastic=True,
    )

    def __new__(
        cls,
        url_name: str,
        label: str = "",
        result: str = "",
        job_seconds: tuple[float, float] = (0, 0),
        maintenance: bool | None = None,
        power: str | None = None,
        warning: str = "",
        verb: str = "",
        only_from: tuple[str, ...] = (),
        drastic: bool = False,
    ) -> Self:
        """Make a member of its row."""
        member = str.__new__(cls, url_name)
        member._value_, member.label, member.result = url_name, label, result
        member.job_seconds, member.maintenance = job_seconds, maintenance
        member.power, member.warning = power, warning
        member.verb, member.only_from, member.drastic = verb, only_from, drastic
        return member

    @property
    def takes_out_of_service(self) -> bool:
        """Whether a server is out of service meanwhile, or from then on."""
        return self.stays_out_of_service or (self.maintenance is None and self.power is None)

    @property
    def stays_out_of_service(self) -> bool:
        """Whether a server is out of service from then on."""
        return self.maintenance is True or self.power in {"stopped", "paused"}

    @property
    def is_maintenance(self) -> bool:
        """Whether the action changes a server's maintenance mode; the others change its power."""
        return self.maintenance is not None

    @property
    def leaves_trace(self) -> bool:
        """Whether the fields of a server show that the action took place.

        A reset or a reboot changes none, so it cannot be verified: SUCCEEDED is how it ends well.
        """
        return self.maintenance is not None or self.power is not None

    @property
    def unverifiable(self) -> str:
        """Why no server is verified after the action, as a sentence; empty where it leaves a trace."""
        if self.leaves_trace:
            return ""
        return f"no field of a server shows that it was {self.result}: the end of its job is all there is"

    def settled(self, server: Server) -> bool | None:
        """Whether ``server`` is in the requested state; None where its fields do not show it."""
        if self.maintenance is not None:
            return None if server.maintenance is None else server.maintenance == self.maintenance
        if self.power is not None:
            return None if server.power is None else server.power == self.power
        return None


class State(StrEnum):
    """The state of one server in one operation. JSON and the journal use these names."""

    PLANNED = "planned"
    SUBMITTING = "submitting"
    QUEUED = "queued"
    EXECUTING = "executing"
    LOOKING = "looking"
    """Its request was refused or its job failed, and the server is read to see what became of it."""
    SUCCEEDED = "succeeded"
    VERIFIED = "verified"
    REFUSED = "refused"
    FAILED = "failed"
    UNSURE = "unsure"
    CANCELLED = "cancelled"


TRANSITIONS: Mapping[State, frozenset[State]] = {
    # A refused login, a full disk or the operator stops what was not sent.
    State.PLANNED: frozenset({State.SUBMITTING, State.CANCELLED}),
    # cancelled: the request was provably never sent; planned: it was not sent either, and may be later.
    # looking: the endpoint refused the whole request; verified: refused, yet the server shows the change.
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
    # Settled by reading the server again. cancelled: it is unchanged, so the action can be repeated.
    State.UNSURE: frozenset({State.VERIFIED, State.FAILED, State.CANCELLED}),
    State.VERIFIED: frozenset(),
    State.REFUSED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
}
"""State -> the states that may follow it. Each may also be repeated with a new message or job id."""

ENDED = frozenset(state for state, following in TRANSITIONS.items() if not following)
"""States that no other follows. An operation may also end with a server SUCCEEDED or UNSURE."""

IN_FLIGHT = frozenset({State.SUBMITTING, State.QUEUED, State.EXECUTING, State.LOOKING, State.SUCCEEDED})
"""States between the request and its outcome."""

BAD_OUTCOMES = (State.FAILED, State.REFUSED, State.UNSURE)
"""States that need the operator."""

BY_URGENCY = (
    *BAD_OUTCOMES,
    State.SUCCEEDED,
    State.LOOKING,
    State.EXECUTING,
    State.QUEUED,
    State.SUBMITTING,
    State.CANCELLED,
    State.PLANNED,
    State.VERIFIED,
)
"""Every state, those that need attention first: bad outcomes, then work under way, then the rest."""


class StateStyle(msgspec.Struct, frozen=True):
    """How a state is shown: by a word and a sign, and by a colour only beside them."""

    word: str
    sign: str
    ascii: str
    colour: str
    """dim, blue, green, red or magenta; the theme decides on the actual colour."""
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
        "the answer was lost and the server does not show it yet; check before doing it again",
    ),
    State.CANCELLED: StateStyle("not sent", "–", "-", "dim", "nothing was sent for it"),
}


DONE = msgspec.structs.replace(
    STATE_STYLES[State.SUCCEEDED],
    word="done",
    colour="green",
    meaning="its job has ended well; a reset or a reboot leaves no trace, so nothing can verify it",
)
"""How SUCCEEDED is shown where the action cannot be verified."""


def style_of(action: Action, state: State) -> StateStyle:
    """How the state of a server is shown in an operation of ``action``."""
    return DONE if state is State.SUCCEEDED and not action.leaves_trace else STATE_STYLES[state]


class Target(msgspec.Struct, frozen=True):
    """One server in one operation."""

    server_id: str
    state: State = State.PLANNED
    at: float = 0.0
    """When it came into this state, seconds since the epoch."""
    job_id: str = ""
    message: str = ""


class IllegalTransitionError(ValueError):
    """A state cannot follow the one before it: a bug in the engine, whatever the endpoint answered."""


class Operation:
    """One action on many servers, under way or ended.

    The engine and the console each have their own instance, updated by the same targets, so that their
    threads share none.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - the name of the attribute
        action: Action,
        server_ids: Iterable[str],
        *,
        account: str = "",
        window_id: str = "",
        reason: str = "",
        started: float = 0.0,
        retry_of: str = "",
    ) -> None:
        self.id = id
        self.action = action
        self.account = account
        self.window_id = window_id
        self.reason = reason
        self.started = started
        """Seconds since the epoch."""
        self.retry_of = retry_of
        """The id of the operation whose servers it tries again; empty for most."""
        self.ended: float | None = None
        """Seconds since the epoch; None while it is under way."""
        self.targets: dict[str, Target] = {
            server_id: Target(server_id, at=started) for server_id in server_ids
        }
        self._counts: Counter[State] = Counter({State.PLANNED: len(self.targets)})

    def apply(self, target: Target) -> None:
        """Set the target of one server.

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
    def unsent(self) -> int:
        """The number of servers for which nothing was sent yet."""
        return self._counts[State.PLANNED]

    @property
    def succeeded(self) -> bool:
        """Whether every server is verified, or succeeded where the action cannot be verified."""
        good = self._counts[State.VERIFIED]
        if not self.action.leaves_trace:
            good += self._counts[State.SUCCEEDED]
        return good == len(self.targets)

    @property
    def doubtful(self) -> bool:
        """Whether the outcome of some server is unknown: unsure, under way, or not yet verified."""
        doubts = self.count(State.UNSURE, *IN_FLIGHT)
        return bool(doubts - (0 if self.action.leaves_trace else self._counts[State.SUCCEEDED]))

    def restore(self, targets: Iterable[Target]) -> None:
        """Set targets as the journal has them, without checking the transition."""
        for target in targets:
            self._counts[self.targets[target.server_id].state] -= 1
            self.targets[target.server_id] = target
            self._counts[target.state] += 1

    def count(self, *states: State) -> int:
        """The number of servers in one of ``states``."""
        return sum(self._counts[state] for state in states)

    def summary(self) -> dict[str, int]:
        """State name -> number of servers, for the states that occur, in the order of ``State``."""
        return {state.value: self._counts[state] for state in State if self._counts[state]}

    def ids(self, *states: State) -> list[str]:
        """The ids of the servers in one of ``states``, in the operation's order."""
        return [target.server_id for target in self.targets.values() if target.state in states]
