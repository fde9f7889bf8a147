"""The suite itself: its results do not depend on the shell, and it reports missing tools."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = (
    "tests/terminal/test_harness.py::test_resize_hang_up_and_signals_reach_the_program",
    "tests/headless/test_signals.py::test_an_interrupt_before_anything_was_sent_exits_with_130",
    "tests/headless/test_where.py",
    "tests/console/test_cells.py",
    "tests/terminal/test_console.py::test_no_color_shows_only_greys",
)
"""Tests whose results depend on the environment or on ignored signals."""

HOSTILE_ENVIRONMENT = {
    "LC_ALL": "POSIX",
    "TERM": "dumb",
    "COLUMNS": "40",
    "LINES": "10",
    "NO_COLOR": "1",
    "TZ": "Asia/Kolkata",
    "SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22",
    "PITSTOP_READONLY": "yes",
    "PITSTOP_API_URL": "https://x.invalid",
    "CLC_USER": "me",
    "https_proxy": "http://192.0.2.1:1",
    "PYTHONIOENCODING": "latin-1",
}
"""Variables that would change the results, if the tests inherited them."""


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with SIGHUP, SIGINT and SIGQUIT ignored, as under nohup or behind ``&``."""

    def ignore() -> None:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)

    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **environ}
    return subprocess.run(
        command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, preexec_fn=ignore
    )


def test_the_developers_environment_does_not_change_the_results(tmp_path: Path) -> None:
    done = run(*SAMPLE, **HOSTILE_ENVIRONMENT, PITSTOP_HOME=str(tmp_path), XDG_STATE_HOME=str(tmp_path))
    assert done.returncode == 0, done.stdout
    assert " skipped" not in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("ci", "status", "result"), [("", 0, "1 skipped"), ("true", 1, "1 error")])
def test_a_missing_tool_is_reported_and_its_tests_are_skipped_or_fail(
    tmp_path: Path, ci: str, status: int, result: str
) -> None:
    done = run("tests/terminal/test_console.py", "-k", "ctrl_space and tmux", PATH=str(tmp_path), CI=ci)
    assert done.returncode == status
    assert result in done.stdout
    assert "\nmissing: tmux, screen, ssh, " in done.stdout, "all missing tools are reported at the start"
