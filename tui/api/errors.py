"""The errors of the API client, by what the caller and the operator may do next."""


class ApiError(Exception):
    """A request failed.

    ``str()`` is one sentence for the operator, without control characters: what happened and, where the
    operator can do something, what to do. It never contains a credential or a token.
    """


class BadEndpoint(ApiError, ValueError):
    """The URL, or the proxy or CA file in the environment, cannot be used; nothing was sent."""


class LoginRefused(ApiError):
    """The endpoint does not accept this user and password; the message is the endpoint's own.

    Never repeated: the platform locks a user after three to four wrong attempts.
    """


class TokenExpired(ApiError):
    """The endpoint no longer accepts the token and a new login is not possible from memory."""


class TokenRenewed(ApiError):
    """An operation was refused for its token (401), and there is a newer one: it may be sent again."""


class NotAllowed(ApiError):
    """The user's role does not allow this (403)."""


class NotFound(ApiError):
    """There is no such server, group, data center, job or account (404)."""


class BadRequest(ApiError):
    """The endpoint refused the request as a whole (other 4xx); the message is its own where it gave one."""


class RateLimited(ApiError):
    """The endpoint requests a pause (429).

    ``wait`` is its Retry-After in seconds, cut to the bound; None where there was none.
    """

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class ServerFault(ApiError):
    """The endpoint failed (5xx) on a request that changes nothing or provably did nothing."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(ApiError):
    """No answer: name not resolved, connection refused or lost, certificate not trusted, time out.

    The request was a read, or provably was never sent.
    """


class Untrusted(Unreachable):
    """The endpoint's certificate does not verify. Nothing was sent, and a repetition would not help."""


class Malformed(ApiError):
    """The answer is not what the API documents: not JSON, cut short, too large, of another shape."""


class Oversized(Malformed):
    """The answer exceeds a bound on its size, depth or number of entries. Not repeated."""


class Redirected(Malformed):
    """The answer is a redirect, which is never followed. Not repeated."""


class OutcomeUnsure(ApiError):
    """An operation was sent and its answer was lost: it may or may not have been carried out.

    Never repeat it blindly: read the servers first.
    """
