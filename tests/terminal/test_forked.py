"""A program in a fork is the same as one that was started by itself."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from tests.forked import Forked, can_fork, start
from tests.patience import PATIENCE
from tests.terminal.harness import Terminal, clean_environment

PROBE = (sys.executable, "-m", "tests.terminal.probe")


def in_terminal(path: Path, fork: bool, ignored: Collection[signal.Signals]) -> tuple[object, ...]:
    with Terminal([*PROBE, str(path / "found"), "one"], home=path, ignored=ignored, fork=fork) as terminal:
        assert isinstance(terminal.process, Forked) == fork
        code = terminal.wait_exit()
        return code, terminal.raw, json.loads((path / "found").read_text())


@pytest.mark.parametrize("ignored", [(), (signal.SIGHUP, signal.SIGINT)], ids=["", "nohup"])
def test_in_a_terminal(tmp_path: Path, ignored: Collection[signal.Signals]) -> None:
    forked, by_itself = (in_terminal(tmp_path, fork, ignored) for fork in (True, False))
    assert forked == by_itself
    assert forked[0] == 7


def in_pipes(path: Path, fork: bool) -> tuple[object, ...]:
    environment = clean_environment(path, {"TZ": "Asia/Kolkata"})
    pipe, command = subprocess.PIPE, [*PROBE, str(path / "found")]
    process = start(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, fork=fork)
    out, err = process.communicate(b"input", timeout=PATIENCE)
    return process.wait(), out, err, json.loads((path / "found").read_text())


def test_in_pipes(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        forked, by_itself = (in_pipes(tmp_path, fork) for fork in (True, False))
    finally:
        os.umask(before)
    assert forked == by_itself
    assert forked[:3] == (7, b"out\n", b"err\n")


def test_a_signal_is_the_exit_status_and_a_timeout_is_raised(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tui", "sandbox", "--port", "0"]
    process = start(command, env=clean_environment(tmp_path, {}), stdout=subprocess.PIPE)
    assert isinstance(process, Forked)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline().startswith(b"listening on ")
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        process.kill()
        assert process.wait(PATIENCE) == process.poll() == -signal.SIGKILL


@pytest.mark.parametrize(
    ("command", "changes"),
    [
        (["tmux"], {}),
        ([sys.executable, "-c", ""], {}),
        (PROBE, {"PYTHONIOENCODING": "latin-1"}),
        (PROBE, {"LANG": "C"}),
        (PROBE, {"LANG": None}),
        (PROBE, {"TEXTUAL_LOG": "x"}),
    ],
)
def test_what_a_fork_would_not_see_is_started_by_itself(command: list[str], changes: dict[str, Any]) -> None:
    assert can_fork(PROBE, clean_environment(None, {}))
    assert not can_fork(command, clean_environment(None, changes))
