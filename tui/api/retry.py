"""Which requests may be repeated, and when: plain decisions.

A reading may always be repeated. An operation is repeated here only where it provably never left: a refusal
at the door (401, 429) may be a gateway's, behind which it was carried out, so whoever asked looks first. A
login is never repeated by itself, because the platform locks a user after three to four refusals.
"""

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from enum import Enum

from tui.api.errors import (
    ApiError,
    Malformed,
    Oversized,
    RateLimited,
    Redirected,
    ServerFault,
    Unreachable,
    Untrusted,
)
from tui.api.http import httpx
from tui.api.limits import Limits

TRANSIENT_STATUS = frozenset({408, 500, 502, 503, 504})
"""Answers to a reading that may well be another a moment later. Source: the statuses clients retry."""


class Kind(Enum):
    """What a request is, as far as repeating it goes."""

    READING = "reading"
    OPERATION = "operation"
    LOGIN = "login"


def provably_unsent(error: BaseException) -> bool:
    """Whether a request that failed like this cannot have been received.

    True only where no connection was had: not found, refused, not trusted, no free one in time, or
    not let through by a proxy. A write that failed or a connection that was just being closed by the
    other side proves nothing.
    """
    return isinstance(
        error,
        httpx.ConnectError
        | httpx.ConnectTimeout
        | httpx.PoolTimeout
        | httpx.ProxyError
        | httpx.UnsupportedProtocol,
    )


def pause_before_repeat(
    kind: Kind,
    error: ApiError,
    attempt: int,
    limits: Limits,
    jitter: Callable[[], float],
    asked: float | None = None,
) -> float | None:
    """Seconds to wait before the request is repeated, or None where it must not be.

    ``attempt`` counts from 1. ``asked`` is what the endpoint's Retry-After said; beyond the bound it is
    waited for no longer than that, and only once.
    An `OutcomeUnsure` is never among what may be repeated.
    """
    if kind is Kind.LOGIN or isinstance(error, Untrusted | Oversized | Redirected):
        return None
    tries = limits.tries
    match error:
        case RateLimited() if kind is Kind.READING:
            tries = limits.tries_when_limited
        case Unreachable():
            pass
        case Malformed() if kind is Kind.READING:
            pass
        case ServerFault() if kind is Kind.READING and error.status in TRANSIENT_STATUS:
            pass
        case _:
            return None
    asked = asked or 0.0
    if attempt >= (min(tries, 2) if asked > limits.longest_wait else tries):
        return None
    return max(min(asked, limits.longest_wait), backoff(attempt, limits, jitter()))


def backoff(attempt: int, limits: Limits, jitter: float) -> float:
    """The pause after try number ``attempt``: doubling, bounded, and between half and all of that."""
    whole = min(limits.backoff * 2.0 ** min(attempt - 1, 30), limits.backoff_max)
    return whole * (0.5 + 0.5 * jitter)


def retry_after(value: str | None, date: str | None = None) -> float | None:
    """Seconds that a Retry-After header asks for: a number, or a date.

    A date is held against the answer's own ``Date`` header where there is one, because this
    machine's clock may be wrong. None where nothing sensible was said.
    """
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        until = _timestamp(value)
        if until is None:
            return None
        now = _timestamp(date)
        seconds = until - (time.time() if now is None else now)
    return max(0.0, seconds) if seconds < float("inf") else None


def _timestamp(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except (ValueError, OverflowError):
        return None
