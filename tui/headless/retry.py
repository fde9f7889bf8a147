"""`pitstop retry`."""

import time
from collections.abc import Sequence

import msgspec

from tui.engine.journal.reader import StoredOperation
from tui.headless.choice import Request, plan_servers, wave_size
from tui.headless.engine import HeadlessConfig, HeadlessEngine, logged_in
from tui.headless.exits import Exit, Stop
from tui.headless.narration import MAX_IDS, Narrator
from tui.headless.operate import Origin, carry_out, check_writable, report
from tui.model.operation import STATE_STYLES, State
from tui.model.outlook import Outlook
from tui.model.plan import Plan
from tui.model.prior import operation_name
from tui.model.retry import Retry, plan_retry
from tui.model.text import clean, counted, named


async def retry(config: HeadlessConfig, narrator: Narrator, request: Request, operation_id: str) -> Exit:
    """Try again what did not end well in an operation, as a new operation that refers to it.

    Args:
        config: Where and as whom.
        narrator: Reports the progress.
        request: How; its reason is that of the operation when empty.
        operation_id: Of the operation; the newest that has anything to try again when empty.

    Raises:
        Stop: nothing was sent.
    """
    check_writable(config)
    wave_size(request.wave, 1)
    async with logged_in(config, narrator) as engine:
        stored = await engine.service.to_retry(operation_id)
        if stored is None and operation_id:
            unknown = clean(operation_id, 60)
            raise Stop(Exit.USAGE, f"the journal has no operation {unknown}; nothing was sent")
        if stored is None:
            narrator.say(f"nothing is to be tried again at {config.endpoint.name}")
            return Exit.VERIFIED
        _check(stored, engine)
        found = plan_retry(stored.operation, stored.later, time.time())
        _report(stored, found, narrator)
        plan, outlook = await _plan(stored, found, request, engine)
        reason = request.reason or stored.operation.reason
        request = msgspec.structs.replace(request, reason=reason)
        operation = await carry_out(engine, plan, outlook, request, _origin(stored, reason, engine))
    return report(engine, plan, outlook, request, operation)


def _origin(stored: StoredOperation, reason: str, engine: HeadlessEngine) -> Origin:
    """The operation, and its window where that is still this operator's for this reason."""
    window = stored.window
    same = (window.user, window.reason) == (engine.service.session.user, reason) and window.closed is None
    return Origin(stored.operation.id, window.id if same else "")


def _check(stored: StoredOperation, engine: HeadlessEngine) -> None:
    """Raise Stop where the operation belongs elsewhere, or something of it may still change."""
    operation, window, session = stored.operation, stored.window, engine.service.session
    name = f"{_name(stored)} ({operation.id})"
    if (window.endpoint, window.account) != (session.endpoint_key, session.account):
        where = f"--api-url {window.endpoint} --account {window.account}"
        raise Stop(Exit.USAGE, clean(f"{name} was at another place: say {where}; nothing was sent"))
    if stored.elsewhere:
        raise Stop(
            Exit.UNSURE,
            clean(
                f"{name} is carried out by another Pitstop right now; nothing was sent; "
                "`pitstop resume` watches it, and what does not end well can be tried again after that"
            ),
        )
    if operation.ended is None:
        raise Stop(
            Exit.UNSURE,
            clean(
                f"{name} has not ended; nothing was sent; `pitstop resume` settles it first, "
                "with --send-rest also what was never sent"
            ),
        )


def _report(stored: StoredOperation, found: Retry, narrator: Narrator) -> None:
    counts = [f"{number:,} {STATE_STYLES[State(state)].word}" for state, number in found.counts.items()]
    narrator.say(clean(f"Retry of {_name(stored)}, {stored.operation.id}: {', '.join(counts) or 'nothing'}"))
    if found.unknown:
        was = "was" if len(found.unknown) == 1 else "were"
        narrator.say(f"  {counted(len(found.unknown))} {was} unsure, so read first: {_ids(found.unknown)}")


def _name(stored: StoredOperation) -> str:
    operation = stored.operation
    return operation_name(operation.action, operation.started, operation.reason, time.time())


def _ids(ids: Sequence[str]) -> str:
    return named(ids, MAX_IDS)


async def _plan(
    stored: StoredOperation, found: Retry, request: Request, engine: HeadlessEngine
) -> tuple[Plan, Outlook]:
    """Plan what is to be tried again, by a reading of this moment.

    Raises:
        Stop: some of the servers cannot be read now.
    """
    fleet = await engine.read_fleet()
    await engine.report_unfinished(here=True)
    unread = [id_ for id_ in found.server_ids if id_ not in fleet.servers]
    if unread and fleet.problems:
        failed = ", ".join(fleet.problems)
        raise Stop(Exit.UNREACHABLE, f"{failed} could not be read, and so {_ids(unread)}; nothing was sent")
    plan, outlook = await plan_servers(stored.operation.action, found.server_ids, request.wave, engine)
    return msgspec.structs.replace(plan, skipped=(*found.left_out, *plan.skipped)), outlook
