"""Events between two threads."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.console.store import Store
from tui.engine import outbox
from tui.engine.events import (
    DataCenterFailed,
    DataCenterRead,
    DataCentersListed,
    DetailsRead,
    Event,
    FleetFailed,
    FleetRead,
    HeldInMaintenance,
    JobDurations,
    JournalChanged,
    Latency,
    Link,
    LinkChanged,
    LoggedIn,
    OperationEnded,
    OperationNotStarted,
    OperationStarted,
    PauseRequested,
    Progress,
    RetryScheduled,
    ServersRead,
)
from tui.engine.outbox import Outbox, compact
from tui.model.group import DataCenter, Group
from tui.model.operation import Action, State, Target
from tui.model.server import Server, ServerDetails

IDS = ("A", "B", "C")


def started(operation_id: str, state: State = State.PLANNED) -> OperationStarted:
    targets = tuple(Target(id_, state) for id_ in IDS)
    return OperationStarted(operation_id, Action.PAUSE, "ACME", "win", "", 0.0, targets)


def test_events_come_out_once_and_in_order() -> None:
    box = Outbox()
    events: list[Event] = [Latency(0.1), started("op"), Latency(0.2)]
    for event in events:
        box.put(event)
    assert box.fetch() == events
    assert box.fetch() == []


def test_the_listener_is_called_once_until_the_next_fetch() -> None:
    box, woken = Outbox(), []
    box.on_events = lambda: woken.append(1)
    box.put(Latency(0.1))
    box.put(Latency(0.2))
    assert len(woken) == 1
    box.fetch()
    box.put(Latency(0.3))
    assert len(woken) == 2


def test_a_listener_that_raises_loses_no_event() -> None:
    def closed() -> None:
        raise RuntimeError("Event loop is closed")

    box = Outbox()
    box.on_events = closed
    box.put(Latency(0.1))
    assert box.fetch() == [Latency(0.1)]


def test_events_that_nobody_fetches_are_compacted_to_the_newest() -> None:
    box = Outbox()
    box.put(started("op"))
    for number in range(50_000):
        state = (State.QUEUED, State.EXECUTING)[number % 2]
        box.put(Progress("op", (Target(IDS[number % 3], state, at=float(number)),)))
        box.put(Latency(float(number)))
        box.put(DataCenterRead(DataCenter("WA1"), (), (Server("A", description=str(number)),), 0.0))
    assert len(box) <= outbox.COMPACT_AT
    events = compact(box.fetch())
    assert {type(event) for event in events} == {OperationStarted, Progress, Latency, DataCenterRead}
    targets = [target for event in events if isinstance(event, Progress) for target in event.targets]
    assert [target.at for target in targets] == [49_997.0, 49_998.0, 49_999.0]
    assert [event for event in events if isinstance(event, Latency)] == [Latency(49_999.0)]


def test_repeated_problems_are_compacted_to_the_last_of_each_kind() -> None:
    events: list[Event] = []
    for number in range(100):
        events += [
            LinkChanged(Link.DOWN, f"lost {number}", 0.0),
            RetryScheduled(float(number)),
            DataCentersListed(("WA1",)),
            DataCenterFailed("WA1", f"lost {number}"),
            FleetFailed(f"lost {number}"),
            JournalChanged(f"full {number}"),
            ServersRead((Server("WA1A", data_center="WA1", description=str(number)),), 0.0),
            FleetRead(("WA1",), (), float(number)),
            HeldInMaintenance((str(number),)),
        ]
    assert compact(events) == events[-9:]


CENTERS = ("WA1", "DE1")
SERVERS = st.builds(
    lambda center, letter, maintenance: Server(
        f"{center}{letter}", data_center=center, group_id=f"{center}-g", maintenance=maintenance
    ),
    st.sampled_from(CENTERS),
    st.sampled_from("AB"),
    st.booleans(),
)
OPERATIONS = {"x": Action.START_MAINTENANCE, "y": Action.STOP_MAINTENANCE, "z": Action.PAUSE}


def of_center(center: str, servers: list[Server], at: float) -> DataCenterRead:
    inside = {server.id: server for server in servers if server.data_center == center}
    groups = (Group(f"{center}-g", str(at), center),)
    return DataCenterRead(DataCenter(center, str(at)), groups, tuple(inside.values()), at)


def started_in(id_: str, states: list[State], *, elsewhere: bool) -> OperationStarted:
    targets = tuple(Target(server, state) for server, state in zip(IDS, states, strict=True))
    return OperationStarted(id_, OPERATIONS[id_], "ACME", "win", "", 0.0, targets, elsewhere=elsewhere)


STATES = st.sampled_from(list(State))
TIMES = st.integers(0, 9).map(float)
MESSAGES = st.sampled_from(["", "lost", "full"])
SOME_CENTERS = st.lists(st.sampled_from(CENTERS), unique=True).map(tuple)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        started_in,
        st.sampled_from(list(OPERATIONS)),
        st.lists(STATES, min_size=3, max_size=3),
        elsewhere=st.booleans(),
    ),
    st.builds(
        Progress,
        st.sampled_from(list(OPERATIONS)),
        st.lists(st.builds(Target, st.sampled_from(IDS), STATES, TIMES), max_size=3).map(tuple),
    ),
    st.builds(OperationEnded, st.sampled_from(list(OPERATIONS)), TIMES, st.just({})),
    st.builds(OperationNotStarted, st.just("x"), MESSAGES),
    st.builds(JobDurations, st.just({(Action.PAUSE, 1): (2.0,)}) | st.just({})),
    st.builds(HeldInMaintenance, st.lists(st.sampled_from(IDS)).map(tuple)),
    st.builds(of_center, st.sampled_from(CENTERS), st.lists(SERVERS, max_size=3), TIMES),
    st.builds(ServersRead, st.lists(SERVERS, max_size=3).map(tuple), TIMES),
    st.builds(lambda server, at: DetailsRead(ServerDetails(server), at), SERVERS, TIMES),
    st.builds(DataCenterFailed, st.sampled_from(CENTERS), MESSAGES),
    st.builds(DataCentersListed, SOME_CENTERS),
    st.builds(RetryScheduled, TIMES),
    st.builds(FleetRead, SOME_CENTERS, SOME_CENTERS, TIMES),
    st.builds(FleetFailed, MESSAGES),
    st.builds(LinkChanged, st.sampled_from(list(Link)), MESSAGES, TIMES),
    st.builds(JournalChanged, MESSAGES),
    st.builds(Latency, TIMES),
    st.builds(PauseRequested, TIMES),
    st.builds(LoggedIn, st.just("op"), st.sampled_from(["ACME", "EMCA"]), st.just(()), st.just("test")),
)


def shown(events: list[Event]) -> dict[str, object]:
    """The content of the console's store after these events."""
    store = Store(clock=lambda: 0.0)
    store.apply(events)
    content = dict(vars(store), clock=None, fleet=vars(store.fleet))
    content["operations"] = [
        (vars(operation), operation.summary()) for operation in store.operations.values()
    ]
    return content


def held(events: list[Event]) -> set[str]:
    """The servers that the console's store takes to be held after these events."""
    store = Store(clock=lambda: 0.0)
    store.apply(events)
    return set(store.held_in_maintenance)


@given(st.lists(EVENTS, max_size=40))
@settings(max_examples=400, deadline=None)
def test_compacted_events_lead_to_the_same_store(emitted: list[Event]) -> None:
    compacted = compact(emitted)
    assert shown(compacted) == shown(emitted)
    assert compact(compacted) == compacted


def test_the_latency_from_before_an_outage_is_dropped_after_it() -> None:
    events: list[Event] = [
        Latency(0.1),
        LinkChanged(Link.DOWN, "lost", 1.0),
        LinkChanged(Link.UP, "back", 2.0),
    ]
    assert compact(events) == events[2:]


def test_progress_is_not_moved_past_held_in_maintenance() -> None:
    events: list[Event] = [
        started_in("x", [State.PLANNED] * 3, elsewhere=False),
        Progress("x", (Target("A", State.VERIFIED),)),
        HeldInMaintenance(("B",)),
        Progress("x", (Target("B", State.VERIFIED),)),
    ]
    assert held(compact(events)) == {"B"}


def test_a_server_out_of_maintenance_is_not_held_again_by_later_progress() -> None:
    events: list[Event] = [
        started_in("x", [State.EXECUTING] * 3, elsewhere=False),
        Progress("x", (Target("A", State.VERIFIED),)),
        started_in("y", [State.EXECUTING] * 3, elsewhere=False),
        Progress("y", (Target("A", State.VERIFIED),)),
        Progress("x", (Target("B", State.VERIFIED),)),
    ]
    assert held(compact(events)) == {"B"}
