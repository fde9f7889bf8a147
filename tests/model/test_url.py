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
    ],
)
def test_a_url_is_accepted_with_or_without_v2(text: str, url: str) -> None:
    assert normalise_url(text) == url
    assert normalise_url(url) == url


@pytest.mark.parametrize(
    "text", ["", "ftp://x", "https://", "https://x:port", "https://x/?q=1", "https://x/#f", "http://[::1"]
)
def test_an_invalid_url_is_refused(text: str) -> None:
    with pytest.raises(InvalidUrlError):
        normalise_url(text, allow_http=True)


def test_a_url_with_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidUrlError) as caught:
        normalise_url("https://ops:hunter2@api.example.net")
    assert "hunter2" not in str(caught.value)


def test_plain_http_to_another_machine_has_to_be_allowed() -> None:
    with pytest.raises(InvalidUrlError, match="allow_http"):
        normalise_url("http://api.example.net")
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
