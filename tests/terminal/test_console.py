"""The console in a terminal: a whole maintenance, the bytes it writes, and the state after it ends."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.terminal.conftest import Run
from tests.terminal.harness import Terminal
from tests.terminal.service import PITSTOP, Service
from tests.terminal.steps import LIST, confirm, marked, open_list, wait_for_list


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_mark_start_and_end_maintenance(pitstop: Run, size: tuple[int, int]) -> None:
    terminal = pitstop("demo", "--time-scale", "0.02", size=size)
    open_list(terminal)
    terminal.press("space", "space")
    terminal.wait_for(lambda: marked(terminal) == 2)
    terminal.press("s")
    terminal.wait_for("Start maintenance on 2 servers?")
    terminal.press("enter")
    terminal.settle()
    terminal.press("enter")
    terminal.settle()
    assert "2 verified" not in terminal.text(), "Enter on the focused default touches nothing"
    terminal.press("s")
    confirm(terminal, "Start maintenance on 2 servers?")
    terminal.wait_for("Start maintenance: 2 verified")
    terminal.press("e")
    confirm(terminal, "End maintenance on 2 servers?")
    terminal.wait_for("End maintenance: 2 verified")
    terminal.press("q")
    assert terminal.wait_exit() == 0
    assert terminal.unrestored_modes() == set()
    assert "".join(terminal.screen()) == "", "nothing is left on the shell's screen"


def test_a_wrong_password_is_tried_once_and_the_user_name_is_kept(
    pitstop: Run, service: Callable[..., Service]
) -> None:
    sandbox = service("--servers", "30")
    terminal = pitstop("--api-url", sandbox.url)
    terminal.wait_for("Password")
    terminal.press(*"demo", "tab", *"wrong", "enter")
    terminal.wait_for("We didn't recognize the username or password you entered.")
    terminal.settle()
    assert "demo" in terminal.text()
    assert sandbox.requests()["by_route"] == {"POST /v2/authentication/login": 1}
    terminal.press(*"pitstop", "enter")
    wait_for_list(terminal)
    assert sandbox.requests()["by_route"]["POST /v2/authentication/login"] == 2
    assert "wrong" not in terminal.raw.decode(errors="replace")


def test_credentials_in_the_environment_log_in_automatically(
    pitstop: Run, service: Callable[..., Service]
) -> None:
    sandbox = service("--servers", "30")
    user = {"PITSTOP_USERNAME": "demo", "PITSTOP_PASSWORD": "pitstop"}
    terminal = pitstop("--api-url", sandbox.url, env=user)
    wait_for_list(terminal)
    assert sandbox.requests()["by_route"]["POST /v2/authentication/login"] == 1


def test_an_idle_console_writes_nothing(pitstop: Run) -> None:
    terminal = pitstop("demo")
    open_list(terminal)
    terminal.settle(1.0)
    assert terminal.burst(lambda: None, quiet=2.0).data == b""


def test_keys_write_few_bytes(pitstop: Run) -> None:
    """Bounds with some room: a whole row at 120 columns is about 400 bytes, the whole screen 15,000."""
    terminal = pitstop("demo", env={"COLORTERM": "truecolor"})
    open_list(terminal)
    terminal.press("down", "space")
    terminal.settle()
    assert terminal.bytes_of("down") <= 450, "two whole rows: the cursor is drawn across its whole line"
    assert terminal.bytes_of("up") <= 450
    assert terminal.bytes_of("space") <= 900, "the mark, the cursor, and the title's count"
    assert terminal.bytes_of("a") <= 9_000, "all shown rows, and nothing twice"


def test_a_slow_link_loses_no_key(pitstop: Run) -> None:
    """Keys typed ahead of a screen at 9,600 bytes a second: each reaches the widget it was meant for."""
    terminal = pitstop("demo", size=(80, 24), env={"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"})
    wait_for_list(terminal)
    terminal.throttle(9_600)
    terminal.press(*"/maint:off power:started status:active web")
    terminal.wait_for("status:active web")
    terminal.press("enter")
    terminal.wait_for("shown")
    terminal.press("space", "space", "down", "space", "up", "up", "s")
    terminal.wait_for("Start maintenance on 3 servers?")
    terminal.press("escape")
    terminal.settle(1.0)
    assert marked(terminal) == 3


def test_the_screen_follows_the_size_of_the_terminal(pitstop: Run) -> None:
    terminal = pitstop("demo")
    open_list(terminal)
    terminal.press("space")
    for columns, rows in ((80, 24), (60, 15), (200, 50), (120, 40)):
        terminal.resize(columns, rows)
        terminal.settle()
        assert LIST in terminal.text(), f"{columns}x{rows}"
    terminal.resize(40, 10)
    terminal.settle()
    assert LIST not in terminal.text()
    assert "too small" in terminal.text()
    terminal.resize(80, 24)
    terminal.wait_for(LIST)
    assert marked(terminal) == 1


def test_exported_columns_and_lines_are_ignored(pitstop: Run) -> None:
    terminal = pitstop("demo", size=(80, 24), env={"COLUMNS": "200", "LINES": "60"})
    wait_for_list(terminal)
    assert terminal.screen()[-1].rstrip().endswith("q quit")
    terminal.resize(100, 30)
    terminal.wait_for(lambda: terminal.screen()[29].rstrip().endswith("q quit"))


@pytest.mark.parametrize("inside", ["xterm", pytest.param("tmux", marks=pytest.mark.needs("tmux"))])
def test_ctrl_space_marks_from_the_last_mark_to_the_cursor(pitstop: Run, inside: str, tmp_path: Path) -> None:
    """ctrl+space arrives as NUL, from xterm directly and through tmux."""
    if inside == "tmux":
        server = ["tmux", "-S", str(tmp_path / "tmux"), "-f", "/dev/null"]
        run = Terminal([*server, "new-session", *PITSTOP, "demo"], home=tmp_path)
    else:
        run = pitstop("demo")
    with run as terminal:
        open_list(terminal)
        terminal.press("space", "down", "down", "ctrl+@")
        terminal.wait_for(lambda: marked(terminal) == 4)
        terminal.press("q")
        assert terminal.wait_exit() == 0


def test_no_color_shows_only_greys(pitstop: Run) -> None:
    terminal = pitstop("demo", env={"NO_COLOR": "1", "COLORTERM": "truecolor"})
    open_list(terminal)
    colours = {
        colour
        for row in range(40)
        for column in range(120)
        for colour in (terminal.cell(column, row).foreground, terminal.cell(column, row).background)
    }
    assert [
        colour for colour in colours if colour != "default" and len({colour[:2], colour[2:4], colour[4:]}) > 1
    ] == []
    assert "started" in terminal.text()


@pytest.mark.parametrize(
    "env", [{"PYTHONIOENCODING": "latin-1"}, {"LANG": "C"}, {"LC_ALL": "POSIX"}], ids=str
)
def test_a_terminal_without_unicode_gets_ascii(pitstop: Run, env: dict[str, str]) -> None:
    terminal = pitstop("demo", env=env)
    open_list(terminal)
    terminal.press("space")
    terminal.press("s")
    terminal.wait_for("Start maintenance on 1 server?")
    assert terminal.text().isascii()
    assert "\\u" not in terminal.text()
    assert "\\x" not in terminal.text()


def test_heavy_packages_are_imported_after_the_first_paint(pitstop: Run, tmp_path: Path) -> None:
    """A spy in place of ``os.write`` records the loaded modules when the login screen is first written."""
    seen = tmp_path / "loaded"
    script = f"""
import os, sys

write = os.write

def spy(fd, data):
    if b"Password" in data:
        with open({str(seen)!r}, "x") as note:
            note.write(" ".join(sys.modules))
    return write(fd, data)

os.write = spy
sys.argv = ["pitstop"]
from tui.cli import main
sys.exit(main())
"""
    with Terminal([sys.executable, "-c", script], home=tmp_path) as terminal:
        terminal.wait_for("Password")
    loaded = set(seen.read_text().split())
    assert "textual.app" in loaded
    assert loaded.isdisjoint({"httpx", "starlette", "uvicorn", "sqlite3", "tui.sandbox"})


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"env": {"TERM": "dumb"}}, "TERM is dumb"),
        ({"env": {"TERM": None}}, "TERM is not set"),
        ({"stdin": subprocess.DEVNULL}, "standard input is not a terminal"),
    ],
    ids=["dumb", "none", "input"],
)
def test_an_unusable_terminal_is_refused_with_a_reason(
    pitstop: Run, how: dict[str, object], reason: str
) -> None:
    terminal = pitstop("demo", **how)
    assert terminal.wait_exit() == 2
    assert reason in terminal.text()
    assert terminal.unrestored_modes() == set()
    assert b"\x1b" not in terminal.raw


def test_the_console_needs_a_terminal_on_standard_error(tmp_path: Path) -> None:
    with Terminal([*PITSTOP, "demo"], home=tmp_path, stderr=subprocess.PIPE) as terminal:
        assert terminal.wait_exit() == 2
        assert terminal.process.stderr is not None
        with terminal.process.stderr as errors:
            assert b"standard error is not a terminal" in errors.read()


def test_a_filter_and_mark_all_in_one_write_mark_what_is_shown(pitstop: Run) -> None:
    """A slow link can deliver many keys at once; each still reaches the widget it was meant for."""
    terminal = pitstop("demo")
    wait_for_list(terminal)
    terminal.press("/", *"group:database maint:off", "enter", "a")
    terminal.wait_for(lambda: marked(terminal))
    shown = re.search(r"(\d+) of 240 shown · (\d+) marked", terminal.text())
    assert shown is not None, terminal.text()
    assert 0 < int(shown[1]) == int(shown[2]) < 240
    terminal.find("group:database maint:off")


def test_editing_keys_and_characters_keep_their_order(pitstop: Run) -> None:
    terminal = pitstop("demo")
    wait_for_list(terminal)
    terminal.press(
        "/", *"webx", "backspace", *" and dx", "left", "ctrl+u", "end", "backspace", *"db", "enter", "space"
    )
    terminal.wait_for(lambda: marked(terminal) == 1)
    row = next(line for line in terminal.screen() if " ✓" in line)
    assert "DB" in row
    terminal.press("/", "up", *" dc:wa1", "enter")
    terminal.wait_for("db dc:wa1")


def test_a_ticket_of_5000_lines_is_pasted_at_once(pitstop: Run, tmp_path: Path) -> None:
    terminal = pitstop("demo", "--servers", "5000")
    terminal.wait_for("── 5,000")
    terminal.press("a")
    terminal.wait_for("5,000 marked")
    terminal.press("x")
    terminal.wait_for("to which file")
    terminal.press("ctrl+u", *str(tmp_path / "all.csv"), "enter")
    terminal.wait_for(lambda: (tmp_path / "all.csv").exists())
    terminal.wait_for(lambda: len((tmp_path / "all.csv").read_text().splitlines()) == 5001)
    ids = [line.split(",")[0] for line in (tmp_path / "all.csv").read_text().splitlines()[1:]]
    assert len(ids) == 5000
    terminal.press("u")
    terminal.wait_for(lambda: not marked(terminal))
    terminal.paste("\n".join(f"{number}. please: {id_.lower()} (night)" for number, id_ in enumerate(ids)))
    terminal.wait_for("5,000 to mark")
    terminal.press("m")
    terminal.wait_for("5,000 marked")


def test_columns_and_filter_history_survive_a_restart(pitstop: Run) -> None:
    terminal = pitstop("demo")
    wait_for_list(terminal)
    assert "Power" in terminal.text()
    terminal.press("C")
    terminal.wait_for("Description")
    terminal.press("down", "down", "space", "enter")
    terminal.wait_for(lambda: "Description" not in terminal.text())
    terminal.press("/", *"dc:wa1", "enter")
    terminal.wait_for("shown")
    assert "Power" not in terminal.text()
    terminal.press("q")
    assert terminal.wait_exit() == 0
    again = pitstop("demo")
    wait_for_list(again)
    assert "Power" not in again.text()
    again.press("/", "up")
    again.wait_for("dc:wa1")


def test_quitting_warns_of_servers_in_maintenance_and_a_restart_shows_them(
    pitstop: Run, service: Callable[..., Service]
) -> None:
    sandbox = service("--servers", "30", "--time-scale", "0.02")
    user = {"PITSTOP_USERNAME": "demo", "PITSTOP_PASSWORD": "pitstop"}
    terminal = pitstop("--api-url", sandbox.url, env=user)
    open_list(terminal)
    terminal.press("space")
    terminal.wait_for(lambda: marked(terminal) == 1)
    terminal.press("s")
    confirm(terminal, "Start maintenance on 1 server?")
    terminal.wait_for("1 of yours")
    terminal.wait_for("Start maintenance: 1 verified")
    terminal.press("q")
    confirm(terminal, "Leave with 1 server of yours still in maintenance?", None)
    assert terminal.wait_exit() == 0
    assert "1 server of yours is still in maintenance" in terminal.text()
    again = pitstop("--api-url", sandbox.url, env=user)
    again.wait_for("1 of yours")
    again.press("b")
    confirm(again, "End maintenance on 1 server?")
    again.wait_for("End maintenance: 1 verified")
    again.wait_for(lambda: "of yours" not in again.text())
    again.press("q")
    assert again.wait_exit() == 0
