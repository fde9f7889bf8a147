"""A window as one HTML file: no script, nothing from elsewhere. It is well-formed XML too."""

import html
from collections.abc import Iterable, Iterator

from tui.model.operation import STATE_STYLES, State
from tui.model.report import OperationReport, ReportSource, ServerResult, sentence
from tui.report.timeline import legend, patterns, svg, timeline
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

_STYLE = """
body {
  font: 15px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff;
  margin: 2rem auto; padding: 0 1rem; max-width: 90rem;
}
h1 { font-size: 1.6rem; }
h2 { font-size: 1.2rem; margin-top: 2.5rem; border-top: 1px solid #bbb; padding-top: 1rem; }
table { border-collapse: collapse; margin: .7rem 0; }
th, td {
  text-align: left; vertical-align: top; padding: .15rem .8rem .15rem 0;
  border-bottom: 1px solid #ddd; overflow-wrap: anywhere;
}
table.servers { width: 100%; font-size: .85rem; }
table.servers th { border-bottom: 2px solid #888; white-space: nowrap; }
td.time, td.job, td.server { font-family: ui-monospace, monospace; white-space: nowrap; }
td.state { white-space: nowrap; }
.green { color: #1e6b32; }
.red { color: #a3241b; font-weight: 600; }
.magenta { color: #86308c; font-weight: 600; }
.blue { color: #2c5aa0; }
.dim, .steps { color: #555; }
.timeline { width: 100%; height: auto; font-size: 12px; }
.timeline text { fill: currentColor; }
.frame { stroke: #777; stroke-width: 1; }
.timeline .frame { fill: #fff; }
.tick { stroke: #ccc; }
.patterns { position: absolute; }
.legend {
  list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: .85rem;
}
.legend svg { vertical-align: -2px; }
@media print {
  body { margin: 0; max-width: none; font-size: 10pt; }
  h2 { break-after: avoid; }
  tr, .timeline, .legend { break-inside: avoid; }
  thead { display: table-header-group; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Even if something got in, no browser would run or load it."""

_NOT_XML = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}


def window_html(source: ReportSource) -> Iterator[str]:
    """The report, piece by piece."""
    window = source.window
    name = escaped(title(window))
    yield '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"/>\n'
    yield '<meta name="viewport" content="width=device-width"/>\n'
    yield f"<title>Maintenance window {name}</title>\n<style>{_STYLE}</style></head><body>\n"
    yield f"<h1>Maintenance window {name}</h1>\n{_facts(window_facts(window))}{patterns()}"
    yield f"<h2>{STILL_HELD}</h2>\n"
    head = f"<p>{BY_THE_JOURNAL}</p>\n" + _table_head("Server", "Since", "State")
    for held in source.held():
        cells = _cell(held.server, "server") + _cell(moment(held.since), "time") + _state(held.state)
        yield f"{head}<tr>{cells}</tr>\n"
        head = ""
    yield "<p>No server.</p>\n" if head else _TABLE_END
    if window.notes:
        yield "<h2>Notes</h2>\n" + _table_head("Time", "Note")
        for note in window.notes:
            yield f"<tr>{_cell(moment(note.at), 'time')}{_cell(sentence(note))}</tr>\n"
        yield _TABLE_END
    for operation in source.operations():
        yield from _operation(operation, source)
    if not source.operations():
        yield "<p>No operation belongs to this window.</p>\n"
    yield "</body></html>\n"


def escaped(text: str) -> str:
    """``text`` as it stands in an element or an attribute."""
    return html.escape(text.translate(_NOT_XML))


_TABLE_END = "</tbody></table>\n"


def _operation(operation: OperationReport, source: ReportSource) -> Iterator[str]:
    when, outcome = moment(operation.requested), totals(operation.totals)
    yield f"<h2>{operation.action.label}, {when}: {outcome}</h2>\n{_facts(operation_facts(operation))}"
    drawn = timeline(operation, source.results(operation.id))
    states = {state for line in drawn.lines for _, _, counts in line.runs for state in +counts}
    yield legend([state for state in State if state in states])
    yield from svg(drawn)
    yield _table_head("Server", "State", "Wave", "Start", "End", "Duration", "Job", "Message and states")
    for result in source.results(operation.id):
        yield _server(result)
    yield _TABLE_END


def _server(result: ServerResult) -> str:
    cells = (
        _cell(result.server, "server"),
        _state(result.state),
        _cell(str(result.wave)),
        _cell(moment(result.started), "time"),
        _cell(moment(result.ended), "time"),
        _cell(duration(result.seconds)),
        _cell(result.job_id, "job"),
        f"<td>{escaped(result.message)}{_transitions(result)}</td>",
    )
    return f"<tr>{''.join(cells)}</tr>\n"


def _transitions(result: ServerResult) -> str:
    """Every change of the state, each with its time and message."""
    steps = " · ".join(
        f'{STATE_STYLES[one.state].word} <time datetime="{one.at.isoformat()}">{one.at:%H:%M:%S}</time>'
        f"{_note(one.message, result.message)}"
        for one in result.transitions
    )
    return f'<div class="steps">{steps}</div>' if steps else ""


def _note(message: str, shown: str) -> str:
    return f" ({escaped(message)})" if message and message != shown else ""


def _facts(facts: Iterable[tuple[str, str, bool]]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td>{escaped(value)}</td></tr>\n' for name, value, _ in facts
    )
    return f"<table><tbody>\n{rows}</tbody></table>\n"


def _table_head(*names: str) -> str:
    cells = "".join(f'<th scope="col">{name}</th>' for name in names)
    return f'<table class="servers"><thead><tr>{cells}</tr></thead><tbody>\n'


def _state(state: State) -> str:
    style = STATE_STYLES[state]
    return f'<td class="state {style.colour}">{style.sign} {style.word}</td>'


def _cell(text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f"<td{named}>{escaped(text)}</td>"
