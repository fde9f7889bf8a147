"""Fault injection. Whether a fault strikes depends on the seed, its name and the number of the check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tui.sandbox.config import SandboxConfig, check_faults
from tui.sandbox.seeds import rng

RETRY_AFTER_SECONDS = (1, 3)

HTML_PAGE = b"<html><head><title>Error</title></head><body>Request unsuccessful. Incident 7</body></html>"


class Faults:
    """The current rates, and how often each fault was checked and has struck."""

    def __init__(self, config: SandboxConfig) -> None:
        self._seed = config.seed
        self._slow_seconds = config.slow_seconds
        self._rates: dict[str, float] = dict(config.faults)
        self._checked: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()

    @property
    def rates(self) -> dict[str, float]:
        """The faults with a rate above 0."""
        return {name: rate for name, rate in self._rates.items() if rate}

    def set(self, rates: Mapping[str, float]) -> None:
        """Change some rates; the others stay.

        Raises:
            ValueError: a name is unknown, or a rate out of range.
        """
        check_faults(rates)
        self._rates.update(rates)

    def fires(self, name: str) -> bool:
        """Check whether a fault strikes this time, and count it."""
        rate = self._rates.get(name)
        if not rate:
            return False
        self._checked[name] += 1
        if rng("fault", self._seed, name, self._checked[name]).random() >= rate:
            return False
        self.struck[name] += 1
        return True

    def slow_seconds(self) -> float:
        """The delay of this answer, in seconds."""
        return rng("slow", self._seed, self.struck["slow"]).uniform(*self._slow_seconds)

    def retry_after(self) -> int:
        """The Retry-After header of this answer, in whole seconds."""
        return rng("retry", self._seed, self.struck["rate-limit"]).randint(*RETRY_AFTER_SECONDS)

    def malformed(self, body: bytes) -> tuple[bytes, str]:
        """A malformed body and its content type: mostly cut short, sometimes a page of HTML."""
        if self.struck["malformed"] % 3 == 0:
            return HTML_PAGE, "text/html"
        return body[: len(body) * 2 // 3], "application/json; charset=utf-8"
