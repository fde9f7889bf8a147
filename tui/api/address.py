"""The base URL of requests to an endpoint."""

from tui.api.errors import BadEndpoint
from tui.model.url import InvalidUrlError, normalise_url


def base_url(url: str, *, allow_http: bool = False) -> str:
    """Return the URL to which the paths of requests are appended. It ends in ``/v2``.

    Raises:
        BadEndpoint: ``url`` is not the URL of an endpoint; see ``normalise_url``.
    """
    try:
        return f"{normalise_url(url, allow_http)}/v2"
    except InvalidUrlError as error:
        raise BadEndpoint(str(error)) from None
