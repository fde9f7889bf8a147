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


def test_who_fetches_is_woken_once_until_the_next_fetch() -> None:
    box, woken = Outbox(), []
    box.on_events = lambda: woken.append(1)
    box.put(Latency(0.1))
    box.put(Latency(0.2))
    assert len(woken) == 1
    box.fetch()
    box.put(Latency(0.3))
    assert len(woken) == 2


def test_a_listener_that_is_gone_does_not_matter() -> None:
    def gone() -> None:
        raise RuntimeError("Event loop is closed")

    box = Outbox()
    box.on_events = gone
    box.put(Latency(0.1))
    assert box.fetch() == [Latency(0.1)]


def test_nobody_fetching_for_a_night_costs_no_more_than_what_is_newest() -> None:
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


def test_a_day_without_a_link_is_reported_once() -> None:
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


def begun(id_: str, states: list[State], *, elsewhere: bool) -> OperationStarted:
    targets = tuple(Target(server, state) for server, state in zip(IDS, states, strict=True))
    return OperationStarted(id_, OPERATIONS[id_], "ACME", "win", "", 0.0, targets, elsewhere=elsewhere)


STATES = st.sampled_from(list(State))
TIMES = st.integers(0, 9).map(float)
WORDS = st.sampled_from(["", "lost", "full"])
SOME_CENTERS = st.lists(st.sampled_from(CENTERS), unique=True).map(tuple)
TOLD: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        begun,
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
    st.builds(OperationNotStarted, st.just("x"), WORDS),
    st.builds(HeldInMaintenance, st.lists(st.sampled_from(IDS)).map(tuple)),
    st.builds(of_center, st.sampled_from(CENTERS), st.lists(SERVERS, max_size=3), TIMES),
    st.builds(ServersRead, st.lists(SERVERS, max_size=3).map(tuple), TIMES),
    st.builds(lambda server, at: DetailsRead(ServerDetails(server), at), SERVERS, TIMES),
    st.builds(DataCenterFailed, st.sampled_from(CENTERS), WORDS),
    st.builds(DataCentersListed, SOME_CENTERS),
    st.builds(RetryScheduled, TIMES),
    st.builds(FleetRead, SOME_CENTERS, SOME_CENTERS, TIMES),
    st.builds(FleetFailed, WORDS),
    st.builds(LinkChanged, st.sampled_from(list(Link)), WORDS, TIMES),
    st.builds(JournalChanged, WORDS),
    st.builds(Latency, TIMES),
    st.builds(PauseRequested, TIMES),
    st.builds(LoggedIn, st.just("op"), st.sampled_from(["ACME", "EMCA"]), st.just(()), st.just("test")),
)


def shown(events: list[Event]) -> dict[str, object]:
    """All that the console knows after these events."""
    picture = Store(clock=lambda: 0.0)
    picture.apply(events)
    known = dict(vars(picture), clock=None, fleet=vars(picture.fleet))
    known["operations"] = [
        (vars(operation), operation.summary()) for operation in picture.operations.values()
    ]
    return known


@given(st.lists(TOLD, max_size=40))
@settings(max_examples=400, deadline=None)
def test_a_screen_ends_with_the_same_picture_either_way(emitted: list[Event]) -> None:
    compacted = compact(emitted)
    assert shown(compacted) == shown(emitted)
    assert compact(compacted) == compacted


def test_the_latency_from_before_the_link_was_down_is_gone_with_the_trouble() -> None:
    events: list[Event] = [
        Latency(0.1),
        LinkChanged(Link.DOWN, "lost", 1.0),
        LinkChanged(Link.UP, "back", 2.0),
    ]
    assert compact(events) == events[2:]


def test_progress_does_not_pass_what_is_said_to_be_left_in_maintenance() -> None:
    events: list[Event] = [
        begun("x", [State.PLANNED] * 3, elsewhere=False),
        Progress("x", (Target("A", State.VERIFIED),)),
        HeldInMaintenance(("B",)),
        Progress("x", (Target("B", State.VERIFIED),)),
    ]
    assert shown(compact(events))["left"] == {"B"}


def test_a_server_brought_back_is_not_in_maintenance_again_because_another_goes_on() -> None:
    events: list[Event] = [
        begun("x", [State.EXECUTING] * 3, elsewhere=False),
        Progress("x", (Target("A", State.VERIFIED),)),
        begun("y", [State.EXECUTING] * 3, elsewhere=False),
        Progress("y", (Target("A", State.VERIFIED),)),
        Progress("x", (Target("B", State.VERIFIED),)),
    ]
    assert shown(compact(events))["left"] == {"B"}
