"""The words the platform's queue uses for a job.

Source: Queue/get-status of the v2 documentation, and words met in clients beyond it.
"""

from enum import StrEnum


class JobOutcome(StrEnum):
    """How a job ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


_ENDS = {outcome.value: outcome for outcome in JobOutcome}
_WAITING = {"notstarted", "queued"}


def job_outcome(word: str) -> JobOutcome | None:
    """How the job ended, or None while it goes on.

    Any word that is not one of the three endings means going on: an unrecognised word must not
    end the tracking of a job that may still change servers.
    """
    return _ENDS.get(word.strip().casefold())


def is_waiting(word: str) -> bool:
    """Whether the platform has not begun the job yet."""
    return word.strip().casefold() in _WAITING
