"""A sandbox in a process of its own, over HTTP."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from tests.forked import start
from tests.patience import PATIENCE

PITSTOP = (sys.executable, "-m", "tui")


class Service:
    """``pitstop sandbox`` on a free port, which runs until it is closed.

    With ``fork`` it starts without its imports.
    """

    def __init__(self, *options: str, command: Sequence[str] = PITSTOP, fork: bool = False) -> None:
        command = [*command, "sandbox", "--port", "0", *options]
        self.process = start(command, env=os.environ, stdout=subprocess.PIPE, fork=fork)
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        assert line.startswith("listening on "), line
        self.url = line.removeprefix("listening on ").strip()

    @property
    def port(self) -> int:
        """The port of the sandbox."""
        return int(self.url.rpartition(":")[2])

    def requests(self) -> dict[str, Any]:
        """The requests received so far: total, by_route, log."""
        return self._get("requests")

    def truth(self) -> dict[str, Any]:
        """The sandbox's own state of every server and job."""
        return self._get("truth")

    def set_faults(self, **rates: float) -> None:
        """Change faults while it runs; underscores stand for dashes."""
        body = json.dumps({name.replace("_", "-"): rate for name, rate in rates.items()}).encode()
        with urllib.request.urlopen(self.url + "/__sandbox/faults", body, timeout=PATIENCE):
            pass

    def close(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _get(self, what: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/__sandbox/{what}", timeout=PATIENCE) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
