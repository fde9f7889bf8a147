"""The progress of an operation in one line."""

from tui.cells import cell_width, fit
from tui.model.operation import BAD_OUTCOMES, BY_URGENCY, ENDED, STATE_STYLES, Operation, State

ELAPSED = 9
"""Cells for the elapsed time at the right end of a progress line."""
BAR = (8, 24)
"""Cells of the progress bar: least and most."""

_COUNTED = sorted(BY_URGENCY, key=lambda state: state not in (*BAD_OUTCOMES, State.VERIFIED))
"""The order of the counts in a progress line: those that must not be cut come first."""


def elapsed(operation: Operation, now: float) -> str:
    """Return how long the operation runs or ran, as minutes:seconds or hours:minutes:seconds."""
    seconds = max(0, int((now if operation.ended is None else operation.ended) - operation.started))
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def bar(well: int, bad: int, total: int, width: int) -> tuple[str, str, str]:
    """Return a progress bar of ``width`` cells in three parts: ended well, ended badly, not ended.

    It is full only when all has ended, and one bad server is enough for a cell.
    """
    done = well + bad
    filled = width if done >= total else min(width - 1, done * width // max(1, total))
    red = min(filled, max(1, round(bad * width / max(1, total)))) if bad else 0
    return "█" * (filled - red), "▓" * red, "░" * (width - filled)


def progress(
    operation: Operation, name: str, width: int, now: float, *, elsewhere: bool = False
) -> list[tuple[str, str]]:
    """Return the line in ``width`` cells as texts, each with the name of its style.

    ``elsewhere`` is whether another console carries the operation out.
    """
    total = len(operation.targets)
    done = operation.count(*ENDED) if operation.ended is None else total - operation.unsent
    bad = operation.count(*BAD_OUTCOMES)
    name += f" · {done:,} of {total:,}"
    if elsewhere:
        name += " · by another console"
    elif operation.reason and width >= 100:
        name += f" · {fit(operation.reason, min(24, cell_width(operation.reason)))}"
    room = width - cell_width(name) - ELAPSED - 2 - BAR[0]
    present = [(operation.count(state), STATE_STYLES[state]) for state in _COUNTED if operation.count(state)]
    texts = [f"  {number:,} {state.word}" for number, state in present]
    if sum(map(len, texts)) > room:
        texts = [f" {state.sign}{number:,}" for number, state in present]
    counts = []
    for text, (_, state) in zip(texts, present, strict=True):
        if len(text) <= room:
            counts.append((text, f"state--{state.colour}"))
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
