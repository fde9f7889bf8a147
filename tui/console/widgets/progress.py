"""How far an operation has come, in one line."""

from tui.cells import cell_width, fit
from tui.console.store import unsent
from tui.model.operation import ENDED, STATE_STYLES, Operation, State

ELAPSED = 9
"""Cells at the right end of a progress line: the only ones that change by themselves."""
BAR = (8, 24)
"""Cells of a progress bar at least and at most."""

_TOLD = (State.FAILED, State.REFUSED, State.UNSURE, State.VERIFIED, State.SUCCEEDED, State.LOOKING,
         State.EXECUTING, State.QUEUED, State.SUBMITTING, State.CANCELLED, State.PLANNED)  # fmt: skip
"""The order of the counts in a progress line: what must not be cut off comes first."""


def elapsed(operation: Operation, now: float) -> str:
    """How long the operation runs or ran: minutes and seconds, hours when there are any."""
    seconds = max(0, int((now if operation.ended is None else operation.ended) - operation.started))
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def bar(well: int, bad: int, total: int, width: int) -> tuple[str, str, str]:
    """A progress bar of ``width`` cells: what ended well, what did not, what has not ended.

    Full only when all has ended, and what is bad shows however little it is, without colours too.
    """
    done = well + bad
    filled = width if done >= total else min(width - 1, done * width // max(1, total))
    red = min(filled, max(1, round(bad * width / max(1, total)))) if bad else 0
    return "█" * (filled - red), "▓" * red, "░" * (width - filled)


def progress(
    operation: Operation, name: str, width: int, now: float, *, elsewhere: bool = False
) -> list[tuple[str, str]]:
    """The line in ``width`` cells: texts, each with its look. ``elsewhere``: another console's."""
    total = len(operation.targets)
    done = operation.count(*ENDED) if operation.ended is None else total - unsent(operation)
    bad = operation.count(State.FAILED, State.REFUSED, State.UNSURE)
    name += f" · {done:,} of {total:,}"
    if elsewhere:
        name += " · by another console"
    elif operation.reason and width >= 100:
        name += f" · {fit(operation.reason, min(24, cell_width(operation.reason)))}"
    room = width - cell_width(name) - ELAPSED - 2 - BAR[0]
    present = [(operation.count(state), STATE_STYLES[state]) for state in _TOLD if operation.count(state)]
    texts = [f"  {number:,} {look.word}" for number, look in present]
    if sum(map(len, texts)) > room:
        texts = [f" {look.sign}{number:,}" for number, look in present]
    counts = []
    for text, (_, look) in zip(texts, present, strict=True):
        if len(text) <= room:
            counts.append((text, f"state--{look.colour}"))
            room -= len(text)
    wider = max(0, min(BAR[1] - BAR[0], room))
    well, worse, empty = bar(done - bad, bad, total, BAR[0] + wider)
    return [
        (name + "  ", "line--heading"),
        (well, "state--green"),
        (worse, "state--red"),
        (empty, "line--quiet"),
        *counts,
        (" " * max(0, room - wider) + fit(elapsed(operation, now), ELAPSED - 1, right=True) + " ", ""),
    ]
