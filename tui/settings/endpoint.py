"""The endpoint to work on, as flags, environment and configuration file choose it."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import msgspec

from tui.settings.loader import DEFAULT, Loaded
from tui.settings.schema import Profile, Settings

USER_VARIABLES = ("PITSTOP_USERNAME", "CLC_USER")
"""Pitstop's own variable, then the one of the vendor's command line client."""


class EndpointError(Exception):
    """The endpoint, or the credentials for it, cannot be determined; ``str()`` says what to do."""


class ChosenEndpoint(msgspec.Struct, frozen=True):
    """The endpoint to work on, and where each of its values comes from."""

    name: str
    profile: Profile
    origins: Mapping[str, str]
    """Name of a profile's setting -> the file, variable or flag that sets it."""

    def limit(self, settings: Settings) -> Settings:
        """Return ``settings`` as this endpoint allows them: read-only where its profile says so."""
        return msgspec.structs.replace(settings, readonly=settings.readonly or self.profile.readonly)


def choose_endpoint(
    loaded: Loaded,
    environ: Mapping[str, str],
    normalise_url: Callable[[str, bool], str],
    *,
    profile: str | None = None,
    api_url: str | None = None,
    account: str | None = None,
) -> ChosenEndpoint | None:
    """Choose the endpoint that flags, environment and configuration file name, in this order.

    A URL that was given belongs to no profile, so that no profile's password goes there. ``normalise_url``
    takes a URL and ``allow_http``; it raises ValueError, with a sentence for the operator, on a URL that
    cannot be used. Returns None where no endpoint is named.

    Raises:
        EndpointError: a profile and a URL are given, the profile does not exist, or the URL cannot be used.
    """
    if profile and api_url:
        raise EndpointError("--profile and --api-url name two endpoints; say only one")
    url, url_origin = api_url, "--api-url"
    if not url and not profile and environ.get("PITSTOP_API_URL"):
        url, url_origin = environ["PITSTOP_API_URL"], "PITSTOP_API_URL"
        if environ.get("PITSTOP_PROFILE"):
            raise EndpointError("PITSTOP_PROFILE and PITSTOP_API_URL name two endpoints; set only one")
    profiles = loaded.settings.profiles
    if url:
        name, found = "", Profile(url=url)
        origins = dict.fromkeys(Profile.__struct_fields__, DEFAULT) | {"url": url_origin}
    else:
        name = profile or loaded.settings.profile or (next(iter(profiles)) if len(profiles) == 1 else "")
        if not name:
            return None
        if name not in profiles:
            known = f"there are: {', '.join(profiles)}" if profiles else "the configuration file has none"
            raise EndpointError(f"there is no profile {name!r}; {known}")
        found = profiles[name]
        origins = {field: loaded.origins[f"profiles.{name}.{field}"] for field in Profile.__struct_fields__}
    text = found.url.strip()
    try:
        url = normalise_url(text if "://" in text else f"https://{text}", found.allow_http)
    except ValueError as error:
        raise EndpointError(str(error)) from None
    found = msgspec.structs.replace(found, url=url)
    for field, value, origin in (
        ("user", *first_set(environ, USER_VARIABLES)),
        ("account", *first_set(environ, ("PITSTOP_ACCOUNT",))),
        ("account", account, "--account"),
    ):
        if value:
            found = msgspec.structs.replace(found, **{field: value})
            origins[field] = origin
    return ChosenEndpoint(name or urlsplit(url).netloc, found, origins)


def first_set(environ: Mapping[str, str], variables: tuple[str, ...]) -> tuple[str, str]:
    """Return value and name of the first of ``variables`` that is set; two empty texts if none is."""
    return next(((environ[name], name) for name in variables if environ.get(name)), ("", ""))
