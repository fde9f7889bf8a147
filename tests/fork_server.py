"""The server of ``tests.forked``: imports the program, and forks children that become what is requested.

``python -m tests.fork_server FD``: the connection to the process that starts it, and with which it ends. Each
message is a request, and brings the program's files: where to report its process id and its end, its three
streams, and its controlling terminal if it has one.
"""

import fcntl
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import termios
import time
from contextlib import suppress
from typing import Any

LONGEST = 1 << 20
"""Bytes of a request: more than arguments and environment have."""


def serve(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Serve requests until the connection ends. Returns in each child, with its request and its files."""
    running: dict[int, tuple[int, int]] = {}
    """Files to wait for a child's end and to report it: pidfd -> pid, report."""
    while True:
        ready, _, _ = select.select([connection.fileno(), *running], [], [])
        for process in running.keys() & set(ready):
            pid, report = running.pop(process)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            with suppress(BrokenPipeError):
                os.write(report, b"%d\n" % code)
            os.close(report)
            os.close(process)
        if connection.fileno() not in ready:
            continue
        message, files, _, _ = socket.recv_fds(connection, LONGEST, 5)
        if not message:
            sys.exit()
        pid = os.fork()
        if not pid:
            return json.loads(message), files
        report, *others = files
        running[os.pidfd_open(pid)] = pid, report
        for file in others:
            os.close(file)


def become(request: dict[str, Any], files: list[int]) -> None:
    """Become the program of a request."""
    report, *streams = files
    if len(streams) > 3:
        os.setsid()
        fcntl.ioctl(streams.pop(), termios.TIOCSCTTY, 0)
    for number in request["ignored"]:
        signal.signal(number, signal.SIG_IGN)
    for number, file in enumerate(streams):
        os.dup2(file, number)
    os.write(report, b"%d\n" % os.getpid())
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    for name, stream in {
        "stdin": os.fdopen(0, "r", -1, "utf-8", closefd=False, errors="surrogateescape"),
        "stdout": os.fdopen(1, "w", -1, "utf-8", closefd=False, errors="surrogateescape"),
        "stderr": os.fdopen(2, "w", 1, "utf-8", closefd=False, errors="backslashreplace"),
    }.items():
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.umask(request["umask"])
    os.chdir(request["directory"])
    sys.argv[1:] = request["arguments"]
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


def import_program() -> None:
    """Import all modules of the program but the one that starts it."""
    import tui
    from tui.console.terminal.checks import set_defaults

    set_defaults(os.environ)
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        if module.name != "tui.__main__":
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    import_program()
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        request, files = serve(connection)
    become(request, files)
