"""Writes all that a program is started with as JSON: ``python -m tests.terminal.probe FILE ...``."""

import json
import os
import signal
import sys
from pathlib import Path


def describe() -> dict[str, object]:
    """What was given to this process, by name."""
    streams = (sys.stdin, sys.stdout, sys.stderr, sys.__stdin__, sys.__stdout__, sys.__stderr__)
    before = os.umask(0)
    return {
        "name": __name__,
        "arguments": sys.argv[1:],
        "environment": dict(os.environ),
        "directory": os.getcwd(),
        "umask": before,
        "files": sorted(os.listdir("/proc/self/fd")),
        "signals": {one.name: str(signal.getsignal(one)) for one in signal.Signals},
        "leads its session": os.getsid(0) == os.getpid(),
        "in the foreground": os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp(),
        "streams": [
            (one.fileno(), one.isatty(), one.mode, one.encoding, one.errors, one.line_buffering)
            for one in streams
            if one is not None
        ],
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(describe()))
    print("out")
    print("err", file=sys.stderr)
    sys.exit(7)
