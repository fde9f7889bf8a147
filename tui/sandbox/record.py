"""The record of requests, for tests and benchmarks that count them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

LOG_LENGTH = 20_000

Entry = list[Any]


class Record:
    """Requests received so far: their number, their number per route, and the newest ones one by one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started = clock()
        self.total = 0
        self.by_route: Counter[str] = Counter()
        self.log: deque[Entry] = deque(maxlen=LOG_LENGTH)

    def open(self, method: str, path: str, route: str) -> Entry:
        """Count a request when it arrives; the caller sets the last item of the entry to the answer's status.

        The status stays 0 until there is an answer, also when the connection is dropped.
        """
        self.total += 1
        self.by_route[route] += 1
        entry: Entry = [round(self._clock() - self._started, 6), method, path, 0]
        self.log.append(entry)
        return entry

    def summary(self) -> dict[str, Any]:
        """The answer to `GET /__sandbox/requests`; times in seconds since the sandbox started."""
        return {"total": self.total, "by_route": self.by_route, "log": list(self.log)}
