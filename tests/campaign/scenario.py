"""The parameters of one simulated run, all drawn from its seed."""

import random
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from tui.model.operation import Action

HIGHEST_RATES: Mapping[str, float] = {
    "slow": 0.2,
    "status-500": 0.4,
    "group-500": 0.3,
    "rate-limit": 0.2,
    "expire-token": 0.05,
    "drop-before": 0.5,
    "drop-after": 0.5,
    "job-fails": 0.6,
    "job-unknown": 0.4,
    "settle": 0.6,
    "malformed": 0.15,
    "answer-twice": 0.3,
}
"""Every fault of the sandbox -> its highest rate in a run that has it."""

SEQUENCES = (
    (Action.START_MAINTENANCE,),
    (Action.START_MAINTENANCE, Action.STOP_MAINTENANCE),
    (Action.STOP_MAINTENANCE, Action.START_MAINTENANCE),
    (Action.START_MAINTENANCE, Action.POWER_OFF, Action.POWER_ON, Action.STOP_MAINTENANCE),
    (Action.SHUT_DOWN,),
    (Action.REBOOT, Action.START_MAINTENANCE),
)


class Moment(StrEnum):
    """What the number of a kill counts: the process is killed at the n-th of these."""

    STEP = "step of the event loop"
    JOURNAL = "write to the journal"
    BEFORE_POST = "POST, before it leaves"
    IN_POST = "POST, carried out and not yet answered"
    AFTER_POST = "POST, just answered"
    READING = "reading, just answered"


class Kill(msgspec.Struct, frozen=True):
    """The kill of one process: at the ``number``-th such moment of that process."""

    moment: Moment
    number: int
    downtime: float
    """Seconds until the next process starts."""


class Outage(msgspec.Struct, frozen=True):
    """A time in which the link is down, or the disk full; in seconds since the start of the run."""

    begins: float
    ends: float


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the campaign."""

    seed: int
    servers: int
    share: float
    """The share of all servers that each operation names, eligible or not."""
    actions: tuple[Action, ...]
    batch_size: int
    wave_size: int | None
    faults: Mapping[str, float]
    lost_answers: float
    """The rate of POSTs that are carried out and whose answer is lost to a time-out."""
    outages: tuple[Outage, ...]
    kills: tuple[Kill, ...]
    disk_full: tuple[Outage, ...] = ()
    max_failed: int | None = None
    """No further wave is sent after more failures than this."""
    cancelled_after: float | None = None
    """Seconds after which the operator cancels, if the process of the operation runs that long."""
    clock_jump: float
    """Seconds by which the wall clock of the second process is wrong."""
    refused_after: float = 0.0
    """The rate of POSTs that are carried out and then refused by a gateway."""
    week_pauses: float = 0.0
    """The rate of requests that get 429 and a Retry-After of a week, and are not carried out."""
    job_seconds: tuple[float, float] | None = None
    """The range of the durations of jobs; None means the recorded ones."""

    @property
    def certain(self) -> bool:
        """Whether nothing happens that could leave the outcome of a server unknown."""
        doubtful = {"drop-before", "drop-after", "malformed", "job-unknown"}
        disturbed = self.kills or self.lost_answers or self.outages or self.disk_full or self.refused_after
        disturbed = disturbed or self.faults.get("status-500") == 1.0
        return not (disturbed or doubtful & self.faults.keys())


CALM = Scenario(
    seed=5,
    servers=60,
    share=1.0,
    actions=(Action.START_MAINTENANCE,),
    batch_size=5,
    wave_size=None,
    faults={},
    lost_answers=0.0,
    outages=(),
    kills=(),
    clock_jump=0.0,
)
"""One operation without any trouble."""


def draw(seed: int) -> Scenario:
    """Draw the scenario of a seed."""
    rng = random.Random(f"campaign {seed}")
    names = rng.sample(list(HIGHEST_RATES), rng.choice((0, 1, 2, 3, 4, 6, len(HIGHEST_RATES))))
    return Scenario(
        seed=seed,
        servers=rng.randint(20, 500),
        share=rng.choice((0.05, 0.3, 0.7, 1.0)),
        actions=rng.choice(SEQUENCES),
        batch_size=rng.choice((1, 7, 20, 50, 100)) if rng.random() < 0.7 else rng.randint(1, 100),
        wave_size=rng.choice((None, None, 10, 50)),
        faults=_rates(rng, names),
        lost_answers=rng.choice((0.0, 0.0, 0.3)),
        outages=tuple(_outage(rng) for _ in range(rng.choice((0, 0, 0, 1, 2)))),
        kills=tuple(_kill(rng) for _ in range(rng.choice((0, 1, 1, 1, 2, 3)))),
        clock_jump=rng.choice((0.0, 0.0, 0.0, 3_600.0, -3_600.0)),
        disk_full=tuple(_outage(rng) for _ in range(rng.choice((0, 0, 0, 1, 2)))),
        max_failed=rng.choice((None, None, None, 3)),
        cancelled_after=rng.choice((None, None, None, rng.uniform(0, 200))),
        refused_after=rng.choice((0.0, 0.0, 0.0, 0.2)),
        week_pauses=rng.choice((0.0, 0.0, 0.0, 0.01)),
        job_seconds=rng.choice((None, None, None, (300.0, 900.0))),
    )


def _rates(rng: random.Random, names: Sequence[str]) -> Mapping[str, float]:
    rates = {name: round(HIGHEST_RATES[name] * rng.uniform(0.1, 1), 3) for name in sorted(names)}
    if "status-500" in rates and rng.random() < 0.3:
        rates["status-500"] = 1.0  # The status of jobs can never be read.
    return rates


def _outage(rng: random.Random) -> Outage:
    begins = rng.uniform(0, 300)
    return Outage(begins, begins + rng.choice((2.0, 30.0, 600.0)))


def _kill(rng: random.Random) -> Kill:
    moment = rng.choice(tuple(Moment))
    # Evenly over the orders of magnitude: early moments are the critical ones.
    highest = {Moment.STEP: 5_000, Moment.JOURNAL: 200, Moment.READING: 200}.get(moment, 12)
    number = int(highest ** rng.random())
    return Kill(moment, max(1, number), rng.choice((0.5, 10.0, 120.0, 3_600.0)))
