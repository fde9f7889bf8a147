"""How long jobs and plans take, by the times of earlier jobs. All times are in seconds."""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from tui.model.operation import Action
from tui.model.plan import Plan
from tui.model.text import counted

History = Mapping[tuple[Action, int], Sequence[float]]
"""The action and ``similar(servers).start`` of earlier jobs -> how long each of them took."""


def expected(action: Action, servers: int) -> float:
    """Return the seconds that a job takes by the recorded times alone: linear in the number of servers."""
    three, eight = action.job_seconds
    each = (eight - three) / 5
    fixed = three - 3 * each
    if fixed < 0:  # A line through the origin instead, with the least squared error.
        fixed, each = 0.0, (3 * three + 8 * eight) / (3**2 + 8**2)
    return fixed + each * max(1, servers)


def similar(servers: int) -> range:
    """Return the numbers of servers whose jobs are assumed to take equally long."""
    low = 1 << (max(1, servers).bit_length() - 1)
    return range(low, 2 * low)


class Estimate(msgspec.Struct, frozen=True):
    """How long the jobs of a plan are likely to take, and what that is taken from."""

    seconds: float
    jobs: int
    """Earlier jobs in the journal that it is taken from."""
    recorded: bool
    """Whether times recorded on the platform stand in for sizes of jobs that the journal does not have."""
    waves: int = 1

    def __str__(self) -> str:
        waves = f" in {self.waves:,} waves, one after the other" if self.waves > 1 else ""
        return f"{about(self.seconds)}{waves}, {self.source}"

    @property
    def source(self) -> str:
        """What it is taken from, in words."""
        if not self.jobs:
            return "by times recorded on the platform: the journal has no such job yet"
        others = ", and by times recorded on the platform for other sizes" if self.recorded else ""
        return f"by {counted(self.jobs, 'such job')} in the journal{others}"


def estimate(plan: Plan, history: History) -> Estimate | None:
    """Estimate the duration of a plan; None where it sends nothing.

    The jobs of a wave run at the same time, and each wave waits for the one before. A wave takes what its
    longest job takes: the median of that, were each job's time drawn from those of earlier ones like it.
    """
    if not plan.batches:
        return None
    waves: dict[int, Counter[int]] = {}
    largest: dict[int, int] = {}
    for batch in plan.batches:
        size = len(batch.server_ids)
        kind = similar(size).start
        waves.setdefault(batch.wave, Counter())[kind] += 1
        largest[kind] = max(size, largest.get(kind, 0))
    known = {kind: sorted(history.get((plan.action, kind), ())) for kind in largest}
    durations = {kind: known[kind] or [expected(plan.action, size)] for kind, size in largest.items()}
    alike = Counter(tuple(sorted(jobs.items())) for jobs in waves.values())
    seconds = sum(number * _longest(jobs, durations) for jobs, number in alike.items())
    return Estimate(seconds, sum(map(len, known.values())), not all(known.values()), plan.waves)


def _longest(jobs: Sequence[tuple[int, int]], durations: Mapping[int, Sequence[float]]) -> float:
    """The median of the longest of these jobs, (kind, number) each; ``durations`` are ascending."""

    def chance(seconds: float) -> float:
        """The chance that all of them have ended by then."""
        return math.prod(
            (bisect_right(durations[kind], seconds) / len(durations[kind])) ** number for kind, number in jobs
        )

    times = sorted({seconds for kind, _ in jobs for seconds in durations[kind]})
    return times[min(bisect_left(times, 0.5, key=chance), len(times) - 1)]


def about(seconds: float) -> str:
    """A duration in words, no more exact than an estimate is: "about 40 s", "about 1 h 10 min"."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 55:
        return f"about {round(seconds, -1):.0f} s"
    minutes = max(1, round(seconds / 60))
    if minutes < 90:
        return f"about {minutes} min"
    hours, minutes = divmod(round(minutes, -1), 60)
    return f"about {hours:,} h" + (f" {minutes} min" if minutes else "")
