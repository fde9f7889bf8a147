"""How a command ended, as its exit code says it."""

from enum import IntEnum

from tui.model.operation import Operation, State
from tui.model.plan import Plan


class Exit(IntEnum):
    """The exit codes, as `pitstop help exits` lists them."""

    VERIFIED = 0
    FAILED = 1
    USAGE = 2
    LOGIN_REFUSED = 3
    UNREACHABLE = 4
    UNSURE = 5
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143

    @property
    def meaning(self) -> str:
        """What it tells, in a few words."""
        return _MEANINGS[self]


_MEANINGS = {
    Exit.VERIFIED: "done: every server is verified to be as asked; with `--no-wait`: was sent and is queued; "
    "with `--dry-run`: could be sent",
    Exit.FAILED: "some server failed, was refused, was left out because it could not be done, or was "
    "not sent (`pitstop resume --send-rest`)",
    Exit.USAGE: "nothing was done: wrong usage or settings, unknown servers, or not confirmed",
    Exit.LOGIN_REFUSED: "the endpoint refused the login",
    Exit.UNREACHABLE: "the endpoint cannot be reached, or does not answer as it should",
    Exit.UNSURE: "what becomes of some server is not known, or an earlier operation on it has not ended: "
    "`pitstop resume`, or look before doing it again",
    Exit.HUNG_UP: "the terminal went away; `pitstop resume` goes on, with `--send-rest` with all of it",
    Exit.INTERRUPTED: "interrupted (Ctrl-C); `pitstop resume` as above",
    Exit.TERMINATED: "told to stop (SIGTERM); `pitstop resume` as above",
}


class Stop(Exception):
    """The command ends here; ``str()`` is what the operator is told."""

    def __init__(self, exit_code: Exit, message: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def exit_of(operation: Operation, *, waited: bool = True) -> Exit:
    """How an operation ended.

    A server of which it is not known what became of it weighs more than one that failed: only that
    must not be tried again blindly. Without ``waited``, being queued is as good as it gets.
    """
    if operation.doubtful if waited else operation.count(State.UNSURE, State.SUBMITTING):
        return Exit.UNSURE
    cancelled = [operation.targets[id_].message for id_ in operation.ids(State.CANCELLED)]
    if operation.count(State.FAILED, State.REFUSED, State.PLANNED) or not all(map(is_so_already, cancelled)):
        return Exit.FAILED
    return Exit.VERIFIED


def exit_of_skipped(plan: Plan, *, named: bool) -> Exit:
    """What the servers that a plan leaves alone mean for the exit code.

    A server that already is as asked is fine; one that may yet change by an earlier operation is not known.
    Others that were ``named`` one by one count as refused; those that a filter came upon do not, unless it is
    the operator's role that stands in the way.
    """
    if any(skip.open for skip in plan.skipped):
        return Exit.UNSURE
    reasons = {skip.reason for skip in plan.skipped if not is_so_already(skip.reason)}
    if reasons and (named or any("role" in reason for reason in reasons)):
        return Exit.FAILED
    return Exit.VERIFIED


def is_so_already(reason: str) -> bool:
    """Whether a server is skipped, or not sent any more, because it is as asked."""
    reason = reason.removeprefix("not sent: ")
    return reason.startswith("already ") or reason == "not in maintenance"
