"""A queue of events between two threads, bounded however long nobody fetches them."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence

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
    PauseRequested,
    Progress,
    RetryScheduled,
    ServersRead,
)
from tui.model.operation import State, Target
from tui.model.server import Server
from tui.model.window import MAY_HAVE_CHANGED

COMPACT_AT = 512


class Outbox:
    """Events put in by one thread and fetched by another.

    A screen on a stalled terminal fetches nothing for minutes. It would show the newest state anyway, so
    events superseded by later ones are dropped then; the order of the others stays.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: deque[Event] = deque()
        self._compact_at = COMPACT_AT
        self.on_events: Callable[[], None] | None = None
        """Called on the thread that puts, whenever the queue was empty before."""

    def __len__(self) -> int:
        return len(self._events)

    def put(self, event: Event) -> None:
        """Add an event."""
        with self._lock:
            was_empty = not self._events
            self._events.append(event)
            if len(self._events) >= self._compact_at:
                self._events = deque(compact(self._events))
                self._compact_at = max(COMPACT_AT, 2 * len(self._events))
        if was_empty and self.on_events is not None:
            with contextlib.suppress(RuntimeError):  # The loop of a console that ended must not end ours.
                self.on_events()

    def fetch(self) -> list[Event]:
        """Return all events since the last call, in order."""
        with self._lock:
            events, self._events = self._events, deque()
            self._compact_at = COMPACT_AT
        return list(events)


def compact(events: Iterable[Event]) -> list[Event]:
    """Return the events without those that later ones supersede, in the same order.

    Both lists lead to the same state: a dropped event sets only what a later one sets again.
    """
    filter_ = _Compaction()
    kept = [event for each in reversed(list(events)) if (event := filter_.keep(each)) is not None]
    return kept[::-1]


class _Compaction:
    """Decides which events are superseded; sees them from the last to the first."""

    def __init__(self) -> None:
        self._set_later: set[object] = set()
        self._fleet: FleetRead | None = None
        self._listed: set[str] | None = None
        """The account's data centers by the next event that lists them."""
        self._named: set[str] = set()
        """Data centers that events before that one mention."""

    def keep(self, event: Event) -> Event | None:
        """Return the event, or the part of it that no later event supersedes."""
        match event:
            case (
                Latency()
                | PauseRequested()
                | JournalChanged()
                | HeldInMaintenance()
                | JobDurations()
                | RetryScheduled()
            ):
                return event if self._first(type(event)) else None
            case LinkChanged():
                if event.link is not Link.UP:
                    self._set_later.add(Latency)  # the console forgets it
                return event if self._first(LinkChanged) else None
            case FleetFailed():
                if not self._first(FleetFailed):
                    return None
                self._listed = None  # Whatever was listed before it has failed by it.
                return event
            case DataCenterRead():
                return event if self._first((DataCenterRead, event.data_center.id)) else None
            case DataCenterFailed():
                if not self._first((DataCenterFailed, event.data_center)):
                    return None
                self._named.add(event.data_center)
                return event
            case DataCentersListed():
                return event if self._lists(event.data_centers) else None
            case FleetRead():
                return event if self._is_needed(event) else None
            case ServersRead():
                servers = [server for server in reversed(event.servers) if self._is_new(server)]
                self._named.update(server.data_center for server in servers)
                return ServersRead(tuple(servers[::-1]), event.at) if servers else None
            case DetailsRead():
                self._named.add(event.details.server.data_center)
                return event
            case Progress():
                id_ = event.operation_id
                targets = [target for target in reversed(event.targets) if self._counts(id_, target)]
                return Progress(id_, tuple(targets[::-1])) if targets else None
            case _:
                return event

    def _first(self, key: object) -> bool:
        first = key not in self._set_later
        self._set_later.add(key)
        return first

    def _is_needed(self, event: FleetRead) -> bool:
        later = self._fleet
        ends_trouble = later is None or bool(later.failed and not event.failed)
        if not self._lists(event.data_centers) and not ends_trouble:
            return False
        self._fleet = event
        return True

    def _lists(self, data_centers: Sequence[str]) -> bool:
        """Whether it removes a data center that is in the next list, or mentioned in between."""
        present, later = set(data_centers), self._listed
        if later is not None and present >= later and present >= self._named:
            return False
        self._listed, self._named = present, set()
        return True

    def _is_new(self, server: Server) -> bool:
        return (DataCenterRead, server.data_center) not in self._set_later and self._first(
            (Server, server.id)
        )

    def _counts(self, operation_id: str, target: Target) -> bool:
        """Whether it is the newest of its server, or alone shows that the server may have changed."""
        key, state = (operation_id, target.server_id), target.state
        counts = self._first(key)
        if state in MAY_HAVE_CHANGED and HeldInMaintenance not in self._set_later:
            # A change that is verified says also that there may be one.
            counts |= self._first((key, state is State.VERIFIED))
            if state is State.VERIFIED:
                self._set_later.add((key, False))
        return counts
