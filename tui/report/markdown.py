"""A window as Markdown, to paste into a ticket."""

import re
from collections.abc import Iterable, Iterator

from tui.model.operation import STATE_STYLES
from tui.model.report import OperationReport, ReportSource, sentence
from tui.report.words import (
    BY_THE_JOURNAL,
    STILL_HELD,
    duration,
    moment,
    operation_facts,
    title,
    totals,
    window_facts,
)

Facts = Iterable[tuple[str, str, bool]]


def markdown(source: ReportSource) -> Iterator[str]:
    """The report, piece by piece. Tables are those of GitHub Flavored Markdown."""
    window = source.window
    yield f"# Maintenance window {literal(title(window))}\n\n"
    yield _facts(window_facts(window))
    yield f"\n## {STILL_HELD}\n\n"
    head = f"{BY_THE_JOURNAL}\n\n" + _head("Server", "Since", "State")
    for held in source.held():
        yield head + _row(cell(held.server), moment(held.since), STATE_STYLES[held.state].word)
        head = ""
    if head:
        yield "No server.\n"
    if window.notes:
        yield "\n## Notes\n\n" + _head("Time", "Note")
    for note in window.notes:
        yield _row(moment(note.at), cell(sentence(note)))
    for operation in source.operations():
        yield from _operation(operation, source)
    if not source.operations():
        yield "\nNo operation belongs to this window.\n"


def _operation(operation: OperationReport, source: ReportSource) -> Iterator[str]:
    yield f"\n## {operation.action.label}, {moment(operation.requested)}: {totals(operation.totals)}\n\n"
    yield _facts(operation_facts(operation))
    yield "\n" + _head("Server", "State", "Wave", "Start", "End", "Duration", "Job", "Message")
    for result in source.results(operation.id):
        yield _row(
            cell(result.server),
            STATE_STYLES[result.state].word,
            str(result.wave),
            moment(result.started),
            moment(result.ended),
            duration(result.seconds),
            cell(result.job_id),
            cell(result.message),
        )


def literal(text: str) -> str:
    """``text`` as code, in which nothing is markup, a link, a mention or a reference.

    Source: CommonMark 0.31, code spans.
    """
    text = text.strip()
    if not text:
        return ""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    space = " " if "`" in (text[0], text[-1]) else ""
    return f"{fence}{space}{text}{space}{fence}"


def cell(text: str) -> str:
    """``text`` as code in a cell of a table, where a bar would end the cell.

    A backslash before a bar gets a space between: renderers disagree on what the two mean together.
    Source: GitHub Flavored Markdown 0.29, tables.
    """
    return literal(text.replace("\\|", "\\ |")).replace("|", "\\|")


def _facts(facts: Facts) -> str:
    rows = (_row(name, cell(value) if outside else value) for name, value, outside in facts)
    return _head("", "") + "".join(rows)


def _head(*names: str) -> str:
    return _row(*names) + _row(*("---" for _ in names))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"
