"""The commands without a screen, on a terminal: questions, the live progress line, aligned columns."""

import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.headless.conftest import Pitstop, Platform, Serve
from tests.terminal.harness import Terminal
from tests.terminal.service import PITSTOP

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
READY = "maint:off status:active dc:wa1"


class Desk:
    """Runs commands in terminals, against one sandbox."""

    def __init__(self, platform: Platform, home: Path, stack: ExitStack) -> None:
        self.platform = platform
        self._home = home
        self._stack = stack

    def type(self, *arguments: str, size: tuple[int, int] = (120, 40), **env: str | None) -> Terminal:
        """Run a command in a terminal."""
        settings: dict[str, str | None] = {
            "PITSTOP_HOME": str(self._home),
            "PITSTOP_API_URL": self.platform.url,
            "PITSTOP_USERNAME": "demo",
            "PITSTOP_PASSWORD": "pitstop",
            **env,
        }
        terminal = Terminal([*PITSTOP, *arguments], size=size, env=settings, home=self._home, fork=True)
        return self._stack.enter_context(terminal)


def host(desk: Desk) -> str:
    """The host and port of a desk's endpoint, as the questions name it."""
    return urlsplit(desk.platform.url).netloc


def question_on(terminal: Terminal) -> str:
    """The question on the screen, with its line breaks removed."""
    text = "".join(line.ljust(terminal.emulator.main.columns) for line in terminal.screen())
    return " ".join(text[max(0, text.rfind("Start maintenance on")) :].split())


def wait_for_question(terminal: Terminal, end: str = "[y/N]") -> None:
    """Wait until a question that ends like this is on the screen."""
    terminal.wait_for(lambda: question_on(terminal).endswith(end))


@pytest.fixture
def desk(platform: Serve, home: Path) -> Iterator[Any]:
    """``desk(**config)``: a desk with a new sandbox."""
    with ExitStack() as stack:
        yield lambda **config: Desk(platform(**config), home, stack)


@pytest.fixture
def ids(pitstop: Pitstop) -> Any:
    """``ids(n)``: servers that are ready to be put into maintenance."""

    def ready_ids(count: int) -> list[str]:
        return [server["id"] for server in pitstop("servers", READY, "--json").json][:count]

    return ready_ids


def test_the_list_is_aligned_under_its_header(desk: Any) -> None:
    terminal = desk(servers=20).type("servers", "status:active")
    terminal.wait_exit()
    lines = [line for line in terminal.screen() if line.strip()]
    column = lines[0].index("Group")
    assert lines[0].startswith("ID")
    assert len(lines) > 5
    assert all(line[column - 1] == " " and line[column] != " " for line in lines[:-1])
    assert b"\t" not in terminal.raw


def test_the_settings_choose_the_columns(desk: Any, home: Path) -> None:
    at = desk(servers=20)
    home.mkdir()
    (home / "config.toml").write_text('columns = ["cpu", "name:30"]\n')
    terminal = at.type("servers")
    terminal.wait_exit()
    assert terminal.screen()[0].split() == ["ID", "CPU", "Name", "Maintenance"]


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_color_and_dumb_terminals_get_no_escape_sequences(desk: Any, variable: str, value: str) -> None:
    terminal = desk(servers=20).type("servers", **{variable: value})
    terminal.wait_exit()
    assert b"\x1b" not in terminal.raw


def test_a_start_needs_confirmation_and_a_no_sends_nothing(desk: Any, ids: Any) -> None:
    at = desk()
    wanted = ids(5)
    for answer in ("n", ""):
        terminal = at.type("start", *wanted)
        wait_for_question(terminal)
        assert question_on(terminal) == (
            f"Start maintenance on 5 servers ({', '.join(wanted[:3])} and 2 more) "
            f"at {host(at)}, account ACME, as demo? [y/N]"
        )
        terminal.press(*answer, "enter")
        assert terminal.wait_exit() == 2
        assert "nothing was sent" in terminal.text()
    assert at.platform.posts == 0


def test_a_yes_sends_and_the_final_progress_is_shown(desk: Any, ids: Any) -> None:
    at = desk()
    wanted = ids(3)
    terminal = at.type("start", *wanted)
    wait_for_question(terminal)
    terminal.press("y", "enter")
    assert terminal.wait_exit() == 0
    assert "3 of 3 verified" in terminal.text()
    assert "✓" in terminal.text()
    assert at.platform.in_maintenance(*wanted) == [True] * 3
    assert terminal.unrestored_modes() == set()


def test_the_question_names_servers_in_maintenance_that_are_not_mine(
    desk: Any, ids: Any, pitstop: Pitstop
) -> None:
    at = desk()
    (mine,) = ids(1)
    assert pitstop("start", mine, "--yes").code == 0
    other = pitstop("servers", "mine:no maint:on status:active", "--json").json[0]["id"]
    terminal = at.type("stop", mine, other)
    terminal.wait_for(lambda: terminal.text().rstrip().endswith("[y/N]"))
    asked = "".join(terminal.screen()).replace(" ", "")
    assert f"),1ofthemNOTYOURS({other})at" in asked
    terminal.press("n", "enter")
    assert terminal.wait_exit() == 2
    assert at.platform.in_maintenance(mine, other) == [True, True]
    terminal = at.type("stop", mine, other)
    terminal.wait_for(lambda: terminal.text().rstrip().endswith("[y/N]"))
    terminal.press("y", "enter")
    assert terminal.wait_exit() == 0, "who has answered the question needs no --not-mine"
    assert at.platform.in_maintenance(mine, other) == [False, False]


def test_above_confirm_above_the_count_must_be_typed(desk: Any, ids: Any) -> None:
    at = desk()
    wanted = ids(4)
    for answer, code in (("y", 2), ("4", 0)):
        terminal = at.type("start", *wanted, PITSTOP_CONFIRM_ABOVE="3")
        wait_for_question(terminal, "to go on:")
        assert f"4 servers ({', '.join(wanted[:3])} and 1 more) at {host(at)}, account ACME" in question_on(
            terminal
        )
        assert question_on(terminal).endswith("as demo? Type 4 to go on:")
        terminal.press(answer, "enter")
        assert terminal.wait_exit() == code


@pytest.mark.parametrize(("word", "danger"), [("off", "Power is cut at once"), ("shutdown", "Services")])
def test_a_drastic_operation_wants_the_count_even_for_one_server(
    desk: Any, ids: Any, pitstop: Pitstop, word: str, danger: str
) -> None:
    at = desk()
    query = "power:started status:active dc:wa1"
    (wanted,) = [server["id"] for server in pitstop("servers", query, "--json").json][:1]
    for answer, code in (("y", 2), ("1", 0)):
        terminal = at.type("power", word, wanted)
        terminal.wait_for("Type 1 to go on:")
        assert danger in terminal.text()
        terminal.press(answer, "enter")
        assert terminal.wait_exit() == code
        assert at.platform.posts == int(answer == "1")


def test_with_protected_servers_the_count_must_be_typed_however_few(desk: Any, ids: Any, home: Path) -> None:
    at = desk()
    wanted = ids(2)
    home.mkdir(exist_ok=True)
    profile = f'[profiles.night]\nurl = "{at.platform.url}"\nprotected = "id:{wanted[1]}"\n'
    (home / "config.toml").write_text(profile)
    for answer, code in (("y", 2), ("2", 0)):
        terminal = at.type("start", *wanted, "--profile", "night")
        wait_for_question(terminal, "Type 2 to go on:")
        assert f"warning: 1 of these 2 ({wanted[1]}) is protected" in terminal.text()
        terminal.press(answer, "enter")
        assert terminal.wait_exit() == code
    assert at.platform.in_maintenance(*wanted) == [True] * 2


def test_an_interrupted_question_sends_nothing(desk: Any, ids: Any) -> None:
    at = desk()
    terminal = at.type("start", *ids(2))
    wait_for_question(terminal)
    terminal.press("ctrl+c")
    assert terminal.wait_exit() == 130
    assert "Traceback" not in terminal.text()
    assert at.platform.posts == 0


def test_the_password_prompt_does_not_echo(desk: Any) -> None:
    at = desk(servers=5)
    terminal = at.type("servers", PITSTOP_PASSWORD=None)
    terminal.wait_for("Password of demo")
    terminal.press(*"pitstop", "enter")
    assert terminal.wait_exit() == 0
    assert "5 servers" in terminal.text()
    assert b"pitstop" not in terminal.raw.replace(b"Password", b"")
    assert terminal.unrestored_modes() == set()


def test_resume_asks_before_it_sends_unsent_servers(desk: Any, ids: Any) -> None:
    at = desk(job_seconds=(2.0, 2.0))
    wanted = ids(2)
    first = at.type("start", *wanted, "--yes", "--wave", "1")
    first.wait_for("1 queued")
    first.signal(signal.SIGKILL)
    first.wait_exit()
    terminal = at.type("resume")
    wait_for_question(terminal)
    assert "never sent of start maintenance of " in terminal.text()
    assert question_on(terminal) == (
        f"Start maintenance on 1 server ({wanted[1]}) at {host(at)}, account ACME, as demo? [y/N]"
    )
    assert at.platform.posts == 1
    terminal.press("y", "enter")
    assert terminal.wait_exit() == 0
    assert at.platform.in_maintenance(*wanted) == [True] * 2
    assert at.platform.posts == 2


def test_lines_fit_the_terminal_even_where_columns_is_exported(desk: Any) -> None:
    """COLUMNS may be stale: the window may have been resized since the shell exported it."""
    terminal = desk().type("servers", "dc:wa1", size=(50, 20), COLUMNS="300", LINES="10")
    assert terminal.wait_exit() == 0, terminal.text()
    lines = [ESCAPES.sub("", line) for line in terminal.raw.decode().splitlines()]
    assert 40 < max(map(len, lines)) <= 50
