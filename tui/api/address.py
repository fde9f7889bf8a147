"""The endpoint's address: which one is meant, and whether it may be used."""

import ipaddress
from urllib.parse import urlsplit

from tui.api.errors import BadEndpoint
from tui.model.text import clean


def base_url(url: str, *, allow_http: bool = False) -> str:
    """The address that paths are put after, ending in ``/v2``.

    Raises:
        BadEndpoint: ``url`` is no http(s) URL, holds a password, a query or a fragment, or is plain
            http to another machine without ``allow_http``.
    """
    shown = clean(url.strip(), 100)
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadEndpoint(f"{shown!r} is not a URL: write it as https://HOST.") from None
    if parts.username is not None or parts.password is not None:
        raise BadEndpoint("The URL must not hold a user or a password: Pitstop asks for them.")
    if parts.scheme not in ("http", "https") or not host or not url.strip().isprintable() or " " in host:
        raise BadEndpoint(f"{shown!r} is not a URL: write it as https://HOST.")
    if parts.query or parts.fragment:
        raise BadEndpoint(f"{shown!r} is not an endpoint: leave out what follows ? or #.")
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise BadEndpoint(
            f"{shown} would send the password and the token in the clear: use https, or set allow_http "
            "for this endpoint in the settings."
        )
    path = parts.path.rstrip("/")
    if path.casefold().endswith("/v2"):
        path = path[:-3].rstrip("/")
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}{f':{port}' if port is not None else ''}{path}/v2"


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine, so that nothing sent to it leaves it."""
    host = host.casefold().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
