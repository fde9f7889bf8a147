"""How a command ended, as its exit code says it."""

from enum import IntEnum

from tui.model.operation import Operation, State
from tui.model.plan import Plan


class Exit(IntEnum):
    """The exit codes. README's table is held against these."""

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
    Exit.VERIFIED: "done: every server is verified to be as asked",
    Exit.FAILED: "some server failed, was refused, or was left out because it could not be done",
    Exit.USAGE: "nothing was done: wrong usage or settings, unknown servers, or not confirmed",
    Exit.LOGIN_REFUSED: "the endpoint refused the login",
    Exit.UNREACHABLE: "the endpoint cannot be reached, or does not answer as it should",
    Exit.UNSURE: "what became of some server is not known: look before doing it again, or `pitstop resume`",
    Exit.HUNG_UP: "the terminal went away; `pitstop resume` goes on",
    Exit.INTERRUPTED: "interrupted (Ctrl-C); `pitstop resume` goes on with what was sent",
    Exit.TERMINATED: "told to stop (SIGTERM); `pitstop resume` goes on with what was sent",
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
    if operation.count(State.FAILED, State.REFUSED, State.CANCELLED, State.PLANNED):
        return Exit.FAILED
    return Exit.VERIFIED


def exit_of_skipped(plan: Plan, *, named: bool) -> Exit:
    """What the servers that a plan leaves alone mean for the exit code.

    A server that already is as asked is fine. Others that were ``named`` one by one count as refused; those
    that a filter came upon do not, unless it is the operator's role that stands in the way.
    """
    reasons = {skip.reason for skip in plan.skipped if not is_so_already(skip.reason)}
    if reasons and (named or any("role" in reason for reason in reasons)):
        return Exit.FAILED
    return Exit.VERIFIED


def is_so_already(reason: str) -> bool:
    """Whether a server is skipped because it is as asked."""
    return reason.startswith("already ") or reason == "not in maintenance"
