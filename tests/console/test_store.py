"""The store: what the console shows, made from the engine's events; no screen."""

import inspect

import pytest

from tests.console.scripted import CENTER, GROUPS, NOW, fleet_of, server
from tui.console.store import KEPT_OPERATIONS, Store
from tui.engine import events
from tui.model.group import DataCenter
from tui.model.operation import Action, State, Target
from tui.model.prior import PriorTarget


def center_read(*servers: object, at: float = NOW) -> events.DataCenterRead:
    return events.DataCenterRead(CENTER, GROUPS, tuple(servers), at)  # type: ignore[arg-type]


def operation_started(id_: str, *ids: str, at: float = NOW) -> events.OperationStarted:
    targets = tuple(Target(one, at=at) for one in ids)
    return events.OperationStarted(id_, Action.START_MAINTENANCE, "ACME", "w", "CHG-1", at, targets)


def test_a_reading_fills_the_fleet_and_changes_the_list() -> None:
    store = Store()
    change = store.apply([center_read(*fleet_of(4)), events.FleetRead(("WA1",), (), NOW)])
    assert len(store.fleet.servers) == 4
    assert change.fleet
    assert change.status
    assert store.read_at == NOW


def test_reading_the_same_servers_again_changes_no_list() -> None:
    store = Store()
    store.apply([center_read(*fleet_of(4))])
    change = store.apply([center_read(*fleet_of(4), at=NOW + 30)])
    assert not change.fleet
    assert not change.servers


def test_a_changed_server_is_named_and_the_list_stays() -> None:
    store = Store()
    store.apply([center_read(*fleet_of(4))])
    changed = server(2, maintenance=True)
    change = store.apply([events.ServersRead((changed,), NOW)])
    assert change.servers == {changed.id}
    assert not change.fleet


def test_a_removed_data_center_removes_its_servers() -> None:
    store = Store()
    other = DataCenter("CA3", "Canada", "ca3-0")
    store.apply(
        [center_read(*fleet_of(2)), events.DataCenterRead(other, (), (server(9, data_center="CA3"),), NOW)]
    )
    change = store.apply([events.FleetRead(("WA1",), (), NOW)])
    assert change.fleet
    assert {one.data_center for one in store.fleet.servers.values()} == {"WA1"}


def failed_reading(*names: str, how: str = "the endpoint failed (500)") -> list[events.Event]:
    """A reading in which these data centers could not be read."""
    return [*(events.DataCenterFailed(name, how) for name in names), events.FleetRead(names, names, NOW)]


def test_a_failing_data_center_is_reported_once_and_keeps_its_servers() -> None:
    store = Store()
    store.apply([center_read(*fleet_of(2))])
    first = store.apply(failed_reading("WA1"))
    again = store.apply(failed_reading("WA1"))
    assert [notice.message for notice in first.notices] == [
        "WA1 could not be read: the endpoint failed (500)"
    ]
    assert not again.notices
    assert len(store.fleet.servers) == 2


def test_data_centers_that_fail_alike_are_reported_in_one_notice() -> None:
    """Even if their events arrive one by one."""
    store = Store()
    *each, end = failed_reading("NY1", "VA1", "WA1")
    assert not any(store.apply([event]).notices for event in each)
    (notice,) = store.apply([end]).notices
    assert notice.message == "NY1, VA1 and WA1 could not be read: the endpoint failed (500)"


def test_events_of_a_server_merge_into_its_newest_state_in_order_of_the_last() -> None:
    store = Store()
    new_events: list[events.Event] = [operation_started("op", "A", "B", "C")]
    for state in (State.SUBMITTING, State.QUEUED, State.EXECUTING):
        new_events += [events.Progress("op", (Target(one, state, NOW),)) for one in ("B", "A")]
    change = store.apply(new_events)
    assert [(one, target.state) for one, target in change.targets["op"].items()] == [
        ("C", State.PLANNED),
        ("B", State.EXECUTING),
        ("A", State.EXECUTING),
    ]
    assert store.operations["op"].summary() == {"planned": 1, "executing": 2}


def test_running_operations_and_unsettled_servers_are_counted() -> None:
    store = Store()
    store.apply(
        [operation_started("op", "A", "B"), events.Progress("op", (Target("A", State.SUBMITTING, NOW),))]
    )
    assert [operation.id for operation in store.running()] == ["op"]
    assert store.unsettled() == 2
    store.apply([events.OperationEnded("op", NOW + 9, {})])
    assert not store.running()


def test_progress_of_an_unknown_operation_or_server_is_ignored() -> None:
    store = Store()
    store.apply(
        [
            operation_started("op", "A"),
            events.Progress("other", (Target("A"),)),
            events.Progress("op", (Target("Z"),)),
        ]
    )
    assert list(store.operations["op"].targets) == ["A"]


def test_old_ended_operations_are_dropped_and_running_ones_never() -> None:
    store = Store()
    store.apply([operation_started("running", "A")])
    for number in range(KEPT_OPERATIONS + 5):
        store.apply([operation_started(f"op-{number}", "A"), events.OperationEnded(f"op-{number}", NOW, {})])
    assert len(store.operations) == KEPT_OPERATIONS + 1
    assert "running" in store.operations


def test_latency_that_rounds_to_the_same_value_is_no_change() -> None:
    store = Store()
    assert store.apply([events.Latency(0.034)]).status
    assert not store.apply([events.Latency(0.0341)])


@pytest.mark.parametrize("link", list(events.Link))
def test_a_change_of_the_link_is_reported_with_its_message(link: events.Link) -> None:
    change = Store().apply([events.LinkChanged(link, "the endpoint does not answer", NOW)])
    assert [notice.message for notice in change.notices] == ["the endpoint does not answer"]
    assert change.status


def test_pruning_of_the_journal_is_reported() -> None:
    change = Store().apply([events.JournalPruned("The journal forgot 2 operations")])
    assert [notice.message for notice in change.notices] == ["The journal forgot 2 operations"]


def test_journal_trouble_and_its_end_are_reported() -> None:
    store = Store()
    store.apply([events.JournalChanged("the disk is full; make room")])
    assert store.journal_trouble == "the disk is full; make room"
    change = store.apply([events.JournalChanged("")])
    assert store.journal_trouble == ""
    assert change.notices


def test_the_store_handles_every_event_of_the_engine() -> None:
    known = set(events.Event.__subclasses__())
    source = inspect.getsource(Store)
    assert known
    assert [event for event in known if f"events.{event.__name__}()" not in source] == []


def test_no_latency_is_kept_while_the_link_is_down_or_failing() -> None:
    for link in (events.Link.DOWN, events.Link.FAILING):
        store = Store()
        store.apply([events.Latency(0.01), events.LinkChanged(link, "it failed", NOW)])
        assert (store.link, store.latency) == (link, None)
        store.apply([events.Latency(0.02), events.LinkChanged(events.Link.UP, "it answers again", NOW)])
        assert (store.link, store.latency) == (events.Link.UP, 0.02)


def test_failed_readings_are_reported_once_until_one_succeeds() -> None:
    store = Store()
    reports = [store.apply([events.FleetFailed(f"timed out after {n} s")]).notices for n in range(300)]
    assert [len(notices) for notices in reports] == [1, *[0] * 299]
    assert store.trouble == "timed out after 299 s"
    store.apply([events.FleetRead(("WA1",), (), NOW)])
    assert store.apply([events.FleetFailed("timed out")]).notices


def test_a_data_center_failing_with_another_message_is_not_reported_again() -> None:
    store = Store()
    store.apply([center_read(*fleet_of(2)), *failed_reading("WA1")])
    assert not store.apply(failed_reading("WA1", how="the endpoint failed (502)")).notices
    assert store.fleet.problems == {"WA1": "the endpoint failed (502)"}
    store.apply([center_read(*fleet_of(2)), events.FleetRead(("WA1",), (), NOW)])
    assert store.apply(failed_reading("WA1")).notices


def test_one_cause_gives_one_notice() -> None:
    down = events.LinkChanged(events.Link.DOWN, "connection refused", NOW)
    assert len(Store().apply([down, events.FleetFailed("connection refused")]).notices) == 1
    store = Store()
    store.apply([down])
    assert not store.apply([events.FleetFailed("connection refused")]).notices


def test_an_operation_that_was_not_started_is_reported_in_one_sentence() -> None:
    (notice,) = Store().apply([events.OperationNotStarted("op", "nothing was sent: log in first")]).notices
    assert notice.message == "Nothing was sent: log in first"


def test_the_plan_context_has_targets_under_way_here_and_elsewhere() -> None:
    store = Store(clock=lambda: NOW)
    other = PriorTarget("op-2", Action.POWER_OFF, State.QUEUED, NOW, NOW, open=True)
    stale = PriorTarget("op-1", Action.START_MAINTENANCE, State.QUEUED, NOW, NOW, open=True)
    store.apply([operation_started("op-1", "A", "B"), events.PriorTargets({"A": stale, "C": other})])
    store.apply([events.Progress("op-1", (Target("A", State.SUBMITTING, NOW),))])
    assert {id_: one.action for id_, one in store.plan_context().prior.items() if one.under_way} == {
        "A": Action.START_MAINTENANCE,
        "B": Action.START_MAINTENANCE,
        "C": Action.POWER_OFF,
    }
    ended = (Target("A", State.VERIFIED, NOW), Target("B", State.CANCELLED, NOW))
    store.apply([events.Progress("op-1", ended), events.OperationEnded("op-1", NOW, {})])
    assert set(store.plan_context().prior) == {"C"}, (
        "events of this console are newer than the journal's answer"
    )


def test_own_servers_in_maintenance_are_unknown_until_the_journal_is_read() -> None:
    store = Store()
    assert store.plan_context().mine is None
    store.apply([events.HeldInMaintenance(("A",))])
    assert store.plan_context().mine == {"A"}


def test_a_state_is_dropped_when_the_server_changes_afterwards() -> None:
    store = Store()
    id_ = server(2).id
    store.apply([center_read(*fleet_of(4)), operation_started("op", id_)])
    store.apply([events.ServersRead((server(2, maintenance=True),), NOW)])
    change = store.apply([events.Progress("op", (Target(id_, State.EXECUTING, NOW),))])
    assert store.states(change)[id_] is not None
    verified = Target(id_, State.VERIFIED, NOW)
    change = store.apply([events.Progress("op", (verified,)), events.OperationEnded("op", NOW, {})])
    assert store.states(change) == {id_: verified}
    change = store.apply([events.ServersRead((server(2, maintenance=False),), NOW)])
    assert store.states(change) == {id_: None}
    change = store.apply([operation_started("op-2", id_)])
    assert store.states(change) == {id_: Target(id_, at=NOW)}
    change = store.apply([events.Progress("op", (verified,))])
    assert store.states(change) == {id_: Target(id_, at=NOW)}, "the newest operation counts"
