"""Fixtures for every folder."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tui.sandbox.config import SandboxConfig

ServeSandbox = Callable[..., str]
"""`serve_sandbox(config, clock=time.time)` -> origin of a sandbox served over HTTP until the test ends."""


@pytest.fixture
def serve_sandbox() -> Iterator[ServeSandbox]:
    """Serve sandboxes on loopback ports, each in a thread of its own."""
    with ExitStack() as running:

        def serve(config: SandboxConfig | None = None, clock: Callable[[], float] = time.time) -> str:
            return running.enter_context(_served(config or SandboxConfig(), clock))

        yield serve


@contextmanager
def _served(config: SandboxConfig, clock: Callable[[], float]) -> Iterator[str]:
    from tui.sandbox.app import create_app
    from tui.sandbox.serve import listen, make_server, url_of

    with listen("127.0.0.1", 0, allow_remote=False) as listener:
        server = make_server(create_app(config, clock))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        yield url_of(listener)
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
