"""What an interrupted operation never sent, looked at again before it goes out."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from tui.engine.operations.context import RunContext
from tui.model.operation import State
from tui.model.plan import Before, make_plan

if TYPE_CHECKING:
    from tui.engine.journal.reader import StoredOperation


class Remainder(NamedTuple):
    """What is to become of the servers that were never sent."""

    send: bool
    left_out: Mapping[str, str] = {}
    """Those that are not to be sent any more: server id -> why not."""
    not_sent_reason: str = ""
    """Why none is sent now, though it was asked for."""


async def plan_remainder(context: RunContext, stored: "StoredOperation") -> Remainder:
    """Decide by the newest reading: who is as asked by now, gone, or under way elsewhere is left out.

    Where that reading failed, nothing is sent. Raises JournalError.
    """
    operation, inventory = stored.operation, context.inventory
    unsent = operation.ids(State.PLANNED)
    if not unsent:
        return Remainder(send=True)
    wanted, problems = set(unsent), inventory.fleet.problems
    places = {batch.data_center for batch in stored.plan.batches if not wanted.isdisjoint(batch.server_ids)}
    unread = "; ".join(f"{id_}: {problems[id_]}" for id_ in sorted(places & problems.keys()))
    if inventory.fleet.unlisted or unread:
        return Remainder(send=False, not_sent_reason=inventory.fleet.unlisted or unread)
    at, account = context.session.endpoint_key, context.account
    others = await context.journal.do(lambda journal: journal.standings(at, account, besides=operation.id))
    before = Before(context.clock.now(), others)
    plan = make_plan(operation.action, unsent, inventory.fleet, before=before)
    return Remainder(
        send=True, left_out={skip.server_id: f"not sent: {skip.reason}" for skip in plan.skipped}
    )
