"""Events on their way to another thread. Bounded, however long nobody fetches them."""

import contextlib
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable

from tui.engine.events import DataCenterRead, Event, FleetRead, Latency, OperationStarted, Progress

COMPACT_AT = 512


class Outbox:
    """Put in by one thread, fetched by another.

    A screen on a stalled terminal fetches nothing for minutes. What it would show is the newest anyway, so
    then the older of two tellings of the same thing is dropped; the order of the others stays.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: deque[Event] = deque()
        self._compact_at = COMPACT_AT
        self.on_news: Callable[[], None] | None = None
        """Called by the putting thread when there is something to fetch after nothing was."""

    def put(self, event: Event) -> None:
        """Add an event."""
        with self._lock:
            news = not self._events
            self._events.append(event)
            if len(self._events) >= self._compact_at:
                self._events = deque(compact(self._events))
                self._compact_at = max(COMPACT_AT, 2 * len(self._events))
        if news and self.on_news is not None:
            with contextlib.suppress(RuntimeError):  # The loop of a console that ended must not end ours.
                self.on_news()

    def fetch(self) -> list[Event]:
        """All events since the last time, in order."""
        with self._lock:
            events, self._events = self._events, deque()
            self._compact_at = COMPACT_AT
        return list(events)


def compact(events: Iterable[Event]) -> list[Event]:
    """The same events without those that a later one makes needless.

    Of readings of the same data center, of ends of a refresh and of latencies the newest stays. Of the
    progress of an operation the newest telling of each server stays, in the place of the last.
    """
    kept: dict[object, Event] = {}
    begun: Counter[str] = Counter()
    for number, event in enumerate(events):
        key: object = number
        match event:
            case OperationStarted():
                begun[event.operation_id] += 1
            case Progress():
                key = (Progress, event.operation_id, begun[event.operation_id])
                if isinstance(before := kept.get(key), Progress):
                    newest = {target.server_id: target for target in (*before.targets, *event.targets)}
                    event = Progress(event.operation_id, tuple(newest.values()))
            case DataCenterRead():
                key = (DataCenterRead, event.data_center.id)
            case Latency() | FleetRead():
                key = type(event)
            case _:
                pass
        kept.pop(key, None)
        kept[key] = event
    return list(kept.values())
