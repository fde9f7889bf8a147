"""From a failed exchange or an error status to an `ApiError` with a sentence for the operator."""

import socket
import ssl
from collections.abc import Callable, Iterator

from tui.api.errors import (
    ApiError,
    BadRequest,
    Malformed,
    NotAllowed,
    NotFound,
    RateLimited,
    Redirected,
    ServerFault,
    Unreachable,
    Untrusted,
)
from tui.api.http import httpx
from tui.model.text import clean

NETWORK_ERRORS = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError)
"""Everything that httpx and sockets raise because of the network or the server."""


def connection_error(error: Exception, host: str, redact: Callable[[str], str]) -> Unreachable:
    """The error for a request without an answer from ``host``, made of what httpx raised.

    ``redact`` hides secrets in texts of the server or of httpx.
    """
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = clean(redact(cause.verify_message) or "certificate verify failed", 160).rstrip(".")
            return Untrusted(
                f"The certificate of {host} is not trusted ({reason}): set SSL_CERT_FILE to your CA's file, "
                "or check that this is the right host."
            )
        if isinstance(cause, socket.gaierror):
            return Unreachable(f"The name {host} cannot be resolved: check the URL and the network.")
        if isinstance(cause, ConnectionRefusedError):
            return Unreachable(f"{host} refuses the connection: check the URL and port, and that it is up.")
    text = " ".join(str(cause) for cause in causes)
    match error:
        case _ if "CERTIFICATE_VERIFY_FAILED" in text:
            return Untrusted(
                f"The certificate of {host} is not trusted: set SSL_CERT_FILE to your CA's file, or check "
                "that this is the right host."
            )
        case httpx.ProxyError():
            return Unreachable(f"The proxy does not let us through to {host} ({_short(error, redact)}).")
        case httpx.ConnectTimeout():
            return Unreachable(
                f"{host} does not answer: connecting took too long; check the URL and the network."
            )
        case httpx.PoolTimeout():
            return Unreachable(f"No connection to {host} became free in time.")
        case httpx.TimeoutException() | TimeoutError():
            return Unreachable(f"{host} took too long to answer: it may be overloaded, or the network slow.")
        case _ if any(isinstance(cause, ssl.SSLError) for cause in causes):
            return Unreachable(
                f"{host} does not speak TLS as it should ({_short(error, redact)}): check the URL."
            )
        case httpx.ConnectError():
            return Unreachable(f"{host} cannot be reached ({_short(error, redact)}).")
        case httpx.RemoteProtocolError() if "without sending" not in text:
            return Unreachable(f"{host} broke off or garbled its answer ({_short(error, redact)}).")
        case _:
            return Unreachable(f"The connection to {host} was lost before the answer came.")


def status_error(
    status: int, message: str, what: str, host: str, wait: float | None, longest_wait: float
) -> ApiError:
    """The error for an answer that is not a 2xx.

    ``message`` is the API's own, ``what`` names what was requested. ``wait`` is the Retry-After in seconds;
    the error's is at most ``longest_wait``. The client handles 401 itself: what it means depends on the
    credentials in memory.
    """
    said = f": {message.rstrip('.')}" if message else ""
    if status == 403:
        return NotAllowed(f"Not allowed ({what}){said or ': your role does not permit it'}.")
    if status == 404:
        return NotFound(f"Not found: {what}{said}.")
    if status == 407:
        return Unreachable("The proxy asks for a login: put user and password into HTTPS_PROXY.")
    if status == 429:
        pause = f" for {wait:.0f} s" if wait else ""
        return RateLimited(
            f"{host} asks us to pause{pause} before the next try{said}.",
            None if wait is None else min(wait, longest_wait),
        )
    if status in (408, 425) or status >= 500:
        return ServerFault(
            f"{host} failed ({status}){said}. If that stays so, tell those who run it.", status
        )
    if 300 <= status < 400:
        return Redirected(
            f"{host} answers with a redirect ({status}), which is not followed: check the URL, "
            "or give the one it leads to."
        )
    if 400 <= status < 500:
        return BadRequest(f"{host} refuses the request ({what}, {status}){said}.")
    return Malformed(f"{host} answers with an unexpected status ({status}): check the URL.")


def _short(error: BaseException, redact: Callable[[str], str]) -> str:
    return clean(redact(str(error)) or type(error).__name__, 120).rstrip(".")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """``error`` with its causes and contexts, and the members of exception groups."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        if isinstance(found, BaseExceptionGroup):
            waiting.extend(found.exceptions)
        waiting.extend(cause for cause in (found.__cause__, found.__context__) if cause is not None)
