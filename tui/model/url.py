"""The URL of an endpoint: its normal form, and whether it leads to this machine."""

import ipaddress
from urllib.parse import urlsplit

from tui.model.text import clean


class InvalidUrlError(ValueError):
    """A URL is none of an endpoint; ``str()`` is a sentence for the operator."""


def normalise_url(text: str, allow_http: bool = False) -> str:
    """Return the URL of an endpoint without ``/v2``, a slash at the end, or capitals in its host.

    Raises:
        InvalidUrlError: ``text`` is no http(s) URL, holds a password, a query or a fragment, or is plain http
            to another machine without ``allow_http``.
    """
    url = text.strip()
    shown = clean(url, 100)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidUrlError(f"{shown!r} is not a URL: write it as https://HOST.") from None
    if parts.username is not None or parts.password is not None:
        raise InvalidUrlError("The URL must not hold a user or a password: Pitstop asks for them.")
    if parts.scheme not in {"http", "https"} or not host or not url.isprintable() or " " in host:
        raise InvalidUrlError(f"{shown!r} is not a URL: write it as https://HOST.")
    if parts.query or parts.fragment:
        raise InvalidUrlError(f"{shown!r} is not an endpoint: leave out what follows ? or #.")
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise InvalidUrlError(
            f"{shown} would send the password and the token in the clear: use https, or set allow_http "
            "for this endpoint in the settings."
        )
    path = parts.path.rstrip("/")
    if path.casefold().endswith("/v2"):
        path = path[: -len("/v2")].rstrip("/")
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}{f':{port}' if port is not None else ''}{path}"


def is_loopback(host: str) -> bool:
    """Whether ``host``, a name or an address without brackets, is this machine.

    Source: RFC 6761, section 6.3, for ``localhost`` and the names below it.
    """
    host = host.casefold().removesuffix(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
