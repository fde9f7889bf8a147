"""Which requests may be repeated, and when: pure decisions.

A read may always be repeated. An operation is repeated only where it provably was never sent: a refusal
with 401 or 429 may come from a gateway behind which it was carried out, so the caller reads the servers
first. A login is never repeated, because the platform locks a user after three to four refusals.
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
from tui.model.backoff import doubling_pause

TRANSIENT_STATUS = frozenset({408, 500, 502, 503, 504})
"""Statuses after which a read is repeated. Source: the statuses that common HTTP clients retry."""


class RequestKind(Enum):
    """The kinds of requests, by the rules for repeating them."""

    READ = "read"
    OPERATION = "operation"
    LOGIN = "login"


def provably_unsent(error: BaseException) -> bool:
    """Whether a request that failed with this error cannot have been received.

    True only where there was no connection: name not found, refused, not trusted, none free in time, or not
    let through by a proxy. A failed write, or a connection that the server was just closing, proves nothing.
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
    kind: RequestKind,
    error: ApiError,
    attempt: int,
    limits: Limits,
    jitter: Callable[[], float],
    retry_after: float | None = None,
) -> float | None:
    """Seconds to wait before the request is repeated, or None where it must not be repeated.

    ``attempt`` counts from 1. ``jitter`` returns a random number from 0 up to 1. ``retry_after`` is the
    endpoint's, in seconds; a longer one than the bound is cut to it, and the request then repeated only once.
    """
    if kind is RequestKind.LOGIN or isinstance(error, Untrusted | Oversized | Redirected):
        return None
    tries = limits.tries
    match error:
        case RateLimited() if kind is RequestKind.READ:
            tries = limits.tries_when_limited
        case Unreachable():
            pass
        case Malformed() if kind is RequestKind.READ:
            pass
        case ServerFault() if kind is RequestKind.READ and error.status in TRANSIENT_STATUS:
            pass
        case _:
            return None
    wait = retry_after or 0.0
    if attempt >= (min(tries, 2) if wait > limits.longest_wait else tries):
        return None
    pause = doubling_pause(attempt, jitter(), base=limits.backoff, cap=limits.backoff_max)
    return max(min(wait, limits.longest_wait), pause)


def parse_retry_after(value: str | None, date: str | None = None) -> float | None:
    """The seconds of a Retry-After header, which holds a number or a date; None where it holds neither.

    A date is compared with the answer's own ``Date`` header where there is one, because this machine's
    clock may be wrong.
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
