"""Which errors are retried, and after what pause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.api import errors, retry
from tui.api.limits import Limits
from tui.api.retry import RequestKind

LIMITS = Limits()
ALL_ERRORS = [
    errors.BadEndpoint("x"),
    errors.LoginRefused("x"),
    errors.TokenExpired("x"),
    errors.NotAllowed("x"),
    errors.NotFound("x"),
    errors.BadRequest("x"),
    errors.RateLimited("x"),
    errors.ServerFault("x", 500),
    errors.ServerFault("x", 505),
    errors.Unreachable("x"),
    errors.Untrusted("x"),
    errors.Malformed("x"),
    errors.Oversized("x"),
    errors.Redirected("x"),
    errors.OutcomeUnsure("x"),
]


def retried(kind: RequestKind) -> set[str]:
    return {
        f"{type(error).__name__} {getattr(error, 'status', '')}".strip()
        for error in ALL_ERRORS
        if retry.pause_before_repeat(kind, error, 1, LIMITS, lambda: 0.5) is not None
    }


def test_the_errors_that_are_retried_for_each_kind_of_request() -> None:
    assert retried(RequestKind.LOGIN) == set()
    assert retried(RequestKind.OPERATION) == {"Unreachable"}
    assert retried(RequestKind.READ) == {"RateLimited", "Unreachable", "Malformed", "ServerFault 500"}


@given(
    st.sampled_from(list(RequestKind)),
    st.sampled_from(ALL_ERRORS),
    st.integers(1, 20),
    st.floats(0, 1),
    st.floats(0, 1e6),
)
def test_retries_respect_retry_after_and_are_limited(
    kind: RequestKind, error: errors.ApiError, attempt: int, jitter: float, retry_after: float
) -> None:
    pause = retry.pause_before_repeat(kind, error, attempt, LIMITS, lambda: jitter, retry_after)
    if pause is not None:
        assert min(retry_after, LIMITS.longest_wait) <= pause <= max(retry_after, LIMITS.backoff_max)
        assert pause <= LIMITS.longest_wait
        assert retry_after <= LIMITS.longest_wait or attempt == 1
        assert attempt < LIMITS.tries_when_limited


@pytest.mark.parametrize(
    ("error", "retry_after", "repeated_after"),
    [
        (errors.Unreachable("x"), None, [1, 2]),
        (errors.ServerFault("x", 503), 300.0, [1, 2]),
        (errors.ServerFault("x", 503), 300.5, [1]),
        (errors.RateLimited("x"), None, [1, 2, 3, 4, 5]),
        (errors.RateLimited("x"), 300.0, [1, 2, 3, 4, 5]),
        (errors.RateLimited("x"), 300.5, [1]),
    ],
)
def test_a_read_is_repeated_only_once_after_a_wait_beyond_the_bound(
    error: errors.ApiError, retry_after: float | None, repeated_after: list[int]
) -> None:
    def repeated(attempt: int, limits: Limits) -> bool:
        pause = retry.pause_before_repeat(RequestKind.READ, error, attempt, limits, lambda: 0.5, retry_after)
        return pause is not None

    assert [attempt for attempt in range(1, 10) if repeated(attempt, LIMITS)] == repeated_after
    assert not repeated(1, Limits(tries=1, tries_when_limited=1))


def test_pauses_double_up_to_a_limit_and_have_jitter() -> None:
    patient = Limits(tries=100)

    def pause(attempt: int, jitter: float) -> float | None:
        error = errors.Unreachable("x")
        return retry.pause_before_repeat(RequestKind.READ, error, attempt, patient, lambda: jitter)

    assert [pause(attempt, 0.0) for attempt in (1, 2, 3, 4, 5, 6, 99)] == [
        0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0
    ]  # fmt: skip
    assert pause(3, 1.0) == 1.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        (" 12 ", 12.0),
        ("-3", 0.0),
        ("", None),
        (None, None),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("Wed, 99 Foo 2026", None),
    ],
)
def test_retry_after_in_seconds(value: str | None, seconds: float | None) -> None:
    assert retry.parse_retry_after(value) == seconds


def test_a_retry_after_date_is_relative_to_the_date_of_the_answer() -> None:
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    assert retry.parse_retry_after("Wed, 21 Oct 2015 07:28:30 GMT", date) == 30.0
    assert retry.parse_retry_after("Wed, 21 Oct 2015 07:27:00 GMT", date) == 0.0


def test_a_retry_after_date_without_a_date_header_uses_the_local_clock() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    assert 30 <= (retry.parse_retry_after(soon) or 0) <= 40
    assert retry.parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


@pytest.mark.parametrize(
    ("error", "unsent"),
    [
        (httpx.ConnectError(""), True),
        (httpx.ConnectTimeout(""), True),
        (httpx.PoolTimeout(""), True),
        (httpx.ProxyError(""), True),
        (httpx.UnsupportedProtocol(""), True),
        (httpx.ReadTimeout(""), False),
        (httpx.WriteTimeout(""), False),
        (httpx.ReadError(""), False),
        (httpx.WriteError(""), False),
        (httpx.CloseError(""), False),
        (httpx.RemoteProtocolError(""), False),
        (httpx.LocalProtocolError(""), False),
        (TimeoutError(), False),
        (ConnectionResetError(), False),
        (OSError(), False),
    ],
)
def test_the_errors_that_prove_that_nothing_was_sent(error: Exception, unsent: bool) -> None:
    assert retry.provably_unsent(error) is unsent
