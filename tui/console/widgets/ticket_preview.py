"""What a pasted ticket names, before it is marked."""

from collections.abc import Hashable

from rich.segment import Segment
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from tui.console.dialog import Dialog
from tui.console.widgets.cells import fit
from tui.console.widgets.choice import Choice
from tui.console.widgets.line_list import LineList
from tui.model.completeness import listed
from tui.model.fleet import Fleet
from tui.model.ticket import Found


class FoundList(LineList):
    """The servers found, those marked already, and what is not known, one a line."""

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
        """Everything that was found."""
        return len(self.lines)

    def line_key(self, index: int) -> Hashable:
        """Nothing changes here."""
        return index

    def draw_body(self, index: int) -> list[Segment]:
        """The id, and its name and group or what is the matter with it."""
        text, note, look = self.lines[index]
        server = self.fleet.servers.get(text)
        if server is not None and not note:
            note = f"{server.name}  {self.fleet.path(server)}"
        return [
            Segment(fit(text, min(28, self.body_width)) + " ", self.look(look)),
            Segment(note, self.look(look)),
        ]


class TicketPreview(Dialog[tuple[str, ...]]):
    """Shows what a text names. Returns the ids to mark: none if the operator leaves it."""

    BINDINGS = [
        Binding("m", "mark", "Mark them"),
        Binding("escape,q", "leave", "Leave them"),
        Binding("tab", "app.focus_next", show=False),
        Binding("shift+tab", "app.focus_previous", show=False),
    ]

    def __init__(self, found: Found, fleet: Fleet, source: str = "pasted text") -> None:
        super().__init__()
        self.found = found
        self.fleet = fleet
        self.source = source

    def compose(self) -> ComposeResult:
        """Textual: the parts."""
        with Vertical(classes="dialog -list"):
            yield Static(summary(self.found, self.source, self.fleet), classes="question", markup=False)
            yield FoundList(self.found, self.fleet)
            with Horizontal(classes="choices"):
                yield Choice("m", f"mark {len(self.found.ids):,}", id="mark")
                yield Choice("esc", "leave them", id="leave")

    def on_mount(self) -> None:
        """Where nothing was found there is nothing to mark."""
        self.query_one("#mark").disabled = not self.found.ids

    @on(Choice.Pressed, "#mark")
    def action_mark(self) -> None:
        """Mark what was found."""
        if self.found.ids:
            self.dismiss(self.found.ids)

    @on(Choice.Pressed, "#leave")
    def action_leave(self) -> None:
        """Mark nothing."""
        self.dismiss(())


def summary(found: Found, source: str, fleet: Fleet) -> str:
    """How many of what, and what only seems unknown."""
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
