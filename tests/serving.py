"""A sandbox over HTTP, in a thread of the process that tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.patience import PATIENCE

if TYPE_CHECKING:
    from starlette.applications import Starlette


@contextmanager
def serve(app: Starlette) -> Iterator[str]:
    """Serve a sandbox on a loopback port within the block; yields its origin."""
    from tui.sandbox.serve import listen, make_server, url_of

    with listen("127.0.0.1", 0, allow_remote=False) as listener:
        server = make_server(app)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield url_of(listener)
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
        assert not thread.is_alive()
