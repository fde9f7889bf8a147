"""Defects of earlier versions, each with the faults that reveal it: the campaign must detect every one.

``python -m tests.campaign.defects`` prints which are detected as it is, and which when put back.

A process puts a defect back before it uses anything of the program: see `tests.campaign.hurried`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec

from tests.campaign.promises import Promise
from tests.campaign.proxy import Choose, Message
from tests.campaign.script import Command, Process, Script


class Defect(NamedTuple):
    """One defect, and the run that reveals it."""

    script: Script
    make_choose: Callable[[], Choose]
    """Makes the function that chooses the fault for each request."""
    breaks: Promise
    put_back: Callable[[], None]
    """Changes the program back to what it did."""


def put_back(name: str) -> None:
    """Change the program back to what it did before a defect was fixed."""
    DEFECTS[name].put_back()


def strike_first(number: int, fault: str, which: Callable[[Message], bool]) -> Callable[[], Choose]:
    """A fault strikes the first ``number`` requests of a kind."""

    def make_choose() -> Choose:
        struck: list[Message] = []

        def choose(request: Message) -> str:
            if len(struck) < number and which(request):
                struck.append(request)
                return fault
            return ""

        return choose

    return make_choose


def strike_every(
    step: int, number: int, fault: str, which: Callable[[Message], bool]
) -> Callable[[], Choose]:
    """A fault strikes the first of each ``step`` requests of a kind, ``number`` times."""

    def make_choose() -> Choose:
        matched: list[Message] = []

        def choose(request: Message) -> str:
            if not which(request):
                return ""
            matched.append(request)
            return fault if len(matched) % step == 1 and len(matched) < step * number else ""

        return choose

    return make_choose


def no_faults() -> Choose:
    """No fault strikes."""
    return lambda _: ""


def _operations(request: Message) -> bool:
    return request.operation


def _statuses(request: Message) -> bool:
    return "/status/" in request.path


def _reuse_connections_with_unread_bytes() -> None:
    """A connection with unread bytes after an answer is used again, for POSTs as well."""
    from tui.api.connections import Connections

    async def keep(self: Any, response: Any) -> None:
        pass

    Connections.client = lambda self, *, alone: self.kept  # type: ignore[method-assign]
    Connections.discard_if_more_came = keep  # type: ignore[method-assign]


def _wait_out_any_retry_after() -> None:
    """A Retry-After is waited out, however long it is."""
    from tui.api import limits

    limits.DEFAULT = limits.Limits(longest_wait=float("inf"))


def _believe_refusals() -> None:
    """A refused request is taken as not carried out, even if a gateway refused it."""
    from tui.engine.operations.reconciler import Reconciler
    from tui.model.operation import State

    def refused(self: Any, ids: Sequence[str], reason: str) -> None:
        self._recorder.set(ids, State.FAILED, message=reason)

    Reconciler.refused = refused  # type: ignore[method-assign]


def _call_untouched_after_a_minute() -> None:
    """A minute after a request was lost, its servers are called untouched."""
    from tui import assembly
    from tui.engine.operations.reconciler import Reconciler

    options = assembly.engine_options

    async def longest(self: Any, servers: int) -> float:
        return 60.0

    Reconciler._longest = longest  # type: ignore[method-assign]
    assembly.engine_options = lambda settings, live=False: msgspec.structs.replace(
        options(settings), unsure_least=60.0
    )


def _poll_without_limit() -> None:
    """A job's status is polled without limit, although it never comes."""
    from tui.engine.polling import tracker

    tracker.PATIENCE = float("inf")


def _send_the_rest_unread() -> None:
    """A resume sends the unsent servers of an operation, whatever happened to them meanwhile."""
    from tui.engine.operations import manager
    from tui.engine.operations.remainder import Remainder

    async def plan_remainder(context: Any, stored: Any) -> Remainder:
        return Remainder(send=True)

    replaced: Any = manager
    replaced.plan_remainder = plan_remainder


def _exit_when_a_claim_is_lost() -> None:
    """Of the processes that watch an operation whose owner dies, one resumes it; the others exit."""
    from tui.engine.operations.manager import OperationManager
    from tui.engine.operations.watched import WatchedOperation

    async def watch(self: Any, stored: Any) -> None:
        watched, operation_id = WatchedOperation(stored, self._journal, self._emit), stored.operation.id
        while await watched.update() and watched.operation.ended is None:
            await self._clock.sleep(self._options.watch_interval)
        if watched.operation.ended is None:
            await self._follow([operation_id], self._context, send=False, watch=False)
            if operation_id in self._runners:
                await self._tasks[operation_id]

    OperationManager._watch = watch  # type: ignore[method-assign]


def _ignore_a_lost_claim() -> None:
    """A process goes on with an operation that another process has claimed."""
    from tui.engine.journal.writer import JournalWriter

    JournalWriter._owns = lambda self, db, operation_id: True  # type: ignore[method-assign]


def _wait_for_the_reader() -> None:
    """Progress is written to stderr before the work goes on."""
    from tui.headless.writer import Writer

    Writer._put = lambda self, item: self._write(f"{item.text}\n")  # type: ignore[method-assign]


DEFECTS: Mapping[str, Defect] = {
    "a 401 that arrives twice ends the login": Defect(
        Script(seed=3, job_seconds="100"),
        # Several times: on a busy machine a connection may be closed before its second answer is read.
        strike_every(7, 4, "deny-twice", _statuses),
        Promise.NO_BUG,
        _reuse_connections_with_unread_bytes,
    ),
    "a Retry-After of a week is waited out": Defect(
        Script(seed=3), strike_first(1, "long-pause", _statuses), Promise.ENDS, _wait_out_any_retry_after
    ),
    "a refusal is believed without reading the servers": Defect(
        Script(seed=3), strike_first(1, "refuse-after", _operations), Promise.OUTCOME_TRUE, _believe_refusals
    ),
    "a server is called untouched while its job may still run": Defect(
        Script(seed=3, job_seconds="600"),
        strike_first(1, "drop-after", _operations),
        Promise.OUTCOME_TRUE,
        _call_untouched_after_a_minute,
    ),
    "a job status that never comes is polled without limit": Defect(
        Script(seed=3, faults={"status-500": 1.0}), no_faults, Promise.ENDS, _poll_without_limit
    ),
    # An answer that arrives twice does no harm here: it only marks when the first request arrived.
    "a resume sends the rest without reading the servers": Defect(
        Script(
            seed=3,
            servers=20,
            job_seconds="600",
            same=True,
            processes=(
                Process(
                    command=Command.START, share=0.6, wave=4, after_fault="answer-twice", killed_after=20.0
                ),
                Process(command=Command.START, begins=150.0),
                Process(command=Command.SEND_REST, begins=250.0),
            ),
        ),
        strike_first(1, "answer-twice", _operations),
        Promise.NOT_UNDER_WAY,
        _send_the_rest_unread,
    ),
    "a process that was declared dead goes on sending": Defect(
        Script(
            seed=3,
            servers=20,
            job_seconds="150",
            processes=(
                Process(
                    command=Command.START,
                    share=0.4,
                    wave=4,
                    isolated=True,
                    after_fault="answer-twice",
                    frozen_after=20.0,
                    frozen_for=380.0,
                    frozen_until_claimed=True,
                ),
                Process(command=Command.SEND_REST, begins=300.0),
            ),
        ),
        strike_first(1, "answer-twice", _operations),
        Promise.ONCE,
        _ignore_a_lost_claim,
    ),
    "a watching process that loses the claim exits": Defect(
        Script(
            seed=3,
            servers=20,
            job_seconds="300",
            processes=(
                Process(
                    command=Command.START, after_fault="answer-twice", killed_after=150.0, locked_for=50.0
                ),
                *3 * (Process(command=Command.RESUME, begins=50.0),),
            ),
        ),
        strike_first(1, "answer-twice", _operations),
        Promise.REPORT_CURRENT,
        _exit_when_a_claim_is_lost,
    ),
    "an operation stalls while the reader of its output stalls": Defect(
        Script(
            seed=3,
            servers=200,
            batch_size=1,
            processes=(Process(command=Command.START, share=0.9, reader_stalls=True),),
        ),
        no_faults,
        Promise.ENDS,
        _wait_for_the_reader,
    ),
}
"""What the program did -> the defect."""


def main() -> None:
    """Run the script of every defect, with and without the defect, and print whether it is detected."""
    from tests.campaign.processes import carry_out

    for name, (script, make_choose, breaks, _) in DEFECTS.items():
        for defect in ("", name):
            with TemporaryDirectory() as directory:
                result = carry_out(script, Path(directory), choose=make_choose(), defect=defect)
            detected = breaks in {violation.promise for violation in result.violations}
            what = "put back" if defect else "as it is"
            others = sorted({violation.promise for violation in result.violations} - {breaks})
            print(
                f"{'detected' if detected else 'not detected':<14}{what:<10}{name}",
                *others,
                sep="  ",
                flush=True,
            )


if __name__ == "__main__":
    main()
