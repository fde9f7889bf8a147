"""The first line of the screen: endpoint, user, reason, state of the link, age of the data."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

from textual.content import Content
from textual.widget import Widget

from tui.cells import cell_width, fit, printable
from tui.console.later import later
from tui.console.store import Store
from tui.console.widgets.times import age, latency, wall_time

OLD = 3_600
"""Seconds after which the age of the data is a problem."""
BAD = "bold $state-red"
HINT_SHOWN = 8.0
"""Seconds that a hint stays."""


class Weight(IntEnum):
    """The weight of a part: the heavier, the longer it stays where the line is narrow."""

    NAME = 0
    READ = 1
    LATENCY = 2
    USER = 3
    FLEET = 4
    WHERE = 5
    REASON = 6
    READ_ONLY = 7
    HINT = 8
    TROUBLE = 9


class Place(IntEnum):
    """Where in the line a part is."""

    LEFT = 0
    MIDDLE = 1
    RIGHT = 2


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the line: its forms from the longest to the shortest, and how it is joined."""

    weight: Weight
    place: Place
    forms: tuple[str, ...]
    style: str = ""
    before: str = "  "
    """The separator from the part before it at the same place."""


def parts(store: Store, reason: str) -> Iterator[Part]:
    """Yield all parts of the line, from left to right."""
    session, endpoint = store.session, store.endpoint
    yield Part(Weight.NAME, Place.LEFT, ("pitstop",), "bold $primary")
    if session is not None:
        yield Part(Weight.WHERE, Place.LEFT, _cut(session.account, 8))
        yield Part(Weight.USER, Place.LEFT, _cut(session.user, 12), before=" · ")
    if endpoint is not None and endpoint.sandbox:
        yield Part(Weight.WHERE, Place.LEFT, (f" {endpoint.name} ",), "reverse", " · ")
    elif endpoint is not None:
        yield Part(Weight.WHERE, Place.LEFT, _cut(endpoint.name, 12, 6), before=" · ")
    if store.readonly:
        yield Part(Weight.READ_ONLY, Place.LEFT, ("read-only",), "bold")
    elif not store.may_operate:
        yield Part(Weight.READ_ONLY, Place.LEFT, ("may only look",), "bold")
    if reason:
        yield Part(Weight.REASON, Place.MIDDLE, _cut(reason, 40, 24, 12), "bold")
    yield from _fleet_parts(store)
    yield from _link_parts(store)


def _fleet_parts(store: Store) -> Iterator[Part]:
    total, yours = store.fleet.in_maintenance(), len(store.still_in_maintenance())
    if yours:
        forms = (f"{total:,} in maintenance, {yours:,} of yours", f"{yours:,} of yours", f"{yours:,} yours")
        yield Part(Weight.TROUBLE, Place.RIGHT, forms, "bold $maintenance")
    elif total:
        yield Part(Weight.FLEET, Place.RIGHT, (f"{total:,} in maintenance",), "bold $maintenance")


def _link_parts(store: Store) -> Iterator[Part]:
    if store.paused_until > store.clock():  # the earlier state of the link means nothing now
        forms = (f"asked to wait until {wall_time(store.paused_until)}", "waiting")
        yield Part(Weight.TROUBLE, Place.RIGHT, forms, BAD)
    elif trouble := store.link.trouble:
        yield Part(Weight.TROUBLE, Place.RIGHT, (f"○ {trouble}", trouble), BAD)
    elif store.latency is not None:
        yield Part(Weight.LATENCY, Place.RIGHT, (f"● {latency(store.latency)}",), "$state-green")
    if store.journal_trouble:
        yield Part(Weight.TROUBLE, Place.RIGHT, ("journal not written", "no journal"), BAD)
    problems, known = store.fleet.problems, store.fleet.read_at
    if store.trouble and all(center in known for center in problems):
        yield Part(Weight.TROUBLE, Place.RIGHT, ("reading failed", "not read"), BAD)
    elif problems:
        yield Part(Weight.TROUBLE, Place.RIGHT, (f"incomplete: {', '.join(problems)}", "incomplete"), BAD)
    if store.reading:
        yield Part(Weight.READ, Place.RIGHT, ("reading …",), "$quiet")
    if store.read_at is not None:
        now = store.clock()
        text = age(store.read_at, now)
        if now - store.read_at >= OLD:
            yield Part(Weight.TROUBLE, Place.RIGHT, (text, text.partition(", ")[2], "old data"), "bold")
        elif not store.reading:
            yield Part(Weight.READ, Place.RIGHT, (text, text.partition(",")[0]), "$quiet")


def _cut(text: str, *widths: int) -> tuple[str, ...]:
    """The whole text, and shorter forms in so many cells."""
    return (printable(text), *(fit(text, width) for width in widths if width < cell_width(text)))


def lighten(found: list[Part]) -> list[Part]:
    """Return the parts with one of them in its next shorter form, or without it after its last.

    Light parts go first; the heavy ones, from WHERE on, are all shortened before any of them goes.
    """

    def staying(part: Part) -> tuple[int, Weight, int]:
        counts = part.weight >= Weight.WHERE
        return counts + (counts and not part.forms[1:]), part.weight, -len(part.forms)

    part = min(found, key=staying)
    at = found.index(part)
    return [*found[:at], *([replace(part, forms=part.forms[1:])] if part.forms[1:] else []), *found[at + 1 :]]


def _lay_out(found: list[Part]) -> list[Content]:
    """Return the texts at the left, in the middle and at the right."""
    texts = [Content(""), Content(""), Content("")]
    for part in found:
        before = part.before if texts[part.place] else ""
        texts[part.place] += Content.assemble(before, (part.forms[0], part.style))
    return texts


def status(store: Store, reason: str, width: int, hint: str = "") -> Content:
    """Return the line in ``width`` cells; where it is narrow, the lightest parts are shortened first.

    A ``hint`` replaces everything but read-only and trouble, which are in their shortest forms then.
    """
    found = list(parts(store, reason))
    if hint:
        answer = Part(Weight.HINT, Place.LEFT, _cut(hint, *range(cell_width(hint) - 1, 15, -1)), "bold")
        kept = (part for part in found if part.weight >= Weight.READ_ONLY)
        found = [answer, *(replace(part, forms=part.forms[-1:]) for part in kept)]
    texts = _lay_out(found)
    while found and width < 2 * sum(map(bool, texts)) + sum(text.cell_length for text in texts):
        found = lighten(found)
        texts = _lay_out(found)
    left, middle, right = texts
    room = max(0, width - 2 - sum(text.cell_length for text in texts))
    before = room // 2 if middle else room
    return Content(" ") + left + " " * before + middle + " " * (room - before) + right + " "


class StatusBar(Widget):
    """The status line; it is drawn again only when its text changes."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._reason = ""
        self._hint = ""
        self.drawn = Content("")
        """The line as it was last drawn."""
        self._paused_until = 0.0

    def on_mount(self) -> None:
        """Textual: check each minute whether the text for the age of the data has changed."""
        self.set_interval(60, self.check)

    def say(self, hint: str) -> None:
        """Show a hint until the next one, or for some seconds; an empty one removes it."""
        self._hint = hint
        self.check()
        if hint:
            later(self, HINT_SHOWN, lambda: self.say("") if self._hint == hint else None)

    def check(self, reason: str | None = None) -> None:
        """Draw the line if its text has changed."""
        self._reason = self._reason if reason is None else reason
        if self._paused_until != (until := self._store.paused_until):
            self._paused_until = until
            later(self, max(0.0, until - self._store.clock()), self.check)
        now = status(self._store, self._reason, self.size.width, self._hint)
        if now.markup != self.drawn.markup:
            self.refresh()

    def render(self) -> Content:
        """Textual: the line."""
        self.drawn = status(self._store, self._reason, self.size.width, self._hint)
        return self.drawn
