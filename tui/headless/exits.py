"""Exit codes."""

from enum import IntEnum
from typing import Self

from tui.model.operation import Operation, State
from tui.model.plan import Plan, is_in_requested_state


class Exit(IntEnum):
    """The exit codes, each with its line of `pitstop help exits`."""

    meaning: str

    VERIFIED = (
        0,
        "done: every server is verified to be in the requested state (after a reset or a reboot: its job "
        "succeeded); with `--no-wait`: was sent and is queued; with `--dry-run`: could be sent",
    )
    FAILED = (
        1,
        "some server failed, was refused, was left out because it could not be done, or was not sent "
        "(`pitstop resume --send-rest`); with `pitstop windows --check`: a window past its planned end "
        "still holds servers",
    )
    USAGE = (
        2,
        "nothing was done: wrong usage or settings, unknown servers, not confirmed, maintenance of others "
        "without `--not-mine`, protected servers without `--protected`, or a window that still holds servers "
        "without `--leave`",
    )
    LOGIN_REFUSED = 3, "the endpoint refused the login"
    UNREACHABLE = 4, "the endpoint cannot be reached, or does not answer as it should"
    UNSURE = (
        5,
        "the outcome of some server is not known, or an earlier operation on it has not ended: "
        "`pitstop resume`, or check before doing it again",
    )
    HUNG_UP = 129, "the terminal went away; `pitstop resume` goes on, with `--send-rest` with all of it"
    INTERRUPTED = 130, "interrupted (Ctrl-C); `pitstop resume` as above"
    TERMINATED = 143, "told to stop (SIGTERM); `pitstop resume` as above"

    def __new__(cls, code: int, meaning: str) -> Self:
        """Make a member."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


class Stop(Exception):
    """Ends the command with an exit code; ``str()`` is the message for the operator."""

    def __init__(self, exit_code: Exit, message: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def exit_of(operation: Operation, *, waited: bool = True) -> Exit:
    """The exit code of an operation; without ``waited``, of one whose servers are queued.

    An unknown outcome counts more than a failure: only that must not be blindly repeated.
    """
    if operation.doubtful if waited else operation.count(State.UNSURE, State.SUBMITTING):
        return Exit.UNSURE
    cancelled = [operation.targets[id_].message for id_ in operation.ids(State.CANCELLED)]
    if operation.count(State.FAILED, State.REFUSED, State.PLANNED) or not all(
        map(is_in_requested_state, cancelled)
    ):
        return Exit.FAILED
    return Exit.VERIFIED


def exit_of_skipped(plan: Plan, *, named: bool) -> Exit:
    """The exit code for the servers that a plan skips.

    A server already in the requested state is fine; of one with an earlier operation under way the outcome is
    unknown. Others that were ``named`` one by one count as refused; those that a filter found do not, unless
    the operator's role forbids the operation.
    """
    if any(skip.open for skip in plan.skipped):
        return Exit.UNSURE
    reasons = {skip.reason for skip in plan.skipped if not is_in_requested_state(skip.reason)}
    if reasons and (named or any("role" in reason for reason in reasons)):
        return Exit.FAILED
    return Exit.VERIFIED
