"""What the formats that people read say in the same words."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from tui.model.operation import STATE_STYLES, State
from tui.model.report import OperationReport, WindowReport
from tui.model.text import counted

STILL_HELD = "Still in maintenance by this window"
BY_THE_JOURNAL = (
    "As the journal has it: a server that somebody else has taken out of maintenance is still listed."
)


def title(window: WindowReport) -> str:
    """The reason or ticket; the id of a window without one."""
    return window.reason or window.window


def moment(at: datetime | None, missing: str = "") -> str:
    """A time with its zone, e.g. "2026-11-25 22:01:05+01:00"; ``missing`` for None."""
    return missing if at is None else at.isoformat(" ", timespec="seconds")


def duration(seconds: float | None) -> str:
    """E.g. "0:07" or "1:02:03"; empty for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def totals(counts: Mapping[State, int]) -> str:
    """E.g. "24 verified, 2 failed"."""
    return ", ".join(f"{count:,} {STATE_STYLES[state].word}" for state, count in counts.items()) or "none"


def window_facts(window: WindowReport) -> Iterator[tuple[str, str, bool]]:
    """Name and value of what is known of a window; and whether the value came from outside."""
    yield "Reason", window.reason or "none given", bool(window.reason)
    yield "Who", window.user, True
    yield "Account", window.account, True
    yield "Endpoint", window.endpoint, True
    yield "Opened", moment(window.opened), False
    yield "Planned end", moment(window.planned_end, "none"), False
    yield "Closed", moment(window.closed, "not closed"), False
    yield "Servers", f"{window.servers:,}", False
    yield "Outcomes", totals(window.totals), False
    yield "Window", window.window, True
    yield "Report of", moment(window.written), False


def operation_facts(operation: OperationReport) -> Iterator[tuple[str, str, bool]]:
    """Name and value of what is known of an operation, as ``window_facts``."""
    yield "Requested", f"{operation.action.label.lower()} on {counted(operation.servers)}", False
    yield "When", moment(operation.requested), False
    yield "Ended", moment(operation.ended, "not ended"), False
    yield "Who", operation.user, True
    if operation.reason:
        yield "Reason", operation.reason, True
    limit = (
        ""
        if operation.max_failed is None
        else f", no further after more than {operation.max_failed:,} failed"
    )
    waves = f"{operation.waves:,} in {counted(operation.batches, 'request')}{limit}"
    yield "Waves", waves, False
    yield "Outcomes", totals(operation.totals), False
    yield "Operation", operation.id, True
