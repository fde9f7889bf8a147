"""Which endpoint is meant, and with what to log in to it."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tui.settings import target as target_module
from tui.settings.loader import Loaded, load
from tui.settings.paths import Paths
from tui.settings.schema import Profile
from tui.settings.target import (
    Credentials,
    TargetError,
    choose_target,
    credentials_at_hand,
    endpoint_url,
    find_credentials,
    run_password_command,
)

CONFIG = """
profile = "day"
[profiles.day]
url = "https://day.example.net"
user = "ops"
account = "ACME"
password_command = "show-password day"
[profiles.night]
url = "https://night.example.net/v2/"
"""


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    (tmp_path / "config.toml").write_text(CONFIG)
    return load(Paths(tmp_path / "config.toml", tmp_path), {})


def python(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def nobody(question: str) -> str:
    raise AssertionError(f"nobody is to be asked: {question}")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.example.net", "https://api.example.net"),
        ("https://api.example.net/", "https://api.example.net"),
        ("https://api.example.net/v2", "https://api.example.net"),
        ("https://api.example.net/V2/", "https://api.example.net"),
        ("api.example.net", "https://api.example.net"),
        ("http://127.0.0.1:8765/v2", "http://127.0.0.1:8765"),
        ("http://[::1]:8765", "http://[::1]:8765"),
        ("https://proxy.example.net/clc/v2", "https://proxy.example.net/clc"),
    ],
)
def test_a_url_is_taken_with_or_without_v2(text: str, url: str) -> None:
    assert endpoint_url(text) == url


@pytest.mark.parametrize(
    "text", ["", "ftp://x", "https://", "https://x:port", "https://x/?q=1", "https://x/#f", "http://[::1"]
)
def test_a_url_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(TargetError, match="https://HOST"):
        endpoint_url(text)


def test_a_url_with_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(TargetError) as caught:
        endpoint_url("https://ops:hunter2@api.example.net")
    assert "hunter2" not in str(caught.value)


def test_nothing_said_is_no_endpoint(tmp_path: Path) -> None:
    assert choose_target(load(Paths(tmp_path / "none", tmp_path), {}), {}) is None


def test_the_profile_of_the_file_is_used_unless_another_is_named(loaded: Loaded) -> None:
    day = choose_target(loaded, {})
    night = choose_target(loaded, {}, profile="night")
    assert day is not None
    assert night is not None
    assert (day.name, day.profile.url, day.profile.user) == ("day", "https://day.example.net", "ops")
    assert night.profile.url == "https://night.example.net"


def test_a_url_stands_for_itself_and_gets_no_profiles_password(loaded: Loaded) -> None:
    for found in (
        choose_target(loaded, {}, api_url="https://other.example.net/v2"),
        choose_target(loaded, {"PITSTOP_API_URL": "https://other.example.net"}),
    ):
        assert found is not None
        assert found.profile == Profile(url="https://other.example.net")
        assert found.name == "other.example.net"


def test_a_flag_wins_over_the_environment(loaded: Loaded) -> None:
    environ = {"PITSTOP_API_URL": "https://other.example.net", "PITSTOP_ACCOUNT": "ENVA", "CLC_USER": "env"}
    found = choose_target(loaded, environ, profile="night", account="FLAG")
    assert found is not None
    assert (found.name, found.profile.account, found.profile.user) == ("night", "FLAG", "env")
    assert (found.origins["account"], found.origins["user"]) == ("--account", "CLC_USER")


def test_two_endpoints_at_once_are_refused(loaded: Loaded) -> None:
    with pytest.raises(TargetError, match="say only one"):
        choose_target(loaded, {}, profile="day", api_url="https://x")
    with pytest.raises(TargetError, match="set only one"):
        choose_target(loaded, {"PITSTOP_PROFILE": "day", "PITSTOP_API_URL": "https://x"})


def test_an_unknown_profile_is_named_with_those_there_are(loaded: Loaded) -> None:
    with pytest.raises(TargetError, match="no profile 'dya'; there are: day, night"):
        choose_target(loaded, {}, profile="dya")


def test_plain_http_goes_to_this_machine_only(loaded: Loaded) -> None:
    with pytest.raises(TargetError, match="allow_http"):
        choose_target(loaded, {}, api_url="http://api.example.net")
    for url in ("http://localhost:1", "http://127.1.2.3", "http://[::1]:1"):
        assert choose_target(loaded, {}, api_url=url) is not None


def test_pitstops_own_variables_come_before_the_vendors_and_none_is_inherited() -> None:
    environ = {"PITSTOP_PASSWORD": "mine", "CLC_PASSWORD": "theirs", "HOME": "/"}
    assert find_credentials(Profile(user="ops"), environ, nobody) == Credentials("ops", "mine")
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


def test_what_is_missing_is_said() -> None:
    with pytest.raises(TargetError, match="PITSTOP_USERNAME"):
        find_credentials(Profile(), {"PITSTOP_PASSWORD": "secret"}, nobody)
    with pytest.raises(TargetError, match="PITSTOP_PASSWORD"):
        find_credentials(Profile(user="ops"), {}, lambda question: "")


def test_a_password_shows_in_no_repr() -> None:
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
def test_a_command_that_fails_is_told_without_its_output(command: str, message: str) -> None:
    with pytest.raises(TargetError) as caught:
        run_password_command(command, {})
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_command_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target_module, "COMMAND_LIMIT", 0.2)
    with pytest.raises(TargetError, match="took longer"):
        run_password_command(python("import time; time.sleep(60)"), {})


def test_the_command_reads_nothing_of_what_is_meant_for_the_program() -> None:
    """`pitstop start -` reads servers from there."""
    source = (
        "import tui.settings.target as t; print(t.run_password_command('cat', {'PATH': '/usr/bin:/bin'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], input="WA1ACMEWEB01\n", capture_output=True, text=True, check=False
    )
    assert "cat wrote no password" in done.stderr
