"""Compares the journal with the records of the sandbox: a pure function that checks the promises."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.campaign.promises import Promise, Violation
from tests.campaign.scenario import Scenario
from tui.model.operation import ENDED, Action, Operation, State
from tui.sandbox.queue import SETTLE_SECONDS

UNKNOWN_OUTCOMES = {State.SUCCEEDED, State.UNSURE}
"""States that say that the outcome is not known; any other final state must be true."""

SETTLED: Mapping[Action, tuple[str, object]] = {
    Action.START_MAINTENANCE: ("maintenance", True),
    Action.STOP_MAINTENANCE: ("maintenance", False),
    Action.POWER_ON: ("power", "started"),
    Action.POWER_OFF: ("power", "stopped"),
    Action.SHUT_DOWN: ("power", "stopped"),
    Action.PAUSE: ("power", "paused"),
}
"""Action -> the field and the value that show that it was carried out, where a field shows it."""


def judge(
    scenario: Scenario,
    operation: Operation | None,
    action: Action,
    planned: Sequence[str],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    now: float,
) -> list[Violation]:
    """Return every promise that was broken in one operation.

    ``before`` and ``after`` are the sandbox's own records, ``after`` at ``now``. ``operation`` is the
    operation as it is in the journal at the end; None where it is not in the journal.
    """

    def ended_before(server_id: str, at: float) -> bool:
        """Whether a job of the server had ended and showed by then: one may go on after a false refusal."""
        sandbox_started = (
            now - after["now"] + max(0.0, scenario.clock_jump)
        )  # the engine's clock may be wrong
        jobs = [job for job in after["jobs"].values() if server_id in job["servers"]]
        shown = sandbox_started + SETTLE_SECONDS[1]
        return any(job["operation"] == action.value and shown + job["ends"] <= at for job in jobs)

    def requests(server_id: str, what: str) -> int:
        """How often the action was requested (``operations``) or queued (``queued``) meanwhile."""
        count: int = after["servers"][server_id][what].get(action.value, 0)
        return count - int(before["servers"][server_id][what].get(action.value, 0))

    violations = [
        Violation(Promise.ONCE, f"{id_} was POSTed {times} times for one {action.value}")
        for id_ in after["servers"]
        if (times := requests(id_, "operations")) > 1
    ]
    violations += [
        Violation(Promise.INTENT_FIRST, f"{id_} was POSTed and is not part of the {action.value}")
        for id_ in after["servers"]
        if requests(id_, "operations") and id_ not in planned
    ]
    if operation is None:
        if any(requests(id_, "operations") for id_ in after["servers"]):
            what = f"servers were POSTed for {action.value}, and the journal has no such operation"
            violations.append(Violation(Promise.INTENT_FIRST, what))
        return violations
    if set(operation.targets) != set(planned):
        what = f"the journal's servers are not the {len(planned)} of the plan"
        violations.append(Violation(Promise.NO_SERVER_LOST, what))

    def broken(promise: Promise, what: str) -> None:
        violations.append(Violation(promise, what))

    for id_, target in operation.targets.items():
        server = after["servers"][id_]
        field, wanted = SETTLED.get(action, ("", None))
        settled = server[field] == wanted if field else None
        match target.state:
            case State.VERIFIED if settled is False:
                broken(Promise.VERIFIED, f"{id_} is verified, and its {field} is {server[field]}")
            case State.FAILED if scenario.refused_after and settled and not ended_before(id_, target.at):
                pass  # It was true when it was recorded, after a minute of readings.
            case State.FAILED | State.CANCELLED | State.REFUSED if settled:
                broken(Promise.OUTCOME_TRUE, f"{id_} is {target.state}, and its {field} is {wanted}")
            case State.UNSURE if settled and "untouched" in target.message:
                broken(Promise.OUTCOME_TRUE, f"{id_} is called untouched, and its {field} is {wanted}")
            case State.REFUSED | State.CANCELLED if requests(id_, "queued"):
                broken(Promise.OUTCOME_TRUE, f"{id_} is {target.state}, and it was queued")
            case state if state not in ENDED | UNKNOWN_OUTCOMES:
                broken(Promise.NO_SERVER_LOST, f"{id_} is still {state}")
            case state if state in UNKNOWN_OUTCOMES and scenario.certain and settled is not None:
                broken(
                    Promise.NO_SERVER_LOST, f"{id_} is {state}, and nothing happened that could leave it open"
                )
    if operation.ended is None:
        violations.append(Violation(Promise.ENDS, "the operation has not ended in the journal"))
    return violations
