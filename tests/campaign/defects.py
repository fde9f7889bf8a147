"""Defects of earlier versions, each with the faults that reveal it: the campaign must detect every one.

``python -m tests.campaign.defects`` prints which are detected as it is, and which when put back.

A real process puts a defect back before it uses anything of the program: see `tests.campaign.hurried`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial, partialmethod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from msgspec.structs import replace

from tests.campaign.promises import Promise
from tests.campaign.proxy import Choose, Message
from tests.campaign.scenario import CALM, Scenario
from tests.campaign.script import Command, Process, Script


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


Patch = Callable[[Any, str, Any], None]
"""Replaces an attribute, for good or until a test ends."""


class Defect(NamedTuple):
    """One defect, and the run that reveals it: with real processes where the defect needs them."""

    run: Script | Scenario
    make_choose: Callable[[], Choose]
    """Makes the function that chooses the fault of the proxy for each request, if there is a proxy."""
    breaks: Promise
    put_back: Callable[[Patch], None]
    """Changes the program back to what it did."""


def put_back(name: str) -> None:
    """Change the program back to what it did before a defect was fixed."""
    DEFECTS[name].put_back(setattr)


def broken_promises(name: str, home: Path, *, as_it_is: bool = False) -> set[Promise]:
    """The promises that the run of a defect breaks when it is put back, or with the program as it is."""
    import pytest

    from tests.campaign import processes, run

    defect = DEFECTS[name]
    if isinstance(defect.run, Script):
        put_back = "" if as_it_is else name
        result = processes.carry_out(defect.run, home, choose=defect.make_choose(), defect=put_back)
        return {violation.promise for violation in result.violations}
    with pytest.MonkeyPatch.context() as patched:
        if not as_it_is:
            defect.put_back(patched.setattr)
        return {violation.promise for violation in run.carry_out(defect.run, home).violations}


def _operations(request: Message) -> bool:
    return request.operation


def _statuses(request: Message) -> bool:
    return "/status/" in request.path


def _reuse_connections_with_unread_bytes(patch: Patch) -> None:
    """A connection with unread bytes after an answer is used again, for POSTs as well."""
    from tui.api.connections import Connections

    async def keep(self: Any, response: Any) -> None:
        pass

    patch(Connections, "client", lambda self, *, alone: self.kept)
    patch(Connections, "discard_if_more_came", keep)


def _wait_out_any_retry_after(patch: Patch) -> None:
    """A Retry-After is waited out, however long it is."""
    from tui.api.endpoints import Api
    from tui.api.limits import Limits

    patch(Api, "__init__", partialmethod(Api.__init__, limits=Limits(longest_wait=float("inf"))))


def _believe_refusals(patch: Patch) -> None:
    """A refused request is taken as not carried out, even if a gateway refused it."""
    from tui.engine.operations.reconciler import Reconciler
    from tui.model.operation import State

    def refused(self: Any, ids: Sequence[str], reason: str) -> None:
        self._recorder.set(ids, State.FAILED, message=reason)

    patch(Reconciler, "refused", refused)


def _call_untouched_after_a_minute(patch: Patch) -> None:
    """A minute after a request was lost, its servers are called untouched."""
    from tests.campaign import run
    from tui.engine.operations.reconciler import Reconciler
    from tui.engine.options import Options

    async def longest(self: Any, servers: int) -> float:
        return 60.0

    patch(Reconciler, "_longest", longest)
    patch(run, "Options", partial(Options, unsure_least=60.0))


def _poll_without_limit(patch: Patch) -> None:
    """A job's status is polled without limit, although it never comes."""
    from tui.engine.polling import tracker

    patch(tracker, "PATIENCE", float("inf"))


def _send_the_rest_unread(patch: Patch) -> None:
    """A resume sends the unsent servers of an operation, whatever happened to them meanwhile."""
    from tui.engine.operations import manager
    from tui.engine.operations.remainder import Remainder

    async def plan_remainder(context: Any, stored: Any) -> Remainder:
        return Remainder(send=True)

    patch(manager, "plan_remainder", plan_remainder)


def _exit_when_a_claim_is_lost(patch: Patch) -> None:
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

    patch(OperationManager, "_watch", watch)


def _ignore_a_lost_claim(patch: Patch) -> None:
    """A process goes on with an operation that another process has claimed."""
    from tui.engine.journal.writer import JournalWriter

    patch(JournalWriter, "_owns", lambda self, db, operation_id: True)


def _wait_for_the_reader(patch: Patch) -> None:
    """Progress is written to stderr before the work goes on."""
    from tui.headless.writer import Writer

    patch(Writer, "_put", lambda self, item: self._write(f"{item.text}\n"))


DEFECTS: Mapping[str, Defect] = {
    "a 401 that arrives twice ends the login": Defect(
        Script(seed=3, job_seconds="100"),
        # Several times: on a busy machine a connection may be closed before its second answer is read.
        strike_every(7, 4, "deny-twice", _statuses),
        Promise.NO_BUG,
        _reuse_connections_with_unread_bytes,
    ),
    "a Retry-After of a week is waited out": Defect(
        replace(CALM, week_pauses=0.05), no_faults, Promise.ENDS, _wait_out_any_retry_after
    ),
    "a refusal is believed without reading the servers": Defect(
        Script(seed=3), strike_first(1, "refuse-after", _operations), Promise.OUTCOME_TRUE, _believe_refusals
    ),
    "a server is called untouched while its job may still run": Defect(
        replace(CALM, faults={"drop-after": 1.0}, job_seconds=(600.0, 600.0)),
        no_faults,
        Promise.OUTCOME_TRUE,
        _call_untouched_after_a_minute,
    ),
    "a job status that never comes is polled without limit": Defect(
        replace(CALM, servers=20, batch_size=100, faults={"status-500": 1.0}),
        no_faults,
        Promise.ENDS,
        _poll_without_limit,
    ),
    # An answer that arrives twice does no harm here: it only marks when the first request arrived. Each start
    # has two requests at once: the second one begins when the first was killed, the resume when it has sent.
    "a resume sends the rest without reading the servers": Defect(
        Script(
            seed=3,
            servers=20,
            job_seconds="400",
            same=True,
            processes=(
                Process(
                    command=Command.START, share=0.6, wave=4, after_fault="answer-twice", killed_after=20.0
                ),
                Process(command=Command.START, after_posts=1, begins=60.0),
                Process(command=Command.SEND_REST, after_posts=3),
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
    """Carry out the run of every defect, with and without the defect, and print whether it is detected."""
    for name, defect in DEFECTS.items():
        for as_it_is in (True, False):
            with TemporaryDirectory() as directory:
                broken = broken_promises(name, Path(directory), as_it_is=as_it_is)
            detected = "detected" if defect.breaks in broken else "not detected"
            what = "as it is" if as_it_is else "put back"
            print(f"{detected:<14}{what:<10}{name}", *sorted(broken - {defect.breaks}), sep="  ", flush=True)


if __name__ == "__main__":
    main()
