"""ctrl+z and back, and stops by others: the terminal is the shell's meanwhile, and drawn whole after."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.conftest import Run
from tests.terminal.harness import Terminal
from tests.terminal.service import PITSTOP
from tests.terminal.steps import list_is_there

SHELL = shutil.which("bash")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Terminal]:
    """The console as a job of an interactive shell."""
    assert SHELL is not None, "bash is needed"
    with Terminal([SHELL, "--norc", "--noprofile", "-i"], home=tmp_path, env={"PS1": "ready> "}) as terminal:
        terminal.wait_for("ready>")
        terminal.write(" ".join([*PITSTOP, "demo"]).encode() + b"\n")
        list_is_there(terminal)
        terminal.settle()
        yield terminal


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_draws_all(shell: Terminal) -> None:
    before = shell.text()
    for _ in range(2):
        shell.press("ctrl+z")
        shell.wait_for("Stopped")
        assert shell.left_on() <= {"tty settings", "mode 2004"}, "which are readline's"
        shell.write(b"fg\n")
        shell.wait_for("q quit")
        shell.settle()
        assert shell.text() == before
    shell.press("down", "space")
    shell.wait_for("1 marked")
    shell.press("q")
    shell.wait_for("ready>")
    assert shell.left_on() <= {"tty settings", "mode 2004"}


def test_ctrl_z_where_nobody_could_go_on_is_harmless_and_says_so(pitstop: Run) -> None:
    terminal = pitstop("demo")
    list_is_there(terminal)
    terminal.press("ctrl+z")
    terminal.wait_for("no shell")
    terminal.press("space")
    terminal.wait_for("1 marked")
    terminal.press("q")
    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()


@pytest.mark.parametrize("stop", [True, False], ids=["SIGSTOP", "SIGCONT alone"])
def test_going_on_after_a_stop_that_nobody_can_catch_draws_all(pitstop: Run, stop: bool) -> None:
    terminal = pitstop("demo")
    list_is_there(terminal)
    terminal.settle()
    before = terminal.text()
    if stop:
        terminal.signal(signal.SIGSTOP)
    terminal.emulator.alternate.reset()  # another program drew over it
    terminal.emulator.modes.clear()
    terminal.signal(signal.SIGCONT)
    terminal.wait_for("q quit")
    terminal.settle()
    assert terminal.text() == before
    assert 1003 in terminal.emulator.modes
    terminal.press("space")
    terminal.wait_for("1 marked")
    terminal.press("q")
    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()
