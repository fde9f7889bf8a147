"""Reads: what is requested, what is retried, and which errors are raised."""

from __future__ import annotations

import socket
import ssl

import httpx
import pytest

from tests.api.service import Reply, Service, status
from tui.api.endpoints import Api
from tui.api.errors import (
    ApiError,
    BadRequest,
    Malformed,
    NotAllowed,
    NotFound,
    RateLimited,
    Redirected,
    ServerFault,
    Unreachable,
    Untrusted,
)
from tui.model.group import DataCenter

PAGE = "<!DOCTYPE html><html><body>Please log in to the Wi-Fi</body></html>"
DOTNET = {
    "message": "An error has occurred.",
    "exceptionMessage": "Timeout expired.",
    "exceptionType": "System.TimeoutException",
    "stackTrace": "   at Tier3.Api.Groups.Get()",
}


def with_cause(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = OSError("All connection attempts failed")
    error.__cause__.__cause__ = cause
    return error


CERTIFICATE = ssl.SSLCertVerificationError(1, "certificate verify failed")
CERTIFICATE.verify_message = "self-signed certificate"


async def test_the_requests_match_the_documentation() -> None:
    service = Service(httpx.Response(200, json=[]))
    api = await service.logged_in()
    await api.data_centers("acme")
    service.replies = [httpx.Response(200, json={"id": "0A", "name": "WA1 Hardware"})]
    await api.group_tree("acme", DataCenter("WA1", root_group_id="0A"))
    service.replies = [httpx.Response(200, json={"id": "wa1acmeweb01"})]
    await api.server("acme", "wa1acmeweb01")
    service.replies = [status()]
    await api.job_status("acme", "wa1-12345")
    assert [str(request.url).removeprefix("https://api.test/v2") for request in service.requests] == [
        "/datacenters/ACME?groupLinks=true",
        "/groups/ACME/0A?serverDetail=detailed",
        "/servers/ACME/WA1ACMEWEB01",
        "/operations/ACME/status/wa1-12345",
    ]
    assert all(request.headers["accept"] == "application/json" for request in service.requests)
    assert all(request.headers["accept-encoding"] == "gzip" for request in service.requests)


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(500, json=DOTNET),
        httpx.Response(502, text=PAGE),
        httpx.Response(503),
        httpx.Response(504),
        httpx.Response(408),
        httpx.Response(429),
        httpx.Response(200, content=b'{"status": "exec'),
        httpx.Response(200, text=PAGE),
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.WriteError("reset"),
        httpx.PoolTimeout("full"),
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
        with_cause(httpx.ConnectError("x"), socket.gaierror(-3, "Temporary failure in name resolution")),
        ConnectionResetError(104, "Connection reset by peer"),
    ],
    ids=str,
)
async def test_a_temporary_failure_of_a_read_is_retried(failure: Reply) -> None:
    service = Service(failure, status("succeeded"))
    api = await service.logged_in()
    assert await api.job_status("ACME", "wa1-1") == "succeeded"
    assert len(service.requests) == 2
    assert 0 < sum(service.clock.slept) <= 0.6


@pytest.mark.parametrize(
    ("reply", "error", "requests", "words"),
    [
        (
            httpx.Response(500, json=DOTNET),
            ServerFault,
            3,
            r"failed \(500\): An error .* Timeout exp",
        ),
        (httpx.Response(501), ServerFault, 1, r"failed \(501\).*tell those who run it"),
        (httpx.Response(429), RateLimited, 6, "asks us to pause"),
        (httpx.Response(403, json={"message": "No."}), NotAllowed, 1, r"Not allowed \(job wa1-1\): No\."),
        (httpx.Response(403, text=PAGE), NotAllowed, 1, "web page"),
        (httpx.Response(404), NotFound, 1, r"Not found: job wa1-1\."),
        (httpx.Response(405), BadRequest, 1, "405"),
        (httpx.Response(400, json={"error": "Bad id"}), BadRequest, 1, "Bad id"),
        (httpx.Response(407), Unreachable, 3, "proxy asks for a login"),
        (httpx.Response(301, headers={"Location": "https://evil.test/"}), Redirected, 1, "not followed"),
        (
            httpx.Response(200, text=PAGE),
            Malformed,
            3,
            "a web page, not the API: check the URL",
        ),
        (httpx.Response(200, content=b""), Malformed, 3, "cut short or not JSON.*check the URL"),
        (httpx.Response(200, content=b'{"status"'), Malformed, 3, "cut short or not JSON"),
        (httpx.Response(200, json=[]), Malformed, 3, "has no status"),
        (httpx.ConnectTimeout(""), Unreachable, 3, "connecting took too long; check the URL"),
        (httpx.ReadTimeout(""), Unreachable, 3, "took too long to answer"),
        (httpx.PoolTimeout(""), Unreachable, 3, "became free"),
        (httpx.ReadError(""), Unreachable, 3, "lost before the answer came"),
        (httpx.ProxyError("407 Proxy Authentication Required"), Unreachable, 3, "proxy does not let us"),
        (httpx.RemoteProtocolError("illegal status line"), Unreachable, 3, "garbled"),
        (
            with_cause(httpx.ConnectError("x"), ConnectionRefusedError()),
            Unreachable,
            3,
            "refuses the connection",
        ),
        (with_cause(httpx.ConnectError("x"), socket.gaierror()), Unreachable, 3, "cannot be resolved"),
        (with_cause(httpx.ConnectError("x"), ssl.SSLError(1, "WRONG_VERSION")), Unreachable, 3, "speak TLS"),
        (
            with_cause(httpx.ConnectError("x"), CERTIFICATE),
            Untrusted,
            1,
            r"\(self-signed .*\): set SSL_CERT",
        ),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]"), Untrusted, 1, "SSL_CERT_FILE"),
    ],
    ids=str,
)
async def test_each_failure_has_its_error_type_and_message(
    reply: Reply, error: type[ApiError], requests: int, words: str
) -> None:
    service = Service(reply)
    api = await service.logged_in()
    with pytest.raises(error, match=words) as caught:
        await api.job_status("ACME", "wa1-1")
    assert type(caught.value) is error
    assert len(service.requests) == requests
    assert str(caught.value).endswith(".")
    assert str(caught.value).isprintable()


async def test_retry_after_of_a_429_is_respected() -> None:
    service = Service(httpx.Response(429, headers={"Retry-After": "17"}), status())
    api = await service.logged_in()
    await api.job_status("ACME", "wa1-1")
    assert 17 <= service.clock.now - 1000 < 19


async def test_retry_after_of_a_503_is_respected() -> None:
    service = Service(httpx.Response(503, headers={"Retry-After": "4"}), status())
    api = await service.logged_in()
    await api.job_status("ACME", "wa1-1")
    assert service.clock.slept == [4]


WEEK = {"Retry-After": "604800"}


@pytest.mark.parametrize("code", [429, 503])
async def test_a_retry_after_of_a_week_is_cut_to_five_minutes(code: int) -> None:
    reported: list[float] = []
    service = Service(httpx.Response(code, headers=WEEK), status())
    api = await service.logged_in(on_pause=reported.append)
    assert await api.job_status("ACME", "wa1-1") == "executing"
    assert reported == [300]
    assert 300 <= service.clock.now - 1000 < 301


async def test_after_a_long_pause_there_is_one_try_before_the_next_pause() -> None:
    reported: list[float] = []
    service = Service(httpx.Response(429, headers=WEEK))
    api = await service.logged_in(on_pause=reported.append)
    with pytest.raises(RateLimited) as caught:
        await api.job_status("ACME", "wa1-1")
    assert caught.value.wait == 300
    assert len(service.requests) == 2
    service.replies = [status()]
    assert await api.job_status("ACME", "wa1-2") == "executing"
    assert reported == [300, 300]
    assert 600 <= service.clock.now - 1000 < 601


@pytest.mark.parametrize("id_", ["", "..", "../x", "a/b", "a?b", "a#b", "a b", "a\x1b[2J", "é", "a" * 200])
async def test_an_invalid_id_is_not_sent(id_: str) -> None:
    service = Service(status())
    api = await service.logged_in()
    for call in (api.server("ACME", id_), api.job_status(id_, "x"), api.job_status("ACME", id_)):
        with pytest.raises(BadRequest, match="nothing was sent") as caught:
            await call
        assert str(caught.value).isprintable()
    assert service.requests == []


async def test_a_data_center_without_a_root_group_is_not_found() -> None:
    service = Service()
    api = await service.logged_in()
    with pytest.raises(NotFound, match="shows no root group"):
        await api.group_tree("ACME", DataCenter("WA1"))
    assert service.requests == []


async def test_cookies_are_not_kept() -> None:
    service = Service(httpx.Response(200, json={"status": "x"}, headers={"Set-Cookie": "track=1; Path=/"}))
    api = await service.logged_in()
    await api.job_status("ACME", "wa1-1")
    await api.job_status("ACME", "wa1-1")
    assert all("cookie" not in request.headers for request in service.requests)


async def test_the_latency_of_each_request_is_reported() -> None:
    reported: list[float] = []
    service = Service()
    service.replies = [lambda _: _later(service, 0.25)]
    api = await service.logged_in(on_latency=reported.append)
    await api.job_status("ACME", "wa1-1")
    assert reported == [0.0, 0.25]


def _later(service: Service, seconds: float) -> httpx.Response:
    service.clock.now += seconds
    return status()


def test_an_unusable_ca_file_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent/ca.pem")
    with pytest.raises(ApiError, match="SSL_CERT_FILE"):
        Api("https://api.test")


def test_an_unusable_proxy_is_reported_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://user:hunter2@proxy.test:1")
    with pytest.raises(ApiError, match="proxy") as caught:
        Api("https://api.test")
    assert "hunter2" not in str(caught.value)
