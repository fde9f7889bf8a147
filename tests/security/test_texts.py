"""Whatever a text of the API contains, it is text: on a terminal, in a pipe, in a file, in the journal."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from tests.headless.conftest import Pitstop
from tests.security.endpoint import PASSWORD, USER, Reply, around, log_in, served, server_id_of
from tests.security.payloads import PAYLOADS, acting
from tests.security.program import Home, texts_of
from tests.terminal.harness import Terminal
from tests.terminal.steps import confirm

SURFACES = ("list-pipe", "list-terminal", "list-json", "list-csv", "dry-run", "start-pipe", "start-terminal",
            "start-json", "journal", "log")  # fmt: skip
ALL = sorted(server_id_of(name) for name in PAYLOADS)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each surface was given, with every payload in every text that the API has."""
    home = Home(tmp_path_factory.mktemp("texts"))
    found: dict[str, str] = {}
    with served() as endpoint:
        url = endpoint.url
        found["list-pipe"] = home.run("servers", url=url).text
        found["list-json"] = home.run("servers", "--json", url=url).text
        found["list-csv"] = home.run("servers", "--csv", url=url).text
        found["list-terminal"] = _in_terminal(home.terminal("servers", url=url, size=(1000, 40)))
        found["dry-run"] = home.run("start", *ALL, "--dry-run", url=url).text
        found["start-pipe"] = home.run("start", *ALL, "--yes", url=url).text
        endpoint.forget()
        found["start-json"] = home.run("start", *ALL, "--yes", "--json", "--reason", "x", url=url).text
        endpoint.forget()
        started = home.terminal("start", *ALL, "--yes", url=url, size=(1000, 40))
        found["start-terminal"] = _in_terminal(started)
    found["journal"] = "\n".join(texts_of(home.journal))
    log = home.state / "pitstop.log"
    found["log"] = log.read_text() if log.exists() else ""
    return found


def _in_terminal(terminal: Terminal) -> str:
    with terminal:
        terminal.wait_exit(60)
        return terminal.raw.decode()


@pytest.mark.parametrize("surface", SURFACES)
def test_nothing_acts_on_the_terminal_or_deceives(said: dict[str, str], surface: str) -> None:
    lines = {"list-pipe": "\n\t", "start-pipe": "\n\t", "dry-run": "\n\t", "list-csv": "\r\n"}
    assert acting(said[surface], lines=lines.get(surface, "\r\n")) == set()


@pytest.mark.parametrize("surface", ["list-pipe", "list-terminal", "list-json", "list-csv"])
@pytest.mark.parametrize("name", PAYLOADS)
def test_the_text_around_it_is_still_there(said: dict[str, str], surface: str, name: str) -> None:
    """Or the surface above would be clean because nothing ever came to it."""
    records = re.split(r"[\n{]", said[surface])
    (record,) = [record for record in records if f"{server_id_of(name)}\t" in f"{record}\t".replace(" ", "\t")
                 .replace('"', "\t").replace(",", "\t")]  # fmt: skip
    assert record.count("before") == record.count("after") >= 3


@pytest.mark.parametrize("surface", ["start-pipe", "start-terminal", "start-json", "journal"])
def test_refusals_and_job_words_arrive(said: dict[str, str], surface: str) -> None:
    refused = [name for index, name in enumerate(PAYLOADS) if index % 3 == 0]
    assert said[surface].count("before ") >= len(refused)
    assert "[bold red]OWNED[/bold red]" in said["list-pipe"]


def test_no_cell_of_the_csv_is_a_formula(said: dict[str, str]) -> None:
    rows = list(csv.reader(io.StringIO(said["list-csv"])))
    assert len(rows) == len(PAYLOADS) + 1
    assert not [cell for row in rows for cell in row if cell.lstrip().startswith(tuple("=+-@"))]


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_refused_login_says_so_and_no_more(
    pitstop: Pitstop, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def route(path: str) -> Reply | None:
        return Reply({"message": around(name)}, 400) if "login" in path else None

    with served(route) as endpoint:
        log_in(monkeypatch, endpoint.url)
        ran = pitstop("servers")
    assert ran.code == 3
    assert "before" in ran.err
    assert acting(ran.out + ran.err) == set()
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_ticket_and_a_reason_are_text_too(
    pitstop: Pitstop, monkeypatch: pytest.MonkeyPatch, home: Path, name: str
) -> None:
    """They come out of tickets, which anybody may have written."""
    with served() as endpoint:
        log_in(monkeypatch, endpoint.url)
        unknown = pitstop("start", "-", "--yes", stdin=f"NOPE{PAYLOADS[name]}1")
        ran = pitstop("start", server_id_of("colour"), "--yes", "--json", "--reason", around(name))
    assert unknown.code == 2
    assert ran.code == 1
    assert acting(unknown.err + ran.out + ran.err) == set()
    written = "\n".join(texts_of(home / "journal.sqlite3"))
    assert "before" in written
    assert acting(written) == set()


# -- the console


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Through the console with a refused login first; each screen as it was read, and all bytes."""
    home = Home(tmp_path_factory.mktemp("console"))
    seen: dict[str, str] = {}
    with served() as endpoint, home.terminal("--api-url", endpoint.url, size=(200, 50)) as terminal:
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


def test_nothing_acts_on_the_terminal_below_the_console(journey: dict[str, str]) -> None:
    assert acting(journey["bytes"], lines="\r\n") == set()


@pytest.mark.parametrize("screen", ["login", "list", "details", "raw", "confirm", "results"])
def test_every_screen_showed_what_it_was_told(journey: dict[str, str], screen: str) -> None:
    assert ("⊘ refused" if screen == "results" else "before") in journey[screen]


def test_markup_is_shown_as_it_is(journey: dict[str, str]) -> None:
    assert "[bold red]OWNED[/bold" in journey["details"]
    assert json.dumps(journey["list"]).count("WA1ACME") >= len(PAYLOADS)
