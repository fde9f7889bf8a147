"""What can go wrong between here and the endpoint, as the operator needs to know it."""


class ApiError(Exception):
    """Something went wrong with one request.

    ``str()`` is one sentence for the operator, clean of control characters: what happened and, where
    there is something to do, what to do. It never contains a credential or a token.
    """


class BadEndpoint(ApiError, ValueError):
    """The URL, or the environment that leads to it, cannot be used; nothing was sent."""


class LoginRefused(ApiError):
    """The endpoint does not accept this user and password; the message is the endpoint's own.

    Never tried again by itself: the platform locks a user after three to four wrong tries.
    """


class TokenExpired(ApiError):
    """The endpoint no longer accepts the token and a new login is not possible from memory."""


class TokenRenewed(ApiError):
    """An operation was refused for its token (401), and there is a newer one: the caller may ask again."""


class NotAllowed(ApiError):
    """The user's role does not allow this (403)."""


class NotFound(ApiError):
    """There is no such server, group, data center, job or account (404)."""


class BadRequest(ApiError):
    """The endpoint refused the request as a whole (other 4xx); the message is its own where it gave one."""


class RateLimited(ApiError):
    """The endpoint asked for a pause (429). ``wait`` is how long to wait, in seconds and within the bound.

    None where it did not say.
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

    The request was a reading, or provably never left.
    """


class Untrusted(Unreachable):
    """The endpoint's certificate does not verify. Nothing was sent, and trying again changes nothing."""


class Malformed(ApiError):
    """The answer is not what the API says it is: not JSON, cut short, too large, of another shape."""


class Oversized(Malformed):
    """The answer goes beyond a bound: size, depth or number of things in it. Not worth another try."""


class Redirected(Malformed):
    """The answer leads somewhere else, where nothing of ours is ever sent. Not worth another try."""


class OutcomeUnsure(ApiError):
    """An operation was sent and its answer was lost: it may or may not have been carried out.

    Never repeat it blindly: read the servers again and look.
    """
