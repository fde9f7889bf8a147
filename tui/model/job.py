"""The status of a job in the platform's queue.

Source: Queue/get-status of the v2 documentation, and statuses that other clients handle beyond it.
"""

from enum import StrEnum


class JobOutcome(StrEnum):
    """How a job ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


_OUTCOMES = {outcome.value: outcome for outcome in JobOutcome}
_WAITING = {"notstarted", "queued"}


def job_outcome(status: str) -> JobOutcome | None:
    """How a job with this status ended; None while it runs.

    A job with an unrecognised status counts as running, because it may still change servers.
    """
    return _OUTCOMES.get(status.strip().casefold())


def is_waiting(status: str) -> bool:
    """Whether a job with this status has not started yet."""
    return status.strip().casefold() in _WAITING
