"""Bytes that keys cost on a slow link, compared with a whole frame, which ctrl+l writes."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.benchmarks.stall import USER
from tests.terminal.harness import Terminal
from tests.terminal.service import PITSTOP, Service
from tests.terminal.steps import confirm, open_list, states, wait_for_list

MOST_FRAMES = 1.2
"""Frames that one key may write."""
BUFFERED = 20_000
"""Bytes, about, that the system buffers for a terminal that does not read."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    home: Path = tmp_path_factory.mktemp("home")
    with ExitStack() as stack:
        program = stack.enter_context(Terminal([*PITSTOP, "demo"], size=(80, 24), home=home, fork=True))
        wait_for_list(program)
        program.settle(1.0)
        yield program


@pytest.fixture
def terminal(program: Terminal) -> Terminal:
    """The program with the focus on the list and the cursor on its first server."""
    for key in ("/", "escape", "home"):
        program.press(key)
        program.settle()
    return program


def frame(terminal: Terminal) -> int:
    whole = terminal.bytes_of("ctrl+l")
    assert whole > 80 * 24
    return whole


@pytest.mark.parametrize("key", ["s", "?", "ctrl+p", "C", "x"])
def test_a_dialog_writes_no_more_bytes_than_a_frame(terminal: Terminal, key: str) -> None:
    """Compared with a frame of the dialog itself: the help fills the screen."""
    before = terminal.text()
    opened = terminal.bytes_of(key)
    assert terminal.text() != before
    assert 0 < opened <= MOST_FRAMES * frame(terminal)
    closed = terminal.bytes_of("escape")
    assert 0 < closed <= MOST_FRAMES * frame(terminal)


def test_a_filter_writes_no_more_bytes_than_a_frame(terminal: Terminal) -> None:
    most = MOST_FRAMES * frame(terminal)
    assert 0 < terminal.bytes_of("/") <= most
    terminal.press(*"maint:off")
    assert 0 < terminal.bytes_of("enter") <= most
    terminal.wait_for("shown")
    assert 0 < terminal.bytes_of("/") <= most
    terminal.press("ctrl+u", "enter")
    terminal.wait_for(lambda: "shown" not in terminal.text())


@pytest.mark.parametrize(("key", "share"), [("tab", 0.3), ("shift+tab", 0.3), ("down", 0.2), ("space", 0.2)])
def test_a_key_writes_a_small_part_of_a_frame(terminal: Terminal, key: str, share: float) -> None:
    most = share * frame(terminal)
    assert 0 < terminal.bytes_of(key) <= most


def test_a_dialog_leaves_the_cells_behind_it_unchanged(terminal: Terminal) -> None:
    column, row = terminal.find("Results")
    before = terminal.cell(column, row)
    terminal.press("x")
    terminal.wait_for("to which file")
    terminal.settle()
    assert terminal.cell(column, row) == before
    terminal.press("escape")
    terminal.settle()


def test_a_key_waits_for_at_most_the_frame_being_written(tmp_path: Path) -> None:
    """However much changed while the link stalled: outdated frames are not written."""
    settings = {**USER, "PITSTOP_BATCH_SIZE": "1", "PITSTOP_CONFIRM_ABOVE": "1000"}
    with ExitStack() as stack:
        service = stack.enter_context(Service("--servers=240", "--job-seconds=2-20", fork=True))
        command = [*PITSTOP, "--api-url", service.url]
        terminal = stack.enter_context(
            Terminal(command, size=(80, 24), env=settings, home=tmp_path, fork=True)
        )
        open_list(terminal)
        most = BUFFERED + 2 * frame(terminal)
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
        terminal.resume()
        terminal.wait_for("esc closes")
        assert terminal.total_bytes - before < most
        terminal.throttle(None)
