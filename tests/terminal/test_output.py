"""Output to a terminal that is slow or stalls: nothing waits for it, and no outdated frame is written."""

import os
import pty
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.terminal.harness import Terminal
from tui.console.terminal.output import Output

SIZE = (200, 50)
"""A frame of the host is then more than 200 kB; a terminal buffers less than a tenth of that."""


@pytest.fixture
def host(tmp_path: Path) -> Callable[[], Terminal]:
    return lambda: Terminal(
        [sys.executable, "-m", "tests.terminal.display_host", str(tmp_path)],
        size=SIZE,
        home=tmp_path,
        fork=True,
    )


def test_a_frame_counts_as_written_when_the_terminal_has_read_it(
    host: Callable[[], Terminal], tmp_path: Path
) -> None:
    with host() as terminal:
        terminal.wait_for("ready")
        terminal.press("a")
        terminal.wait_for((tmp_path / "written-a").exists)
        terminal.pause()
        terminal.press("b")
        terminal.wait_for((tmp_path / "composed-b").exists)
        terminal.press("c")
        terminal.wait_for((tmp_path / "composed-c").exists)
        assert not (tmp_path / "written-b").exists()
        terminal.resume()
        terminal.wait_for((tmp_path / "written-c").exists)
        terminal.wait_for("c" * SIZE[0])
        assert (tmp_path / "written-b").exists()


def test_frames_composed_while_the_terminal_stalls_are_written_once(
    host: Callable[[], Terminal], tmp_path: Path
) -> None:
    with host() as terminal:
        terminal.wait_for("ready")
        before = terminal.total_bytes
        terminal.press("a")
        terminal.wait_for((tmp_path / "written-a").exists)
        terminal.wait_for("a" * SIZE[0])
        frame = terminal.total_bytes - before
        terminal.pause()
        for _ in range(2):
            for letter in "abc":
                (tmp_path / f"composed-{letter}").unlink(missing_ok=True)
                terminal.press(letter)
                terminal.wait_for((tmp_path / f"composed-{letter}").exists)
        terminal.resume()
        terminal.wait_for(lambda: terminal.text().startswith("c" * SIZE[0]) and "a" not in terminal.text())
        assert terminal.total_bytes - before < 3.3 * frame, (
            "the first frame, the one being written, and the last"
        )


def test_control_sequences_are_never_dropped(host: Callable[[], Terminal], tmp_path: Path) -> None:
    with host() as terminal:
        terminal.wait_for("ready")
        terminal.pause()
        terminal.press("a")
        terminal.wait_for((tmp_path / "composed-a").exists)
        before = terminal.raw.count(b"\a")
        terminal.press(*["B"] * 100, "b")
        terminal.wait_for((tmp_path / "composed-b").exists)
        terminal.resume()
        terminal.wait_for("b" * SIZE[0])
        assert terminal.raw.count(b"\a") - before == 100


@pytest.mark.parametrize("stalled", [True, False], ids=["stalled", "slow"])
def test_quitting_in_the_middle_of_a_frame_restores_the_terminal(
    host: Callable[[], Terminal], tmp_path: Path, stalled: bool
) -> None:
    with host() as terminal:
        terminal.wait_for("ready")
        if stalled:
            terminal.pause()
        else:
            terminal.throttle(10_000)
        terminal.press("a")
        terminal.wait_for((tmp_path / "composed-a").exists)
        terminal.press("b")
        terminal.wait_for((tmp_path / "composed-b").exists)
        terminal.press("q")
        terminal.wait_for(lambda: terminal.process.poll() is not None, timeout=30)
        terminal.resume()
        terminal.throttle(None)
        terminal.wait_exit()
        assert terminal.unrestored_modes() == set()


def test_writing_to_a_closed_terminal_is_no_error() -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as file:
        output = Output(file)
        os.close(master)
        written: list[bool] = []
        output.write_frame(["x" * 100_000], lambda: written.append(True))
        output.stop()
    assert written == [True]
