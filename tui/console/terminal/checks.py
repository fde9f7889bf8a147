"""Checks of the terminal before the console starts, and signals and hang-ups while it runs.

Imports nothing of textual, so that the settings it reads from the environment can be made first.
"""

import os
import select
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from types import FrameType
from typing import IO

NARROWEST, LOWEST = 60, 15
"""The smallest terminal the console draws itself on, in cells."""


def why_unfit(environ: Mapping[str, str], stdin: IO[str] | None, stderr: IO[str] | None) -> str | None:
    """Return one sentence on why the console cannot run on this terminal; None when it can.

    The console reads keys from standard input and draws on standard error, so both must be one.
    """
    for stream, use in ((stdin, "input"), (stderr, "error")):
        if stream is None or stream.closed or not stream.isatty():
            return (
                f"standard {use} is not a terminal, so the console cannot run; "
                "use a command such as `pitstop servers` or `pitstop start`, or ssh -t"
            )
    if environ.get("TERM", "") in {"", "dumb"}:
        return (
            f"TERM is {environ.get('TERM') or 'not set'!s}, a terminal that cannot place a cursor; "
            "set TERM to what your terminal is, e.g. xterm-256color"
        )
    return None


def is_remote(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is at the other end of an SSH connection."""
    return bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))


def set_defaults(environ: MutableMapping[str, str]) -> None:
    """Set the variables that Textual reads when it is imported, unless the user set them.

    There are no animations, and over SSH fewer frames.
    """
    environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    for name in ("TEXTUAL_LOG", "TEXTUAL"):  # they would log every key, also those of a password
        environ.pop(name, None)
    if is_remote(environ):
        environ.setdefault("TEXTUAL_FPS", "20")


def speaks_unicode(environ: Mapping[str, str], encoding: str, *, coerced: bool) -> bool:
    """Whether box drawing and signs can be encoded, and the locale says that the terminal draws them.

    ``encoding`` alone is not enough: in the C locale Python switches to UTF-8 by itself and sets LC_CTYPE
    (``coerced``). PYTHONIOENCODING overrides the locale.
    """
    names = ["LC_ALL", "LC_CTYPE", "LANG"]
    if coerced and environ.get("LC_CTYPE") in {"C.UTF-8", "C.utf8", "UTF-8"}:
        names.remove("LC_CTYPE")
    locale = next((environ[name] for name in names if environ.get(name)), "C")
    if locale in {"C", "POSIX"} and not environ.get("PYTHONIOENCODING"):
        return False
    try:
        "─│✓▸█".encode(encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def watch_hang_up(fd: int, on_hang_up: Callable[[], None]) -> threading.Thread:
    """Call ``on_hang_up`` once, on a thread of its own, when the terminal at ``fd`` hangs up.

    Needed where SIGHUP is ignored (nohup, some shells): Textual would read the end of the file in a busy
    loop.
    """

    def wait() -> None:
        poller = select.poll()
        poller.register(fd, 0)  # hang-up and error are reported always
        for _, event in poller.poll():
            if event & (select.POLLHUP | select.POLLERR):
                on_hang_up()

    thread = threading.Thread(target=wait, name="pitstop-hang-up", daemon=True)
    thread.start()
    return thread


@contextmanager
def handle_signals(callback: Callable[[int], None], *, until_exit: bool = False) -> Iterator[None]:
    """Call ``callback`` with SIGHUP, SIGINT and SIGTERM, which would leave the terminal unrestored.

    With ``until_exit`` they are ignored afterwards: the process is about to exit with a code of its own.
    """

    def handle(number: int, _frame: FrameType | None) -> None:
        callback(number)

    numbers = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, signal.SIG_IGN if until_exit else previous)


def detach_streams() -> None:
    """Redirect the standard streams to /dev/null: the terminal has hung up."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
