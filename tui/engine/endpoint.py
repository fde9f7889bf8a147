"""An endpoint: where the engine connects to."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from tui.model.url import InvalidUrlError, normalise_url

if TYPE_CHECKING:
    import httpx


class Endpoint(msgspec.Struct, frozen=True):
    """An endpoint that speaks the v2 contract.

    ``transport`` makes the HTTP transport; None means the network. The command line passes one that
    leads to the sandbox in the same process, so that the engine does not depend on the sandbox.
    """

    name: str
    """Its name for the operator: the profile, "sandbox", or the URL's host."""
    url: str
    allow_http: bool = False
    """Whether plain http to a host other than loopback is allowed; the profile must say so explicitly."""
    sandbox: bool = False
    transport: "Callable[[], httpx.AsyncBaseTransport] | None" = None
    requests_per_second: float = 20.0
    burst: int = 40

    @property
    def key(self) -> str:
        """The address in one form, whichever way it was written; the journal names an endpoint by it."""
        try:
            return normalise_url(self.url, allow_http=True).lower()
        except InvalidUrlError:
            return self.url  # No login there can succeed.
