"""The configuration of a sandbox, and how to parse its options."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

LARGEST_FLEET = 250_000

FAULTS: dict[str, str] = {
    "slow": "the request is carried out, its answer comes seconds late",
    "status-500": "500 on reads of a job's status",
    "group-500": "500 on reads of a group tree",
    "rate-limit": "429 with Retry-After; nothing was carried out",
    "expire-token": "the token expires now: 401 from this request on",
    "drop-before": "an operation's connection is closed before it was carried out",
    "drop-after": "an operation's connection is closed after it was carried out",
    "job-fails": "a job fails: some of its servers change, some do not",
    "job-unknown": "a job's status stays unknown; some of its servers change, some do not",
    "settle": "reads show a server's new state only some time after its job has succeeded",
    "malformed": "the request is carried out, its answer is cut short or is a page of HTML",
    "answer-twice": "the request is carried out once, its answer comes twice (over HTTP only)",
}
"""Every fault by name. Only `slow` and `answer-twice` strike the login, so that one can log in at a rate of 1
of any other."""


class SandboxConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One sandbox. Equal configurations make equal fleets, with the same faults in the same order.

    Raises:
        ValueError: a value is out of range; the text is a sentence for the operator.
    """

    servers: int = 240
    """Servers of the account ACME, of every status, templates included."""
    seed: int = 7
    time_scale: float = 1.0
    """Multiplies the recorded job times and the lag of the fault `settle`."""
    job_seconds: tuple[float, float] | None = None
    """If set, each job's duration is drawn uniformly from this range instead of the recorded times."""
    faults: Mapping[str, float] = msgspec.field(default_factory=dict)
    """Fault name -> rate from 0 to 1."""
    token_seconds: float = 1_209_600.0
    """Life of a bearer token; the platform's is 14 days."""
    strict_case: bool = False
    """Whether maintenance operations refuse ids in lower case, as two of the vendor's clients report."""
    refusals_as_400: bool = False
    """Whether an operation that queues no server is answered 400 with the list, as two clients allow for."""
    slow_seconds: tuple[float, float] = (1.0, 4.0)
    """The range of the delay of the fault `slow`."""

    def __post_init__(self) -> None:
        if not 0 <= self.servers <= LARGEST_FLEET:
            raise ValueError(
                f"the number of servers must be from 0 to {LARGEST_FLEET:,}, not {self.servers:,}"
            )
        if not (math.isfinite(self.time_scale) and self.time_scale >= 0):
            raise ValueError(f"the time scale must be a number from 0 up, not {self.time_scale}")
        if not self.token_seconds > 0:
            raise ValueError(f"a token must live longer than 0 seconds, not {self.token_seconds}")
        for what, span in (("job", self.job_seconds), ("slow", self.slow_seconds)):
            if span is not None and not 0 <= span[0] <= span[1] < math.inf:
                raise ValueError(
                    f"{what} seconds must be LOW-HIGH with 0 <= LOW <= HIGH, not {span[0]}-{span[1]}"
                )
        check_faults(self.faults)


def check_faults(faults: Mapping[str, float]) -> None:
    """Check names and rates.

    Raises:
        ValueError: a name is unknown, or a rate not from 0 to 1.
    """
    for name, rate in faults.items():
        if name not in FAULTS:
            raise ValueError(f"unknown fault {name!r}; known faults: {', '.join(FAULTS)}")
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise ValueError(f"the rate of fault {name} must be a number from 0 to 1, not {rate!r}")


def parse_fault(text: str) -> tuple[str, float]:
    """Parse `drop-after=0.1` into a name and a rate.

    Raises:
        ValueError: it has another form, an unknown name or a rate out of range.
    """
    name, equals, rate_text = text.partition("=")
    name = name.strip().lower()
    try:
        rate = float(rate_text)
    except ValueError:
        shown = f"the rate {rate_text!r} is not a number" if equals else "there is no rate"
        raise ValueError(f"a fault is NAME=RATE, for example slow=0.1; in {text!r} {shown}") from None
    check_faults({name: rate})
    return name, rate


def parse_job_seconds(text: str) -> tuple[float, float]:
    """Parse `30-90` (or `30` for exactly 30) into a range in seconds.

    Raises:
        ValueError: it is not a range.
    """
    low_text, dash, high_text = text.partition("-")
    try:
        low = float(low_text)
        high = float(high_text) if dash else low
    except ValueError:
        raise ValueError(f"job seconds are LOW-HIGH, for example 30-90, not {text!r}") from None
    if not 0 <= low <= high < math.inf:
        raise ValueError(f"job seconds are LOW-HIGH with 0 <= LOW <= HIGH, not {text!r}")
    return low, high
