"""What the journal says against what the sandbox knows: the promises, as questions with an answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.campaign.scenario import Scenario
from tui.model.operation import ENDED, Action, Operation, State
from tui.sandbox.queue import SETTLE_SECONDS

OPEN_ENDS = {State.SUCCEEDED, State.UNSURE}
"""States that say honestly that the outcome is not known; anything else must be the truth."""

SETTLED: Mapping[Action, tuple[str, object]] = {
    Action.START_MAINTENANCE: ("maintenance", True),
    Action.STOP_MAINTENANCE: ("maintenance", False),
    Action.POWER_ON: ("power", "started"),
    Action.POWER_OFF: ("power", "stopped"),
    Action.SHUT_DOWN: ("power", "stopped"),
    Action.PAUSE: ("power", "paused"),
}
"""Where the truth shows that an action was carried out; those that leave no trace are not here."""


def judge(
    scenario: Scenario,
    operation: Operation | None,
    action: Action,
    planned: Sequence[str],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    now: float,
) -> list[str]:
    """Every promise that was broken in one operation, in words.

    ``before`` and ``after`` are truths of the sandbox, ``after`` that of ``now``. ``operation`` is what the
    journal says of it at the end; None where the journal has never heard of it.
    """

    def ended_before(server_id: str, at: float) -> bool:
        """Whether any of the server's jobs had ended and showed by then: one may go on behind a refusal."""
        born = now - after["now"] + max(0.0, scenario.clock_jump)  # the engine's clock may have jumped
        jobs = [job for job in after["jobs"].values() if server_id in job["servers"]]
        shown = born + SETTLE_SECONDS[1]
        return any(job["operation"] == action.value and shown + job["ends"] <= at for job in jobs)

    def done(server_id: str, what: str) -> int:
        """How often the sandbox was asked to do it (``operations``), or did it (``queued``), meanwhile."""
        count: int = after["servers"][server_id][what].get(action.value, 0)
        return count - int(before["servers"][server_id][what].get(action.value, 0))

    wrong = [
        f"{id_} was POSTed {times} times for one {action.value}"
        for id_ in after["servers"]
        if (times := done(id_, "operations")) > 1
    ]
    wrong += [
        f"{id_} was POSTed and is not part of the {action.value}"
        for id_ in after["servers"]
        if done(id_, "operations") and id_ not in planned
    ]
    if operation is None:
        if any(done(id_, "operations") for id_ in after["servers"]):
            wrong.append(f"servers were POSTed for {action.value}, and the journal has no such operation")
        return wrong
    if set(operation.targets) != set(planned):
        wrong.append(f"the journal's servers are not the {len(planned)} of the plan")
    for id_, target in operation.targets.items():
        server = after["servers"][id_]
        field, wanted = SETTLED.get(action, ("", None))
        settled = server[field] == wanted if field else None
        match target.state:
            case State.VERIFIED if settled is False:
                wrong.append(f"{id_} is verified, and its {field} is {server[field]}")
            case State.FAILED if scenario.refused_after and settled and not ended_before(id_, target.at):
                pass  # It was true when it was said, after a look of a minute.
            case State.FAILED | State.CANCELLED | State.REFUSED if settled:
                wrong.append(f"{id_} is {target.state}, and its {field} is {wanted}")
            case State.UNSURE if settled and "untouched" in target.message:
                wrong.append(f"{id_} is said to be untouched, and its {field} is {wanted}")
            case State.REFUSED | State.CANCELLED if done(id_, "queued"):
                wrong.append(f"{id_} is {target.state}, and it was queued")
            case state if state not in ENDED | OPEN_ENDS:
                wrong.append(f"{id_} is still {state}")
            case state if state in OPEN_ENDS and scenario.certain and settled is not None:
                wrong.append(f"{id_} is {state}, and nothing happened that could leave it open")
    if operation.ended is None:
        wrong.append("the operation has not ended in the journal")
    return wrong
