"""Checks the servers that an interrupted operation never sent, before they are sent."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from tui.engine.operations.context import RunContext
from tui.model.operation import State
from tui.model.plan import PlanContext, make_plan

if TYPE_CHECKING:
    from tui.engine.journal.reader import StoredOperation


class Remainder(NamedTuple):
    """What happens to the servers that were never sent."""

    send: bool
    left_out: Mapping[str, str] = {}
    """Those that are not sent any more: server id -> reason."""
    not_sent_reason: str = ""
    """Why none is sent now although it was requested; empty when they are."""


async def plan_remainder(context: RunContext, stored: "StoredOperation") -> Remainder:
    """Decide by the newest reading which unsent servers are still sent.

    Servers that no longer exist, are already in the requested state or under way elsewhere are omitted.
    Nothing is sent when that reading failed.

    Raises:
        JournalError: the journal cannot be read.
    """
    operation, inventory = stored.operation, context.inventory
    unsent = operation.ids(State.PLANNED)
    if not unsent:
        return Remainder(send=True)
    wanted, problems = set(unsent), inventory.fleet.problems
    data_centers = {
        batch.data_center for batch in stored.plan.batches if not wanted.isdisjoint(batch.server_ids)
    }
    unread = "; ".join(f"{id_}: {problems[id_]}" for id_ in sorted(data_centers & problems.keys()))
    if inventory.fleet.unlisted or unread:
        return Remainder(send=False, not_sent_reason=inventory.fleet.unlisted or unread)
    at, account = context.session.endpoint_key, context.account
    prior = await context.journal.do(lambda journal: journal.prior_targets(at, account, besides=operation.id))
    known = PlanContext(context.clock.now(), prior)
    plan = make_plan(operation.action, unsent, inventory.fleet, context=known)
    return Remainder(
        send=True, left_out={skip.server_id: f"not sent: {skip.reason}" for skip in plan.skipped}
    )
