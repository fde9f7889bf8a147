"""Run the command line, in this process or in one of its own, against a sandbox over HTTP."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import httpx
import pytest

from tests.conftest import ServeSandbox
from tests.forked import start
from tests.patience import PATIENCE
from tui.cli import main
from tui.sandbox.config import SandboxConfig


class Ran(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout, which is one JSON value."""
        return json.loads(self.out)


class Pitstop(Protocol):
    """Runs the command line in this process."""

    def __call__(self, *arguments: str, stdin: str | None = None) -> Ran: ...


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory for each test, without the developer's variables."""
    for name in list(os.environ):
        if name.startswith(("PITSTOP_", "CLC_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PITSTOP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def pitstop(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Pitstop]:
    """Run a command; its stdin is ``stdin``, or empty, and never a terminal."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def run(*arguments: str, stdin: str | None = None) -> Ran:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin or ""))
        capfdbinary.readouterr()
        environ = dict(os.environ)
        code = main(list(arguments))
        os.environ.update(environ)  # the program removes passwords from its environment
        out, err = capfdbinary.readouterr()
        return Ran(code, out.decode(), err.decode())

    yield run
    for handler in set(root.handlers) - set(handlers):
        handler.close()
        root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def log_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials of the sandbox's operator, in the environment."""
    monkeypatch.setenv("PITSTOP_USERNAME", "demo")
    monkeypatch.setenv("PITSTOP_PASSWORD", "pitstop")


class HoldableClock:
    """The wall clock, or one that stands still until it is released: no job ends meanwhile."""

    def __init__(self, *, held: bool) -> None:
        self._held_at = time.time() if held else None

    def __call__(self) -> float:
        return time.time() if self._held_at is None else self._held_at

    def release(self) -> None:
        self._held_at = None


class Platform(NamedTuple):
    """A sandbox over HTTP, and its own records."""

    url: str
    clock: HoldableClock

    def _get(self, what: str) -> Any:
        return httpx.get(f"{self.url}/__sandbox/{what}", trust_env=False).json()

    @property
    def requests(self) -> dict[str, int]:
        """Route -> number of requests."""
        found: dict[str, int] = self._get("requests")["by_route"]
        return found

    @property
    def posts(self) -> int:
        """Number of operation requests received."""
        return sum(count for route, count in self.requests.items() if route.startswith("POST /v2/operations"))

    def in_maintenance(self, *ids: str) -> list[bool]:
        """For each id, whether the sandbox has that server in maintenance."""
        servers = self._get("truth")["servers"]
        return [servers[id_]["maintenance"] for id_ in ids]

    def power(self, *ids: str) -> list[str]:
        """For each id, the power state of that server."""
        servers = self._get("truth")["servers"]
        return [servers[id_]["power"] for id_ in ids]

    def set_faults(self, **rates: float) -> None:
        """Set the probability of each fault from now on."""
        named = {name.replace("_", "-"): rate for name, rate in rates.items()}
        httpx.post(f"{self.url}/__sandbox/faults", json=named, trust_env=False).raise_for_status()


class Serve(Protocol):
    """Starts a sandbox and makes it the endpoint of every command. ``held`` stops its clock."""

    def __call__(self, *, held: bool = False, **config: Any) -> Platform: ...


@pytest.fixture
def platform(serve_sandbox: ServeSandbox, monkeypatch: pytest.MonkeyPatch, log_in: None) -> Serve:
    """A sandbox whose jobs take hardly any time; the environment has its address and credentials."""

    def serve(*, held: bool = False, **config: Any) -> Platform:
        clock = HoldableClock(held=held)
        url = serve_sandbox(SandboxConfig(**({"time_scale": 0.001} | config)), clock)
        monkeypatch.setenv("PITSTOP_API_URL", f"{url}/v2")
        monkeypatch.setenv("PITSTOP_VERIFY_LIMIT", "5")
        return Platform(url, clock)

    return serve


class Running:
    """A command in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "tui", *arguments]
        self.process = start(command, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def wait_for(self, text: str) -> str:
        """Read stderr up to the line with ``text`` and return that line."""
        assert self.process.stderr is not None
        read = []
        for line in map(bytes.decode, self.process.stderr):
            read.append(line)
            if text in line:
                return line
        raise AssertionError(f"{text!r} is not in {read}")

    def end(self) -> Ran:
        """Wait until the process exits."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return Ran(self.process.wait(), out.decode(), err.decode())


@pytest.fixture
def running() -> Iterator[Any]:
    """Start commands in processes of their own; those still running are killed after the test."""
    started: list[Running] = []

    def start(*arguments: str) -> Running:
        started.append(Running(*arguments))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()
