"""The terminal goes away, or stops: the program ends or goes on as promised; what was sent is followed."""

import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.terminal.conftest import Run
from tests.terminal.harness import Terminal
from tests.terminal.service import Service
from tests.terminal.steps import confirm, marked, open_list

USER = {"PITSTOP_USERNAME": "demo", "PITSTOP_PASSWORD": "pitstop"}


def states(home: Path) -> Counter[str]:
    """What the journal says now: state -> servers."""
    path = home / "state" / "pitstop" / "journal.sqlite3"
    if not path.exists():
        return Counter()
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return Counter(dict(db.execute("SELECT state, count(*) FROM targets GROUP BY state")))
    except sqlite3.OperationalError:
        return Counter()
    finally:
        db.close()


def start_some(terminal: Terminal, servers: int) -> None:
    """Start maintenance on the first servers of the list that can take it."""
    open_list(terminal)
    terminal.press(*["space"] * servers)
    terminal.wait_for(lambda: marked(terminal) == servers)
    terminal.press("s")
    confirm(terminal, f"Start maintenance on {servers} servers?")


def leave(terminal: Terminal) -> None:
    """Leave with servers still in maintenance: asked, and meant."""
    terminal.press("q")
    confirm(terminal, "still in maintenance?", None)
    assert terminal.wait_exit() == 0


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_a_signal_ends_it_with_the_terminal_restored(
    pitstop: Run, number: signal.Signals, status: int
) -> None:
    terminal = pitstop("demo")
    open_list(terminal)
    terminal.signal(number)
    assert terminal.wait_exit() == status
    assert terminal.left_on() == set()


def test_sigint_leaves_what_was_sent_to_resume(
    pitstop: Run, service: Callable[..., Service], tmp_path: Path
) -> None:
    sandbox = service("--servers", "60", "--job-seconds", "600-601")
    terminal = pitstop("--api-url", sandbox.url, env=USER)
    start_some(terminal, 3)
    terminal.wait_for(lambda: states(tmp_path)["queued"] + states(tmp_path)["executing"] == 3)
    terminal.signal(signal.SIGINT)
    assert terminal.wait_exit() == 130
    assert terminal.left_on() == set()
    assert states(tmp_path)["queued"] + states(tmp_path)["executing"] == 3


def test_the_login_screen_ends_on_a_signal_too(pitstop: Run) -> None:
    terminal = pitstop()
    terminal.wait_for("Password")
    terminal.signal(signal.SIGTERM)
    assert terminal.wait_exit() == 143
    assert terminal.left_on() == set()


@pytest.mark.parametrize("ignored", [(), (signal.SIGHUP,)], ids=["SIGHUP", "SIGHUP ignored"])
def test_hanging_up_ends_an_idle_console(pitstop: Run, ignored: tuple[signal.Signals, ...]) -> None:
    terminal = pitstop("demo", ignored=ignored)
    open_list(terminal)
    terminal.hang_up()
    assert terminal.wait_exit() == 129


@pytest.mark.parametrize("ignored", [(), (signal.SIGHUP,)], ids=["SIGHUP", "SIGHUP ignored"])
def test_hanging_up_lets_what_was_sent_end(
    pitstop: Run, service: Callable[..., Service], tmp_path: Path, ignored: tuple[signal.Signals, ...]
) -> None:
    sandbox = service("--servers", "60", "--job-seconds", "4-5")
    terminal = pitstop("--api-url", sandbox.url, env=USER, ignored=ignored)
    start_some(terminal, 3)
    terminal.wait_for(lambda: states(tmp_path)["queued"] + states(tmp_path)["executing"] == 3)
    terminal.hang_up()
    terminal.settle(0.5)  # it waits, it does not spin
    assert terminal.wait_exit() == 129
    assert states(tmp_path) == {"verified": 3}


def test_what_goes_on_without_a_terminal_is_shown_live_by_the_next(
    pitstop: Run, service: Callable[..., Service], tmp_path: Path
) -> None:
    sandbox = service("--servers", "60", "--job-seconds", "9-10")
    terminal = pitstop("--api-url", sandbox.url, env=USER)
    start_some(terminal, 3)
    terminal.wait_for(lambda: states(tmp_path)["queued"] + states(tmp_path)["executing"] == 3)
    terminal.hang_up()
    again = pitstop("--api-url", sandbox.url, env=USER)
    again.wait_for("3 running")
    assert terminal.process.poll() is None, "it is still the first one's"
    again.wait_for("3 verified")
    assert terminal.wait_exit() == 129
    routes = sandbox.requests()["by_route"]
    assert routes["POST /v2/operations/{alias}/servers/startMaintenance"] == 1


def test_what_goes_on_without_a_terminal_can_be_told_to_end(
    pitstop: Run, service: Callable[..., Service], tmp_path: Path
) -> None:
    sandbox = service("--servers", "60", "--job-seconds", "600-601")
    terminal = pitstop("--api-url", sandbox.url, env=USER)
    start_some(terminal, 3)
    terminal.wait_for(lambda: states(tmp_path)["queued"] + states(tmp_path)["executing"] == 3)
    terminal.hang_up()
    deadline = time.monotonic() + PATIENCE
    while terminal.process.poll() is None and time.monotonic() < deadline:
        terminal.signal(signal.SIGTERM)  # again, as one that comes on the way out is no more than a hang-up
        time.sleep(0.5)
    assert terminal.process.poll() in {129, 143}
    assert states(tmp_path)["queued"] + states(tmp_path)["executing"] == 3


def test_told_to_pause_it_leaves_what_was_sent_to_resume(
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
    leave(again)
    routes = sandbox.requests()["by_route"]
    assert routes["POST /v2/operations/{alias}/servers/startMaintenance"] == 1


def test_a_killed_console_is_taken_up_by_the_next(
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


def test_a_stalled_terminal_stalls_nothing_but_itself(
    pitstop: Run, service: Callable[..., Service], tmp_path: Path
) -> None:
    """The reader stops while jobs end: they are polled and written down all the same, and shown at last."""
    sandbox = service("--servers", "60", "--job-seconds", "3-7")
    terminal = pitstop("--api-url", sandbox.url, env={**USER, "PITSTOP_BATCH_SIZE": "1"})
    start_some(terminal, 12)
    terminal.wait_for(lambda: states(tmp_path)["executing"] + states(tmp_path)["queued"] >= 6)
    terminal.pause()
    for _ in range(400):
        # Keys whose answers fill the terminal's buffer: from here on the screen stands still.
        terminal.press("down")
        time.sleep(0.002)
    deadline = time.monotonic() + PATIENCE
    while states(tmp_path) != {"verified": 12}:
        assert time.monotonic() < deadline, (
            f"nothing is verified while the terminal stalls: {states(tmp_path)}"
        )
        time.sleep(0.1)
    terminal.go_on()
    terminal.wait_for("12 verified")
    leave(terminal)
    assert terminal.left_on() == set()
