"""User and password: from the environment, a command, or the operator."""

import shlex
import subprocess
import sys

import pytest

from tui.settings import credentials
from tui.settings.credentials import (
    Credentials,
    credentials_at_hand,
    find_credentials,
    run_password_command,
)
from tui.settings.endpoint import EndpointError
from tui.settings.schema import Profile


def python(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def never_ask(question: str) -> str:
    raise AssertionError(f"unexpected question: {question}")


def test_pitstops_own_variables_come_before_the_vendors_and_none_is_inherited() -> None:
    environ = {"PITSTOP_PASSWORD": "mine", "CLC_PASSWORD": "theirs", "HOME": "/"}
    assert find_credentials(Profile(user="ops"), environ, never_ask) == Credentials("ops", "mine")
    assert environ == {"HOME": "/"}


def test_the_password_comes_from_the_command_when_the_environment_has_none() -> None:
    profile = Profile(user="ops", password_command=python("print('from the command')\nprint('a comment')"))
    assert credentials_at_hand(profile, {}) == Credentials("ops", "from the command")
    assert credentials_at_hand(profile, {"CLC_PASSWORD": "at hand"}) == Credentials("ops", "at hand")


def test_the_operator_is_asked_last() -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "typed"

    found = find_credentials(Profile(url="https://x.example.net", user="ops"), {}, ask)
    assert (found, asked) == (Credentials("ops", "typed"), ["Password of ops at x.example.net: "])


def test_a_missing_user_or_password_is_named() -> None:
    with pytest.raises(EndpointError, match="PITSTOP_USERNAME"):
        find_credentials(Profile(), {"PITSTOP_PASSWORD": "secret"}, never_ask)
    with pytest.raises(EndpointError, match="PITSTOP_PASSWORD"):
        find_credentials(Profile(user="ops"), {}, lambda question: "")


def test_the_repr_does_not_show_the_password() -> None:
    assert "hunter2" not in repr(Credentials("ops", "hunter2"))


def test_the_command_runs_without_a_shell_and_without_the_passwords() -> None:
    names = {"PITSTOP_PASSWORD", "CLC_PASSWORD", "X"}
    code = f"import os, sys; print(sys.argv[1], sorted(set(os.environ) & {names}))"
    command = python(code) + " '$(id); *'"
    environ = {"PITSTOP_PASSWORD": "a", "CLC_PASSWORD": "b", "X": "c"}
    assert run_password_command(command, environ) == "$(id); * ['X']"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("no-such-program-anywhere", "there is no program 'no-such-program-anywhere'"),
        (python("import sys; print('hunter2'); sys.exit(3)"), "ended with 3"),
        (python("pass"), "wrote no password"),
        (python("import sys; sys.stdout.buffer.write(b'\\xff')"), "wrote no password"),
        ("'unbalanced", "cannot be understood"),
        ("   ", "it is empty"),
    ],
)
def test_a_command_that_fails_is_reported_without_its_output(command: str, message: str) -> None:
    with pytest.raises(EndpointError) as caught:
        run_password_command(command, {})
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_command_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "COMMAND_LIMIT", 0.2)
    with pytest.raises(EndpointError, match="took longer"):
        run_password_command(python("import time; time.sleep(60)"), {})


def test_the_command_does_not_read_the_stdin_of_pitstop() -> None:
    """`pitstop start -` reads servers from there."""
    run = "run_password_command('cat', {'PATH': '/usr/bin:/bin'})"
    source = f"from tui.settings.credentials import run_password_command; print({run})"
    done = subprocess.run(
        [sys.executable, "-c", source], input="WA1ACMEWEB01\n", capture_output=True, text=True, check=False
    )
    assert "cat wrote no password" in done.stderr
