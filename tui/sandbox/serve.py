"""The sandbox over HTTP, with uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from tui.sandbox.app import TRANSPORT, create_app
from tui.sandbox.config import SandboxConfig

CANNOT_LISTEN = 2
"""Exit code for an address that cannot be used: the same as for other wrong options."""


class CannotListen(Exception):
    """The sandbox cannot listen at an address; the text is one sentence for the operator."""


def serve(config: SandboxConfig, host: str, port: int, allow_remote: bool) -> int:
    """Serve a new sandbox until SIGINT or SIGTERM, and return the exit code.

    The first line on stdout is `listening on http://HOST:PORT`, written once connections are accepted and
    signals end it cleanly.
    """
    try:
        listener = listen(host, port, allow_remote)
    except CannotListen as error:
        sys.stderr.write(f"pitstop sandbox: {error}\n")
        return CANNOT_LISTEN

    def announce() -> None:
        sys.stdout.write(f"listening on {url_of(listener)}\n")
        sys.stdout.flush()
        sys.stderr.write(
            f"{config.servers:,} servers. Users demo and viewer, password pitstop, account ACME "
            "with sub-account ACMD. Ctrl-C stops.\n"
        )

    with listener, contextlib.suppress(KeyboardInterrupt):
        app = create_app(config)
        app.state.plane.prepare()
        gc.freeze()
        asyncio.run(make_server(app, announce).serve(sockets=[listener]))
    return 0


def listen(host: str, port: int, allow_remote: bool) -> socket.socket:
    """A listening socket; port 0 takes a free port.

    Raises:
        CannotListen: the address is taken, wrong, or, without `allow_remote`, not a loopback address.
    """
    if not 0 <= port <= 65_535:
        raise CannotListen(f"port {port} is not an address to listen on: ports go from 0 to 65535.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise CannotListen(f"{host!r} with port {port} is not an address to listen on.") from None
    family, _, _, _, address = found[0]
    if not allow_remote and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
        raise CannotListen(
            f"{host} can be reached from other machines, and anybody there could use the sandbox; "
            "listen on 127.0.0.1, or say --allow-remote if you mean it."
        )
    try:
        return socket.create_server(address[:2], family=family, backlog=1024)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)  # its own text repeats the address
        raise CannotListen(
            f"cannot listen on {host} port {port}: {reason}. "
            "Choose another with --port, or --port 0 for any free one."
        ) from None


def url_of(listener: socket.socket) -> str:
    """The origin that clients of a listening socket use."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def make_server(app: Starlette, started: Callable[[], None] = lambda: None) -> uvicorn.Server:
    """A uvicorn server for a sandbox; `run(sockets=[...])` runs it until `should_exit` is set.

    It calls `started` once it accepts connections.
    """
    return _Server(
        uvicorn.Config(
            app,
            http=_Protocol,
            interface="asgi3",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        ),
        started,
    )


class _Protocol(H11Protocol):
    """Leaves each connection's transport in the scope, so that the application can drop the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state: dict[str, Any] = {**self.app_state, TRANSPORT: transport}
        # asyncio does so only for sockets that were opened with an explicit protocol; without it an answer of
        # two writes waits 40 ms for the client's delayed acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)


class _Server(uvicorn.Server):
    """Ends with the exit code 0 on a signal, where uvicorn would raise it again after its shutdown."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Delayed answers are cancelled, which uvicorn would report as errors.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        caught: list[signal.Signals] = []
        for signum in (signal.SIGINT, signal.SIGTERM):
            # Another thread than the main one cannot, and its server is stopped by `should_exit`.
            with contextlib.suppress(ValueError, RuntimeError):
                loop.add_signal_handler(signum, self.handle_exit, signum, None)
                caught.append(signum)
        try:
            yield
        finally:
            for signum in caught:
                loop.remove_signal_handler(signum)
