"""A job: what it is at a moment follows from the clock and from what was decided when it was queued."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class Job:
    """One job of the queue; times in seconds of the sandbox's clock."""

    id: str
    alias: str
    operation: str
    servers: tuple[str, ...]
    changed: Mapping[str, float]
    """Those of its servers that change, each with the time when it does."""
    created: float
    begins: float
    resumes: float
    ends: float
    outcome: str
    """Its last status."""

    def status(self, now: float) -> str:
        """The status at a moment, as the platform spells it."""
        if now >= self.ends:
            return self.outcome
        if now < self.begins:
            return "notStarted"
        if self.outcome == "unknown":
            return "unknown"
        return "resumed" if now >= self.resumes else "executing"
