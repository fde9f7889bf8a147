"""How an operation begins: in the journal, in a window, before anything of it is sent."""

import secrets
import time
from typing import TYPE_CHECKING

from tui.engine.operations.context import RunContext
from tui.model.operation import Operation
from tui.model.plan import Plan
from tui.model.text import clean
from tui.model.window import Window

if TYPE_CHECKING:
    from tui.engine.journal.writer import JournalWriter

REASON_LIMIT = 500
"""Characters of a reason that are kept."""


def new_id(prefix: str, now: float) -> str:
    """An id that sorts by time and that a person can read out, e.g. ``op-20261123-090153-4f2a1c``."""
    return f"{prefix}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{secrets.token_hex(3)}"


def new_operation(context: RunContext, plan: Plan, operation_id: str, reason: str) -> Operation:
    """A plan as an operation, every server of it planned. It is not in the journal yet."""
    return Operation(
        operation_id,
        plan.action,
        plan.server_ids,
        account=context.account,
        reason=clean(reason.strip(), REASON_LIMIT),  # mostly pasted out of a ticket
        started=context.clock.now(),
    )


async def create_operation(
    context: RunContext, operation: Operation, plan: Plan, window_id: str, max_failed: int | None
) -> None:
    """Write an operation down, in the window of that id; the operation says then in which it is.

    Without an id it is the open window of the same user and reason, else a new one.

    Raises:
        JournalError: it is not on disk, so nothing of it may be sent.
    """
    session, servers = context.session, context.inventory.fleet.servers
    now = context.clock.now()
    id_ = window_id or new_id("win", now)
    new = Window(id_, session.endpoint_key, context.account, session.user, now, operation.reason)
    before = {id_: servers[id_].maintenance for id_ in plan.server_ids if id_ in servers}

    def write(journal: "JournalWriter") -> None:
        window = journal.window_of(new, named=bool(window_id)) or new
        operation.window_id = window.id
        journal.begin(operation, plan, window, was_in_maintenance=before, max_failed=max_failed)

    await context.journal.do(write)
