"""Suspending by ctrl+z or a signal: the shell gets a restored terminal, and the screen is redrawn after."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.conftest import Run
from tests.terminal.harness import Terminal
from tests.terminal.service import PITSTOP
from tests.terminal.steps import wait_for_list

SHELL = shutil.which("bash")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Terminal]:
    """The console as a job of an interactive shell."""
    assert SHELL is not None, "bash is needed"
    with Terminal([SHELL, "--norc", "--noprofile", "-i"], home=tmp_path, env={"PS1": "ready> "}) as terminal:
        terminal.wait_for("ready>")
        terminal.write(" ".join([*PITSTOP, "demo"]).encode() + b"\n")
        wait_for_list(terminal)
        terminal.settle()
        yield terminal


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_redraws_it(shell: Terminal) -> None:
    before = shell.text()
    for _ in range(2):
        shell.press("ctrl+z")
        shell.wait_for("Stopped")
        assert shell.unrestored_modes() <= {"tty settings", "mode 2004"}, "readline sets these"
        shell.write(b"fg\n")
        shell.wait_for("q quit")
        shell.settle()
        assert shell.text() == before
    shell.press("down", "space")
    shell.wait_for("1 marked")
    shell.press("q")
    shell.wait_for("ready>")
    assert shell.unrestored_modes() <= {"tty settings", "mode 2004"}


def test_ctrl_z_without_a_shell_is_refused_with_a_message(pitstop: Run) -> None:
    terminal = pitstop("demo")
    wait_for_list(terminal)
    terminal.press("ctrl+z")
    terminal.wait_for("no shell")
    terminal.press("space")
    terminal.wait_for("1 marked")
    terminal.press("q")
    assert terminal.wait_exit() == 0
    assert terminal.unrestored_modes() == set()


@pytest.mark.parametrize("stop", [True, False], ids=["SIGSTOP", "SIGCONT alone"])
def test_the_screen_is_redrawn_after_sigcont(pitstop: Run, stop: bool) -> None:
    terminal = pitstop("demo")
    wait_for_list(terminal)
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
    assert terminal.unrestored_modes() == set()
