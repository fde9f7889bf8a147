"""Start modules without their imports: in a fork of a process that has made them already.

They are most of the processor time of a short program. The first start starts a server, which imports the
program once and ends with this process. For each start it forks a child, which becomes what
``python -m MODULE`` would be: with arguments, environment, directory, umask, streams, session and ignored
signals of its own.
"""

import atexit
import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

READ_ONCE = re.compile(r"PYTHON|LC_|LANG=(?!C\.UTF-8$)|TEXTUAL|ESCDELAY|SSH_")
"""Variables that are read when Python starts or Textual is imported: too early for a fork to see a change."""


def can_fork(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether a fork becomes the same as the command, which is ``python -m MODULE ...`` then."""
    return (
        sys.platform == "linux"
        and list(command[:2]) == [sys.executable, "-m"]
        and "LANG" in environment
        and not any(READ_ONCE.match(f"{name}={value}") for name, value in environment.items())
    )


class Forked:
    """A program in a fork, used like ``subprocess.Popen``; its streams are binary."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        stdin: int,
        stdout: int,
        stderr: int,
        cwd: Path | None,
        terminal: int | None,
        ignored: Collection[int],
    ) -> None:
        self.args = command
        self.returncode: int | None = None
        status, report = os.pipe()
        self._theirs = [report]
        self.stdin, input_fd = self._stream(stdin, "wb")
        self.stdout, output_fd = self._stream(stdout, "rb")
        self.stderr, error_fd = self._stream(stderr, "rb")
        self._outputs: list[Future[bytes]] = []
        request = {
            "module": command[2],
            "arguments": command[3:],
            "environment": dict(env),
            "directory": str(cwd or Path.cwd()),
            "umask": _umask(),
            "ignored": [*ignored, *_ignored_here()],
        }
        fds = [report, input_fd, output_fd, error_fd, *([] if terminal is None else [terminal])]
        socket.send_fds(_connection(), [json.dumps(request).encode()], fds)
        for fd in self._theirs:
            os.close(fd)
        reports = open(status, "rb")  # noqa: SIM115 - closed by the thread
        self.pid = int(reports.readline())
        self._waiting = threading.Thread(target=self._wait_for_end, args=(reports,), daemon=True)
        self._waiting.start()

    def poll(self) -> int | None:
        """The exit status, negative for the signal that killed it; None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end. Raises subprocess.TimeoutExpired."""
        self._waiting.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return self.returncode

    def communicate(self, data: bytes = b"", timeout: float | None = None) -> tuple[bytes, bytes]:
        """Write ``data``, read the output, and wait for the end. Raises subprocess.TimeoutExpired."""
        if not self._outputs:
            pool = ThreadPoolExecutor(2)
            self._outputs = [pool.submit(_read, stream) for stream in (self.stdout, self.stderr)]
            pool.shutdown(wait=False)
        if self.stdin is not None and not self.stdin.closed:
            with suppress(BrokenPipeError), self.stdin:
                self.stdin.write(data)
        self.wait(timeout)
        output, errors = (future.result() for future in self._outputs)
        return output, errors

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it, unless it has ended."""
        self.send_signal(signal.SIGKILL)

    def _stream(self, fd: int, mode: str) -> tuple[IO[bytes] | None, int]:
        """This process's end of a stream, if it is a pipe, and the program's."""
        if fd == subprocess.DEVNULL:
            self._theirs.append(os.open(os.devnull, os.O_RDWR))
            return None, self._theirs[-1]
        if fd != subprocess.PIPE:
            return None, fd
        reading, writing = os.pipe()
        mine, theirs = (writing, reading) if mode == "wb" else (reading, writing)
        self._theirs.append(theirs)
        return open(mine, mode), theirs

    def _wait_for_end(self, reports: IO[bytes]) -> None:
        with reports:
            self.returncode = int(reports.readline())


Process = subprocess.Popen[bytes] | Forked


def start(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    stderr: int = subprocess.DEVNULL,
    cwd: Path | None = None,
    terminal: int | None = None,
    ignored: Collection[int] = (),
    fork: bool = True,
) -> Process:
    """Start a program, in a fork where that is the same and ``fork`` allows it.

    ``terminal`` becomes the controlling terminal of a new session; the signals ``ignored`` are ignored.
    """
    if fork and can_fork(command, env):
        return Forked(
            command,
            env=env,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            terminal=terminal,
            ignored=ignored,
        )

    def prepare() -> None:
        if terminal is not None:
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)

    return subprocess.Popen(
        command,
        env=env,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=cwd,
        start_new_session=terminal is not None,
        preexec_fn=prepare,
    )


def _read(stream: IO[bytes] | None) -> bytes:
    if stream is None:
        return b""
    with stream:
        return stream.read()


def _umask() -> int:
    """The umask; ``os.umask`` would change it for a moment, for all threads."""
    (mask,) = re.findall(r"^Umask:\s*(\d+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(mask, 8)


def _ignored_here() -> list[int]:
    return [number for number in signal.Signals if signal.getsignal(number) is signal.SIG_IGN]


@cache
def _connection() -> socket.socket:
    """The connection to the server. The first call starts it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.fork_server", str(theirs.fileno())]
    with theirs:
        server = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, cwd=Path(__file__).parents[1]
        )

    def end() -> None:
        ours.close()
        server.wait()

    atexit.register(end)
    return ours
