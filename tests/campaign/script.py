"""The parameters of one run with real processes, all drawn from its seed.

Every process is one command. The first starts at once, the others while it works. Seconds are hurried ones,
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
"""Every fault of the proxy -> its highest rate in a run that has it."""

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
"""The same for the sandbox's faults, without those that the proxy makes and records."""


class Command(StrEnum):
    """The command of a process."""

    START = "start"
    STOP = "stop"
    RESUME = "resume"
    SEND_REST = "resume --send-rest"


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One process, and the signals that it gets."""

    command: Command
    begins: float = 0.0
    after_posts: int = 0
    """It begins so many seconds after that many POSTs that change servers arrived at the proxy."""
    share: float = 0.3
    """The share of all servers that `start` or `stop` names."""
    wave: int | None = None
    isolated: bool = False
    """Whether it runs as in a container: in a PID namespace of its own where the machine allows, else with
    another host name, which is the same to the program."""
    killed_after: float | None = None
    """Seconds until it gets SIGKILL."""
    locked_for: float = 0.0
    """Seconds for which the journal is locked, from that SIGKILL on."""
    frozen_after: float | None = None
    frozen_for: float = 0.0
    """Seconds between SIGSTOP and SIGCONT."""
    frozen_until_claimed: bool = False
    """Whether SIGCONT also waits until another process has claimed an operation."""
    killed_at: tuple[str, int] | None = None
    """The system calls, and which of them in its thread (from 1), at which it gets SIGKILL: see `kills`."""
    after_fault: str = ""
    """Those seconds count from the first such fault of the proxy, else from the start of the process."""
    reader_stalls: bool = False
    """Whether the reader of its output stalls for a while, as a terminal does after Ctrl-S."""


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    seed: int
    servers: int = 60
    batch_size: int = 6
    processes: tuple[Process, ...] = (Process(command=Command.START),)
    same: bool = False
    """Whether all processes name the same servers."""
    job_seconds: str = ""
    """The range of the durations of jobs; empty means the recorded ones."""
    faults: Mapping[str, float] = {}
    """Rates of faults of the sandbox."""
    link_faults: Mapping[str, float] = {}
    """Rates of faults of the proxy, until the processes of the script have ended."""


def draw(seed: int) -> Script:
    """Draw the script of a seed."""
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
        link_faults=_link_faults(rng),
    )


def _link_faults(rng: random.Random) -> Mapping[str, float]:
    rates = dict(_rates(rng, RATES, (0, 1, 1, 2, 3, len(RATES))))
    return {**rates, "pause": 0.5} if rng.random() < 0.2 else rates


def _rates(rng: random.Random, highest: Mapping[str, float], numbers: tuple[int, ...]) -> Mapping[str, float]:
    names = rng.sample(list(highest), rng.choice(numbers))
    rates = {name: round(highest[name] * rng.uniform(0.1, 1), 3) for name in sorted(names)}
    if rates.get("status-500") and rng.random() < 0.3:
        rates["status-500"] = 1.0  # For good.
    return rates


def _process(rng: random.Random, command: Command | None) -> Process:
    kind = rng.choice(("none", "none", "killed", "killed", "frozen", "frozen in a pause"))
    after, ends = (0.0, 10.0) if kind == "frozen in a pause" else (20.0, 200.0)
    return Process(
        command=command or rng.choice(list(Command)),
        begins=0.0 if command else rng.uniform(10, 300),
        share=rng.choice((0.05, 0.2, 0.5)),
        wave=rng.choice((None, None, 20)),
        isolated=rng.random() < 0.4,
        killed_after=rng.uniform(20, 250) if kind == "killed" else None,
        frozen_after=rng.uniform(after, ends) if "frozen" in kind else None,
        frozen_for=rng.uniform(20, 450) if "frozen" in kind else 0.0,
        after_fault="pause" if kind == "frozen in a pause" else "",
        reader_stalls=rng.random() < 0.15,
    )
