"""How an operation begins: in the journal, in a window, before anything of it is sent."""

import secrets
import time

from tui.engine.services import Services
from tui.model.operation import Operation
from tui.model.plan import Plan
from tui.model.text import clean
from tui.model.window import Window

REASON_LIMIT = 500
"""Characters of a reason that are kept."""


def new_id(prefix: str, now: float) -> str:
    """An id that sorts by time and that a person can read out, e.g. ``op-20261123-090153-4f2a1c``."""
    return f"{prefix}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{secrets.token_hex(3)}"


def write_down(
    services: Services, plan: Plan, operation_id: str, window_id: str, reason: str, max_failed: int | None
) -> Operation:
    """Write a plan down as an operation, every server of it planned.

    Raises:
        JournalError: it is not on disk, so nothing of it may be sent.
    """
    reason = clean(reason.strip(), REASON_LIMIT)  # mostly pasted out of a ticket
    window = _window(services, window_id, reason)
    operation = Operation(
        operation_id,
        plan.action,
        plan.server_ids,
        account=services.account,
        window_id=window.id,
        reason=reason,
        started=services.clock.now(),
    )
    servers = services.inventory.fleet.servers
    before = {id_: servers[id_].maintenance for id_ in plan.server_ids if id_ in servers}
    services.journal.begin(operation, plan, window, was_in_maintenance=before, max_failed=max_failed)
    return operation


def _window(services: Services, window_id: str, reason: str) -> Window:
    """The window of that id; without an id the open one of the same user and reason; else a new one."""
    session = services.session
    at, account, user = session.place, session.account, session.user
    for window in reversed(services.journal.windows(at, account)):
        if window.id == window_id or (
            not window_id and window.closed is None and (window.reason, window.user) == (reason, user)
        ):
            return window
    now = services.clock.now()
    return Window(window_id or new_id("win", now), at, account, user, now, reason)
