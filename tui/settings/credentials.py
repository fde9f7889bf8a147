"""User and password for an endpoint: from the environment, a command, or the operator."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import NamedTuple
from urllib.parse import urlsplit

from tui.settings.endpoint import EndpointError, first_set
from tui.settings.schema import Profile

PASSWORD_VARIABLES = ("PITSTOP_PASSWORD", "CLC_PASSWORD")
"""Pitstop's own variable, then the one of the vendor's command line client."""
COMMAND_LIMIT = 60.0
"""Seconds that a password command may take: some wait until a key is touched."""


class Credentials(NamedTuple):
    """A user and a password. ``repr`` leaves the password out."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r})"


def credentials_at_hand(profile: Profile, environ: MutableMapping[str, str]) -> Credentials | None:
    """Return user and password from the environment or the profile's command; None where one is missing.

    The password variables are removed from ``environ``, so that no child process inherits them.

    Raises:
        EndpointError: the command failed.
    """
    password, _ = first_set(environ, PASSWORD_VARIABLES)
    for variable in PASSWORD_VARIABLES:
        environ.pop(variable, None)
    if profile.user and not password and profile.password_command:
        password = run_password_command(profile.password_command, environ)
    return Credentials(profile.user, password) if profile.user and password else None


def find_credentials(
    profile: Profile, environ: MutableMapping[str, str], ask: Callable[[str], str]
) -> Credentials:
    """Return user and password as ``credentials_at_hand``, else with a password that ``ask`` returns.

    ``ask`` takes a question, and returns an empty text where nobody answers.

    Raises:
        EndpointError: the user or the password is missing, or the command failed.
    """
    found = credentials_at_hand(profile, environ)
    if found is not None:
        return found
    if not profile.user:
        raise EndpointError(
            "there is no user to log in as; set PITSTOP_USERNAME, or user in the endpoint's profile"
        )
    password = ask(f"Password of {profile.user} at {urlsplit(profile.url).netloc}: ")
    if not password:
        raise EndpointError(
            "there is no password to log in with; set PITSTOP_PASSWORD, or password_command in the profile"
        )
    return Credentials(profile.user, password)


def ask_on_terminal(question: str) -> str:
    """Ask for a password on the terminal, without echo. Returns an empty text where there is no terminal."""
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
    """Run ``command`` and return the first line of its output.

    The command runs without a shell, on the same terminal, in ``environ`` without the password variables.

    Raises:
        EndpointError: the command cannot be run, fails, takes too long, or writes nothing. The message never
            holds its output.
    """
    try:
        words = shlex.split(command)
        if not words:
            raise ValueError("it is empty")
    except ValueError as error:
        raise EndpointError(f"password_command cannot be understood: {error}") from None
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
        raise EndpointError(f"password_command: there is no program {words[0]!r}") from None
    except OSError as error:
        raise EndpointError(
            f"password_command: {words[0]} cannot be run: {os.strerror(error.errno or 0)}"
        ) from None
    except subprocess.TimeoutExpired:
        raise EndpointError(f"password_command: {words[0]} took longer than {COMMAND_LIMIT:.0f} s") from None
    if done.returncode != 0:
        raise EndpointError(
            f"password_command: {words[0]} ended with {done.returncode}; no password was read"
        )
    try:
        password = done.stdout.decode().partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError:
        password = ""
    if not password:
        raise EndpointError(f"password_command: {words[0]} wrote no password")
    return password
