"""A key does what it meant when it was pressed, or nothing, in one write and at every speed."""

import itertools
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.terminal.conftest import Run
from tests.terminal.harness import Terminal
from tests.terminal.service import PITSTOP, Service
from tests.terminal.steps import NOTHING_SENT, confirm, marked, open_list, start_over, states, wait_for_list
from tests.terminal.test_going import USER

GAPS = (0, 0.02, 0.1, 0.3)
"""Seconds between two keys; 0 is all of them in one write."""
at_every_speed = pytest.mark.parametrize("gaps", [GAPS[:2], GAPS[2:]], ids=["fast", "slow"])
"""Half of the gaps each, so that long tests are spread over the workers."""


def type_keys(terminal: Terminal, keys: Sequence[str], gap: float) -> None:
    """Press keys with ``gap`` seconds between two of them, and wait until they have taken effect."""
    if not gap:
        terminal.press(*keys)
    for key in keys if gap else ():
        terminal.press(key)
        time.sleep(gap)
    terminal.settle(0.8)


def open_question(terminal: Terminal, key: str = "s") -> None:
    """Mark two servers, open the question about them, and wait until it accepts answers."""
    terminal.press("space", "space")
    terminal.wait_for(lambda: marked(terminal) == 2)
    terminal.press(key)
    terminal.wait_for("maintenance on 2 servers?")
    terminal.settle(0.4)


@at_every_speed
@pytest.mark.parametrize(
    ("text", "before"),
    [("security patches", ()), ("yearly patch", ("enter",)), ("network, by night", ("enter", "tab"))],
    ids=["reason", "no", "yes"],
)
def test_typing_a_reason_does_not_confirm(
    console: Terminal, gaps: Sequence[float], text: str, before: Sequence[str]
) -> None:
    """With the focus in the reason, on the safe answer, and on the other answer."""
    for gap in gaps:
        open_question(console)
        for key in before:
            console.press(key)
            console.settle(0.1)
        type_keys(console, list(text), gap)
        assert NOTHING_SENT in console.text(), f"gap {gap}"
        assert text in console.text(), f"gap {gap}: it is in the reason"
        start_over(console)


@at_every_speed
def test_a_reason_typed_before_the_question_appears_does_not_confirm(
    console: Terminal, gaps: Sequence[float]
) -> None:
    for gap in gaps:
        for keys in (["s", "tab", "tab", *"yearly patch"], ["s", "y"]):
            console.press("space")
            console.wait_for(lambda: marked(console) == 1)
            type_keys(console, keys, gap)
            assert NOTHING_SENT in console.text(), f"gap {gap}, {keys}"
            start_over(console)


def test_the_focus_moves_from_the_reason_to_the_safe_answer(
    console: Terminal,
) -> None:
    open_question(console)
    console.press(*"CHG-1", "enter")
    console.wait_for("►n leave them alone")
    for expected in ("►y start maintenance", "►f2 list", " n leave them alone", "►n leave them alone"):
        console.press("tab")
        console.wait_for(expected)
    confirm(console, "Start maintenance on 2 servers?", None)
    console.wait_for("Start maintenance: 2 verified")
    console.press("e")
    console.wait_for("End maintenance on 2 servers?")
    console.wait_for("►n leave them alone")
    assert "CHG-1" in console.text().split("Reason")[1]


@pytest.mark.parametrize(
    ("keys", "gaps"),
    [
        (("y", "Y", "enter", "tab"), GAPS[:1]),
        (("space", "/", "1", "backspace", "up"), GAPS[:1]),
        (("y",), GAPS[1:]),
    ],
    ids=["answers", "others", "later"],
)
def test_escape_and_the_next_key_are_two_keys(
    console: Terminal, keys: Sequence[str], gaps: Sequence[float]
) -> None:
    """Terminals may join the two for up to 0.6 s; they then look like alt and that key."""
    for key, gap in itertools.product(keys, gaps):
        open_question(console)
        console.press("enter")
        console.wait_for("►n leave them alone")
        type_keys(console, ["escape", key], gap)
        assert "maintenance on 2 servers?" not in console.text(), f"{key}, gap {gap}"
        console.press("y")
        console.settle(0.6)
        assert NOTHING_SENT in console.text(), f"{key}, gap {gap}"
        start_over(console)


@pytest.mark.parametrize("keys", [("enter", "tab"), ("tab", "enter"), ("tab", "enter", "y")])
def test_keys_in_one_write_do_not_confirm(console: Terminal, keys: Sequence[str]) -> None:
    open_question(console)
    console.press("enter")
    console.wait_for("►n leave them alone")
    type_keys(console, keys, 0)
    assert NOTHING_SENT in console.text()


@at_every_speed
def test_enter_then_tab_is_the_safe_answer_at_every_speed(console: Terminal, gaps: Sequence[float]) -> None:
    for gap in gaps:
        open_question(console)
        console.press("enter")
        console.wait_for("►n leave them alone")
        type_keys(console, ["enter", "tab"], gap)
        assert "maintenance on 2 servers?" not in console.text(), f"gap {gap}"
        assert NOTHING_SENT in console.text(), f"gap {gap}"
        start_over(console)


def test_quitting_is_not_confirmed_by_a_key_after_enter(
    pitstop: Run, service: Callable[..., Service], tmp_path: Path
) -> None:
    sandbox = service("--servers", "30", "--job-seconds", "600-601")
    terminal = pitstop("--api-url", sandbox.url, env=USER)
    open_list(terminal)
    terminal.press("space")
    terminal.wait_for(lambda: marked(terminal) == 1)
    terminal.press("s")
    confirm(terminal, "Start maintenance on 1 server?")
    terminal.wait_for(lambda: states(tmp_path)["queued"] + states(tmp_path)["executing"] == 1)
    for gap in GAPS:
        terminal.press("q")
        terminal.wait_for("►n stay")
        terminal.settle(0.4)
        type_keys(terminal, ["enter", "tab"], gap)
        assert "Leave with" not in terminal.text(), f"gap {gap}"
        assert terminal.process.poll() is None, f"gap {gap}"
        start_over(terminal)


@pytest.mark.parametrize(
    "text", ["wa1acmekeycloak01", "wa1acmekeycloak01\r", "please: aesy\r\nthanks, sey\r\n"]
)
def test_a_paste_without_brackets_is_a_ticket_and_runs_no_command(console: Terminal, text: str) -> None:
    console.write(text.encode())
    console.settle(0.8)
    assert marked(console) == 0
    assert "maintenance on" not in console.text()
    assert "pasted text" in console.text()
    assert NOTHING_SENT in console.text()


def test_a_paste_that_arrives_in_pieces_is_one_ticket(console: Terminal) -> None:
    """The paste is longer than the terminal's buffer, and its last piece is one letter."""
    ids = [word for line in console.screen() for word in line.split() if word.startswith("NY1ACME")]
    filler = ["filler of a long mail, and more of it"] * 200
    console.write("\r".join([*filler, ids[0], *filler, ids[1], "a"]).encode())
    console.wait_for("2 to mark")
    console.settle(0.8)
    assert marked(console) == 0
    console.press("m")
    console.wait_for(lambda: marked(console) == 2)


def first_ids(terminal: Terminal) -> list[str]:
    """The servers on the screen, from the top of the list."""
    return [word for line in terminal.screen() for word in line.split() if "1ACME" in word]


@at_every_speed
def test_keys_typed_ahead_mark_the_intended_servers(console: Terminal, gaps: Sequence[float]) -> None:
    """Or none: never servers that were not under the cursor, or that another filter shows."""
    start_over(console, "")
    for gap in gaps:
        type_keys(console, ["space", "shift+tab"], gap)
        assert marked(console) == 1, f"space and a pane: gap {gap}"
        start_over(console, "")
        meant = first_ids(console)[:2]
        type_keys(console, ["space", "space", "/", *"web", "enter"], gap)
        assert marked(console) == 2, f"two marks and a filter: gap {gap}"
        console.press("/")
        console.settle(0.12)
        console.press("ctrl+u", "enter")
        console.settle(0.12)
        console.press("home")
        console.settle(0.12)
        lines = [line for line in console.screen() if "✓" in line]
        found = [word for line in lines for word in line.split() if "1ACME" in word]
        assert found == meant, f"gap {gap}"
        start_over(console, "")
        type_keys(console, ["a", "/"], gap)
        assert marked(console) in {0, 240}, f"a mark and a filter: gap {gap}"
        assert marked(console) or gap < 0.3, f"nothing is taken for a paste at gap {gap}"
        start_over(console, "")


def test_choosing_a_group_and_marking_all_marks_that_group(console: Terminal) -> None:
    start_over(console, "")
    for gap in GAPS:
        console.press("shift+tab", "home", "down", "down")
        console.settle()
        type_keys(console, ["enter", "tab", "a"], gap)
        title = next(line for line in console.screen() if "Servers in" in line)
        shown = int(title.split(" ── ")[1].split()[0])
        assert marked(console) == shown < 240, f"gap {gap}: {title}"
        console.press("shift+tab")
        console.press("enter")
        console.press("tab")
        start_over(console, "")


@pytest.mark.parametrize(
    ("text", "gaps"),
    [("xsy\r", GAPS), ("tsystems.txt\r", GAPS[::2]), ("keycloak\r", GAPS[1::2])],
    ids=["xsy", "tsystems", "keycloak"],
)
def test_a_name_typed_on_the_list_runs_no_command(
    console: Terminal, text: str, gaps: Sequence[float]
) -> None:
    for gap in gaps:
        type_keys(console, list(text), gap)
        assert "maintenance on" not in console.text(), f"{text!r}, gap {gap}"
        assert NOTHING_SENT in console.text(), f"{text!r}, gap {gap}"
        start_over(console)
    assert console.home is not None
    assert not list(console.home.rglob("*.csv"))


def test_commands_act_on_the_pane_that_has_the_focus(console: Terminal) -> None:
    """On the server under the cursor of that pane, which the question names; not on that of the list."""
    console.press("space", "space")
    console.wait_for(lambda: marked(console) == 2)
    console.press("s")
    confirm(console, "Start maintenance on 2 servers?")
    console.wait_for("Start maintenance: 2 verified")
    console.press("u")
    console.wait_for(lambda: not marked(console))
    console.press("end")
    console.press("tab")
    console.settle()
    row = next(line for line in console.screen() if line.startswith("▌"))
    server = next(word for word in row.split() if "ACME" in word)
    console.press("e")
    console.wait_for("End maintenance on 1 server?")
    console.wait_for(lambda: any(" Servers  " in line and server in line for line in console.screen()))
    console.press("escape")
    console.settle()
    console.press("space")
    console.wait_for(lambda: marked(console) == 1)
    console.press("shift+tab")
    console.press("home")
    console.wait_for(lambda: any(" ✓ " in line and server in line for line in console.screen()))


def test_an_unavailable_command_says_why(pitstop: Run, service: Callable[..., Service]) -> None:
    sandbox = service("--servers", "30")
    user = {"PITSTOP_USERNAME": "viewer", "PITSTOP_PASSWORD": "pitstop"}
    terminal = pitstop("--api-url", sandbox.url, env=user)
    wait_for_list(terminal)
    for key, why in {
        "s": "Start maintenance: your role does not allow operations",
        "b": "Bring back: your role does not allow operations",
        "X": "Cancel the rest: everything has been sent already",
        "o": "Other operation: there is no other operation",
        "f": "Failures first: there are no results yet",
        "l": "Follow: there are no results yet",
        "z": "Larger results: there are no results yet",
        "u": "Unmark all: no server is marked",
        "j": "Raw details: no details are shown",
        "U": "Undo marks: no change of the marks is left to take back",
    }.items():
        terminal.press(key)
        terminal.wait_for(lambda why=why: why in terminal.screen()[0])  # type: ignore[misc]


def test_keys_typed_when_the_login_opens_are_no_password(
    pitstop: Run, service: Callable[..., Service]
) -> None:
    """A filter that is being typed when the dialog opens is not sent as a password."""
    sandbox = service("--servers", "30")
    terminal = pitstop("--api-url", sandbox.url, env=USER)
    wait_for_list(terminal)
    sandbox.set_faults(expire_token=1.0)
    logins: list[int] = []
    for gap in (0.1, 0.3):
        for key in ("r", "/", *"maint:off", "enter"):
            terminal.press(key)
            time.sleep(gap)
            if not logins and "Log in again" in terminal.text():
                logins.append(sandbox.requests()["by_route"]["POST /v2/authentication/login"])
    assert logins, "the dialog opened while keys were pressed"
    assert sandbox.requests()["by_route"]["POST /v2/authentication/login"] == logins[0]
    sandbox.set_faults(expire_token=0.0)
    terminal.settle(1.2)
    terminal.press(*"pitstop", "enter")
    terminal.wait_for(lambda: "Log in again" not in terminal.text())


class Multiplexer(NamedTuple):
    """The console inside tmux or GNU screen, and how text is pasted there, without bracketed paste."""

    terminal: Terminal
    paste: Callable[[str], object]


@pytest.fixture(params=[pytest.param(tool, marks=pytest.mark.needs(tool)) for tool in ("tmux", "screen")])
def multiplexer(request: pytest.FixtureRequest, exit_stack: ExitStack, tmp_path: Path) -> Multiplexer:
    """``pitstop demo`` in each multiplexer with its default settings."""
    environment = {**os.environ, "SCREENDIR": str(tmp_path / "screen"), "SYSSCREENRC": os.devnull}
    (tmp_path / "screen").mkdir(mode=0o700)
    if request.param == "tmux":
        call = ["tmux", "-S", str(tmp_path / "tmux"), "-f", os.devnull]
        start, end = [*call, "new-session"], [*call, "kill-server"]
    else:
        call = ["screen", "-S", "test"]
        start, end = [*call, "-U", "-c", os.devnull], [*call, "-X", "quit"]

    def run_command(command: Sequence[str]) -> None:
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)

    def paste(text: str) -> None:
        if request.param == "tmux":
            steps = (["set-buffer", text], ["paste-buffer"])
        else:
            steps = (["-X", "register", ".", text], ["-X", "paste", "."])
        for step in steps:
            run_command([*call, *step])

    command = [*start, *PITSTOP, "demo", "--time-scale", "0.01"]
    chosen = {name: environment[name] for name in ("SCREENDIR", "SYSSCREENRC")}
    terminal = exit_stack.enter_context(Terminal(command, home=tmp_path, env=chosen))
    open_list(terminal)
    exit_stack.callback(run_command, end)
    return Multiplexer(terminal, paste)


def test_escape_and_the_next_key_are_two_keys_inside_a_multiplexer(multiplexer: Multiplexer) -> None:
    terminal = multiplexer.terminal
    for gap in (*GAPS, 0.5):
        open_question(terminal)
        terminal.press("enter")
        terminal.wait_for("►n leave them alone")
        type_keys(terminal, ["escape", "y"], gap)
        terminal.wait_for(lambda: "maintenance on 2 servers?" not in terminal.text())
        terminal.press("y")
        terminal.settle(0.8)
        assert NOTHING_SENT in terminal.text(), f"gap {gap}"
        terminal.press("u")
        terminal.wait_for(lambda: not marked(terminal))


def test_a_paste_inside_a_multiplexer_is_a_ticket(multiplexer: Multiplexer) -> None:
    terminal = multiplexer.terminal
    multiplexer.paste("wa1acmekeycloak01")
    terminal.wait_for("1 not known in this account")
    terminal.settle(0.8)
    assert marked(terminal) == 0
    assert NOTHING_SENT in terminal.text()
