"""A text of the API stays plain text on a terminal, in a pipe, in a file and in the journal."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from tests.headless.conftest import Pitstop
from tests.security.endpoint import PASSWORD, USER, Reply, log_in, serve_endpoint, server_id_of, wrapped
from tests.security.payloads import PAYLOADS, unsafe_characters
from tests.security.program import Home, texts_of
from tests.terminal.harness import Terminal
from tests.terminal.steps import confirm

SURFACES = ("list-pipe", "list-terminal", "list-json", "list-csv", "dry-run", "start-pipe", "start-terminal",
            "start-json", "report-md", "report-csv", "report-json", "report-html", "journal",
            "log")  # fmt: skip
ALL = sorted(server_id_of(name) for name in PAYLOADS)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Surface -> its output, where every text of the API contains a payload."""
    home = Home(tmp_path_factory.mktemp("texts"))
    found: dict[str, str] = {}
    with serve_endpoint() as endpoint:
        url = endpoint.url
        found["list-pipe"] = home.run("servers", url=url).text
        found["list-json"] = home.run("servers", "--json", url=url).text
        found["list-csv"] = home.run("servers", "--csv", url=url).text
        found["list-terminal"] = _in_terminal(home.terminal("servers", url=url, size=(1000, 40)))
        found["dry-run"] = home.run("start", *ALL, "--dry-run", url=url).text
        found["start-pipe"] = home.run("start", *ALL, "--yes", url=url).text
        endpoint.reset()
        found["start-json"] = home.run("start", *ALL, "--yes", "--json", "--reason", "x", url=url).text
        endpoint.reset()
        started = home.terminal("start", *ALL, "--yes", url=url, size=(1000, 40))
        found["start-terminal"] = _in_terminal(started)
    for form in ("md", "csv", "json", "html"):
        found[f"report-{form}"] = home.run("report", "--format", form, url=url).text
    found["journal"] = "\n".join(texts_of(home.journal))
    log = home.state / "pitstop.log"
    found["log"] = log.read_text() if log.exists() else ""
    return found


def _in_terminal(terminal: Terminal) -> str:
    with terminal:
        terminal.wait_exit(60)
        return terminal.raw.decode()


@pytest.mark.parametrize("surface", SURFACES)
def test_no_output_has_unsafe_characters(outputs: dict[str, str], surface: str) -> None:
    lines = {"list-pipe": "\n\t", "start-pipe": "\n\t", "dry-run": "\n\t", "list-csv": "\r\n"}
    assert unsafe_characters(outputs[surface], lines=lines.get(surface, "\r\n")) == set()


@pytest.mark.parametrize("surface", ["list-pipe", "list-terminal", "list-json", "list-csv"])
@pytest.mark.parametrize("name", PAYLOADS)
def test_the_texts_around_each_payload_are_printed(outputs: dict[str, str], surface: str, name: str) -> None:
    """Without them, the test above would pass because no payload reached the surface."""
    records = re.split(r"[\n{]", outputs[surface])
    (record,) = [record for record in records if f"{server_id_of(name)}\t" in f"{record}\t".replace(" ", "\t")
                 .replace('"', "\t").replace(",", "\t")]  # fmt: skip
    assert record.count("before") == record.count("after") >= 3


@pytest.mark.parametrize(
    "surface",
    [
        "start-pipe",
        "start-terminal",
        "start-json",
        "journal",
        "report-md",
        "report-csv",
        "report-json",
        "report-html",
    ],
)
def test_messages_of_refused_servers_are_printed(outputs: dict[str, str], surface: str) -> None:
    refused = [name for index, name in enumerate(PAYLOADS) if index % 3 == 0]
    assert outputs[surface].count("before ") >= len(refused)
    assert "[bold red]OWNED[/bold red]" in outputs["list-pipe"]


def test_no_cell_of_the_csv_is_a_formula(outputs: dict[str, str]) -> None:
    rows = list(csv.reader(io.StringIO(outputs["list-csv"])))
    assert len(rows) == len(PAYLOADS) + 1
    assert not [cell for row in rows for cell in row if cell.lstrip().startswith(tuple("=+-@"))]


@pytest.mark.parametrize("name", PAYLOADS)
def test_the_message_of_a_refused_login_is_one_safe_line(
    pitstop: Pitstop, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def route(path: str) -> Reply | None:
        return Reply({"message": wrapped(name)}, 400) if "login" in path else None

    with serve_endpoint(route) as endpoint:
        log_in(monkeypatch, endpoint.url)
        ran = pitstop("servers")
    assert ran.code == 3
    assert "before" in ran.err
    assert unsafe_characters(ran.out + ran.err) == set()
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("name", PAYLOADS)
def test_tickets_and_reasons_are_cleaned(
    pitstop: Pitstop, monkeypatch: pytest.MonkeyPatch, home: Path, name: str
) -> None:
    """Both come out of tickets, which anybody may have written."""
    with serve_endpoint() as endpoint:
        log_in(monkeypatch, endpoint.url)
        unknown = pitstop("start", "-", "--yes", stdin=f"NOPE{PAYLOADS[name]}1")
        ran = pitstop("start", server_id_of("colour"), "--yes", "--json", "--reason", wrapped(name))
    assert unknown.code == 2
    assert ran.code == 1
    assert unsafe_characters(unknown.err + ran.out + ran.err) == set()
    written = "\n".join(texts_of(home / "journal.sqlite3"))
    assert "before" in written
    assert unsafe_characters(written) == set()


# -- the console


@pytest.fixture(scope="module")
def screens(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Screen -> its text, for a walk through the console that begins with a refused login; and all bytes."""
    home = Home(tmp_path_factory.mktemp("console"))
    seen: dict[str, str] = {}
    with serve_endpoint() as endpoint, home.terminal("--api-url", endpoint.url, size=(200, 50)) as terminal:
        terminal.wait_for("Password")
        terminal.press(*USER, "tab", *"wrong", "enter")
        terminal.wait_for("before")
        seen["login"] = terminal.text()
        terminal.press(*PASSWORD, "enter")
        terminal.wait_for("WA1ACMECLEAR")
        terminal.settle()
        seen["list"] = terminal.text()
        terminal.press("enter")
        terminal.wait_for("OWNED[/bold")
        seen["details"] = terminal.text()
        terminal.press("j")
        terminal.settle()
        seen["raw"] = terminal.text()
        terminal.press("a")
        terminal.wait_for(" marked")
        terminal.press("s")
        terminal.wait_for("Start maintenance on")
        seen["confirm"] = terminal.text()
        confirm(terminal, "Start maintenance on")
        terminal.wait_for("Start maintenance: ")
        terminal.press("f")
        terminal.settle()
        seen["results"] = terminal.text()
        terminal.press("q")
        terminal.wait_for("still in maintenance?")
        seen["leaving"] = terminal.text()
        confirm(terminal, "still in maintenance?", None)
        assert terminal.wait_exit() == 0
        seen["bytes"] = terminal.raw.decode()
    return seen


def test_the_console_writes_no_unsafe_characters(screens: dict[str, str]) -> None:
    assert unsafe_characters(screens["bytes"], lines="\r\n") == set()


@pytest.mark.parametrize("screen", ["login", "list", "details", "raw", "confirm", "results"])
def test_each_screen_shows_the_texts_of_the_endpoint(screens: dict[str, str], screen: str) -> None:
    assert ("⊘ refused" if screen == "results" else "before") in screens[screen]


def test_markup_is_shown_as_plain_text(screens: dict[str, str]) -> None:
    assert "[bold red]OWNED[/bold" in screens["details"]
    assert json.dumps(screens["list"]).count("WA1ACME") >= len(PAYLOADS)
