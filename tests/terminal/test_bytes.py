"""What keys cost on a slow link, against a whole frame: what ctrl+l has written."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.benchmarks.stall import USER, states
from tests.terminal.harness import Terminal
from tests.terminal.service import PITSTOP, Service
from tests.terminal.steps import confirm, list_is_there, open_list

MOST = 1.2
"""Frames that anything may cost."""
HELD = 20_000
"""Bytes, about, that the system itself keeps for a terminal that does not read."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    home: Path = tmp_path_factory.mktemp("home")
    with ExitStack() as stack:
        program = stack.enter_context(Terminal([*PITSTOP, "demo"], size=(80, 24), home=home))
        list_is_there(program)
        program.settle(1.0)
        yield program


@pytest.fixture
def terminal(program: Terminal) -> Terminal:
    """As every test finds it: the focus on the list, the cursor on its first server."""
    for key in ("/", "escape", "home"):
        program.press(key)
        program.settle()
    return program


def frame(terminal: Terminal) -> int:
    whole = terminal.bytes_of("ctrl+l")
    assert whole > 80 * 24
    return whole


@pytest.mark.parametrize("key", ["s", "?", "ctrl+p", "C", "x"])
def test_a_dialog_costs_no_more_than_a_frame(terminal: Terminal, key: str) -> None:
    """Of what is then shown: the help alone is as full as a screen can be."""
    before = terminal.text()
    opened = terminal.bytes_of(key)
    assert terminal.text() != before
    assert 0 < opened <= MOST * frame(terminal)
    closed = terminal.bytes_of("escape")
    assert 0 < closed <= MOST * frame(terminal)


def test_a_filter_costs_no_more_than_a_frame(terminal: Terminal) -> None:
    most = MOST * frame(terminal)
    assert 0 < terminal.bytes_of("/") <= most
    terminal.press(*"maint:off")
    assert 0 < terminal.bytes_of("enter") <= most
    terminal.wait_for("shown")
    assert 0 < terminal.bytes_of("/") <= most
    terminal.press("ctrl+u", "enter")
    terminal.wait_for(lambda: "shown" not in terminal.text())


@pytest.mark.parametrize(("key", "share"), [("tab", 0.3), ("shift+tab", 0.3), ("down", 0.2), ("space", 0.2)])
def test_a_key_costs_a_part_of_a_frame(terminal: Terminal, key: str, share: float) -> None:
    most = share * frame(terminal)
    assert 0 < terminal.bytes_of(key) <= most


def test_what_is_behind_a_dialog_stays_as_it_was(terminal: Terminal) -> None:
    column, row = terminal.find("Results")
    before = terminal.cell(column, row)
    terminal.press("x")
    terminal.wait_for("to which file")
    terminal.settle()
    assert terminal.cell(column, row) == before
    terminal.press("escape")
    terminal.settle()


def test_a_key_waits_for_no_more_than_the_frame_under_way(tmp_path: Path) -> None:
    """However much happened behind a link that stood still: what is old by now is not written."""
    settings = {**USER, "PITSTOP_BATCH_SIZE": "1", "PITSTOP_CONFIRM_ABOVE": "1000"}
    with ExitStack() as stack:
        service = stack.enter_context(Service("--servers=240", "--job-seconds=2-20"))
        command = [*PITSTOP, "--api-url", service.url]
        terminal = stack.enter_context(Terminal(command, size=(80, 24), env=settings, home=tmp_path))
        open_list(terminal)
        most = HELD + 2 * frame(terminal)
        terminal.press("home", *["space"] * 100)
        terminal.wait_for("100 marked")
        terminal.press("s")
        confirm(terminal, "Start maintenance on 100 servers?")
        terminal.wait_for("verified")
        terminal.pause()
        before = terminal.total_bytes
        terminal.wait_for(lambda: states(tmp_path)["verified"] == 100)
        terminal.press("?")
        terminal.throttle(4_000)
        terminal.go_on()
        terminal.wait_for("esc closes")
        assert terminal.total_bytes - before < most
        terminal.throttle(None)
