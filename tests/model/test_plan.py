"""Plans: eligible and skipped servers, batches and waves."""

import time

import pytest

from tui.model.fleet import Fleet
from tui.model.group import DataCenter
from tui.model.operation import Action, State
from tui.model.plan import PlanContext, Skip, ineligible_reason, make_plan, may_operate
from tui.model.prior import PriorTarget
from tui.model.server import Server


def active(
    id_: str, *, maintenance: bool | None = False, status: str = "active", power: str = "started"
) -> Server:
    """A server that is eligible for any action."""
    return Server(id_, data_center=id_[:3], maintenance=maintenance, status=status, power=power)


def fleet_of(*servers: Server) -> Fleet:
    """A fleet that holds just these."""
    fleet = Fleet("ACME")
    for data_center in sorted({server.data_center for server in servers}):
        mine = [server for server in servers if server.data_center == data_center]
        fleet.replace(DataCenter(data_center), [], mine, at=0.0)
    return fleet


def test_one_batch_per_data_center_however_they_were_marked() -> None:
    fleet = fleet_of(active("WA1A"), active("DE1A"), active("WA1B"))
    plan = make_plan(Action.START_MAINTENANCE, ["WA1A", "DE1A", "WA1B"], fleet)
    assert [(b.data_center, b.server_ids) for b in plan.batches] == [
        ("DE1", ("DE1A",)),
        ("WA1", ("WA1A", "WA1B")),
    ]
    assert plan.waves == 1


def test_batches_are_never_larger_than_requested() -> None:
    fleet = fleet_of(*(active(f"WA1{n:03}") for n in range(250)))
    plan = make_plan(Action.PAUSE, fleet.servers, fleet)
    assert plan.action is Action.PAUSE
    assert [len(batch.server_ids) for batch in plan.batches] == [100, 100, 50]
    assert list(plan.server_ids) == list(fleet.servers)
    small = make_plan(Action.PAUSE, ["WA1000", "WA1001", "WA1002"], fleet, batch_size=1, wave_size=2)
    assert [(batch.wave, batch.server_ids) for batch in small.batches] == [
        (0, ("WA1000",)), (0, ("WA1001",)), (1, ("WA1002",)),
    ]  # fmt: skip
    assert make_plan(Action.PAUSE, ["WA1000", "WA1001"], fleet, wave_size=1).waves == 2


def test_waves_are_cut_before_batches_in_the_order_given() -> None:
    fleet = fleet_of(active("WA1A"), active("DE1A"), active("WA1B"))
    plan = make_plan(Action.START_MAINTENANCE, ["WA1A", "DE1A", "WA1B"], fleet, wave_size=2)
    assert [(b.index, b.wave, b.server_ids) for b in plan.batches] == [
        (0, 0, ("DE1A",)),
        (1, 0, ("WA1A",)),
        (2, 1, ("WA1B",)),
    ]
    assert plan.waves == 2


def test_a_server_named_twice_in_any_case_is_planned_once() -> None:
    fleet = fleet_of(active("WA1A"))
    plan = make_plan(Action.START_MAINTENANCE, ["wa1a", "WA1A", "Wa1a", "wa1x", "WA1X"], fleet)
    assert plan.server_ids == ("WA1A",)
    assert [(skip.server_id, skip.reason) for skip in plan.skipped] == [("WA1X", "not found")]


def test_an_empty_plan_has_no_waves() -> None:
    plan = make_plan(Action.START_MAINTENANCE, [], Fleet())
    assert (plan.batches, plan.skipped, plan.waves) == ((), (), 0)


@pytest.mark.parametrize(
    ("action", "server", "reason"),
    [
        (Action.START_MAINTENANCE, active("A", maintenance=True), "already in maintenance"),
        (Action.STOP_MAINTENANCE, active("A"), "not in maintenance"),
        (Action.START_MAINTENANCE, active("A", status="archived"), "not active (archived)"),
        (Action.START_MAINTENANCE, active("A", status=""), "not active (status not known)"),
        (Action.POWER_ON, active("A"), "already started"),
        (Action.SHUT_DOWN, active("A", power="stopped"), "already stopped"),
        (Action.REBOOT, active("A"), None),
        (Action.REBOOT, active("A", power="stopped"), "not started (stopped)"),
        (Action.RESET, active("A", power="paused"), "not started (paused)"),
        (Action.SHUT_DOWN, active("A", power="paused"), "not started (paused)"),
        (Action.PAUSE, active("A", power="stopped"), "not started (stopped)"),
        (Action.PAUSE, active("A", power="paused"), "already paused"),
        (Action.POWER_ON, active("A", power="paused"), None),
        (Action.POWER_OFF, active("A", power="paused"), None),
        (Action.RESET, Server("A", status="active"), None),
        (Action.RESET, active("A", status="archived", power="stopped"), "not active (archived)"),
        (Action.START_MAINTENANCE, active("A", maintenance=None), None),
        (Action.START_MAINTENANCE, Server("A", status="Active", is_template=True), "a template"),
    ],
)
def test_the_reason_why_a_server_is_not_eligible(action: Action, server: Server, reason: str | None) -> None:
    assert ineligible_reason(action, server) == reason


def test_a_viewer_may_operate_no_server() -> None:
    fleet = fleet_of(active("WA1A"))
    plan = make_plan(Action.START_MAINTENANCE, ["WA1A"], fleet, roles=("AccountViewer",))
    assert plan.server_ids == ()
    assert plan.skipped_by_reason() == {"not allowed by your role": ["WA1A"]}
    assert may_operate(("AccountViewer", "ServerOperator"))


def test_reasons_are_given_with_the_most_frequent_first() -> None:
    fleet = fleet_of(active("WA1A", maintenance=True), active("WA1B", status="archived"))
    plan = make_plan(Action.START_MAINTENANCE, ["WA1A", "NOPE", "NOR1", "WA1B"], fleet)
    assert list(plan.skipped_by_reason().items()) == [
        ("not found", ["NOPE", "NOR1"]),
        ("already in maintenance", ["WA1A"]),
        ("not active (archived)", ["WA1B"]),
    ]


@pytest.mark.parametrize(("batch_size", "wave_size"), [(0, None), (100, 0)])
def test_sizes_below_one_raise(batch_size: int, wave_size: int | None) -> None:
    with pytest.raises(ValueError, match=r"^batch and wave sizes start at 1$"):
        make_plan(Action.START_MAINTENANCE, [], Fleet(), batch_size=batch_size, wave_size=wave_size)


NOW = 1_700_000_000.0


def context_with(action: Action, state: State, *ids: str, open: bool = False) -> PlanContext:  # noqa: A002
    """A context in which an operation on these servers has just started."""
    prior = PriorTarget("op-1", action, state, NOW, NOW, "CHG-1", open)
    return PlanContext(NOW, dict.fromkeys(ids, prior), mine=frozenset(ids))


@pytest.mark.parametrize("action", [Action.START_MAINTENANCE, Action.STOP_MAINTENANCE, Action.REBOOT])
def test_a_server_under_way_is_skipped_whatever_the_action(action: Action) -> None:
    fleet = fleet_of(active("WA1A"), active("WA1B", maintenance=True))
    context = context_with(Action.START_MAINTENANCE, State.QUEUED, "WA1A", "WA1B", open=True)
    plan = make_plan(action, ["WA1A", "WA1B"], fleet, context=context)
    assert plan.server_ids == ()
    assert [(skip.server_id, skip.open) for skip in plan.skipped] == [("WA1A", True), ("WA1B", True)]
    (reason,) = plan.skipped_by_reason()
    when = time.strftime("%H:%M", time.localtime(NOW))
    assert reason == f"still under way: start maintenance of {when} (CHG-1) has not ended"


def test_an_unsure_server_is_skipped_as_unsure_not_as_out_of_maintenance() -> None:
    context = context_with(Action.START_MAINTENANCE, State.UNSURE, "WA1A")
    plan = make_plan(
        Action.STOP_MAINTENANCE, ["WA1A", "WA1B"], fleet_of(active("WA1A"), active("WA1B")), context=context
    )
    unsure, other = plan.skipped
    assert unsure.reason.startswith("unsure: whether start maintenance of ")
    assert (unsure.server_id, unsure.open) == ("WA1A", True)
    assert other == Skip("WA1B", "not in maintenance")


def test_a_reading_that_shows_the_requested_state_settles_an_unsure_server() -> None:
    fleet = fleet_of(active("WA1A", maintenance=True))
    context = context_with(Action.START_MAINTENANCE, State.UNSURE, "WA1A")
    assert make_plan(Action.STOP_MAINTENANCE, ["WA1A"], fleet, context=context).server_ids == ("WA1A",)
    (skip,) = make_plan(Action.START_MAINTENANCE, ["WA1A"], fleet, context=context).skipped
    assert skip == Skip("WA1A", "already in maintenance")


def test_an_unsure_power_operation_does_not_affect_maintenance() -> None:
    context = context_with(Action.POWER_OFF, State.UNSURE, "WA1A")
    (skip,) = make_plan(Action.STOP_MAINTENANCE, ["WA1A"], fleet_of(active("WA1A")), context=context).skipped
    assert skip.reason == "not in maintenance"
