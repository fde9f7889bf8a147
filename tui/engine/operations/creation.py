"""Creates operations: in a window and in the journal, before anything is sent."""

import secrets
import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.engine.operations.context import RunContext
from tui.model.operation import Action, Operation
from tui.model.plan import Plan
from tui.model.text import clean
from tui.model.window import Window

if TYPE_CHECKING:
    from tui.engine.journal.writer import JournalWriter

REASON_LIMIT = 500
"""Characters of a reason that are kept."""


def new_id(prefix: str, now: float) -> str:
    """Return a new id that sorts by time and can be read aloud, e.g. ``op-20261123-090153-4f2a1c``."""
    return f"{prefix}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{secrets.token_hex(3)}"


def new_operation(
    context: RunContext, plan: Plan, operation_id: str, reason: str, retry_of: str = ""
) -> Operation:
    """Return a plan as an operation with every server planned. It is not in the journal yet."""
    return Operation(
        operation_id,
        plan.action,
        plan.server_ids,
        account=context.account,
        reason=clean(reason.strip(), REASON_LIMIT),  # mostly pasted out of a ticket
        started=context.clock.now(),
        retry_of=retry_of,
    )


async def create_operation(
    context: RunContext,
    operation: Operation,
    plan: Plan,
    *,
    window_id: str = "",
    planned_end: float | None = None,
    max_failed: int | None = None,
) -> None:
    """Commit an operation to the journal, in a window; sets ``operation.window_id``.

    The window is the one with ``window_id``, which is opened when there is none. Without an id it is the
    open one that ``WindowHistory.window_of`` finds, else a new one. With ``planned_end`` it gets that.

    Raises:
        ServersBusy: some of its servers are under way in another operation.
        JournalError: it is not on disk, so nothing of it may be sent.
    """
    session, servers = context.session, context.inventory.fleet.servers
    now = context.clock.now()
    id_ = window_id or new_id("win", now)
    new = Window(id_, session.endpoint_key, context.account, session.user, now, operation.reason, planned_end)
    before = {id_: servers[id_].maintenance for id_ in plan.server_ids if id_ in servers}
    returned = plan.server_ids if plan.action is Action.STOP_MAINTENANCE else ()

    def write(journal: "JournalWriter") -> None:
        journal.history.close_ended(new.endpoint, new.account)
        window = journal.history.window_of(new, named=bool(window_id), returned=returned) or new
        if planned_end is not None:
            window = replace(window, planned_end=planned_end)
        operation.window_id = window.id
        journal.create(operation, plan, window, was_in_maintenance=before, max_failed=max_failed)

    await context.journal.do(write)
