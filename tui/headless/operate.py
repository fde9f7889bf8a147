"""`pitstop start`, `pitstop stop` and `pitstop resume`."""

import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

from tui.headless.choice import (
    Request,
    can_ask,
    check_protected,
    confirm,
    is_confirmed,
    plan_for,
    read_ids,
    report_plan,
    wave_size,
)
from tui.headless.engine import HeadlessConfig, HeadlessEngine, logged_in, select_servers
from tui.headless.exits import Exit, Stop, exit_of, exit_of_skipped
from tui.headless.follow import Follower
from tui.headless.narration import MAX_IDS, Narrator
from tui.headless.output import Cell, sign, write_json, write_rows
from tui.model.fleet import Fleet
from tui.model.operation import IN_FLIGHT, STATE_STYLES, Action, Operation, State, Target
from tui.model.outlook import Outlook
from tui.model.plan import Plan, Skip
from tui.model.prior import operation_name
from tui.model.text import clean, counted, named
from tui.report import operation_json, plan_json

HEADER = ("", "Server", "State", "Job", "Message")


async def operate(config: HeadlessConfig, narrator: Narrator, request: Request) -> Exit:
    """Start or end maintenance on the servers of the request, and follow it to the end.

    Raises:
        Stop: nothing was sent.
    """
    if config.settings.readonly:
        raise Stop(Exit.USAGE, f"{config.endpoint.name} is read-only here; nothing was sent")
    # Wrong arguments are reported before the login.
    wave_size(request.wave, 1)
    select_servers(Fleet(), request.query or "", config.settings)
    ids = [] if request.query is not None else read_ids(request.ids, sys.stdin.read)
    async with logged_in(config, narrator) as engine:
        await engine.read_fleet()
        await engine.report_unfinished(here=True)
        plan, outlook = await plan_for(request, engine, ids)
        report_plan(plan, outlook, narrator)
        skipped = exit_of_skipped(plan, named=request.query is None)
        if request.dry_run or not plan.server_ids:
            if plan.server_ids:
                narrator.say("a dry run: nothing was sent")
            narrator.flush()
            planned = Operation("", plan.action, plan.server_ids)
            _show(planned, plan, as_json=request.json, dry_run=outlook if request.dry_run else None)
            return skipped
        if not request.yes:
            confirm(plan, outlook, engine, stdin_used="-" in request.ids)
        elif not request.protected:
            check_protected(outlook, engine)
        follower = Follower(engine, wait=request.wait)
        run = engine.service.operations.run(plan, reason=request.reason, max_failed=request.max_failed)
        await follower.follow(run, sending=True)
    if not follower.operations:
        raise Stop(engine.early_exit or Exit.FAILED, "nothing was sent")
    (operation,) = follower.operations.values()
    _show(operation, plan, as_json=request.json)
    code = _ended(engine, [operation], waited=request.wait)
    return code if engine.early_exit is not None else max(code, skipped)


async def resume(config: HeadlessConfig, narrator: Narrator, *, send_rest: bool, as_json: bool) -> Exit:
    """Resume the unfinished operations at the endpoint, and follow them to the end.

    What was never sent is sent only with ``send_rest``, or when the operator confirms it on the terminal.

    Raises:
        Stop: nothing could be resumed.
    """
    if config.settings.readonly and send_rest:
        raise Stop(Exit.USAGE, f"{config.endpoint.name} is read-only here; nothing was sent")
    async with logged_in(config, narrator) as engine:
        await engine.report_unfinished(here=False)
        follower = Follower(engine)
        await follower.follow(engine.service.operations.resume(send_planned=send_rest), sending=send_rest)
        unsent = _unsent(follower.operations.values(), narrator)
        if unsent and engine.early_exit is None and not config.settings.readonly:
            if not send_rest and can_ask() and is_confirmed(unsent, engine):
                await follower.follow(engine.service.operations.resume(send_planned=True), sending=True)
            else:
                narrator.say("`pitstop resume --send-rest` sends what was never sent")
        if not follower.operations and engine.early_exit is None:
            narrator.say(f"nothing is unfinished at {config.endpoint.name}")
    for operation in follower.operations.values():
        _show(operation, None, as_json=as_json)
    return _ended(engine, list(follower.operations.values()), waited=True)


def _unsent(operations: Iterable[Operation], narrator: Narrator) -> dict[Action, list[str]]:
    """Report the servers that were never sent; action -> their ids."""
    found: dict[Action, list[str]] = {}
    for operation in operations:
        if ids := operation.ids(State.PLANNED):
            name = operation_name(operation.action, operation.started, operation.reason, time.time())
            narrator.say(clean(f"never sent of {name}: {named(ids, MAX_IDS)}"))
            found.setdefault(operation.action, []).extend(ids)
    return found


def _ended(engine: HeadlessEngine, operations: Sequence[Operation], *, waited: bool) -> Exit:
    """Report what is still under way and how to go on; return the exit code."""
    underway = sum(operation.count(State.UNSURE, *IN_FLIGHT) for operation in operations)
    unsent = sum(operation.unsent for operation in operations)
    inside = engine.config.endpoint.sandbox
    if underway and engine.leave.is_set():
        advice = "the sandbox ends here, and their jobs with it" if inside else "`pitstop resume` goes on"
        engine.narrator.say(f"{counted(underway, 'server')} still under way; {advice}")
    if unsent and engine.early_exit is not None:
        advice = "" if inside else "; `pitstop resume --send-rest` sends them"
        engine.narrator.say(f"{counted(unsent, 'server')} not sent{advice}")
    if engine.early_exit is not None:
        return engine.early_exit
    return max((exit_of(operation, waited=waited) for operation in operations), default=Exit.VERIFIED)


def as_object(operation: Operation, skipped: Sequence[Skip] = ()) -> dict[str, Any]:
    """An operation as JSON shows it."""
    left_out = [{"id": skip.server_id, "reason": skip.reason} for skip in skipped]
    return {**operation_json(operation), "skipped": left_out}


def _show(operation: Operation, plan: Plan | None, *, as_json: bool, dry_run: Outlook | None = None) -> None:
    """Print the servers of an operation, or the one JSON object; ``dry_run`` is the outlook of a dry run."""
    if as_json:
        shown = as_object(operation, plan.skipped if plan else ())
        if plan is not None and dry_run is not None:
            shown |= {"dry_run": True, "plan": plan_json(plan, dry_run)}
        write_json(shown)
    elif sys.stdout.isatty():
        write_rows(HEADER, [_row(target) for target in operation.targets.values()])
    else:
        plain = [
            [Cell(text) for text in (target.server_id, target.state.value, target.job_id, target.message)]
            for target in operation.targets.values()
        ]
        write_rows(HEADER[1:], plain)


def _row(target: Target) -> list[Cell]:
    style = STATE_STYLES[target.state]
    return [
        Cell(sign(style, sys.stdout), style.colour),
        Cell(target.server_id),
        Cell(style.word, style.colour),
        Cell(target.job_id),
        Cell(target.message),
    ]
