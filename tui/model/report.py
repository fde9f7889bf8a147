"""What a report says of a maintenance window. All of it comes from the journal.

The structs are the published form: ``pitstop report --format json`` writes them, and their schema is made
from them. A change that breaks readers needs a new ``WindowReport.version``; a further field does not.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from tui.model.operation import ENDED, Action, State
from tui.model.window import Note, NoteKind, note_text

Time = Annotated[datetime, Meta(tz=True)]
"""A moment with its zone."""


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """A server came into a state."""

    state: State
    at: Time
    message: str


class ServerResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one server in one operation."""

    server: str
    data_center: str
    wave: Annotated[int, Meta(description="The first is 1.")]
    batch: Annotated[int, Meta(description="The servers of one request; the first is 1.")]
    state: State
    started: Annotated[Time | None, Meta(description="When its request left; null if none did.")]
    ended: Annotated[Time | None, Meta(description="When its outcome was known; null if it is not.")]
    seconds: Annotated[float | None, Meta(description="From started to ended.")]
    job_id: str
    message: str
    held: Annotated[
        bool,
        Meta(description="Whether this operation put it into maintenance and no window brought it back."),
    ]
    transitions: Annotated[
        tuple[Transition, ...],
        Meta(description="Every change of its state, oldest first. Of a running job only the newest status."),
    ]


class OperationReport(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of the window, as it was requested, and what became of it."""

    id: str
    action: Action
    reason: str
    user: Annotated[str, Meta(description="Who requested it.")]
    requested: Time
    ended: Annotated[Time | None, Meta(description="null while it is unfinished.")]
    servers: Annotated[int, Meta(description="For how many it was requested.")]
    waves: int
    batches: int
    max_failed: Annotated[
        int | None, Meta(description="No further wave after more failures; null for no limit.")
    ]
    latest: Annotated[Time, Meta(description="The newest change of any of its servers.")]
    totals: Annotated[dict[State, int], Meta(description="State -> servers, for the states that occur.")]
    results: tuple[ServerResult, ...]
    """Empty where they are read one by one; the last field, so that they can follow the others."""


class HeldServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server that the window put into maintenance, and that no window has brought back."""

    server: str
    since: Annotated[Time, Meta(description="When it came into the state.")]
    state: Annotated[State, Meta(description="verified, or another when it is not certain.")]
    operation: str


class NoteReport(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the window's log."""

    at: Time
    kind: Annotated[
        NoteKind,
        Meta(description="note: of the operator; left, gone: servers left, or found out of maintenance."),
    ]
    text: str
    servers: tuple[str, ...]


def sentence(note: NoteReport, at_most: int = 20) -> str:
    """A line of the log as a sentence, with the names of so many servers at most."""
    return note_text(Note(note.at.timestamp(), note.kind, note.text, note.servers), at_most)


class WindowReport(msgspec.Struct, frozen=True, kw_only=True):
    """A maintenance window: who, why, when, and what became of every server."""

    version: Annotated[Literal[1], Meta(description="Of this form. Fields may be added to it.")]
    window: Annotated[str, Meta(description="The window's id.")]
    reason: Annotated[str, Meta(description="The reason or ticket that the operator gave.")]
    user: str
    account: str
    endpoint: str
    opened: Time
    planned_end: Time | None
    closed: Time | None
    written: Annotated[Time, Meta(description="When this report was made.")]
    servers: Annotated[int, Meta(description="How many different servers its operations name.")]
    totals: Annotated[
        dict[State, int],
        Meta(description="State -> servers, over all operations: one in two of them counts twice."),
    ]
    notes: Annotated[tuple[NoteReport, ...], Meta(description="The window's log, oldest first.")]
    held: Annotated[
        tuple[HeldServer, ...], Meta(description="Still in maintenance by this window, by the journal.")
    ]
    operations: tuple[OperationReport, ...]
    """Empty in a ``ReportSource``, as is ``held``; the last fields, so that they can follow the others."""


class ReportSource(Protocol):
    """A report that is read as it is written, so that it needs no memory for its servers."""

    @property
    def window(self) -> WindowReport:
        """Everything but what the methods give."""

    def held(self) -> Iterator[HeldServer]:
        """The servers that the window still holds in maintenance."""

    def operations(self) -> Sequence[OperationReport]:
        """The operations without their results, oldest first."""

    def results(self, operation_id: str) -> Iterator[ServerResult]:
        """The servers of one operation, in its order."""


def outcome_times(
    action: Action, state: State, transitions: Sequence[Transition]
) -> tuple[datetime | None, datetime | None, float | None]:
    """When a server's newest request left, when its outcome was known, and the seconds between.

    None for what has not happened. The clock may have been set back in between: then 0 seconds.
    """
    entered = list(_entries(transitions))
    started = next((one.at for one in reversed(entered) if one.state is State.SUBMITTING), None)
    if entered and entered[-1].state is State.PLANNED:
        started = None  # It was not sent after all.
    known = state in ENDED or (state is State.SUCCEEDED and not action.leaves_trace)
    ended = entered[-1].at if known and entered else None
    seconds = None if started is None or ended is None else max(0.0, (ended - started).total_seconds())
    return started, ended, seconds


def _entries(transitions: Iterable[Transition]) -> Iterator[Transition]:
    """Those that led to another state; the others brought a new message or job."""
    before = None
    for one in transitions:
        if one.state is not before:
            yield one
        before = one.state
