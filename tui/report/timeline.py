"""A timeline of an operation as SVG: a line for each wave or batch, the states of its servers over time."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import accumulate, groupby

import msgspec

from tui.model.operation import STATE_STYLES, State
from tui.model.report import OperationReport, ServerResult
from tui.model.text import counted
from tui.report.words import moment, totals

COLUMNS = 120
"""Points in time that are drawn."""
MAX_LINES = 40
"""Lines that are drawn; of more waves or batches several share one."""

_LEFT, _BAR, _RIGHT, _LINE, _TOP = 190, 600, 250, 26, 24
_HEIGHT = 18
_TICKS = 4

ORDER = tuple(State)
"""From the bottom of a bar to its top; planned is left blank."""

Run = tuple[int, int, Counter[State]]
"""First column, the one after the last, and the servers in each state there."""


class Line(msgspec.Struct, frozen=True):
    """One line: its name, how many servers it has, what became of them, and its states over time."""

    name: str
    servers: int
    outcomes: dict[State, int]
    runs: list[Run]


class Timeline(msgspec.Struct, frozen=True):
    """The lines of one operation, from its request to its newest change."""

    begin: datetime
    end: datetime
    lines: list[Line]


def timeline(operation: OperationReport, results: Iterable[ServerResult]) -> Timeline:
    """Count the servers of each line in each state, for each column. Needs no memory for the servers."""
    begin = operation.requested
    end = max(operation.ended or begin, operation.latest, begin + timedelta(seconds=1))
    by_wave = operation.waves > 1
    each = -(-(operation.waves if by_wave else operation.batches) // MAX_LINES)
    step = (end - begin) / COLUMNS

    def column(at: datetime) -> int:
        return min(COLUMNS - 1, max(0, int((at - begin) / step)))

    # Line -> column -> by how many each state changes there.
    changes: defaultdict[int, defaultdict[int, Counter[State]]] = defaultdict(lambda: defaultdict(Counter))
    outcomes: defaultdict[int, Counter[State]] = defaultdict(Counter)
    numbers: defaultdict[int, set[int]] = defaultdict(set)
    for result in results:
        number = result.wave if by_wave else result.batch
        line = (number - 1) // each
        numbers[line].add(number)
        outcomes[line][result.state] += 1
        before = State.PLANNED
        changes[line][0][before] += 1
        for one in result.transitions:
            changes[line][column(one.at)][before] -= 1
            changes[line][column(one.at)][one.state] += 1
            before = one.state
    word = "wave" if by_wave else "request"
    lines = [
        Line(
            _name(word, numbers[line]),
            outcomes[line].total(),
            {state: outcomes[line][state] for state in ORDER if outcomes[line][state]},
            [*_runs(changes[line])],
        )
        for line in sorted(changes)
    ]
    return Timeline(begin, end, lines)


def _name(word: str, numbers: set[int]) -> str:
    first, last = min(numbers), max(numbers)
    return f"{word} {first:,}" if first == last else f"{word}s {first:,} to {last:,}"


def _runs(changes: dict[int, Counter[State]]) -> Iterator[Run]:
    """Columns side by side with the same servers in the same states."""
    counts: Counter[State] = Counter()
    columns = []
    for column in range(COLUMNS):
        if column in changes:
            counts = Counter(counts)
            counts.update(changes[column])
        columns.append(counts)
    first = 0
    for same, members in groupby(columns):
        after = first + len(list(members))
        yield first, after, same
        first = after


def svg(of: Timeline) -> Iterator[str]:
    """The timeline as an ``svg`` element; the patterns are those of ``patterns``."""
    width, height = _LEFT + _BAR + _RIGHT, _TOP + _LINE * len(of.lines) + 6
    label = f"States over time, from {moment(of.begin)} to {moment(of.end)}"
    yield f'<svg class="timeline" role="img" viewBox="0 0 {width} {height}"><title>{label}</title>\n'
    yield from _axis(of, height)
    for number, line in enumerate(of.lines):
        yield from _line(line, _TOP + _LINE * number)
    yield "</svg>\n"


def _axis(of: Timeline, height: int) -> Iterator[str]:
    for tick in range(_TICKS + 1):
        x = _LEFT + _BAR * tick / _TICKS
        at = of.begin + (of.end - of.begin) * tick / _TICKS
        yield f'<path class="tick" d="M{x:g} {_TOP - 6}V{height - 4}"/>'
        yield f'<text x="{x:g}" y="14" text-anchor="middle">{at:%H:%M:%S}</text>\n'


def _line(line: Line, top: int) -> Iterator[str]:
    middle = top + _HEIGHT - 5
    yield f'<text x="0" y="{middle}">{line.name}, {counted(line.servers)}</text>'
    yield f'<rect class="frame" x="{_LEFT}" y="{top}" width="{_BAR}" height="{_HEIGHT}"/>'
    for first, after, counts in line.runs:
        yield from _stack(line, first, after, counts, top)
    yield f'<text x="{_LEFT + _BAR + 8}" y="{middle}">{totals(line.outcomes)}</text>\n'


def _stack(line: Line, first: int, after: int, counts: Counter[State], top: int) -> Iterator[str]:
    x, width = _LEFT + _BAR * first / COLUMNS, _BAR * (after - first) / COLUMNS
    shown = [state for state in ORDER if state is not State.PLANNED and counts[state] > 0]
    sums = accumulate(counts[state] for state in shown)
    for state, upper in zip(shown, sums, strict=True):
        part = _HEIGHT * counts[state] / line.servers
        y = top + _HEIGHT * (1 - upper / line.servers)
        said = f"{counts[state]:,} {STATE_STYLES[state].word}"
        yield (
            f'<rect fill="url(#{state.value})" x="{x:.4g}" y="{y:.5g}" width="{width:.4g}" '
            f'height="{part:.4g}"><title>{said}</title></rect>'
        )


_PATTERNS: dict[State, tuple[str, str, str]] = {
    State.SUBMITTING: ("#dbe7f7", "#2c5aa0", "M0 4h1"),
    State.QUEUED: ("#dbe7f7", "#2c5aa0", "M0 2h2M4 6h2"),
    State.EXECUTING: ("#b9d0ef", "#2c5aa0", "M0 8L8 0"),
    State.LOOKING: ("#dbe7f7", "#2c5aa0", "M0 4h8"),
    State.SUCCEEDED: ("#dbe7f7", "#2c5aa0", "M4 0v8"),
    State.VERIFIED: ("#3c8d50", "#3c8d50", ""),
    State.REFUSED: ("#f4c7c3", "#a3241b", "M0 0L8 8M0 4h8"),
    State.FAILED: ("#f4c7c3", "#a3241b", "M0 0L8 8M8 0L0 8"),
    State.UNSURE: ("#ecd0ee", "#86308c", "M0 4h8M4 0v8"),
    State.CANCELLED: ("#f2f2f2", "#777777", "M0 0h3M4 4h3"),
}
"""State -> ground, ink and strokes of its pattern; no two have the same strokes."""


def patterns() -> str:
    """The definitions that every ``svg`` of a document uses."""
    made = "".join(
        f'<pattern id="{state.value}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect width="8" height="8" fill="{ground}"/>'
        f'<path d="{strokes}" stroke="{ink}" stroke-width="1.5" fill="none"/></pattern>\n'
        for state, (ground, ink, strokes) in _PATTERNS.items()
    )
    return f'<svg class="patterns" width="0" height="0" aria-hidden="true"><defs>\n{made}</defs></svg>\n'


def legend(states: Sequence[State]) -> str:
    """A swatch and the word for each of ``states``."""
    swatches = "".join(f"<li>{_swatch(state)} {STATE_STYLES[state].word}</li>" for state in states)
    return f'<ul class="legend"><li>States over time:</li>{swatches}</ul>\n'


def _swatch(state: State) -> str:
    fill = f"url(#{state.value})" if state in _PATTERNS else "none"
    frame = f'<rect class="frame" width="28" height="14" fill="{fill}"/>'
    return f'<svg width="28" height="14" aria-hidden="true">{frame}</svg>'
