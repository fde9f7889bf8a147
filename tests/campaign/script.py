"""What one run with real processes is made of, all of it drawn from its seed.

Every process is one command. The first begins at once, the others while it works. Seconds are hurried ones,
see `tests.campaign.hurried`.
"""

import random
from collections.abc import Mapping
from enum import StrEnum

import msgspec

from tests.campaign.proxy import FAULTS

RATES: Mapping[str, float] = {
    **dict.fromkeys(FAULTS, 0.25),
    "answer-twice": 0.6,
    "long-pause": 0.08,
    "deny-twice": 0.1,
    "stall": 0.1,
}
"""Every fault of the proxy -> how often it may strike in a run that has it."""

SANDBOX_RATES: Mapping[str, float] = {
    "status-500": 0.4,
    "group-500": 0.2,
    "rate-limit": 0.3,
    "expire-token": 0.02,
    "job-fails": 0.5,
    "job-unknown": 0.3,
    "settle": 0.5,
    "slow": 0.1,
}
"""The same for the sandbox's own, without those that the proxy has and sees."""


class Command(StrEnum):
    """What a process is asked to do."""

    START = "start"
    STOP = "stop"
    RESUME = "resume"
    SEND_REST = "resume --send-rest"


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One process and its fate."""

    command: Command
    begins: float = 0.0
    part: float = 0.3
    """The part of all servers that `start` or `stop` names."""
    wave: int | None = None
    apart: bool = False
    """Whether it lives as in a container: in a PID namespace of its own where the machine allows, else under
    another host name, which to the program is the same."""
    killed_after: float | None = None
    """Seconds until it gets SIGKILL."""
    locked_for: float = 0.0
    """Seconds for which nobody can write the journal, from that SIGKILL on."""
    frozen_after: float | None = None
    frozen_for: float = 0.0
    """Seconds that it stands still: SIGSTOP, then SIGCONT."""
    killed_at: tuple[str, int] | None = None
    """The system calls, and which of them in its thread (from 1), at which it gets SIGKILL: see `kills`."""
    since: str = ""
    """What those seconds count from: the first strike of that fault of the proxy, else its own begin."""
    unheard: bool = False
    """Whether nobody reads what it says, as on a terminal after Ctrl-S, before a while has passed."""


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    seed: int
    servers: int = 60
    batch_size: int = 6
    processes: tuple[Process, ...] = (Process(command=Command.START),)
    same: bool = False
    """Whether all processes name the same servers."""
    job_seconds: str = ""
    """How long jobs take, where not as long as recorded."""
    faults: Mapping[str, float] = {}
    """Of the sandbox."""
    weather: Mapping[str, float] = {}
    """Faults of the proxy, until all processes have had their fate."""


def draw(seed: int) -> Script:
    """The script of a seed."""
    rng = random.Random(f"script {seed}")
    return Script(
        seed=seed,
        servers=rng.randint(30, 90),
        batch_size=rng.choice((1, 3, 6, 10)),
        processes=(
            _process(rng, Command.START),
            *(_process(rng, None) for _ in range(rng.choice((0, 1, 1, 2, 3)))),
        ),
        same=rng.random() < 0.3,
        job_seconds=rng.choice(("", "", "", "300-700")),
        faults=_rates(rng, SANDBOX_RATES, (0, 0, 1, 2, 3)),
        weather=_weather(rng),
    )


def _weather(rng: random.Random) -> Mapping[str, float]:
    rates = dict(_rates(rng, RATES, (0, 1, 1, 2, 3, len(RATES))))
    return {**rates, "pause": 0.5} if rng.random() < 0.2 else rates


def _rates(rng: random.Random, highest: Mapping[str, float], numbers: tuple[int, ...]) -> Mapping[str, float]:
    names = rng.sample(list(highest), rng.choice(numbers))
    rates = {name: round(highest[name] * rng.uniform(0.1, 1), 3) for name in sorted(names)}
    if rates.get("status-500") and rng.random() < 0.3:
        rates["status-500"] = 1.0  # For good.
    return rates


def _process(rng: random.Random, command: Command | None) -> Process:
    fate = rng.choice(("lives", "lives", "killed", "killed", "frozen", "frozen in a pause"))
    after, ends = (0.0, 10.0) if fate == "frozen in a pause" else (20.0, 200.0)
    return Process(
        command=command or rng.choice(list(Command)),
        begins=0.0 if command else rng.uniform(10, 300),
        part=rng.choice((0.05, 0.2, 0.5)),
        wave=rng.choice((None, None, 20)),
        apart=rng.random() < 0.4,
        killed_after=rng.uniform(20, 250) if fate == "killed" else None,
        frozen_after=rng.uniform(after, ends) if "frozen" in fate else None,
        frozen_for=rng.uniform(20, 450) if "frozen" in fate else 0.0,
        since="pause" if fate == "frozen in a pause" else "",
        unheard=rng.random() < 0.15,
    )
