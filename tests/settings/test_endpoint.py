"""The endpoint that flags, environment and configuration file choose."""

from pathlib import Path

import pytest

from tui.model.url import normalise_url
from tui.settings.endpoint import EndpointError, choose_endpoint
from tui.settings.loader import Loaded, load
from tui.settings.paths import Paths
from tui.settings.schema import Profile

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


def test_without_any_setting_there_is_no_endpoint(tmp_path: Path) -> None:
    assert choose_endpoint(load(Paths(tmp_path / "none", tmp_path), {}), {}, normalise_url) is None


def test_the_profile_of_the_file_is_used_unless_another_is_named(loaded: Loaded) -> None:
    day = choose_endpoint(loaded, {}, normalise_url)
    night = choose_endpoint(loaded, {}, normalise_url, profile="night")
    assert day is not None
    assert night is not None
    assert (day.name, day.profile.url, day.profile.user) == ("day", "https://day.example.net", "ops")
    assert night.profile.url == "https://night.example.net"


def test_a_given_url_uses_no_profile_and_no_password_command(loaded: Loaded) -> None:
    for found in (
        choose_endpoint(loaded, {}, normalise_url, api_url="https://other.example.net/v2"),
        choose_endpoint(loaded, {"PITSTOP_API_URL": "https://other.example.net"}, normalise_url),
    ):
        assert found is not None
        assert found.profile == Profile(url="https://other.example.net")
        assert found.name == "other.example.net"


def test_a_flag_wins_over_the_environment(loaded: Loaded) -> None:
    environ = {"PITSTOP_API_URL": "https://other.example.net", "PITSTOP_ACCOUNT": "ENVA", "CLC_USER": "env"}
    found = choose_endpoint(loaded, environ, normalise_url, profile="night", account="FLAG")
    assert found is not None
    assert (found.name, found.profile.account, found.profile.user) == ("night", "FLAG", "env")
    assert (found.origins["account"], found.origins["user"]) == ("--account", "CLC_USER")


def test_two_endpoints_at_once_are_refused(loaded: Loaded) -> None:
    with pytest.raises(EndpointError, match="say only one"):
        choose_endpoint(loaded, {}, normalise_url, profile="day", api_url="https://x")
    environ = {"PITSTOP_PROFILE": "day", "PITSTOP_API_URL": "https://x"}
    with pytest.raises(EndpointError, match="set only one"):
        choose_endpoint(loaded, environ, normalise_url)


def test_an_unknown_profile_is_reported_with_the_known_ones(loaded: Loaded) -> None:
    with pytest.raises(EndpointError, match="no profile 'dya'; there are: day, night"):
        choose_endpoint(loaded, {}, normalise_url, profile="dya")


def test_plain_http_is_allowed_to_loopback_only(loaded: Loaded) -> None:
    with pytest.raises(EndpointError, match="allow_http"):
        choose_endpoint(loaded, {}, normalise_url, api_url="http://api.example.net")
    for url in ("http://localhost:1", "http://localhost.:1", "http://127.1.2.3", "http://[::1]:1"):
        assert choose_endpoint(loaded, {}, normalise_url, api_url=url) is not None


@pytest.mark.parametrize("url", ["ftp://x", "https://", "https://x:port", "https://x/?q=1", "http://[::1"])
def test_an_invalid_url_is_refused(loaded: Loaded, url: str) -> None:
    with pytest.raises(EndpointError, match="is not a"):
        choose_endpoint(loaded, {}, normalise_url, api_url=url)


def test_a_url_needs_no_scheme(loaded: Loaded) -> None:
    found = choose_endpoint(loaded, {}, normalise_url, api_url=" other.example.net/v2 ")
    assert found is not None
    assert (found.name, found.profile.url) == ("other.example.net", "https://other.example.net")
