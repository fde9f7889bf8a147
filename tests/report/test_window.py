"""The report of a window in each format."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import msgspec
import pytest
from markdown_it import MarkdownIt

from tests.report.journals import FAILED, START, STEPS, Recorder, window
from tests.security.payloads import PAYLOADS, unsafe_characters
from tui.engine.journal.report import WindowRecords, read_report
from tui.headless.report import FORMATS
from tui.model.operation import STATE_STYLES, Action, State
from tui.model.report import WindowReport
from tui.report.timeline import COLUMNS, MAX_LINES, timeline
from tui.report.window_json import schema_json

SERVERS = [f"WA1ACMEWEB{number:02}" for number in range(1, 8)]
AWKWARD = (
    "a|b",
    "a\\|b",
    "\\",
    "`",
    "``a`",
    "*x* _y_ ~~z~~",
    "<b>&amp;</b>",
    "]](http://x.invalid)",
    "@all #1",
)
"""Texts that mean something in Markdown or HTML."""


@contextmanager
def opened(path: Path, id_: str = "win-1") -> Iterator[WindowRecords]:
    with closing(Recorder(path)) as recorder:
        (found,) = [one for one in recorder.journal.windows(window().endpoint, None) if one.id == id_]
        with read_report(
            recorder.journal, found, now=lambda: START + 600, zoned=lambda at: datetime.fromtimestamp(at, UTC)
        ) as source:
            yield source


def written(path: Path, form: str) -> str:
    with opened(path) as source:
        return "".join(FORMATS[form](source))


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Seven servers in waves of three, the last one failed; two are back."""
    path = tmp_path / "journal.sqlite3"
    with closing(Recorder(path)) as recorder:
        recorder.operation("op-1", window(), SERVERS, batch=3, failed=SERVERS[-1:], message="it | failed")
        recorder.operation("op-2", window(), SERVERS[:2], action=Action.STOP_MAINTENANCE)
    return path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal in which every text is an attack, as if the engine had not cleaned them."""
    path = tmp_path_factory.mktemp("hostile") / "journal.sqlite3"
    with closing(Recorder(path)) as recorder:
        texts = [text.encode(errors="replace").decode() for text in (*PAYLOADS.values(), *AWKWARD)]
        for number, text in enumerate(texts):
            of = window(reason=f"before {text} after")
            ids = [f"{number} before {text} after"]
            recorder.operation(f"op-{number}", of, ids, failed=ids, message=f"={text}")
            recorder.journal.history.add_note("win-1", f"note before {text} after")
        with recorder.journal.database.writing() as db:
            every = " ".join(texts)
            db.execute("UPDATE windows SET reason = ?, user = ?, account = ?", (every, every, every))
    return path


def test_json_says_everything_of_a_window(journal: Path) -> None:
    report = json.loads(written(journal, "json"))
    assert (report["window"], report["reason"], report["user"]) == ("win-1", "CHG-1234", "op")
    assert report["opened"] == "2027-01-15T08:00:00Z"
    assert report["planned_end"] == "2027-01-15T10:00:00Z"
    assert report["closed"] is None
    assert (report["servers"], report["totals"]) == (7, {"verified": 8, "failed": 1})
    assert [held["server"] for held in report["held"]] == SERVERS[2:-1]
    first, second = report["operations"]
    assert (first["action"], first["waves"], first["batches"], first["max_failed"]) == (
        "startMaintenance", 3, 3, 3,
    )  # fmt: skip
    assert (second["action"], second["totals"]) == ("stopMaintenance", {"verified": 2})
    last = first["results"][-1]
    assert (last["server"], last["state"], last["job_id"], last["message"]) == (
        SERVERS[-1], "failed", "wa1-7", "it | failed",
    )  # fmt: skip
    assert (last["wave"], last["started"], last["ended"], last["seconds"]) == (
        3, "2027-01-15T08:00:11Z", "2027-01-15T08:00:15Z", 4,
    )  # fmt: skip
    assert [one["state"] for one in last["transitions"]] == [state.value for state in FAILED]
    assert [result["held"] for result in first["results"]] == [False] * 2 + [True] * 4 + [False]


def test_the_log_of_a_window_is_in_its_report(journal: Path) -> None:
    with closing(Recorder(journal)) as recorder:
        history = recorder.journal.history
        history.add_note("win-1", "disk | swapped")
        history.close("win-1", "back on Monday")
    first, second = json.loads(written(journal, "json"))["notes"]
    assert (first["kind"], first["text"], first["servers"]) == ("note", "disk | swapped", [])
    assert (second["kind"], second["text"], second["servers"]) == ("left", "back on Monday", SERVERS[2:-1])
    text = written(journal, "md")
    assert "| 2027-01-15 08:00:00+00:00 | `disk \\| swapped` |" in text
    left = f"left in maintenance: {', '.join(SERVERS[2:-1])}: back on Monday"
    assert f"| `{left}` |" in text
    cells = {"".join(cell.itertext()) for cell in body_of(written(journal, "html")).iter("td")}
    assert {"disk | swapped", left} <= cells


@pytest.mark.parametrize("which", ["journal", "hostile"])
def test_the_published_schema_accepts_every_report(which: str, request: pytest.FixtureRequest) -> None:
    schema = json.loads(schema_json())
    jsonschema.Draft202012Validator.check_schema(schema)
    text = written(request.getfixturevalue(which), "json")
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    validator.validate(json.loads(text))
    assert len(msgspec.json.decode(text, type=WindowReport).operations) >= 2


def test_the_schema_refuses_what_is_no_report(journal: Path) -> None:
    report = json.loads(written(journal, "json"))
    validator = jsonschema.Draft202012Validator(json.loads(schema_json()))
    changes: tuple[dict[str, object], ...] = (
        {"version": 2},
        {"opened": None},
        {"totals": {"failed": "1"}},
        {"held": [{}]},
    )
    for broken in changes:
        assert not validator.is_valid(report | broken), broken


def test_a_window_without_operations_is_a_report_too(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with closing(Recorder(path)) as recorder, recorder.journal.database.writing() as db:
        db.execute("INSERT INTO windows VALUES ('win-1', ?, 'ACME', 'op', '', ?, NULL, NULL)",
                   (window().endpoint, START))  # fmt: skip
    assert json.loads(written(path, "json"))["operations"] == []
    assert "No operation belongs to this window." in written(path, "md")
    assert ET.fromstring(written(path, "html").partition("\n")[2]) is not None
    assert len(written(path, "csv").splitlines()) == 1


def test_csv_has_a_line_for_each_server_and_operation(journal: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(written(journal, "csv"), newline="")))
    assert [row["server"] for row in rows] == [*SERVERS, *SERVERS[:2]]
    assert {row["operation"] for row in rows} == {"op-1", "op-2"}
    first = rows[0]
    assert (first["started"], first["ended"], first["seconds"]) == (
        "2027-01-15T08:00:01+00:00", "2027-01-15T08:00:05+00:00", "4",
    )  # fmt: skip
    assert first["transitions"].split()[1] == "queued=2027-01-15T08:00:02+00:00"
    assert [row["still_in_maintenance"] for row in rows[:3]] == ["false", "false", "true"]


def test_csv_has_no_formulas_and_keeps_to_the_rfc(hostile: Path) -> None:
    text = written(hostile, "csv")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len({len(row) for row in rows}) == 1
    assert not [cell for row in rows for cell in row if cell.lstrip().startswith(tuple("=+-@\t\r"))]
    assert text.count("\r\n") == text.count("\n") == len(rows)


def test_markdown_pastes_into_a_ticket(journal: Path) -> None:
    text = written(journal, "md")
    assert text.startswith("# Maintenance window `CHG-1234`\n")
    assert "| Planned end | 2027-01-15 10:00:00+00:00 |" in text
    assert "## Start maintenance, 2027-01-15 08:00:00+00:00: 6 verified, 1 failed" in text
    assert "3 in 3 requests, no further after more than 3 failed" in text
    assert (
        f"| `{SERVERS[-1]}` | failed | 3 | 2027-01-15 08:00:11+00:00 | 2027-01-15 08:00:15+00:00 | 0:04 "
        "| `wa1-7` | `it \\| failed` |"
    ) in text


def test_nothing_in_markdown_is_markup(hostile: Path) -> None:
    """Every text from outside comes out of a renderer as it went in, in a cell of its own."""
    with opened(hostile) as source:
        ids = [result.server for one in source.operations() for result in source.results(one.id)]
    tokens = (
        MarkdownIt("commonmark", {"html": True, "linkify": True})
        .enable("table")
        .parse(written(hostile, "md"))
    )
    inline = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in inline} <= {"text", "code_inline"}
    shown = {child.content for child in inline if child.type == "code_inline"}
    assert {id_.replace("\\|", "\\ |").replace("  ", " ") for id_ in ids} <= {
        one.replace("  ", " ") for one in shown
    }
    columns = [0]
    for token in tokens:
        if token.type == "tr_open":
            columns.append(0)
        columns[-1] += token.type in ("td_open", "th_open")
    assert set(columns) <= {0, 2, 3, 8}
    assert {token.type for token in tokens if token.type.endswith("_block")} == set()


class Parsed(HTMLParser):
    """The tags and attributes of a document."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}


def body_of(text: str) -> ET.Element:
    doctype, _, rest = text.partition("\n")
    assert doctype == "<!DOCTYPE html>"
    return ET.fromstring(rest)


@pytest.mark.parametrize("which", ["journal", "hostile"])
def test_html_is_well_formed_and_refers_to_nothing_outside(
    which: str, request: pytest.FixtureRequest
) -> None:
    text = written(request.getfixturevalue(which), "html")
    body_of(text)
    parsed = Parsed(text)
    assert parsed.tags == {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "table", "thead", "tbody", "tr"),
        *("th", "td", "div", "time", "ul", "li", "svg", "defs", "pattern", "rect", "path", "text"),
    }
    names = {name for name, _ in parsed.attributes}
    assert not [name for name in names if name.startswith("on") or name in {"src", "href", "style"}]
    styles = text.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in styles
    assert "@import" not in styles
    ids = {value for name, value in parsed.attributes if name == "id"}
    assert {f"#{id_}" for id_ in ids} >= {
        value.removeprefix("url(").removesuffix(")") for name, value in parsed.attributes if "url(" in value
    }
    assert not [value for name, value in parsed.attributes if "//" in value]


def test_html_shows_hostile_texts_as_they_are(hostile: Path) -> None:
    with opened(hostile) as source:
        ids = [result.server for one in source.operations() for result in source.results(one.id)]
    cells = {"".join(cell.itertext()) for cell in body_of(written(hostile, "html")).iter("td")}
    assert set(ids) <= cells


def test_html_shows_every_state_by_a_word(journal: Path) -> None:
    body = body_of(written(journal, "html"))
    states = ["".join(cell.itertext()) for cell in body.iter("td") if "state" in cell.get("class", "")]
    style = STATE_STYLES[State.FAILED]
    assert states.count("✓ verified") == 4 + 8
    assert states.count(f"{style.sign} {style.word}") == 1
    (steps, *_) = [cell for cell in body.iter("div") if cell.get("class") == "steps"]
    assert [time.text for time in steps.iter("time")] == [f"08:00:0{second}" for second in range(1, 6)]
    timelines = [one for one in body.iter("svg") if one.get("class") == "timeline"]
    words = ["".join(text.itertext()) for text in timelines[0].iter("text")]
    assert "wave 3, 1 server" in words
    assert words[-1] == "1 failed"


@pytest.mark.parametrize("form", FORMATS)
def test_no_format_has_unsafe_characters(hostile: Path, form: str) -> None:
    assert unsafe_characters(written(hostile, form), lines="\r\n") == set()


def test_the_timeline_counts_every_server_at_every_time(journal: Path) -> None:
    with opened(journal) as source:
        operation = source.operations()[0]
        drawn = timeline(operation, source.results(operation.id))
    assert [line.name for line in drawn.lines] == ["wave 1", "wave 2", "wave 3"]
    assert [line.servers for line in drawn.lines] == [3, 3, 1]
    for line in drawn.lines:
        assert [first for first, _, _ in line.runs] == [0, *(after for _, after, _ in line.runs[:-1])]
        assert line.runs[-1][1] == COLUMNS
        assert {counts.total() for _, _, counts in line.runs} == {line.servers}
    order = [list(+counts) for _, _, counts in drawn.lines[0].runs]
    assert order == [[state] for state in (State.PLANNED, *STEPS)]


def test_many_waves_share_lines(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    ids = [f"WA1ACMEWEB{number:03}" for number in range(2 * MAX_LINES + 1)]
    with closing(Recorder(path)) as recorder:
        recorder.operation("op-1", window(), ids, batch=1)
    with opened(path) as source:
        drawn = timeline(source.operations()[0], source.results("op-1"))
    assert len(drawn.lines) <= MAX_LINES
    assert drawn.lines[0].name == "waves 1 to 3"
    assert sum(line.servers for line in drawn.lines) == len(ids)
