"""Bytes that the server list writes, counted at a real PTY of 120x40 in truecolor."""

import sys
from collections.abc import Iterator

import pytest

from tests.benchmarks.list_host import make_fleet
from tests.terminal.harness import Terminal

ROWS = 1000


@pytest.fixture(scope="module")
def program() -> Iterator[Terminal]:
    """The list on its own, started once."""
    command = (sys.executable, "-m", "tests.benchmarks.list_host", "pitstop", str(ROWS))
    with Terminal(command, env={"COLORTERM": "truecolor"}) as program:
        program.wait_for("GB3ACMEWEB0")
        yield program


@pytest.fixture
def terminal(program: Terminal) -> Terminal:
    """The list with nothing marked and the cursor on the second row."""
    program.press("home", "u", "down")
    program.settle()
    return program


# A plain DataTable of five columns sends 1,200 bytes for a cursor move and 15,000 for each of the others.
# A move writes two whole lines, to show the cursor clearly: still one packet.
@pytest.mark.parametrize(
    ("key", "most"), [("down", 560), ("space", 700), ("c", 300), ("pagedown", 8900), ("a", 2800)]
)
def test_a_key_writes_no_more_bytes_than_its_limit(terminal: Terminal, key: str, most: int) -> None:
    assert 0 < terminal.bytes_of(key) <= most


def test_an_idle_list_writes_nothing(terminal: Terminal) -> None:
    terminal.settle(1.0)
    assert len(terminal.burst(lambda: None, quiet=1.5).data) == 0


def test_mark_all_marks_every_row(terminal: Terminal) -> None:
    terminal.press("home", "a")
    terminal.wait_for(f"{ROWS:,} marked")
    assert len(make_fleet(ROWS).servers) == ROWS
