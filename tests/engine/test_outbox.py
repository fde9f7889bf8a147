"""Events between two threads."""

from hypothesis import given
from hypothesis import strategies as st

from tui.engine import outbox
from tui.engine.events import DataCenterRead, Event, Latency, OperationStarted, Progress
from tui.engine.outbox import Outbox, compact
from tui.model.group import DataCenter
from tui.model.operation import Action, Operation, State, Target
from tui.model.server import Server

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
    box.on_news = lambda: woken.append(1)
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
    box.on_news = gone
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
    assert len(box._events) <= outbox.COMPACT_AT
    events = compact(box.fetch())
    assert [type(event) for event in events] == [OperationStarted, Progress, Latency, DataCenterRead]
    progress, latency = events[1], events[2]
    assert isinstance(progress, Progress)
    assert {target.at for target in progress.targets} == {49_997.0, 49_998.0, 49_999.0}
    assert latency == Latency(49_999.0)


TOLD = st.one_of(
    st.builds(started, st.sampled_from(["x", "y"]), st.sampled_from(list(State))),
    st.builds(
        lambda id_, server, state: Progress(id_, (Target(server, state),)),
        st.sampled_from(["x", "y"]),
        st.sampled_from(IDS),
        st.sampled_from(list(State)),
    ),
)


@given(st.lists(TOLD, max_size=30))
def test_a_screen_ends_with_the_same_picture_either_way(told: list[Event]) -> None:
    def picture(events: list[Event]) -> dict[str, dict[str, Target]]:
        shown: dict[str, Operation] = {}
        for event in events:
            if isinstance(event, OperationStarted):
                shown[event.operation_id] = Operation(event.operation_id, event.action, IDS)
                shown[event.operation_id].restore(event.targets)
            elif isinstance(event, Progress) and event.operation_id in shown:
                shown[event.operation_id].restore(event.targets)
        return {id_: operation.targets for id_, operation in shown.items()}

    assert picture(compact(told)) == picture(told)
