"""The normal form of an endpoint's URL, and which hosts are this machine."""

import pytest

from tui.model.url import InvalidUrlError, is_loopback, normalise_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.example.net", "https://api.example.net"),
        ("https://api.example.net/", "https://api.example.net"),
        ("https://api.example.net/v2", "https://api.example.net"),
        ("https://api.example.net//V2//", "https://api.example.net"),
        ("  HTTPS://API.example.net/v2 \n", "https://api.example.net"),
        ("http://127.0.0.1:8765/v2", "http://127.0.0.1:8765"),
        ("http://[::1]:8765", "http://[::1]:8765"),
        ("http://localhost.:8765/v2", "http://localhost.:8765"),
        ("https://proxy.example.net/clc/v2", "https://proxy.example.net/clc"),
        ("https://proxy.example.net/X/v2", "https://proxy.example.net/X"),
        ("https://proxy.example.net/X/", "https://proxy.example.net/X"),
    ],
)
def test_a_url_is_accepted_with_or_without_v2(text: str, url: str) -> None:
    assert normalise_url(text) == url
    assert normalise_url(url) == url


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is not a URL: write it as https://HOST."),
        ("ftp://x", "'ftp://x' is not a URL: write it as https://HOST."),
        ("https://", "'https://' is not a URL: write it as https://HOST."),
        ("https://a b/v2", "'https://a b/v2' is not a URL: write it as https://HOST."),
        ("https://x/\x07", "'https://x/\ufffd' is not a URL: write it as https://HOST."),
        ("https://x:port", "'https://x:port' is not a URL: write it as https://HOST."),
        ("http://[::1", "'http://[::1' is not a URL: write it as https://HOST."),
        ("ftp://" + "x" * 95, f"'ftp://{'x' * 93}…' is not a URL: write it as https://HOST."),
        ("https://x/?q=1", "'https://x/?q=1' is not an endpoint: leave out what follows ? or #."),
        ("https://x/#f", "'https://x/#f' is not an endpoint: leave out what follows ? or #."),
    ],
)
def test_an_invalid_url_is_refused_with_advice(text: str, message: str) -> None:
    with pytest.raises(InvalidUrlError) as caught:
        normalise_url(text, allow_http=True)
    assert str(caught.value) == message


@pytest.mark.parametrize("user", ["ops:hunter2", "hunter2", ":hunter2"])
def test_a_url_with_a_user_or_a_password_is_refused_and_not_repeated(user: str) -> None:
    with pytest.raises(InvalidUrlError) as caught:
        normalise_url(f"https://{user}@api.example.net")
    assert str(caught.value) == "The URL must not hold a user or a password: Pitstop asks for them."


def test_plain_http_to_another_machine_has_to_be_allowed() -> None:
    with pytest.raises(InvalidUrlError) as caught:
        normalise_url("http://api.example.net")
    assert str(caught.value) == (
        "http://api.example.net would send the password and the token in the clear: "
        "use https, or set allow_http for this endpoint in the settings."
    )
    assert normalise_url("http://api.example.net/v2", allow_http=True) == "http://api.example.net"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "a.localhost.",
        "127.0.0.1",
        "127.3.2.1",
        "::1",
        "0:0:0:0:0:0:0:1",
    ],
)
def test_loopback_hosts_are_recognised(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", ".", "api.test", "10.0.0.1", "::2", "127.0.0.1.evil.test", "localhost.evil.test", "xlocalhost"],
)
def test_other_hosts_are_not_taken_for_loopback(host: str) -> None:
    assert not is_loopback(host)
