"""The results of operations, server by server, as they arrive."""

from collections.abc import Collection, Hashable
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.message import Message

from tui.cells import cell_width, fit
from tui.console.widgets.line_list import LineList
from tui.console.widgets.progress import ELAPSED
from tui.console.widgets.progress_header import Listing, ProgressHeader
from tui.console.widgets.times import wall_time
from tui.model.operation import BY_URGENCY, STATE_STYLES, Operation, Target

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.console.change import StoreChange
    from tui.console.store import Store

_RANK = {state: rank for rank, state in enumerate(BY_URGENCY)}


def order(ids: dict[str, None], operation: Operation, *, failures_first: bool) -> list[str]:
    """Return the servers by their last change, or failures first."""
    if not failures_first:
        return list(ids)
    return sorted(ids, key=lambda id_: _RANK[operation.targets[id_].state])


class Results(LineList):
    """The servers of one operation, the newest change last, below the progress of those under way.

    It follows changes like a log viewer: moving up stops that, and the lines stay where they are; the last
    line, or the key for following, starts it again.
    """

    class CursorMoved(Message):
        """The cursor moved to another server."""

        def __init__(self, server_id: str) -> None:
            super().__init__()
            self.server_id = server_id

        def can_replace(self, message: Message) -> bool:
            """Textual: only the newest position matters."""
            return isinstance(message, Results.CursorMoved)

    heading = 2

    def __init__(self, store: "Store", *, id: str = "results") -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes="-empty")
        self._store = store
        self._header = ProgressHeader(store)
        self._shown = ""
        """The operation whose servers are listed."""
        self._arrival: dict[str, dict[str, None]] = {}
        """Operation -> its servers, in the order of their last change."""
        self._order: list[str] = []
        self._unseen: set[str] = set()
        """Servers that changed while the list was not following."""
        self._ids = 12
        self.following = True
        self.failures_first = False
        self._timer: Timer | None = None

    # -- what is shown

    @property
    def operation(self) -> Operation | None:
        """The operation whose servers are listed."""
        return self._store.operations.get(self._shown)

    @property
    def ticking(self) -> bool:
        """Whether elapsed times are drawn each second."""
        return self._timer is not None

    def target(self, index: int) -> Target | None:
        """The target on line ``index``; None where there is none."""
        operation = self.operation
        return operation.targets[self._order[index]] if operation and index < len(self._order) else None

    def server_ids(self) -> list[str]:
        """The ids of the listed servers, in their order."""
        return list(self._order)

    def show(self, operation_id: str) -> None:
        """List the servers of an operation."""
        self._shown, self._order = operation_id, []
        self.following = not self.failures_first
        self._ids = max((cell_width(id_) for id_ in self._arrival.get(operation_id, ())), default=12)
        self._rearrange()
        self.call_after_refresh(self._stay_at_end)

    def show_next(self) -> None:
        """List the servers of the previous operation; after the oldest comes the newest."""
        ids = list(self._store.operations)
        if ids:
            self.show(ids[ids.index(self._shown) - 1] if self._shown in ids else ids[-1])

    def follow(self, on: bool) -> None:
        """Start or stop following changes."""
        if on:
            self.failures_first = False
        self.following = on
        self._rearrange()
        self._stay_at_end()

    def put_failures_first(self, on: bool) -> None:
        """Sort failures first, or by the last change."""
        self.failures_first = on
        self.following = not on
        self._rearrange()
        self.move_cursor(0) if on else self._stay_at_end()

    # -- changes

    def store_changed(self, change: "StoreChange") -> None:
        """Apply what changed in the store; draws only lines that differ."""
        if not (change.targets or change.started or change.ended):
            return
        for id_ in self._arrival.keys() - self._store.operations.keys():
            del self._arrival[id_]
        for id_, targets in change.targets.items():
            if id_ not in self._store.operations:
                continue
            arrival = self._arrival.setdefault(id_, {})
            for server_id in targets:
                arrival.pop(server_id, None)
                arrival[server_id] = None
        if change.started:
            self.show(change.started[-1])
        elif self._shown in change.targets:
            self._servers_changed(change.targets[self._shown])
        self._fit_heading()
        self._tick_while_running()

    def _servers_changed(self, targets: dict[str, Target]) -> None:
        if self.following or self.failures_first:
            self._rearrange(targets)
        else:
            self._unseen.update(targets)
            for index in self.seen():
                if self._order[index] in targets:
                    self.refresh_line_at(index)

    def _rearrange(self, changed: Collection[str] = ()) -> None:
        """Sort the servers; draws only lines that have another server, or one that changed."""
        operation = self.operation
        before = self._order
        arrival = self._arrival.get(self._shown, {})
        self._order = order(arrival, operation, failures_first=self.failures_first) if operation else []
        self._unseen.clear()
        if len(self._order) != len(before):
            self.lines_changed()
        else:
            for index in self.seen():
                if before[index] != self._order[index] or self._order[index] in changed:
                    self.refresh_line_at(index)
        self._fit_heading()

    def _fit_heading(self) -> None:
        self.set_class(not self._store.operations, "-empty")
        lines = self._header.height(self._shown)
        if lines != self.heading:
            self.heading = lines
            self.lines_changed()
            self._stay_at_end()
            self.refresh()
        elif self.is_mounted:
            for y in range(lines):
                self.refresh_heading(y)

    def _stay_at_end(self) -> None:
        if self.following and self.line_count():
            self.move_cursor(self.line_count() - 1)

    def _tick_while_running(self) -> None:
        running = bool(self._store.running())
        if running and self._timer is None:
            self._timer = self.set_interval(1, self._tick)
        elif not running and self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _tick(self) -> None:
        """Draw the elapsed time of what is running: a few cells a second."""
        for y in self._header.ticking(self._shown):
            self.refresh_heading(y, self.scrollable_content_region.width - ELAPSED, ELAPSED)

    # -- following

    def cursor_moved(self) -> None:
        """Follow on the last line only, and post which server the cursor is on."""
        self._set_following(self.cursor >= self.line_count() - 1)
        if self.has_focus and (target := self.target(self.cursor)) is not None:
            self.post_message(self.CursorMoved(target.server_id))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Textual: scrolling with the mouse stops and starts following too."""
        super().watch_scroll_y(old_value, new_value)
        if new_value < old_value and new_value < self.max_scroll_y:
            self._set_following(False)
        elif new_value >= self.max_scroll_y > 0 and new_value > old_value:
            self._set_following(True)

    def _set_following(self, on: bool) -> None:
        if self.failures_first or on == self.following:
            return
        self.following = on
        if on:
            self._rearrange()
            self.call_after_refresh(self._stay_at_end)
        self.refresh_heading(0)

    # -- drawing

    def line_count(self) -> int:
        """How many servers are listed."""
        return len(self._order)

    def line_key(self, index: int) -> Hashable:
        """The target: it is immutable, so another one is another line."""
        return self._shown, self.target(index)

    def draw_body(self, index: int) -> list[Segment]:
        """Draw state, id, job, time and message."""
        target = self.target(index)
        if target is None:
            return []
        state = STATE_STYLES[target.state]
        colour = self.style(f"state--{state.colour}")
        quiet = self.style("line--quiet")
        segments = [
            Segment(f"{state.sign} {state.word:<10}", colour),
            Segment(fit(target.server_id, self._ids) + "  ", self.base_style),
        ]
        job_width = 14 if self.body_width >= 70 else 0
        if job_width:
            segments.append(Segment(fit(target.job_id, job_width) + "  ", quiet))
        segments.append(Segment(wall_time(target.at) + "  ", quiet))
        room = self.body_width - sum(cell_width(segment.text) for segment in segments)
        if room > 0:
            segments.append(Segment(fit(target.message, room), self.base_style))
        return segments

    def draw_heading(self, y: int) -> list[Segment]:
        """Draw the title and the progress lines."""
        listing = Listing(self._shown, self.following, self.failures_first, len(self._unseen))
        width = self.scrollable_content_region.width
        return self._header.draw(y, listing, width, self.style, focused=self.has_focus)
