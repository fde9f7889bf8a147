"""The terminal is closed or stalls, or a signal arrives: sent operations are followed or left for resume."""

import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.terminal.conftest import Run
from tests.terminal.harness import Terminal
from tests.terminal.service import Service
from tests.terminal.steps import confirm, marked, open_list, states

USER = {"PITSTOP_USERNAME": "demo", "PITSTOP_PASSWORD": "pitstop"}


def start_some(terminal: Terminal, servers: int) -> None:
    """Start maintenance on the first servers of the list that can take it."""
    open_list(terminal)
    terminal.press(*["space"] * servers)
    terminal.wait_for(lambda: marked(terminal) == servers)
    terminal.press("s")
    confirm(terminal, f"Start maintenance on {servers} servers?")


def quit_console(terminal: Terminal) -> None:
    """Quit with servers still in maintenance, and confirm it."""
    terminal.press("q")
    confirm(terminal, "still in maintenance?", None)
    assert terminal.wait_exit() == 0


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_a_signal_ends_the_console_and_restores_the_terminal(
    pitstop: Run, number: signal.Signals, status: int
) -> None:
    terminal = pitstop("demo")
    open_list(terminal)
    terminal.signal(number)
    assert terminal.wait_exit() == status
    assert terminal.unrestored_modes() == set()


def test_sigint_ends_the_console_and_leaves_its_jobs_for_resume(
    pitstop: Run, service: Callable[..., Service], tmp_path: Path
) -> None:
    sandbox = service("--servers", "60", "--job-seconds", "600-601")
    terminal = pitstop("--api-url", sandbox.url, env=USER)
    start_some(terminal, 3)
    terminal.wait_for(lambda: states(tmp_path)["queued"] + states(tmp_path)["executing"] == 3)
    terminal.signal(signal.SIGINT)
    assert terminal.wait_exit() == 130
    assert terminal.unrestored_modes() == set()
    assert states(tmp_path)["queued"] + states(tmp_path)["executing"] == 3


def test_sigterm_ends_the_login_screen(pitstop: Run) -> None:
    terminal = pitstop()
    terminal.wait_for("Password")
    terminal.signal(signal.SIGTERM)
    assert terminal.wait_exit() == 143
    assert terminal.unrestored_modes() == set()


@pytest.mark.parametrize("ignored", [(), (signal.SIGHUP,)], ids=["SIGHUP", "SIGHUP ignored"])
def test_a_hang_up_ends_an_idle_console(pitstop: Run, ignored: tuple[signal.Signals, ...]) -> None:
    terminal = pitstop("demo", ignored=ignored)
    open_list(terminal)
    terminal.hang_up()
    assert terminal.wait_exit() == 129


@pytest.mark.parametrize("ignored", [(), (signal.SIGHUP,)], ids=["SIGHUP", "SIGHUP ignored"])
def test_after_a_hang_up_jobs_are_followed_to_their_end(
    pitstop: Run, service: Callable[..., Service], tmp_path: Path, ignored: tuple[signal.Signals, ...]
) -> None:
    sandbox = service("--servers", "60", "--job-seconds", "4-5")
    terminal = pitstop("--api-url", sandbox.url, env=USER, ignored=ignored)
    start_some(terminal, 3)
    terminal.wait_for(lambda: states(tmp_path)["queued"] + states(tmp_path)["executing"] == 3)
    terminal.hang_up()
    terminal.settle(0.5)  # it waits without using the processor
    assert terminal.wait_exit() == 129
    assert states(tmp_path) == {"verified": 3}


def test_the_next_console_shows_the_operation_of_a_hung_up_one_live(
    pitstop: Run, service: Callable[..., Service], tmp_path: Path
) -> None:
    sandbox = service("--servers", "60", "--job-seconds", "9-10")
    terminal = pitstop("--api-url", sandbox.url, env=USER)
    start_some(terminal, 3)
    terminal.wait_for(lambda: states(tmp_path)["queued"] + states(tmp_path)["executing"] == 3)
    terminal.hang_up()
    again = pitstop("--api-url", sandbox.url, env=USER)
    again.wait_for("3 running")
    assert terminal.process.poll() is None, "the first console still owns the operation"
    again.wait_for("3 verified")
    assert terminal.wait_exit() == 129
    routes = sandbox.requests()["by_route"]
    assert routes["POST /v2/operations/{alias}/servers/startMaintenance"] == 1


def test_sigterm_ends_a_console_that_continues_after_a_hang_up(
    pitstop: Run, service: Callable[..., Service], tmp_path: Path
) -> None:
    sandbox = service("--servers", "60", "--job-seconds", "600-601")
    terminal = pitstop("--api-url", sandbox.url, env=USER)
    start_some(terminal, 3)
    terminal.wait_for(lambda: states(tmp_path)["queued"] + states(tmp_path)["executing"] == 3)
    terminal.hang_up()
    deadline = time.monotonic() + PATIENCE
    while terminal.process.poll() is None and time.monotonic() < deadline:
        terminal.signal(signal.SIGTERM)  # again: during the shutdown it counts as part of the hang-up
        time.sleep(0.5)
    assert terminal.process.poll() in {129, 143}
    assert states(tmp_path)["queued"] + states(tmp_path)["executing"] == 3


def test_with_on_hangup_pause_the_next_console_resumes_the_operation(
    pitstop: Run, service: Callable[..., Service], tmp_path: Path
) -> None:
    sandbox = service("--servers", "60", "--job-seconds", "6-7")
    terminal = pitstop("--api-url", sandbox.url, env={**USER, "PITSTOP_ON_HANGUP": "pause"})
    start_some(terminal, 3)
    terminal.wait_for(lambda: states(tmp_path)["queued"] + states(tmp_path)["executing"] == 3)
    terminal.hang_up()
    assert terminal.wait_exit() == 129
    assert states(tmp_path)["verified"] == 0
    again = pitstop("--api-url", sandbox.url, env=USER)
    again.wait_for("3 verified")
    assert states(tmp_path) == {"verified": 3}
    quit_console(again)
    routes = sandbox.requests()["by_route"]
    assert routes["POST /v2/operations/{alias}/servers/startMaintenance"] == 1


def test_the_next_console_resumes_the_operation_of_a_killed_one(
    pitstop: Run, service: Callable[..., Service], tmp_path: Path
) -> None:
    sandbox = service("--servers", "60", "--job-seconds", "3-4")
    terminal = pitstop("--api-url", sandbox.url, env=USER)
    start_some(terminal, 3)
    terminal.wait_for(lambda: states(tmp_path)["queued"] + states(tmp_path)["executing"] == 3)
    terminal.signal(signal.SIGKILL)
    terminal.wait_exit()
    again = pitstop("--api-url", sandbox.url, env=USER)
    again.wait_for("3 verified")
    assert states(tmp_path) == {"verified": 3}
    truth = sandbox.truth()["servers"]
    assert Counter(one["operations"].get("startMaintenance", 0) for one in truth.values())[1] == 3


def test_a_stalled_terminal_delays_neither_polls_nor_the_journal(
    pitstop: Run, service: Callable[..., Service], tmp_path: Path
) -> None:
    """Reading stops while jobs end. They are still polled and journalled, and shown when it reads again."""
    sandbox = service("--servers", "60", "--job-seconds", "3-7")
    terminal = pitstop("--api-url", sandbox.url, env={**USER, "PITSTOP_BATCH_SIZE": "1"})
    start_some(terminal, 12)
    terminal.wait_for(lambda: states(tmp_path)["executing"] + states(tmp_path)["queued"] >= 6)
    terminal.pause()
    for _ in range(400):
        # Output for these keys fills the terminal's buffer: from here on the screen stalls.
        terminal.press("down")
        time.sleep(0.002)
    deadline = time.monotonic() + PATIENCE
    while states(tmp_path) != {"verified": 12}:
        assert time.monotonic() < deadline, (
            f"nothing is verified while the terminal stalls: {states(tmp_path)}"
        )
        time.sleep(0.1)
    terminal.resume()
    terminal.wait_for("12 verified")
    quit_console(terminal)
    assert terminal.unrestored_modes() == set()
