"""Where the engine is to connect to."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import httpx


class Endpoint(msgspec.Struct, frozen=True):
    """An endpoint that speaks the v2 contract.

    ``transport`` makes the way to it; None means the network. Whoever starts the program hands in
    one that leads to the sandbox in the process, so that the engine never knows of it.
    """

    name: str
    """What the operator calls it: a profile's name, "sandbox", or the URL's host."""
    url: str
    allow_http: bool = False
    """Plain http to a host other than loopback, because the profile says so in so many words."""
    sandbox: bool = False
    transport: "Callable[[], httpx.AsyncBaseTransport] | None" = None
    requests_per_second: float = 20.0
    burst: int = 40


def place(endpoint: Endpoint) -> str:
    """An endpoint's address without what does not matter."""
    return endpoint.url.rstrip("/").removesuffix("/v2").rstrip("/").lower()
