"""A ticket from a file, servers into one."""

import csv
import json
import os
import stat
from pathlib import Path

import pytest
from textual.events import Paste
from textual.widgets import Input

from tests.console.conftest import OpenConsole
from tui.console.files import LARGEST, read_text, write_new
from tui.console.screens.prompt import PromptScreen, Refused
from tui.console.widgets.ticket_preview import TicketPreview


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that the console was started in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_what_is_shown_is_written_in_its_order(console: OpenConsole, here: Path) -> None:
    async with console(12) as c:
        await c.press("slash", *"db", "enter", "equals_sign", "x")
        await c.until(lambda: "Write 3 servers shown" in c.text())
        default = c.app.screen.query_one(Input).value
        assert default.startswith("pitstop-servers-2023111")
        await c.press("enter")
        await c.until(c.told)
        path = here / default
        assert c.told()[-1] == f"3 servers written to {path}"
        rows = list(csv.DictReader(path.read_text().splitlines()))
        assert [row["id"] for row in rows] == ["WA1ACMEDB012", "WA1ACMEDB008", "WA1ACMEDB004"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_what_is_marked_is_written_also_where_it_is_hidden(console: OpenConsole, here: Path) -> None:
    async with console(12) as c:
        await c.press("space", "space", "slash", *"web", "enter")
        await c.press("ctrl+p", *"export marked", "enter")
        await c.until(lambda: "Write 2 marked servers" in c.text())
        await c.press("ctrl+u", *"out.json", "enter")
        await c.until((here / "out.json").exists)
        await c.until(c.told)
        assert [row["id"] for row in json.loads((here / "out.json").read_text())] == [
            "WA1ACMEDB004",
            "WA1ACMEDB008",
        ]


async def test_a_file_that_is_there_is_never_overwritten(console: OpenConsole, here: Path) -> None:
    (here / "out.csv").write_text("mine")
    async with console(12) as c:
        await c.press("x", "ctrl+u", *"out.csv", "enter")
        await c.until(lambda: "is there already" in c.text())
        assert c.app.screen.query_one(Input).value == "out.csv"
        await c.press("ctrl+u", *"out.txt", "enter")
        await c.until(lambda: "must end in .csv or .json" in c.text())
        await c.press("escape")
    assert (here / "out.csv").read_text() == "mine"
    assert os.listdir(here) == ["out.csv"]


async def test_a_ticket_is_opened_from_a_file(console: OpenConsole, here: Path) -> None:
    (here / "chg.txt").write_text("Please: wa1acmeweb001, <WA1ACMEDB004> and WA1ACMEWEB999!")
    async with console(6) as c:
        await c.press("t", *"chg", "enter")
        await c.until(lambda: "No such file" in c.text())
        assert isinstance(c.app.screen, PromptScreen)
        await c.press(*".txt", "enter")
        await c.until(lambda: "In the file chg.txt: 2 to mark, 1 not known" in c.text())
        await c.press("m")
        assert c.marked() == ["WA1ACMEDB004", "WA1ACMEWEB001"]


@pytest.mark.parametrize("pane", ["results", "groups"])
async def test_a_ticket_may_be_pasted_wherever_the_focus_is(console: OpenConsole, pane: str) -> None:
    async with console(6) as c:
        c.servers.query_one(f"#{pane}").focus()
        c.app.post_message(Paste("WA1ACMEDB004"))
        await c.until(lambda: isinstance(c.app.screen, TicketPreview))


async def test_what_is_pasted_into_the_filter_stays_text(console: OpenConsole) -> None:
    async with console(6) as c:
        await c.press("slash")
        c.app.post_message(Paste("WA1ACMEDB004\nWA1ACMEWEB001"))
        await c.until(lambda: c.servers.filter.text == "WA1ACMEDB004")
        assert c.app.screen is c.servers


def test_files_that_are_no_tickets_are_told(here: Path) -> None:
    (here / "big").write_bytes(b" " * (LARGEST + 1))
    (here / "binary").write_bytes(b"\x7fELF\0\0")
    os.mkfifo(here / "pipe")
    for name, why in {
        "none": "No such file",
        ".": "is a directory",
        "big": "larger than 8 MB",
        "binary": "is not text",
        "pipe": "is not a file",
        "~nobody-of-that-name/x": "no such user",
    }.items():
        with pytest.raises(Refused, match=why):
            read_text(name)


def test_text_in_the_encodings_that_tickets_come_in(here: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (here / "ticket").write_text("Übergabe: WA1ACMEDB004", encoding=encoding)
        assert read_text("ticket") == "Übergabe: WA1ACMEDB004"
    (here / "ticket").write_text("Übergabe: WA1ACMEDB004", encoding="latin-1")
    assert read_text("ticket").endswith("bergabe: WA1ACMEDB004")


def test_a_file_that_cannot_be_finished_is_taken_away(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(Refused, match="No space left"):
        write_new("out.csv", "id\n")
    assert list(here.iterdir()) == []


def test_a_link_is_not_written_through(here: Path) -> None:
    (here / "out.csv").symlink_to(here / "elsewhere")
    with pytest.raises(Refused, match="there already"):
        write_new("out.csv", "id\n")
    assert not (here / "elsewhere").exists()
