"""The preview of the servers that a pasted ticket names."""

import time
from collections.abc import Callable, Hashable

from rich.segment import Segment
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from tui.cells import fit
from tui.console.dialog import Dialog
from tui.console.widgets.choice import Choice
from tui.console.widgets.line_list import LineList
from tui.model.completeness import listed
from tui.model.fleet import Fleet
from tui.model.ticket import Found

ONE_PASTE = 1.0
"""Seconds after a paste within which the next one continues it, even in the middle of a word."""


class FoundList(LineList):
    """The list of servers found, marked already, ambiguous and unknown."""

    gutter_width = 2

    def __init__(self, found: Found, fleet: Fleet) -> None:
        super().__init__()
        self.fleet = fleet
        self.lines: list[tuple[str, str, str]] = [
            *((text, "not understood: mark these by hand", "state--red") for text in found.unclear),
            *((id_, "not known here", "state--red") for id_ in found.unknown),
            *((name, "the name of several servers: use the id", "state--red") for name in found.ambiguous),
            *((id_, "", "") for id_ in found.ids),
            *((id_, "marked already", "line--quiet") for id_ in found.marked),
        ]

    def line_count(self) -> int:
        """How many names were found."""
        return len(self.lines)

    def line_key(self, index: int) -> Hashable:
        """The index: the list does not change."""
        return index

    def draw_body(self, index: int) -> list[Segment]:
        """Draw the id, then name and group or a problem."""
        text, note, style = self.lines[index]
        server = self.fleet.servers.get(text)
        if server is not None and not note:
            note = f"{server.name}  {self.fleet.path(server)}"
        return [
            Segment(fit(text, min(28, self.body_width)) + " ", self.style(style)),
            Segment(note, self.style(style)),
        ]


class TicketPreview(Dialog[tuple[str, ...]]):
    """The dialog with the servers that a text names. Returns the ids to mark, none when cancelled."""

    BINDINGS = [
        Binding("m", "mark", "Mark them"),
        Binding("escape,q", "leave", "Leave them"),
        Binding("tab", "app.focus_next", show=False),
        Binding("shift+tab", "app.focus_previous", show=False),
    ]

    def __init__(
        self, text: str, find: Callable[[str], Found], fleet: Fleet, source: str = "pasted text"
    ) -> None:
        super().__init__()
        self.text = text
        """The text that is searched, with all that was pasted."""
        self.fleet = fleet
        self.source = source
        self._find = find
        self.found = find(text)
        self._pasted_at = time.monotonic()

    def compose(self) -> ComposeResult:
        """Textual: the parts."""
        with Vertical(classes="dialog -list"):
            yield Static(summary(self.found, self.source, self.fleet), classes="question", markup=False)
            yield FoundList(self.found, self.fleet)
            with Horizontal(classes="choices"):
                # Where nothing was found there is nothing to mark.
                yield Choice("m", f"mark {len(self.found.ids):,}", id="mark", disabled=not self.found.ids)
                yield Choice("esc", "leave them", id="leave")

    async def on_paste(self, event: events.Paste) -> None:
        """Textual: search again with the rest of a paste that came in pieces, or with another one."""
        event.stop()
        self.text += event.text if event.time - self._pasted_at < ONE_PASTE else f"\n{event.text}"
        self._pasted_at = event.time
        self.found = self._find(self.text)
        await self.recompose()
        self.query_one(FoundList).focus()

    @on(Choice.Pressed, "#mark")
    def action_mark(self) -> None:
        """Close with what was found."""
        if self.found.ids:
            self.dismiss(self.found.ids)

    @on(Choice.Pressed, "#leave")
    def action_leave(self) -> None:
        """Close without marking."""
        self.dismiss(())


def summary(found: Found, source: str, fleet: Fleet) -> str:
    """Return how many names of each kind were found, and which data centers are not read."""
    missing = fleet.missing()
    verb = "is" if len(missing) == 1 else "are"
    not_read = f" {listed(missing)} {verb} not read: some may only seem unknown." if missing else ""
    if not found:
        return f"No server is named in the {source}.{not_read}"
    parts = [f"{len(found.ids):,} to mark"]
    if found.marked:
        parts.append(f"{len(found.marked):,} marked already")
    if found.unknown:
        parts.append(f"{len(found.unknown):,} not known in this account")
    if found.ambiguous:
        parts.append(f"{len(found.ambiguous):,} names of several servers")
    if found.unclear:
        parts.append(f"{len(found.unclear):,} not understood")
    ranges = f" {found.ranges:,} range{'s' * (found.ranges > 1)} written out." if found.ranges else ""
    return f"In the {source}: {', '.join(parts)}.{ranges}{not_read}"
