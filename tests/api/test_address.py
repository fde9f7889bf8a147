"""Which URLs are accepted, and what they become."""

from __future__ import annotations

import pytest

from tui.api.address import base_url
from tui.api.errors import ApiError, BadEndpoint


@pytest.mark.parametrize(
    "url",
    [
        "https://api.test",
        "https://api.test/",
        "https://api.test/v2",
        "https://api.test/v2/",
        "https://api.test//V2//",
        "  https://api.test/v2 \n",
        "HTTPS://API.test/v2",
    ],
)
def test_an_origin_is_taken_with_or_without_v2(url: str) -> None:
    assert base_url(url) == "https://api.test/v2"


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://gateway.test:8443/clc/v2", "https://gateway.test:8443/clc/v2"),
        ("https://gateway.test/clc", "https://gateway.test/clc/v2"),
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765/v2"),
        ("http://[::1]:8765/v2", "http://[::1]:8765/v2"),
        ("http://localhost", "http://localhost/v2"),
    ],
)
def test_ports_and_prefixes_are_kept(url: str, base: str) -> None:
    assert base_url(url) == base


@pytest.mark.parametrize(
    "url",
    [
        "",
        "   ",
        "api.test",
        "localhost:8765",
        "ftp://api.test",
        "file:///etc/passwd",
        "https://",
        "https:///v2",
        "https://api.test:port",
        "https://api.test:99999",
        "https://[::1",
        "https://api.test/v2?x=1",
        "https://api.test/#top",
        "https://api .test",
        "https://api.test/\x1b[2J",
        "https://demo:secret@api.test",
    ],
)
def test_an_invalid_url_is_reported_in_one_clean_sentence(url: str) -> None:
    with pytest.raises(BadEndpoint) as caught:
        base_url(url)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert sentence.isprintable()
    assert "secret" not in sentence
    assert isinstance(caught.value, ApiError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("host", ["api.test", "10.0.0.1", "127.0.0.1.evil.test", "localhost.evil.test"])
def test_plain_http_to_another_machine_needs_allow_http(host: str) -> None:
    with pytest.raises(BadEndpoint, match="in the clear"):
        base_url(f"http://{host}")
    assert base_url(f"http://{host}", allow_http=True) == f"http://{host}/v2"
