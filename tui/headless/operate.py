"""`pitstop start`, `pitstop stop`, `pitstop power` and `pitstop resume`."""

import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tui.headless.choice import (
    Choice,
    Request,
    can_ask,
    check_mine,
    check_protected,
    choose,
    confirm,
    is_confirmed,
    plan_servers,
    planned_end_of,
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
from tui.model.operation import IN_FLIGHT, Action, Operation, State, Target, style_of
from tui.model.outlook import Outlook
from tui.model.plan import NOT_IN_MAINTENANCE, Plan, Skip
from tui.model.prior import operation_name
from tui.model.retry import plan_retry
from tui.model.text import clean, counted, named
from tui.report.servers import operation_json, plan_json

HEADER = ("", "Server", "State", "Job", "Message")


class Origin(NamedTuple):
    """What a retry continues."""

    operation_id: str = ""
    """The operation whose servers are tried again."""
    window_id: str = ""
    """The window that the new operation belongs to; empty as for ``OperationManager.run``."""


async def operate(config: HeadlessConfig, narrator: Narrator, request: Request) -> Exit:
    """Carry out the action of the request on its servers, and follow it to the end.

    Raises:
        Stop: nothing was sent.
    """
    check_writable(config)
    # Wrong arguments are reported before the login.
    wave_size(request.wave, 1)
    select_servers(Fleet(), request.query or "", config.settings)
    planned_end = planned_end_of(request, narrator)
    chosen = request.query is not None or request.mine or request.window is not None
    ids = [] if chosen else read_ids(request.ids, sys.stdin.read)
    async with logged_in(config, narrator) as engine:
        await engine.read_fleet()
        await engine.report_unfinished(here=True)
        choice = await choose(request, engine, ids)
        plan, outlook = await plan_servers(
            request.action, choice.server_ids, request.wave, engine, choice.holds
        )
        if not request.dry_run:
            check_mine(plan, request)
            await _release_gone(plan, choice, engine)
        origin = Origin(window_id=choice.window_id)
        operation = await carry_out(engine, plan, outlook, request, origin, planned_end)
    return report(engine, plan, outlook, request, operation, named=choice.named)


def check_writable(config: HeadlessConfig) -> None:
    """Raise Stop where nothing may be sent."""
    if config.settings.readonly:
        raise Stop(Exit.USAGE, f"{config.endpoint.name} is read-only here; nothing was sent")


async def carry_out(
    engine: HeadlessEngine,
    plan: Plan,
    outlook: Outlook,
    request: Request,
    origin: Origin = Origin(),  # noqa: B008 - immutable
    planned_end: float | None = None,
) -> Operation:
    """Report a plan, ask for a confirmation, and carry it out.

    Returns:
        The operation as far as it was followed; without an id when nothing was to be sent.

    Raises:
        Stop: nothing was sent.
    """
    report_plan(plan, outlook, engine.narrator)
    if request.dry_run or not plan.server_ids:
        if plan.server_ids:
            engine.narrator.say("a dry run: nothing was sent")
        return Operation("", plan.action, plan.server_ids, retry_of=origin.operation_id)
    if not request.yes:
        confirm(plan, outlook, engine, stdin_used="-" in request.ids)
    elif not request.protected:
        check_protected(outlook, engine)
    follower = Follower(engine, wait=request.wait)
    run = engine.service.operations.run(
        plan,
        window_id=origin.window_id,
        reason=request.reason,
        planned_end=planned_end,
        max_failed=request.max_failed,
        retry_of=origin.operation_id,
    )
    await follower.follow(run, sending=True)
    if not follower.operations:
        raise Stop(engine.early_exit or Exit.FAILED, "nothing was sent")
    (operation,) = follower.operations.values()
    return operation


def report(
    engine: HeadlessEngine,
    plan: Plan,
    outlook: Outlook,
    request: Request,
    operation: Operation,
    *,
    named: bool = True,
) -> Exit:
    """Print what ``carry_out`` returned, and return the exit code; the engine is closed.

    ``named`` is whether each server was meant, as for ``exit_of_skipped``.
    """
    skipped = exit_of_skipped(plan, named=named)
    dry_run = outlook if request.dry_run and not operation.id else None
    _show(operation, plan, as_json=request.json, dry_run=dry_run)
    if not operation.id:
        return skipped
    code = _ended(engine, [operation], waited=request.wait)
    return code if engine.early_exit is not None else max(code, skipped)


async def _release_gone(plan: Plan, choice: Choice, engine: HeadlessEngine) -> None:
    """Record which servers of the operator's windows have left maintenance by another hand."""
    gone = [
        skip.server_id
        for skip in plan.skipped
        if plan.action is Action.STOP_MAINTENANCE
        and skip.reason == NOT_IN_MAINTENANCE
        and skip.server_id in choice.holds
    ]
    if gone:
        await engine.service.release(gone)


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
    for operation in operations:
        again = operation.ended is not None and plan_retry(operation, {}, time.time()).server_ids
        if again and not inside:
            engine.narrator.say(f"`pitstop retry {operation.id}` tries again what did not end well")
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
        write_rows(HEADER, [_row(operation.action, target) for target in operation.targets.values()])
    else:
        plain = [
            [Cell(text) for text in (target.server_id, target.state.value, target.job_id, target.message)]
            for target in operation.targets.values()
        ]
        write_rows(HEADER[1:], plain)


def _row(action: Action, target: Target) -> list[Cell]:
    style = style_of(action, target.state)
    return [
        Cell(sign(style, sys.stdout), style.colour),
        Cell(target.server_id),
        Cell(style.word, style.colour),
        Cell(target.job_id),
        Cell(target.message),
    ]
