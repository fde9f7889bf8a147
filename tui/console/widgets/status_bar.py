"""The first line: where, who, why, how the link is, how old the data is. Nothing in it ticks."""

import time

from textual.content import Content
from textual.widget import Widget

from tui.console.bridge import Picture
from tui.engine.events import Link

AGES = (
    (86_400, "a day"),
    (43_200, "12 h"),
    (14_400, "4 h"),
    (3_600, "1 h"),
    (1_800, "30 min"),
    (600, "10 min"),
)
"""Seconds, and how an age of at least that is told. Coarse, so that an idle screen sends nothing."""


def clock_time(at: float) -> str:
    """A moment as the operator's own wall clock shows it."""
    return time.strftime("%H:%M", time.localtime(at))


def wall_time(at: float) -> str:
    """The same with seconds."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def age(at: float, now: float) -> str:
    """When the data was read, and in coarse steps how long ago that is."""
    for seconds, words in AGES:
        if now - at >= seconds:
            return f"read {clock_time(at)}, over {words} ago"
    return f"read {clock_time(at)}"


def latency(seconds: float) -> str:
    """A round trip in coarse steps."""
    if seconds < 0.01:
        return "<10 ms"
    if seconds < 0.995:
        return f"{round(seconds, 2) * 1000:.0f} ms"
    return f"{seconds:.0f} s"


def status(picture: Picture, reason: str, width: int) -> Content:
    """The whole line. What is least needed goes first where it does not fit."""
    session, endpoint = picture.session, picture.endpoint
    name = endpoint.name if endpoint else ""
    where = Content.assemble((f" {name} ", "reverse") if endpoint and endpoint.sandbox else (name, ""))
    who = Content(f"{session.account} · {session.user} · " if session else "")
    left = Content.assemble((" pitstop", "bold $primary"), "  ", who, where)
    if picture.readonly:
        left += Content.assemble("  ", ("read-only", "bold"))
    elif not picture.may_operate:
        left += Content.assemble("  ", ("may only look", "bold"))
    right: list[Content] = []
    passing: Content | None = None  # goes first where it does not fit
    if in_maintenance := picture.fleet.in_maintenance():
        behind = len(picture.left_behind())
        yours = f", {behind:,} of yours" if behind else ""
        right.append(Content.styled(f"{in_maintenance:,} in maintenance{yours}", "bold $maintenance"))
    if picture.link is Link.DOWN:
        right.append(Content.styled("○ no answer", "bold $state-red"))
    elif picture.latency is not None:
        passing = Content.assemble(("●", "$state-green"), f" {latency(picture.latency)}")
        right.append(passing)
    if picture.reading:
        right.append(Content.styled("reading …", "$quiet"))
    elif picture.read_at is not None:
        right.append(Content.styled(age(picture.read_at, picture.clock()), "$quiet"))
    if picture.journal_trouble:
        right.append(Content.styled("journal not written", "bold $state-red"))
    if picture.trouble or picture.fleet.problems:
        right.append(Content.styled("incomplete", "bold $state-red"))
    middle = Content.styled(reason, "bold") if reason else Content("")
    tail = Content("  ").join(right) + " "
    for parts in ((left, middle, tail), (left, Content(""), tail)):
        room = width - sum(part.cell_length for part in parts)
        if room >= 2:
            before = room // 2 if parts[1].cell_length else room
            return parts[0] + " " * before + parts[1] + " " * (room - before) + parts[2]
    while right and left.cell_length + tail.cell_length + 1 > width:
        right.pop(next((at for at, part in enumerate(right) if part is passing), -1))
        tail = Content("  ").join(right) + " "
    return left + " " * max(1, width - left.cell_length - tail.cell_length) + tail


class StatusBar(Widget):
    """Draws itself again only when its text is another one."""

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self._picture = picture
        self._reason = ""
        self._drawn = Content("")

    def on_mount(self) -> None:
        """Look now and then whether the age of the data is told in other words."""
        self.set_interval(60, self.check)

    def check(self, reason: str | None = None) -> None:
        """Draw if anything in the line has changed."""
        self._reason = self._reason if reason is None else reason
        now = status(self._picture, self._reason, self.size.width)
        if now.markup != self._drawn.markup:
            self.refresh()

    def render(self) -> Content:
        """The line."""
        self._drawn = status(self._picture, self._reason, self.size.width)
        return self._drawn
