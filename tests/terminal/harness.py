"""Run a program in a real terminal, send it keys, and read its screen.

The reader thread only stores the bytes of the PTY and their times; cells are drawn when a test reads the
screen. So measurements show the program, not the emulator. Linux only: process figures come from ``/proc``.
"""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from tests.forked import start
from tests.patience import PATIENCE
from tests.terminal.emulator import Cell, Emulator

KEYS: Mapping[str, str] = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "space": " ",
    "backspace": "\x7f",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "shift+up": "\x1b[1;2A",
    "shift+down": "\x1b[1;2B",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "f1": "\x1bOP",
    "ctrl+@": "\0",
    **{f"ctrl+{letter}": chr(ord(letter) - 96) for letter in "abcdefghijklmnopqrstuvwxyz"},
}
"""Textual's names of keys -> what an xterm sends."""


def pasted(text: str) -> str:
    """Return what a terminal with bracketed paste sends for ``text``: one event, whatever its length."""
    return f"\x1b[200~{text}\x1b[201~"


class Burst(NamedTuple):
    """What the program wrote in response to an action."""

    data: bytes
    latency: float
    """Seconds from the cause to the last byte."""
    cpu: float
    """Seconds of processor time that the program used for it."""


class Terminal:
    """A program under a PTY of its own, with a reader that can be stalled or slowed down.

    ``env`` is added to a small, clean environment (None removes a variable). ``home`` is the home directory,
    so that no files of the developer are read or written. ``stdin``, ``stdout`` and ``stderr`` may be
    redirected away from the terminal. The program starts with the signals in ``ignored`` ignored, as under
    nohup. With ``fork`` it starts without its imports, where that makes no difference to it.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        size: tuple[int, int] = (120, 40),
        env: Mapping[str, str | None] | None = None,
        home: Path | None = None,
        cwd: Path | None = None,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        ignored: Collection[signal.Signals] = (),
        fork: bool = False,
    ) -> None:
        self.home = home
        self.emulator = Emulator(*size)
        self._raw: list[tuple[float, bytes]] = []
        self._drawn = 0
        self._lines: list[str] = []
        self._reading = threading.Event()
        self._reading.set()
        self._rate: float | None = None
        self._master, slave = pty.openpty()
        self._set_size(*size)
        self._attributes = termios.tcgetattr(slave)

        self.started = time.monotonic()
        self.process = start(
            command,
            env=clean_environment(home, env or {}),
            stdin=slave if stdin is None else stdin,
            stdout=slave if stdout is None else stdout,
            stderr=slave if stderr is None else stderr,
            cwd=cwd,
            terminal=slave,
            ignored=ignored,
            fork=fork,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, name="pty reader", daemon=True)
        self._reader.start()

    # -- what a user does

    def press(self, *keys: str) -> None:
        """Press keys: names of KEYS, or characters."""
        self.write("".join(KEYS.get(key, key) for key in keys).encode())

    def paste(self, text: str) -> None:
        """Paste as a terminal with bracketed paste does."""
        self.press(pasted(text))

    def click(self, column: int, row: int, *, shift: bool = False) -> None:
        """Click on a cell (from 0), in the SGR encoding."""
        button, at = (4 if shift else 0), f"{column + 1};{row + 1}"
        self.write(f"\x1b[<{button};{at}M\x1b[<{button};{at}m".encode())

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        while data:
            data = data[os.write(self._master, data) :]

    def resize(self, columns: int, rows: int) -> None:
        """Make the window another size; the program gets SIGWINCH."""
        self.emulator.resize(columns, rows)
        self._lines = []
        self._set_size(columns, rows)

    def pause(self) -> None:
        """Stop reading, like a link that has stalled."""
        self._reading.clear()

    def resume(self) -> None:
        """Read again."""
        self._reading.set()

    def throttle(self, bytes_per_second: float | None) -> None:
        """Read no faster than this from now on; None lifts it."""
        self._rate = bytes_per_second

    def hang_up(self) -> None:
        """Close the terminal: the program gets SIGHUP, end of file on reading, an error on writing."""
        self._reading.set()
        master, self._master = self._master, -1
        self._reader.join(PATIENCE)
        os.close(master)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        self.process.send_signal(number)

    # -- what a user sees

    def screen(self) -> list[str]:
        """The lines now on the screen."""
        self._draw()
        if not self._lines:
            self._lines = self.emulator.lines()
        return self._lines

    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.screen())

    def cell(self, column: int, row: int) -> Cell:
        """One cell, both from 0."""
        self._draw()
        return self.emulator.cell(column, row)

    def find(self, text: str) -> tuple[int, int]:
        """Column and row of the first ``text`` on the screen; fails where there is none."""
        for row, line in enumerate(self.screen()):
            if (column := line.find(text)) >= 0:
                return column, row
        raise AssertionError(f"{text!r} is not on the screen:\n{self.text()}")

    def first_shown(self, text: str) -> float:
        """Seconds from the start of the program until ``text`` was on the screen for the first time."""
        replayed = Emulator(self.emulator.main.columns, self.emulator.main.lines)
        for at, data in self._raw:
            replayed.feed(data)
            if any(text in line for line in replayed.lines()):
                return at - self.started
        raise AssertionError(f"{text!r} was never on the screen:\n{self.text()}")

    def wait_for(self, wanted: str | Callable[[], object], timeout: float = PATIENCE) -> None:
        """Wait until a text is on the screen, or ``wanted()`` is true; fails where that does not happen."""
        deadline = time.monotonic() + timeout
        while not ((wanted in self.text()) if isinstance(wanted, str) else wanted()):
            ended = self.process.poll() is not None and not self._reader.is_alive()
            if (ended and isinstance(wanted, str) and wanted not in self.text()) or (
                time.monotonic() > deadline
            ):
                state = f"ended with {self.process.returncode}" if ended else f"waited {timeout:g} s"
                raise AssertionError(f"{wanted!r}: {state}; the screen:\n{self.text()}")
            time.sleep(0.02)

    def settle(self, quiet: float = 0.3, timeout: float = PATIENCE) -> None:
        """Wait until the program has written nothing and no thread was runnable for ``quiet`` seconds."""
        started_at = since = time.monotonic()
        while (now := time.monotonic()) - max(since, self.last_byte_at) < quiet:
            if now - started_at > timeout:
                raise AssertionError(f"still at work after {timeout:g} s; the screen:\n{self.text()}")
            time.sleep(0.02)
            if self._wants_processor() or (self._reading.is_set() and self._has_output()):
                since = time.monotonic()

    def burst(self, cause: Callable[[], object], quiet: float = 0.3, timeout: float = PATIENCE) -> Burst:
        """Settle, call ``cause``, and return what the program wrote until it settled again."""
        self.settle(quiet, timeout)
        before, cpu, at = len(self._raw), self.cpu_seconds(), time.monotonic()
        cause()
        self.settle(quiet, timeout)
        chunks = self._raw[before:]
        latency = chunks[-1][0] - at if chunks else 0.0
        return Burst(b"".join(data for _, data in chunks), latency, self.cpu_seconds() - cpu)

    def bytes_of(self, *keys: str) -> int:
        """Number of bytes that the program writes in response to keys."""
        return len(self.burst(lambda: self.press(*keys)).data)

    @property
    def total_bytes(self) -> int:
        """Bytes written so far."""
        return sum(len(data) for _, data in self._raw)

    @property
    def raw(self) -> bytes:
        """Everything written so far."""
        return b"".join(data for _, data in self._raw)

    @property
    def last_byte_at(self) -> float:
        """Time of the newest byte, by ``time.monotonic()``; 0 before the first."""
        return self._raw[-1][0] if self._raw else 0.0

    # -- the process

    def cpu_seconds(self) -> float:
        """Processor time of all the program's living threads, from the scheduler's accounting."""
        spent = 0
        for task in Path(f"/proc/{self.process.pid}/task").glob("*/schedstat"):
            try:
                spent += int(task.read_text().split()[0])
            except (OSError, IndexError):
                continue
        return spent / 1e9

    def memory_mib(self, field: str = "VmRSS") -> float:
        """Resident memory now, or at its highest with ``VmHWM``."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
        raise AssertionError(f"the process has no {field}: it has ended")

    def wait_exit(self, timeout: float = PATIENCE) -> int:
        """Wait for the end of the program; its exit status (negative: the signal that killed it)."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout:g} s; the screen:\n{self.text()}") from None
        self._reader.join(PATIENCE)
        return status

    def unrestored_modes(self) -> set[str]:
        """Modes that the program has not restored, and ``tty settings`` if those differ; empty is right."""
        self._draw()
        modes = self.emulator.unrestored_modes()
        now: list[Any] = termios.tcgetattr(self._master)
        return modes if now[:6] == self._attributes[:6] else modes | {"tty settings"}

    def close(self) -> None:
        """Kill the program if it still runs, and close the PTY."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self._master >= 0:
            self.hang_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _wants_processor(self) -> bool:
        """Whether a thread of the program is running, or would be if there were a processor for it."""
        tasks = f"/proc/{self.process.pid}/task"
        for task in os.listdir(tasks) if os.path.exists(tasks) else ():
            with (
                contextlib.suppress(OSError),  # The thread has ended.
                open(f"{tasks}/{task}/stat", "rb") as stat,
            ):
                if stat.read().rpartition(b")")[2].split()[0] == b"R":
                    return True
        return False

    def _has_output(self) -> bool:
        return (
            self._master >= 0
            and bool(select.select([self._master], [], [], 0)[0])
            and self._reader.is_alive()
        )

    def _draw(self) -> None:
        """Draw the bytes received since the last call."""
        new = self._raw[self._drawn :]
        for _, data in new:
            self.emulator.feed(data)
            self._lines = []
        self._drawn += len(new)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self) -> None:
        while self._reading.wait() and (master := self._master) >= 0:
            if not select.select([master], [], [], 0.1)[0] or not self._reading.is_set():
                continue
            rate = self._rate
            try:
                data = os.read(master, 65536 if rate is None else max(1, int(rate / 50)))
            except OSError:
                return
            if not data:
                return
            self._raw.append((time.monotonic(), data))
            if rate is not None:
                time.sleep(len(data) / rate)


def clean_environment(home: Path | None, changes: Mapping[str, str | None]) -> dict[str, str]:
    """The environment of a jump host, with all files of Pitstop below ``home``."""
    base = {
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "HOME": os.environ["HOME"],
    }
    if home is not None:
        base |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}
        base |= {"XDG_STATE_HOME": str(home / "state"), "XDG_CACHE_HOME": str(home / "cache")}
    return {key: value for key, value in {**base, **changes}.items() if value is not None}
