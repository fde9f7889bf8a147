"""A window as CSV: a line for each server of each operation."""

from collections.abc import Callable, Iterator
from datetime import datetime

from tui.model.report import OperationReport, ReportSource, ServerResult, WindowReport
from tui.report.servers import Cell, csv_line


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")


def _transitions(result: ServerResult) -> str:
    return " ".join(f"{one.state.value}={_time(one.at)}" for one in result.transitions)


COLUMNS: dict[str, Callable[[WindowReport, OperationReport, ServerResult], Cell]] = {
    "window": lambda window, operation, result: window.window,
    "window_reason": lambda window, operation, result: window.reason,
    "user": lambda window, operation, result: operation.user,
    "account": lambda window, operation, result: window.account,
    "endpoint": lambda window, operation, result: window.endpoint,
    "window_opened": lambda window, operation, result: _time(window.opened),
    "window_planned_end": lambda window, operation, result: _time(window.planned_end),
    "window_closed": lambda window, operation, result: _time(window.closed),
    "operation": lambda window, operation, result: operation.id,
    "action": lambda window, operation, result: operation.action.value,
    "reason": lambda window, operation, result: operation.reason,
    "requested": lambda window, operation, result: _time(operation.requested),
    "max_failed": lambda window, operation, result: operation.max_failed,
    "server": lambda window, operation, result: result.server,
    "data_center": lambda window, operation, result: result.data_center,
    "wave": lambda window, operation, result: result.wave,
    "batch": lambda window, operation, result: result.batch,
    "state": lambda window, operation, result: result.state.value,
    "started": lambda window, operation, result: _time(result.started),
    "ended": lambda window, operation, result: _time(result.ended),
    "seconds": lambda window, operation, result: None if result.seconds is None else round(result.seconds),
    "job_id": lambda window, operation, result: result.job_id,
    "message": lambda window, operation, result: result.message,
    "transitions": lambda window, operation, result: _transitions(result),
    "still_in_maintenance": lambda window, operation, result: result.held,
}
"""Name of a column -> its value."""


def window_csv(source: ReportSource) -> Iterator[str]:
    """The report, line by line."""
    yield csv_line([*COLUMNS])
    for operation in source.operations():
        for result in source.results(operation.id):
            yield csv_line([value(source.window, operation, result) for value in COLUMNS.values()])
