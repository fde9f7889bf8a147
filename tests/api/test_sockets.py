"""The client over real sockets, against servers that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from tests.api.service import PASSWORD, QUICK
from tests.api.sockets import PEM, Act, Connection, RawServer, raw_server
from tests.patience import PATIENCE
from tui.api.endpoints import Api
from tui.api.errors import Malformed, OutcomeUnsure, RateLimited, Unreachable, Untrusted
from tui.api.limits import Limits
from tui.model.operation import Action

PATIENT = Limits()
LOGIN_CONNECTIONS = 1
"""Connections that the login took: a POST has one of its own."""
QUEUED = json.dumps(
    [{"server": "a1", "isQueued": True, "links": [{"rel": "status", "id": "wa1-1"}]}]
).encode()
STATUS = b'{"status": "executing"}'


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@asynccontextmanager
async def session(
    act: Act, limits: Limits = PATIENT, on_pause: Callable[[float], None] | None = None
) -> AsyncIterator[tuple[RawServer, Api]]:
    """A client that has logged in; the login is repeated where a busy machine exceeds ``limits``."""
    async with raw_server(act) as server:
        api = Api(f"http://127.0.0.1:{server.port}", limits=limits, on_pause=on_pause)
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(Unreachable):
                    await api.login("demo", PASSWORD)
                    break
        server.connections = LOGIN_CONNECTIONS
        yield server, api
        await api.aclose()


async def silence(connection: Connection) -> None:
    await connection.wait_closed()


async def reset(connection: Connection) -> None:
    connection.reset()


async def close(connection: Connection) -> None:
    connection.writer.close()


async def half_a_head(connection: Connection) -> None:
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    connection.writer.close()


async def half_a_body(connection: Connection) -> None:
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + QUEUED)
    connection.writer.close()


async def half_a_chunk(connection: Connection) -> None:
    await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n[")
    connection.reset()


async def garbage(connection: Connection) -> None:
    await connection.send(b"SSH-2.0-OpenSSH_9.6\r\n")
    await connection.wait_closed()


async def endless_head(connection: Connection) -> None:
    await connection.send(b"HTTP/1.1 200 OK\r\n")
    with_many = b"X-More: " + b"x" * 8000 + b"\r\n"
    for _ in range(1000):
        await connection.send(with_many)


async def trickle(connection: Connection) -> None:
    """Slow loris: one more byte before each read timeout, without end."""
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    hung_up = asyncio.create_task(connection.wait_closed())
    while not hung_up.done():
        await connection.send(b" ")
        await asyncio.wait([hung_up], timeout=0.01)


async def early_hints_for_ever(connection: Connection) -> None:
    hung_up = asyncio.create_task(connection.wait_closed())
    while not hung_up.done():
        await connection.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await asyncio.wait([hung_up], timeout=0.01)


BROKEN_SERVERS = [
    silence,
    reset,
    close,
    half_a_head,
    half_a_body,
    half_a_chunk,
    garbage,
    endless_head,
    trickle,
    early_hints_for_ever,
]


@pytest.mark.parametrize("act", BROKEN_SERVERS)
async def test_an_operation_whose_answer_is_lost_is_unsure_and_sent_once(act: Act) -> None:
    requests: list[bytes] = []
    async with asyncio.timeout(PATIENCE):
        while not requests:  # On a busy machine the limits may pass before it leaves: try again.
            async with session(act, QUICK) as (server, api):
                with pytest.raises((OutcomeUnsure, Unreachable)) as caught:
                    await api.operate("ACME", Action.START_MAINTENANCE, ["A1"])
                requests = server.requests
    assert caught.type is OutcomeUnsure
    assert len(requests) == 1
    assert requests[0].endswith(b'["A1"]')
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("act", BROKEN_SERVERS)
async def test_a_read_whose_answer_is_lost_ends_with_a_typed_error(act: Act) -> None:
    async with session(act, QUICK) as (server, api):
        with pytest.raises((Unreachable, Malformed)):
            await api.job_status("ACME", "wa1-1")
        assert len(server.requests) == 1


async def test_a_read_is_retried_on_a_new_connection() -> None:
    acts = [reset, half_a_body]

    async def act(connection: Connection) -> None:
        await (acts.pop(0)(connection) if acts else connection.answer(STATUS))

    limits = msgspec.structs.replace(PATIENT, backoff=0.001)
    async with session(act, limits) as (server, api):
        assert await api.job_status("ACME", "wa1-1") == "executing"
        assert len(server.requests) == 3


async def test_one_connection_serves_many_requests() -> None:
    async with session(lambda connection: connection.answer(STATUS)) as (server, api):
        for _ in range(5):
            await api.job_status("ACME", "wa1-1")
        assert server.connections == LOGIN_CONNECTIONS + 1


async def test_no_more_connections_are_opened_than_allowed() -> None:
    async with session(
        lambda connection: connection.answer(STATUS), msgspec.structs.replace(PATIENT, connections=8)
    ) as (server, api):
        await asyncio.gather(*(api.job_status("ACME", "wa1-1") for _ in range(39)))
        assert server.connections <= LOGIN_CONNECTIONS + 8
        assert len(server.requests) == 39


async def test_redirects_and_links_to_another_origin_are_not_followed() -> None:
    async with raw_server(lambda connection: connection.answer(STATUS)) as other:
        elsewhere = f"http://127.0.0.1:{other.port}/v2/x".encode()

        async def act(connection: Connection) -> None:
            if b"datacenters" in connection.request:
                links = [{"rel": "group", "href": elsewhere.decode()}]
                await connection.answer(json.dumps([{"id": "wa1", "links": links}]).encode())
            elif b"POST" in connection.request:
                link = {"rel": "status", "href": elsewhere.decode() + "/wa1-9"}
                await connection.answer(
                    json.dumps([{"server": "a1", "isQueued": True, "links": [link]}]).encode()
                )
            else:
                await connection.send(
                    b"HTTP/1.1 307 Go\r\nContent-Length: 0\r\nLocation: " + elsewhere + b"\r\n\r\n"
                )

        async with session(act) as (server, api):
            (center,) = await api.data_centers("ACME")
            with pytest.raises(Malformed, match="redirect"):
                await api.group_tree("ACME", center)
            (answer,) = await api.operate("ACME", Action.POWER_ON, ["a1"])
            with pytest.raises(Malformed, match="redirect"):
                await api.job_status("ACME", answer.job_id)
            assert len(server.requests) == 4
        assert other.connections == 0


async def test_an_operation_to_a_closed_port_is_unreachable() -> None:
    async with session(lambda connection: connection.answer(QUEUED)) as (server, api):
        assert (await api.operate("ACME", Action.POWER_ON, ["A1"]))[0].queued
        server.refuse()
        with pytest.raises(Unreachable, match="refuses the connection"):
            await api.operate("ACME", Action.POWER_ON, ["A1"])


async def test_a_connection_that_the_server_has_closed_is_not_reused() -> None:
    closed = asyncio.Event()

    async def act(connection: Connection) -> None:
        await connection.answer(QUEUED)
        connection.writer.close()
        await connection.writer.wait_closed()
        closed.set()

    async with session(act) as (server, api):
        for count in (1, 2, 3):
            closed.clear()
            assert (await api.operate("ACME", Action.POWER_ON, ["A1"]))[0].queued
            await closed.wait()
            assert len(server.requests) == count


async def test_a_closed_port_and_an_unknown_host_are_unreachable() -> None:
    with pytest.raises(Unreachable, match="refuses the connection: check the URL and port"):
        await Api(f"http://127.0.0.1:{free_port()}").login("demo", PASSWORD)
    with pytest.raises(Unreachable):
        await Api("https://no-such-host.invalid").login("demo", PASSWORD)


async def test_an_untrusted_certificate_is_refused_before_anything_is_sent() -> None:
    async with raw_server(lambda connection: connection.answer(STATUS), tls=True) as server:
        with pytest.raises(Untrusted, match=r"certificate of localhost.* is not trusted .*SSL_CERT_FILE"):
            await Api(f"https://localhost:{server.port}").login("demo", PASSWORD)
        assert server.requests == []


async def test_a_certificate_from_the_environment_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    async with raw_server(lambda connection: connection.answer(STATUS), tls=True) as server:
        api = Api(f"https://localhost:{server.port}")
        await api.login("demo", PASSWORD)
        assert await api.job_status("ACME", "wa1-1") == "executing"
        await api.aclose()
        with pytest.raises(Untrusted, match=r"certificate of 127\.0\.0\.1"):  # not its name
            await Api(f"https://127.0.0.1:{server.port}").login("demo", PASSWORD)


async def test_plain_http_where_tls_is_expected_is_reported() -> None:
    async def bad_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(bad_request, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable, match="does not speak TLS as it should"):
            await Api(f"https://localhost:{port}").login("demo", PASSWORD)


@pytest.mark.parametrize(
    "make_url", [lambda port: f"http://127.0.0.1:{port}", lambda port: f"http://localhost:{port}"]
)
async def test_requests_to_this_machine_bypass_the_proxy(
    monkeypatch: pytest.MonkeyPatch, make_url: Callable[[int], str]
) -> None:
    async with raw_server(lambda connection: connection.answer(STATUS)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        async with raw_server(lambda connection: connection.answer(STATUS)) as server:
            api = Api(make_url(server.port))
            await api.login("demo", PASSWORD)
            assert await api.job_status("ACME", "wa1-1") == "executing"
            await api.aclose()
            assert server.connections == LOGIN_CONNECTIONS + 1
        assert proxy.connections == 0


async def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_server(lambda connection: connection.answer(STATUS)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        api = Api("http://api.invalid", allow_http=True)
        await api.login("demo", PASSWORD)
        assert await api.job_status("ACME", "wa1-1") == "executing"
        await api.aclose()
        assert proxy.requests[0].startswith(b"GET http://api.invalid/v2/operations/ACME/status/wa1-1 ")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Withdrawn(Exception):
    """The request is withdrawn before it leaves."""


@pytest.mark.parametrize("pause", [0.0, 0.3])
async def test_may_leave_is_called_after_all_waits_just_before_the_request(pause: float) -> None:
    """A request may wait for minutes; by then another process may have carried the operation out."""
    calls: list[bool] = []
    pause_ends: list[float] = []

    async def answer(connection: Connection) -> None:
        if b"/status/" in connection.request:
            head = f"HTTP/1.1 429 Too Many Requests\r\nRetry-After: {pause}\r\nContent-Length: 0\r\n\r\n"
            await connection.send(head.encode())
        else:
            await connection.answer(QUEUED)

    def on_pause(seconds: float) -> None:
        pause_ends.append(asyncio.get_running_loop().time() + seconds)

    async with session(answer, Limits(tries_when_limited=1), on_pause) as (server, api):
        with pytest.raises(RateLimited):
            await api.job_status("ACME", "wa1-1")
        server.requests.clear()
        before = server.connections

        async def may_leave() -> None:
            calls.append(asyncio.get_running_loop().time() >= pause_ends[0])
            async with asyncio.timeout(PATIENCE):
                while server.connections < before + len(calls):  # noqa: ASYNC110 - the server sets no event
                    await asyncio.sleep(0.01)
            if len(calls) == 1:
                raise Withdrawn

        with pytest.raises(Withdrawn):
            await api.operate("ACME", Action.POWER_ON, ["A1"], may_leave)
        assert server.requests == []
        (answered,) = await api.operate("ACME", Action.POWER_ON, ["A1"], may_leave)
        assert answered.queued
    assert calls == [True, True]
