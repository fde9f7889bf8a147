"""Which endpoint is meant, and with what to log in to it."""

import ipaddress
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from tui.settings.loader import DEFAULT, Loaded
from tui.settings.schema import Profile, Settings

USER_VARIABLES = ("PITSTOP_USERNAME", "CLC_USER")
"""Pitstop's own, then those of the vendor's command line client."""
PASSWORD_VARIABLES = ("PITSTOP_PASSWORD", "CLC_PASSWORD")
COMMAND_LIMIT = 60.0
"""Seconds that a password command may take: some ask for a touch of a key."""


class TargetError(Exception):
    """Which endpoint is meant, or with what to log in, cannot be told; ``str()`` says what to do."""


class Target(msgspec.Struct, frozen=True):
    """The endpoint to work on, and where each of its values comes from."""

    name: str
    profile: Profile
    origins: Mapping[str, str]
    """Field of the profile -> the file, variable or flag that says it."""

    def limit(self, settings: Settings) -> Settings:
        """The settings as this endpoint allows them."""
        return msgspec.structs.replace(settings, readonly=settings.readonly or self.profile.readonly)


def choose_target(
    loaded: Loaded,
    environ: Mapping[str, str],
    *,
    profile: str | None = None,
    api_url: str | None = None,
    account: str | None = None,
) -> Target | None:
    """The endpoint that flags, environment and file mean, in this order; None where none is named.

    A URL that was given stands for itself: no profile's password goes to it.

    Raises:
        TargetError: both a profile and a URL are given, the profile is not there, or the URL makes no sense.
    """
    if profile and api_url:
        raise TargetError("--profile and --api-url name two endpoints; say only one")
    url, url_origin = api_url, "--api-url"
    if not url and not profile and environ.get("PITSTOP_API_URL"):
        url, url_origin = environ["PITSTOP_API_URL"], "PITSTOP_API_URL"
        if environ.get("PITSTOP_PROFILE"):
            raise TargetError("PITSTOP_PROFILE and PITSTOP_API_URL name two endpoints; set only one")
    profiles = loaded.settings.profiles
    if url:
        clean = endpoint_url(url)
        found = Profile(url=clean)
        name = urlsplit(clean).netloc
        origins = dict.fromkeys(Profile.__struct_fields__, DEFAULT) | {"url": url_origin}
    else:
        name = profile or loaded.settings.profile or (next(iter(profiles)) if len(profiles) == 1 else "")
        if not name:
            return None
        if name not in profiles:
            known = f"there are: {', '.join(profiles)}" if profiles else "the configuration file has none"
            raise TargetError(f"there is no profile {name!r}; {known}")
        found = msgspec.structs.replace(profiles[name], url=endpoint_url(profiles[name].url))
        origins = {field: loaded.origins[f"profiles.{name}.{field}"] for field in Profile.__struct_fields__}
    for field, value, origin in (
        ("user", *_first(environ, USER_VARIABLES)),
        ("account", *_first(environ, ("PITSTOP_ACCOUNT",))),
        ("account", account, "--account"),
    ):
        if value:
            found = msgspec.structs.replace(found, **{field: value})
            origins[field] = origin
    if urlsplit(found.url).scheme == "http" and not found.allow_http and not _is_loopback(found.url):
        raise TargetError(
            f"{found.url} is plain http to another machine, where passwords can be overheard; use https, "
            "or set allow_http = true in its profile if you mean it"
        )
    return Target(name, found, origins)


def endpoint_url(text: str) -> str:
    """The origin of an endpoint, from its URL with or without ``/v2``. Raises TargetError."""
    text = text.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port = parts.port
    except ValueError:
        raise TargetError(
            "the endpoint's URL makes no sense; it looks like https://HOST or https://HOST/v2"
        ) from None
    if parts.username is not None or parts.password is not None:
        raise TargetError(
            "the endpoint's URL must not hold a user or a password; see PITSTOP_USERNAME and PITSTOP_PASSWORD"
        )
    path = parts.path.rstrip("/")
    if path.casefold().endswith("/v2"):
        path = path[: -len("/v2")]
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise TargetError(f"{text!r} is not an endpoint; it looks like https://HOST or https://HOST/v2")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{path}"


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _first(environ: Mapping[str, str], variables: tuple[str, ...]) -> tuple[str, str]:
    """The first of ``variables`` that is set, and its name."""
    return next(((environ[name], name) for name in variables if environ.get(name)), ("", ""))


class Credentials(NamedTuple):
    """Who logs in, and with what. The password shows in no ``repr``."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r})"


def credentials_at_hand(profile: Profile, environ: MutableMapping[str, str]) -> Credentials | None:
    """User and password from the environment or the profile's command; None where one is missing.

    The password variables are taken out of ``environ``, so that no child process inherits them.

    Raises:
        TargetError: the command failed; it says what to do.
    """
    password, _ = _first(environ, PASSWORD_VARIABLES)
    for variable in PASSWORD_VARIABLES:
        environ.pop(variable, None)
    if profile.user and not password and profile.password_command:
        password = run_password_command(profile.password_command, environ)
    return Credentials(profile.user, password) if profile.user and password else None


def find_credentials(
    profile: Profile, environ: MutableMapping[str, str], ask: Callable[[str], str]
) -> Credentials:
    """The same, with the operator asked for a password that is missing.

    Raises:
        TargetError: something is missing, or the command failed; it says what to do.
    """
    found = credentials_at_hand(profile, environ)
    if found is not None:
        return found
    if not profile.user:
        raise TargetError(
            "there is no user to log in as; set PITSTOP_USERNAME, or user in the endpoint's profile"
        )
    password = ask(f"Password of {profile.user} at {urlsplit(profile.url).netloc}: ")
    if not password:
        raise TargetError(
            "there is no password to log in with; set PITSTOP_PASSWORD, or password_command in the profile"
        )
    return Credentials(profile.user, password)


def ask_on_terminal(question: str) -> str:
    """A password typed on the terminal, unseen; empty where nobody sits at one."""
    if not (sys.stdin.isatty() or sys.stderr.isatty()):
        return ""
    import getpass
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(question)
        except (getpass.GetPassWarning, EOFError):
            return ""


def run_password_command(command: str, environ: Mapping[str, str]) -> str:
    """The first line that ``command`` writes. It sees the terminal, but none of the password variables.

    Raises:
        TargetError: it cannot be run, fails, takes too long, or writes nothing. Its output is never repeated.
    """
    try:
        words = shlex.split(command)
        if not words:
            raise ValueError("it is empty")
    except ValueError as error:
        raise TargetError(f"password_command cannot be understood: {error}") from None
    child = {name: value for name, value in environ.items() if name not in PASSWORD_VARIABLES}
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own command, without a shell
            words,
            stdin=subprocess.DEVNULL,  # it may hold the servers
            stdout=subprocess.PIPE,
            env=child,
            timeout=COMMAND_LIMIT,
            check=False,
        )
    except FileNotFoundError:
        raise TargetError(f"password_command: there is no program {words[0]!r}") from None
    except OSError as error:
        raise TargetError(
            f"password_command: {words[0]} cannot be run: {os.strerror(error.errno or 0)}"
        ) from None
    except subprocess.TimeoutExpired:
        raise TargetError(f"password_command: {words[0]} took longer than {COMMAND_LIMIT:.0f} s") from None
    if done.returncode != 0:
        raise TargetError(f"password_command: {words[0]} ended with {done.returncode}; no password was read")
    try:
        password = done.stdout.decode().partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError:
        password = ""
    if not password:
        raise TargetError(f"password_command: {words[0]} wrote no password")
    return password
