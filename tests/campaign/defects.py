"""Defects that earlier versions had, each with the trouble that shows it: the campaign must see every one.

``python -m tests.campaign.defects`` says which are seen in this version, and which when they are put back.

A defect is put back into a process before anything of the program has been used: see
`tests.campaign.hurried`.
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
    """One defect, and what it takes to see it."""

    script: Script
    trouble: Callable[[], Choose]
    """Makes what says which fault strikes which request."""
    breaks: Promise
    put_back: Callable[[], None]
    """Makes the program as it was."""


def put_back(name: str) -> None:
    """Make the program as it was before that defect was mended."""
    DEFECTS[name].put_back()


def first(number: int, fault: str, which: Callable[[Message], bool]) -> Callable[[], Choose]:
    """A fault strikes the first so many requests of a kind."""

    def trouble() -> Choose:
        struck: list[Message] = []

        def choose(request: Message) -> str:
            if len(struck) < number and which(request):
                struck.append(request)
                return fault
            return ""

        return choose

    return trouble


def every(step: int, number: int, fault: str, which: Callable[[Message], bool]) -> Callable[[], Choose]:
    """A fault strikes the first of so many requests of a kind, then the first of the next so many."""

    def trouble() -> Choose:
        seen: list[Message] = []

        def choose(request: Message) -> str:
            if not which(request):
                return ""
            seen.append(request)
            return fault if len(seen) % step == 1 and len(seen) < step * number else ""

        return choose

    return trouble


def calm() -> Choose:
    """Nothing strikes."""
    return lambda _: ""


def _operations(request: Message) -> bool:
    return request.operation


def _statuses(request: Message) -> bool:
    return "/status/" in request.path


def _take_what_comes_next() -> None:
    """A connection with bytes left after an answer is used again, for POSTs as well."""
    from tui.api.connections import Connections

    async def keep(self: Any, response: Any) -> None:
        pass

    Connections.client = lambda self, *, alone: self.kept  # type: ignore[method-assign]
    Connections.discard_if_more_came = keep  # type: ignore[method-assign]


def _wait_as_long_as_asked() -> None:
    """A Retry-After is waited for, however long it is."""
    from tui.api import limits

    limits.DEFAULT = limits.Limits(longest_wait=float("inf"))


def _believe_a_refusal() -> None:
    """A request that was refused was not carried out, whoever says so."""
    from tui.engine.operations.reconciler import Reconciler
    from tui.model.operation import State

    def refused(self: Any, ids: Sequence[str], reason: str) -> None:
        self._recorder.set(ids, State.FAILED, message=reason)

    Reconciler.refused = refused  # type: ignore[method-assign]


def _call_untouched_soon() -> None:
    """A minute after the request was lost, nothing can come of it any more."""
    from tui import assembly
    from tui.engine.operations.reconciler import Reconciler

    options = assembly.engine_options

    async def longest(self: Any, servers: int) -> float:
        return 60.0

    Reconciler._longest = longest  # type: ignore[method-assign]
    assembly.engine_options = lambda settings: msgspec.structs.replace(options(settings), unsure_least=60.0)


def _wait_for_a_status() -> None:
    """A job's status comes some day."""
    from tui.engine.polling import tracker

    tracker.PATIENCE = float("inf")


def _send_the_rest_unseen() -> None:
    """What an interrupted operation never sent is sent by a resume, whatever happened to it meanwhile."""
    from tui.engine.operations import manager
    from tui.engine.operations.remainder import Remainder

    async def plan_remainder(context: Any, stored: Any) -> Remainder:
        return Remainder(send=True)

    replaced: Any = manager
    replaced.plan_remainder = plan_remainder


def _leave_to_the_winner() -> None:
    """Of those who watch an operation whose owner dies, one takes it up, and the others leave."""
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


def _never_lose_an_operation() -> None:
    """A process keeps an operation for as long as it lives, whoever has taken it over."""
    from tui.engine.journal.writer import JournalWriter

    JournalWriter._owns = lambda self, db, operation_id: True  # type: ignore[method-assign]


def _write_at_once() -> None:
    """What is told is written before the work goes on."""
    from tui.headless.writer import Writer

    Writer._put = lambda self, item: self._write(f"{item.text}\n")  # type: ignore[method-assign]


DEFECTS: Mapping[str, Defect] = {
    "a refusal that came twice ends the login": Defect(
        Script(seed=3, job_seconds="100"),
        # Several times: on a busy machine a connection may be closed before its second answer is taken.
        every(7, 4, "deny-twice", _statuses),
        Promise.SOUND,
        _take_what_comes_next,
    ),
    "a pause is as long as it is asked for": Defect(
        Script(seed=3), first(1, "long-pause", _statuses), Promise.ENDS, _wait_as_long_as_asked
    ),
    "a refusal is believed without a look": Defect(
        Script(seed=3), first(1, "refuse-after", _operations), Promise.TRUE, _believe_a_refusal
    ),
    "a server is untouched while its job may still run": Defect(
        Script(seed=3, job_seconds="600"),
        first(1, "drop-after", _operations),
        Promise.TRUE,
        _call_untouched_soon,
    ),
    "a status that is gone is waited for": Defect(
        Script(seed=3, faults={"status-500": 1.0}), calm, Promise.ENDS, _wait_for_a_status
    ),
    # An answer that comes twice does no harm: it only says when the first request was there.
    "the rest is sent without a look": Defect(
        Script(
            seed=3,
            servers=20,
            job_seconds="600",
            same=True,
            processes=(
                Process(command=Command.START, part=0.6, wave=4, since="answer-twice", killed_after=20.0),
                Process(command=Command.START, begins=150.0),
                Process(command=Command.SEND_REST, begins=250.0),
            ),
        ),
        first(1, "answer-twice", _operations),
        Promise.ALONE,
        _send_the_rest_unseen,
    ),
    "who was taken for dead goes on sending": Defect(
        Script(
            seed=3,
            servers=20,
            job_seconds="300",
            processes=(
                Process(
                    command=Command.START,
                    part=0.6,
                    wave=4,
                    apart=True,
                    since="answer-twice",
                    frozen_after=20.0,
                    frozen_for=380.0,
                ),
                Process(command=Command.SEND_REST, begins=300.0),
            ),
        ),
        first(1, "answer-twice", _operations),
        Promise.ONCE,
        _never_lose_an_operation,
    ),
    "whoever loses a claim leaves": Defect(
        Script(
            seed=3,
            servers=20,
            job_seconds="300",
            processes=(
                Process(command=Command.START, since="answer-twice", killed_after=150.0, locked_for=50.0),
                *3 * (Process(command=Command.RESUME, begins=50.0),),
            ),
        ),
        first(1, "answer-twice", _operations),
        Promise.STALE,
        _leave_to_the_winner,
    ),
    "the work waits for whoever reads about it": Defect(
        Script(
            seed=3,
            servers=200,
            batch_size=1,
            processes=(Process(command=Command.START, part=0.9, unheard=True),),
        ),
        calm,
        Promise.ENDS,
        _write_at_once,
    ),
}
"""By what it does."""


def main() -> None:
    """Look for every defect, as the program is and with the defect put back."""
    from tests.campaign.processes import carry_out

    for name, (script, trouble, breaks, _) in DEFECTS.items():
        for defect in ("", name):
            with TemporaryDirectory() as directory:
                result = carry_out(script, Path(directory), choose=trouble(), defect=defect)
            seen = breaks in {violation.promise for violation in result.violations}
            what = "put back" if defect else "as it is"
            others = sorted({violation.promise for violation in result.violations} - {breaks})
            print(f"{'seen' if seen else 'not seen':<10}{what:<10}{name}", *others, sep="  ", flush=True)


if __name__ == "__main__":
    main()
