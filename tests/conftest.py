"""Fixtures of all tests, and the same environment for each run."""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings

from tests import tools
from tests.serving import serve
from tui.sandbox.config import SandboxConfig

ServeSandbox = Callable[..., str]
"""`serve_sandbox(config, clock=time.time)` -> origin of a sandbox served over HTTP until the test ends."""


settings.register_profile("pitstop", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("pitstop"), max_examples=2_000)
settings.load_profile("pitstop")

INHERITED = ("PATH", "HOME", "TMPDIR", "CI", "PYTEST_", "TEXTUAL_SNAPSHOT_")
"""Variables, or prefixes of their names, that tests and the programs they start inherit."""


def pytest_sessionstart() -> None:
    """Give every run the same variables, time zone, umask and signal handlers."""
    for name in list(os.environ):
        if not name.startswith(INHERITED):
            del os.environ[name]
    os.environ |= {"LANG": tools.LOCALE, "TERM": "xterm-256color", "TZ": "UTC"}
    time.tzset()
    os.umask(0o022)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        # nohup and a script's `&` ignore these. Child processes inherit ignored signals, but no handlers.
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage during collection, and freeze its objects: they live until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_report_header() -> list[str]:
    """Report at the start which tools are missing."""
    missing = tools.missing()
    return [tools.advice(missing)] if missing else []


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose tools are missing; where CI is set, fail it."""
    needed = [tool for mark in item.iter_markers("needs") for tool in mark.args]
    if missing := tools.missing(needed):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(tools.advice(missing))


@pytest.fixture
def serve_sandbox() -> Iterator[ServeSandbox]:
    """Serve sandboxes on loopback ports, each in a thread of its own."""
    with ExitStack() as running:

        def start(config: SandboxConfig | None = None, clock: Callable[[], float] = time.time) -> str:
            from tui.sandbox.app import create_app

            return running.enter_context(serve(create_app(config or SandboxConfig(), clock)))

        yield start
