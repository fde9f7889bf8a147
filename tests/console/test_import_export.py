"""Reading a ticket from a file, and exporting servers to one."""

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
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the console: an empty one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_export_writes_the_shown_servers_in_their_order(console: OpenConsole, directory: Path) -> None:
    async with console(12) as c:
        await c.press("slash", *"db", "enter", "equals_sign", "x")
        await c.until(lambda: "Write 3 servers shown" in c.text())
        default = c.app.screen.query_one(Input).value
        assert default.startswith("pitstop-servers-2023111")
        await c.press("enter")
        await c.until(c.notifications)
        path = directory / default
        assert c.notifications()[-1] == f"3 servers written to {path}"
        rows = list(csv.DictReader(path.read_text().splitlines()))
        assert [row["id"] for row in rows] == ["WA1ACMEDB012", "WA1ACMEDB008", "WA1ACMEDB004"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_export_writes_marked_servers_even_if_they_are_hidden(
    console: OpenConsole, directory: Path
) -> None:
    async with console(12) as c:
        await c.press("space", "space", "slash", *"web", "enter")
        await c.press("ctrl+p", *"export marked", "enter")
        await c.until(lambda: "Write 2 marked servers" in c.text())
        await c.press("ctrl+u", *"out.json", "enter")
        await c.until((directory / "out.json").exists)
        await c.until(c.notifications)
        assert [row["id"] for row in json.loads((directory / "out.json").read_text())] == [
            "WA1ACMEDB004",
            "WA1ACMEDB008",
        ]


async def test_export_never_overwrites_an_existing_file(console: OpenConsole, directory: Path) -> None:
    (directory / "out.csv").write_text("mine")
    async with console(12) as c:
        await c.press("x", "ctrl+u", *"out.csv", "enter")
        await c.until(lambda: "is there already" in c.text())
        assert c.app.screen.query_one(Input).value == "out.csv"
        await c.press("ctrl+u", *"out.txt", "enter")
        await c.until(lambda: "must end in .csv or .json" in c.text())
        await c.press("escape")
    assert (directory / "out.csv").read_text() == "mine"
    assert os.listdir(directory) == ["out.csv"]


async def test_a_ticket_is_read_from_a_file(console: OpenConsole, directory: Path) -> None:
    (directory / "chg.txt").write_text("Please: wa1acmeweb001, <WA1ACMEDB004> and WA1ACMEWEB999!")
    async with console(6) as c:
        await c.press("t", *"chg", "enter")
        await c.until(lambda: "No such file" in c.text())
        assert isinstance(c.app.screen, PromptScreen)
        await c.press(*".txt", "enter")
        await c.until(lambda: "In the file chg.txt: 2 to mark, 1 not known" in c.text())
        await c.press("m")
        assert c.marked() == ["WA1ACMEDB004", "WA1ACMEWEB001"]


@pytest.mark.parametrize("pane", ["results", "groups"])
async def test_a_ticket_can_be_pasted_in_any_pane(console: OpenConsole, pane: str) -> None:
    async with console(6) as c:
        c.servers.query_one(f"#{pane}").focus()
        c.app.post_message(Paste("WA1ACMEDB004"))
        await c.until(lambda: isinstance(c.app.screen, TicketPreview))


async def test_text_pasted_into_the_filter_is_not_read_as_a_ticket(console: OpenConsole) -> None:
    async with console(6) as c:
        await c.press("slash")
        c.app.post_message(Paste("WA1ACMEDB004\nWA1ACMEWEB001"))
        await c.until(lambda: c.servers.filter.text == "WA1ACMEDB004")
        assert c.app.screen is c.servers


def test_files_that_are_no_tickets_are_refused_with_a_reason(directory: Path) -> None:
    (directory / "big").write_bytes(b" " * (LARGEST + 1))
    (directory / "binary").write_bytes(b"\x7fELF\0\0")
    os.mkfifo(directory / "pipe")
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


def test_ticket_files_are_read_in_several_encodings(directory: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (directory / "ticket").write_text("Übergabe: WA1ACMEDB004", encoding=encoding)
        assert read_text("ticket") == "Übergabe: WA1ACMEDB004"
    (directory / "ticket").write_text("Übergabe: WA1ACMEDB004", encoding="latin-1")
    assert read_text("ticket").endswith("bergabe: WA1ACMEDB004")


def test_a_file_that_cannot_be_written_completely_is_removed(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(Refused, match="No space left"):
        write_new("out.csv", "id\n")
    assert list(directory.iterdir()) == []


def test_export_does_not_write_through_a_symbolic_link(directory: Path) -> None:
    (directory / "out.csv").symlink_to(directory / "elsewhere")
    with pytest.raises(Refused, match="there already"):
        write_new("out.csv", "id\n")
    assert not (directory / "elsewhere").exists()
