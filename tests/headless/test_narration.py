"""Progress and messages on stderr while an operation runs."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.headless.conftest import Serve
from tests.patience import PATIENCE
from tui.headless.exits import Exit
from tui.headless.narration import Narrator
from tui.headless.writer import MOST
from tui.model.operation import Action, Operation

OPERATION = Operation("op-1", Action.START_MAINTENANCE, ["A1", "A2"], account="ACME", window_id="", reason="")


def test_a_requested_pause_is_reported_at_once_and_with_each_progress_line(
    tmp_path: Path,
) -> None:
    now = 0.0
    at = time.time() + 3600
    until = time.strftime("wait until %H:%M:%S", time.localtime(at))
    with (tmp_path / "stderr").open("w") as stream, Narrator(stream, lambda: now) as narrator:
        narrator.wait_until(at)
        narrator.progress(OPERATION)
        narrator.flush()
        narrator.wait_until(time.time() - 1)
        now = 60.0
        narrator.progress(OPERATION)
    first, second, _, last = (tmp_path / "stderr").read_text().splitlines()
    assert first == f"the endpoint asks us to {until}"
    assert second.endswith(f", asked to {until}")
    assert "wait" not in last


def full_pipe() -> tuple[int, int]:
    """A pipe whose buffer is full: (read end, write end)."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    for size in (4096, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x" * size)
    os.set_blocking(writer, True)
    return reader, writer


def test_an_operation_continues_while_the_reader_of_stderr_stalls(platform: Serve) -> None:
    platform(servers=60)
    reader, writer = full_pipe()
    command = [sys.executable, "-m", "tui", "start", "--filter", "maint:off power:started status:active"]
    try:
        ended = subprocess.run(
            [*command, "--wave", "20", "--yes", "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=writer,
            timeout=PATIENCE,
        )
    finally:
        os.close(reader)
        os.close(writer)
    assert ended.returncode == Exit.VERIFIED
    assert {target["state"] for target in json.loads(ended.stdout)["servers"]} == {"verified"}


def test_a_reader_that_resumes_gets_the_newest_lines_and_a_count_of_the_rest() -> None:
    reader, writer = full_pipe()
    with os.fdopen(writer, "w") as stream, os.fdopen(reader, "rb") as read:
        with Narrator(stream) as narrator:
            for number in range(MOST + 50):
                narrator.say(f"line {number}")
            narrator.progress(OPERATION)
            narrator.progress(OPERATION)
            flushing = threading.Thread(target=narrator.flush)
            flushing.start()
            lines = [read.readline()]
            while not lines[-1].startswith(b"0 of 2 verified"):
                lines.append(read.readline())
            flushing.join()
        # Two lines say so where the writing thread took its first lines while others were still added.
        left_out = [
            int(line.split()[0].strip(b"(x"))
            for line in lines
            if line.endswith(b" lines left out: nobody took them)\n")
        ]
        assert 1 <= len(left_out) <= 2
        assert len(lines) - len(left_out) + sum(left_out) == MOST + 50 + 1
        assert lines[-2] == f"line {MOST + 49}\n".encode()
