"""`pitstop start`, `pitstop stop` and `pitstop resume`."""

import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

from tui.headless.choice import (
    Request,
    can_ask,
    confirm,
    is_confirmed,
    plan_for,
    read_ids,
    tell_plan,
    wave_size,
)
from tui.headless.exits import Exit, Stop, exit_of, exit_of_skipped
from tui.headless.follow import Follower
from tui.headless.narration import MAX_IDS, Narrator
from tui.headless.output import Cell, sign, write_json, write_rows
from tui.headless.session import HeadlessConfig, Session, chosen, opened
from tui.model.fleet import Fleet
from tui.model.operation import IN_FLIGHT, STATE_STYLES, Action, Operation, State, Target
from tui.model.plan import Skip
from tui.model.prior import operation_name
from tui.model.text import clean, counted, named
from tui.report import operation_json

HEADER = ("", "Server", "State", "Job", "Message")


async def operate(work: HeadlessConfig, narrator: Narrator, request: Request) -> Exit:
    """Put servers into maintenance or take them out of it, as asked. Raises Stop when nothing was sent."""
    if work.settings.readonly:
        raise Stop(Exit.USAGE, f"{work.endpoint.name} is read-only here; nothing was sent")
    # What makes no sense is said before anybody logs in.
    wave_size(request.wave, 1)
    chosen(Fleet(), request.query or "", work.settings)
    ids = [] if request.query is not None else read_ids(request.ids, sys.stdin.read)
    async with opened(work, narrator) as session:
        await session.read_fleet()
        await session.tell_unfinished(here=True)
        plan = await plan_for(request, session, ids)
        tell_plan(plan, narrator)
        skipped = exit_of_skipped(plan, named=request.query is None)
        if request.dry_run or not plan.server_ids:
            if plan.server_ids:
                narrator.say("a dry run: nothing was sent")
            narrator.flush()
            planned = Operation("", plan.action, plan.server_ids)
            _show(planned, plan.skipped, as_json=request.json, dry_run=request.dry_run)
            return skipped
        if not request.yes:
            confirm(plan, session, stdin_used="-" in request.ids)
        follower = Follower(session, wait=request.wait)
        work_of_core = session.core.operations.run(plan, reason=request.reason, max_failed=request.max_failed)
        await follower.follow(work_of_core, sending=True)
    if not follower.operations:
        raise Stop(session.why or Exit.FAILED, "nothing was sent")
    (operation,) = follower.operations.values()
    _show(operation, plan.skipped, as_json=request.json)
    code = _ended(session, [operation], waited=request.wait)
    return code if session.why is not None else max(code, skipped)


async def resume(work: HeadlessConfig, narrator: Narrator, *, send_rest: bool, as_json: bool) -> Exit:
    """Take up what is unfinished at the endpoint and follow it to the end. Raises Stop.

    What was never sent is sent only with ``send_rest``, or when the operator says so on the terminal.
    """
    if work.settings.readonly and send_rest:
        raise Stop(Exit.USAGE, f"{work.endpoint.name} is read-only here; nothing was sent")
    async with opened(work, narrator) as session:
        await session.tell_unfinished(here=False)
        follower = Follower(session)
        await follower.follow(session.core.operations.resume(send_planned=send_rest), sending=send_rest)
        unsent = _unsent(follower.operations.values(), narrator)
        if unsent and session.why is None and not work.settings.readonly:
            if not send_rest and can_ask() and is_confirmed(unsent, session):
                await follower.follow(session.core.operations.resume(send_planned=True), sending=True)
            else:
                narrator.say("`pitstop resume --send-rest` sends what was never sent")
        if not follower.operations and session.why is None:
            narrator.say(f"nothing is unfinished at {work.endpoint.name}")
    for operation in follower.operations.values():
        _show(operation, (), as_json=as_json)
    return _ended(session, list(follower.operations.values()), waited=True)


def _unsent(operations: Iterable[Operation], narrator: Narrator) -> dict[Action, list[str]]:
    """The servers that nothing was ever sent for, by what was asked of them; each operation is told."""
    found: dict[Action, list[str]] = {}
    for operation in operations:
        if ids := operation.ids(State.PLANNED):
            name = operation_name(operation.action, operation.started, operation.reason, time.time())
            narrator.say(clean(f"never sent of {name}: {named(ids, MAX_IDS)}"))
            found.setdefault(operation.action, []).extend(ids)
    return found


def _ended(session: Session, operations: Sequence[Operation], *, waited: bool) -> Exit:
    """The exit code. What is still under way is said, and how to go on."""
    underway = sum(operation.count(State.UNSURE, *IN_FLIGHT) for operation in operations)
    unsent = sum(operation.unsent for operation in operations)
    inside = session.work.endpoint.sandbox
    if underway and session.leave.is_set():
        advice = "the sandbox ends here, and their jobs with it" if inside else "`pitstop resume` goes on"
        session.narrator.say(f"{counted(underway, 'server')} still under way; {advice}")
    if unsent and session.why is not None:
        advice = "" if inside else "; `pitstop resume --send-rest` sends them"
        session.narrator.say(f"{counted(unsent, 'server')} not sent{advice}")
    if session.why is not None:
        return session.why
    return max((exit_of(operation, waited=waited) for operation in operations), default=Exit.VERIFIED)


def as_object(operation: Operation, skipped: Sequence[Skip] = ()) -> dict[str, Any]:
    """An operation as JSON shows it."""
    left_out = [{"id": skip.server_id, "reason": skip.reason} for skip in skipped]
    return {**operation_json(operation), "skipped": left_out}


def _show(operation: Operation, skipped: Sequence[Skip], *, as_json: bool, dry_run: bool = False) -> None:
    if as_json:
        write_json(as_object(operation, skipped) | ({"dry_run": True} if dry_run else {}))
    elif sys.stdout.isatty():
        write_rows(HEADER, [_row(target) for target in operation.targets.values()])
    else:
        plain = [
            [Cell(text) for text in (target.server_id, target.state.value, target.job_id, target.message)]
            for target in operation.targets.values()
        ]
        write_rows(HEADER[1:], plain)


def _row(target: Target) -> list[Cell]:
    look = STATE_STYLES[target.state]
    return [
        Cell(sign(look, sys.stdout), look.colour),
        Cell(target.server_id),
        Cell(look.word, look.colour),
        Cell(target.job_id),
        Cell(target.message),
    ]
