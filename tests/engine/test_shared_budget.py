"""One request budget for all processes of a user at one endpoint."""

import asyncio
import fcntl
import os
import signal
import stat
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tests.benchmarks.budget import send_together
from tui.engine import shared_budget
from tui.engine.shared_budget import SharedBudget


class Boot:
    """A boot of the machine: processes with one clock and one directory."""

    def __init__(self, directory: Path) -> None:
        self.now = 1_000.0
        self.directory = directory

    def process(self, name: str = "one", *, boot: str = "boot", burst: int = 4) -> SharedBudget:
        return SharedBudget(
            self.directory, name, rate=10.0, burst=burst, boot=boot, monotonic=lambda: self.now
        )


@pytest.fixture
def boot(tmp_path: Path) -> Boot:
    return Boot(tmp_path / "state")


async def test_processes_share_one_burst_and_are_served_in_order(boot: Boot) -> None:
    first, second = boot.process(), boot.process()
    assert await first.take(3) == [0.0, 0.0, 0.0]
    assert await second.take(3) == pytest.approx([0.0, 0.1, 0.2])
    assert await first.take(2) == pytest.approx([0.3, 0.4])
    assert await second.take(1) == pytest.approx([0.5])
    boot.now += 3_600
    assert await second.take(5) == pytest.approx([0.0, 0.0, 0.0, 0.0, 0.1])


async def test_users_and_endpoints_have_budgets_of_their_own(boot: Boot) -> None:
    assert await boot.process("one").take(4) == await boot.process("other").take(4) == 4 * [0.0]


async def test_a_hold_applies_to_all_processes_and_ends_without_a_burst(boot: Boot) -> None:
    first, second = boot.process(), boot.process()
    await first.hold(5.0)
    assert await second.take(2) == pytest.approx([5.0, 5.1])
    await first.hold(604_800.0)
    assert await second.take(1) == pytest.approx([shared_budget.LONGEST_HOLD])


@pytest.mark.parametrize(
    "content",
    [b"", b"nonsense", bytes(range(24)), 24 * b"\xff", 16 * b"x" + 8 * b"\x7f"],
    ids=["empty", "short", "counting", "ones", "far away"],
)
async def test_an_invalid_file_counts_as_a_full_bucket(boot: Boot, content: bytes) -> None:
    await boot.process().take(40)
    boot.process().path.write_bytes(content)
    assert await boot.process().take(5) == pytest.approx([0.0, 0.0, 0.0, 0.0, 0.1])


async def test_the_times_of_an_earlier_boot_are_ignored(boot: Boot) -> None:
    await boot.process().take(40)
    boot.now = 3.0
    assert await boot.process(boot="next").take(4) == 4 * [0.0]


async def test_the_file_is_private_and_does_not_name_the_user(boot: Boot) -> None:
    budget = boot.process("https://cloud.example ops")
    await budget.take(1)
    assert stat.S_IMODE(budget.path.stat().st_mode) == 0o600
    assert "ops" not in budget.path.name
    assert b"ops" not in budget.path.read_bytes()


def lock_file(budget: SharedBudget) -> Callable[[], None]:
    file = os.open(budget.path, os.O_RDWR)
    fcntl.flock(file, fcntl.LOCK_EX)
    return lambda: os.close(file)


def replace_file(budget: SharedBudget) -> Callable[[], None]:
    budget.path.unlink()
    budget.path.symlink_to("/dev/full")  # as root, permissions stop nobody
    return lambda: budget.path.unlink()


@pytest.mark.parametrize("break_file", [lock_file, replace_file])
async def test_without_the_file_each_process_has_its_own_budget_and_logs_it_once(
    boot: Boot, break_file: Callable[[SharedBudget], Callable[[], None]], caplog: pytest.LogCaptureFixture
) -> None:
    budget = boot.process()
    await budget.take(40)
    repair = break_file(budget)
    for _ in range(3):
        assert await budget.take(2) == [0.0, 0.0]
        boot.now += shared_budget.RETRY_AFTER
    assert caplog.text.count("the request budget is not shared") == 1
    repair()
    assert await boot.process().take(1) == [0.0]


async def test_the_lock_of_a_killed_process_is_released(boot: Boot) -> None:
    budget = boot.process()
    await budget.take(4)
    code = "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX); print(flush=True); input()"
    pipe = asyncio.subprocess.PIPE
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(budget.path), stdin=pipe, stdout=pipe
    )
    assert holder.stdout is not None
    await holder.stdout.readline()
    holder.send_signal(signal.SIGKILL)
    await holder.wait()
    assert await budget.take(1) == pytest.approx([0.1])


def test_three_processes_together_send_no_more_than_one_may(tmp_path: Path) -> None:
    rate, burst = 50.0, 10
    times = send_together(3 * [tmp_path / "state"], requests=200, rate=rate, burst=burst)
    assert len(times) == 3 * 201
    assert all(before <= after for before, after in pairwise(times))
    # On a busy machine a request is received some time after it left: three seconds' worth more.
    assert len(times) <= burst + rate * (times[-1] - times[0] + 3.0)
