"""When to request a job's status: a life table of such jobs, and the intervals that follow from it.

The status is only known by requesting it, and each request has a price. One rule sets the intervals:

    request again when the expected delay between the job's end and its detection equals the price.

With a hazard rate of ``h`` per second that gives intervals of ``sqrt(2 * price / h)``: long while a job can
hardly be done, short when it is due. The hazard by age comes from a life table as actuaries keep it: for each
span of ages the number of jobs that ended in it and the seconds that jobs lived through it, beside a prior
worth a few jobs. Jobs still running (censored observations) count as well.

All times are in seconds.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise

from tui.model.backoff import doubling_pause
from tui.model.duration import expected
from tui.model.operation import Action

PRICE = 0.05
"""Seconds of delay that one request is worth, for jobs of up to ``PATIENT`` seconds; in proportion for longer
ones, as ten seconds matter less after ten minutes than after one."""
PATIENT = 120.0
LONGEST_INTERVAL = 60.0

PRIOR_JOBS = 2.0
"""Jobs that the prior is worth beside those observed."""
HISTORY_JOBS = 50.0
"""Jobs that the whole history is worth at most beside those observed now: a slow night shows soon."""
REMEMBERED_JOBS = 1000.0
KNOWN_JOBS = 20.0
"""Until so many ends were observed the time scale itself is uncertain, and no interval is longer than a tenth
of the age or of the typical duration."""

_EDGES = (0.0, *(0.5 * 1.1**n for n in range(133)))  # to just over two days
_BINS = len(_EDGES) - 1


def bound(typical: float) -> float:
    """Return after how many seconds a job counts as one that never ends."""
    return max(3600.0, 20 * typical)


def backoff(failures: int, jitter: float) -> float:
    """Return the seconds to wait after so many failures in a row (from 1): doubling from 1 to 30.

    ``jitter`` is a random number from 0 up to 1; it shortens the wait by up to a half.
    """
    return doubling_pause(failures, jitter, base=1.0, cap=30.0)


class LifeTable:
    """The durations of one kind of job, as the chance of ending by age."""

    def __init__(self, action: Action, servers: int, history: Iterable[float] = ()) -> None:
        """Start from the prior and the durations of earlier jobs of the kind."""
        self.typical = expected(action, servers)
        """Seconds that such a job takes, by the history or the prior."""
        self._prior = _prior(self.typical, 0.7 + 0.2 * abs(math.log(max(1, servers) / 5)))
        self._ended = [0.0] * _BINS
        self._lived = [0.0] * _BINS
        self._weight = 0.0
        self.recall(history)

    def recall(self, history: Iterable[float]) -> None:
        """Add the durations of earlier jobs of the kind to what was observed since."""
        durations = sorted(history)
        if not durations:
            return
        self.typical = max(1.0, durations[len(durations) // 2])
        self._prior = _prior(self.typical, 0.7)
        weight = min(1.0, HISTORY_JOBS / len(durations))
        for duration in durations:
            self._add(0.0, duration, weight)
            self._end(duration, weight)

    def survived(self, start: float, stop: float) -> None:
        """Add that a job was running at age ``stop``, counted up to age ``start`` before."""
        self._add(start, stop)

    def ended(self, start: float, stop: float) -> float:
        """Add that a job ended between these ages; returns the age assumed for its end."""
        age = (start + stop) / 2
        self._add(start, age)
        self._end(age)
        if self._weight > REMEMBERED_JOBS:
            self._fade(0.5)
        return age

    def hazard(self, index: int) -> float:
        """Return the chance per second of ending in the age span of that index."""
        low, high = max(0, index - 1), index + 2
        prior_seconds = PRIOR_JOBS * (_EDGES[index + 1] - _EDGES[index])
        ended = (sum(self._ended[low:high]) + self._ended[index]) / 2
        lived = (sum(self._lived[low:high]) + self._lived[index]) / 2
        return (self._prior[index] * prior_seconds + ended) / (prior_seconds + lived)

    def interval(self, age: float) -> float:
        """Return how long to wait before the next request for a job that was running at that age."""
        longest = LONGEST_INTERVAL
        if self._weight < KNOWN_JOBS:
            longest = min(longest, max(1.0, self.typical / 10, age / 10))
        alive, late, start = 1.0, 0.0, age
        for index in range(bisect_right(_EDGES, age) - 1, _BINS):
            stop = _EDGES[index + 1]
            if start - age > longest:
                break
            width, hazard = stop - start, self.hazard(index)
            price = PRICE * max(1.0, start / PATIENT)
            ended = 1.0 - alive
            surviving = math.exp(-hazard * width)
            added = width - alive * (1.0 - surviving) / hazard
            if late + added >= price:
                slope = alive * hazard
                rest = max(0.0, price - late)
                within = (math.sqrt(ended * ended + 2 * slope * rest) - ended) / slope
                return min(start + min(within, width) - age, longest)
            alive *= surviving
            late += added
            start = stop
        return longest

    def _add(self, start: float, stop: float, weight: float = 1.0) -> None:
        for index in range(bisect_right(_EDGES, start) - 1, _BINS):
            edge = _EDGES[index + 1]
            if stop <= edge:
                self._lived[index] += weight * max(0.0, stop - start)
                return
            self._lived[index] += weight * (edge - start)
            start = edge

    def _end(self, age: float, weight: float = 1.0) -> None:
        self._ended[min(bisect_right(_EDGES, age), _BINS) - 1] += weight
        self._weight += weight

    def _fade(self, factor: float) -> None:
        self._ended = [value * factor for value in self._ended]
        self._lived = [value * factor for value in self._lived]
        self._weight *= factor


def _prior(median: float, spread: float) -> list[float]:
    """The hazard by age before anything was observed.

    A log-normal over a floor that makes any doubling of the age about equally likely to see the end: the
    endpoint may be another one, or have a bad night.
    """

    def log_survival(age: float) -> float:
        if age <= 0:
            return 0.0
        return math.log(math.erfc(math.log(age / median) / spread / math.sqrt(2)) / 2)

    return [
        (log_survival(start) - log_survival(stop)) / (stop - start) + 0.5 / (start + 10)
        for start, stop in pairwise(_EDGES)
    ]
