"""Answers that arrive twice: a copy is never taken for the answer to another request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.api.service import PASSWORD
from tests.api.sockets import PEM, Act, Connection, RawServer, raw_server
from tests.patience import PATIENCE
from tui.api.endpoints import Api
from tui.api.errors import Malformed, RateLimited, TokenRenewed
from tui.api.limits import Limits
from tui.model.group import DataCenter
from tui.model.operation import Action

LIMITS = Limits(backoff=0.001)


def answer(body: object, status: bytes = b"200 OK") -> bytes:
    content = json.dumps(body).encode()
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(content), content)


def chunked(body: object) -> bytes:
    content = json.dumps(body).encode()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)


QUEUED = answer([{"server": "A1", "isQueued": True, "links": [{"rel": "status", "id": "wa1-1"}]}])
PAUSE = answer({"message": "Too many requests."}, b"429 Slow Down")
DENIED = answer({"message": "Authorization has been denied for this request."}, b"401 Unauthorized")
FAILED = answer({"status": "failed"})
EXECUTING = answer({"status": "executing"})
CHUNKED = chunked({"status": "failed"})
LARGE = answer({"status": "failed", "x": "x" * 65_450})


@asynccontextmanager
async def session(act: Act, *, tls: bool = False) -> AsyncIterator[tuple[RawServer, Api]]:
    async with raw_server(act, tls=tls) as server:
        origin = f"https://localhost:{server.port}" if tls else f"http://127.0.0.1:{server.port}"
        api = Api(origin, limits=LIMITS)
        await api.login("demo", PASSWORD)
        yield server, api
        await api.aclose()


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))


async def test_a_429_that_arrives_twice_is_one_refusal() -> None:
    """The copy was once taken for the answer to the repeated request, which was then sent a third time."""
    answers = [PAUSE + PAUSE]

    async def act(connection: Connection) -> None:
        await connection.send(answers.pop() if answers else QUEUED)

    async with session(act) as (server, api):
        with pytest.raises(RateLimited):
            await api.operate("ACME", Action.START_MAINTENANCE, ["A1"])
        (found,) = await api.operate("ACME", Action.START_MAINTENANCE, ["A1"])
        assert found.queued
        assert len(server.requests) == 2


async def test_a_401_that_arrives_twice_does_not_refuse_the_login() -> None:
    """The copy was once taken for the answer to the login that followed."""
    answers = [DENIED + DENIED]

    async def act(connection: Connection) -> None:
        await connection.send(answers.pop() if answers else EXECUTING)

    async with session(act) as (_, api):
        assert await api.job_status("ACME", "wa1-1") == "executing"


async def in_one_piece(connection: Connection, once: bytes) -> None:
    await connection.send(once + once)


async def in_two_records(connection: Connection, once: bytes) -> None:
    connection.writer.writelines([once, once])
    await connection.writer.drain()


async def in_two_pieces(connection: Connection, once: bytes) -> None:
    await connection.send(once)
    await connection.send(once)


async def with_half_a_copy(connection: Connection, once: bytes) -> None:
    """The other half comes with the next answer."""
    await connection.send(once + once[:40])
    await connection.reader.readuntil(b"\r\n\r\n")
    await connection.send(once[40:])


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(
    "once", [FAILED, LARGE, chunked({"status": "failed"})], ids=["small", "large", "chunked"]
)
@pytest.mark.parametrize("send_twice", [in_one_piece, in_two_records, in_two_pieces, with_half_a_copy])
async def test_a_copy_is_not_taken_for_the_answer_about_another_job(
    send_twice: Callable[[Connection, bytes], Awaitable[None]], once: bytes, tls: bool
) -> None:
    async def act(connection: Connection) -> None:
        await (
            send_twice(connection, once) if b"wa1-1 " in connection.request else connection.send(EXECUTING)
        )

    async with session(act, tls=tls) as (_, api):
        for _ in range(5):
            assert await api.job_status("ACME", "wa1-1") == "failed"
            assert await api.job_status("ACME", "wa1-2") == "executing"


async def test_a_late_copy_is_not_taken_for_the_answer_to_a_post_or_login() -> None:
    """A late copy on a kept connection cannot be recognized, so each POST has a connection of its own."""
    readings: list[Connection] = []
    denials = [DENIED]

    async def act(connection: Connection) -> None:
        if b"POST" in connection.request:
            for kept in readings:
                await kept.send(PAUSE)
            await connection.send(denials.pop() if denials else QUEUED)
        else:
            readings.append(connection)
            await connection.send(EXECUTING)

    async with session(act) as (server, api):
        assert await api.job_status("ACME", "wa1-1") == "executing"
        with pytest.raises(TokenRenewed):
            await api.operate("ACME", Action.START_MAINTENANCE, ["A1"])
        (found,) = await api.operate("ACME", Action.START_MAINTENANCE, ["A1"])
        assert found.queued
        posts = [request for request in server.requests if request.startswith(b"POST")]
        assert len(posts) == 2
        assert all(b"connection: close" in post.lower() for post in posts)
        # Two logins, a reading, and two POSTs.
        assert server.connections == 5


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
async def test_reads_share_a_connection_until_an_answer_arrives_twice(tls: bool) -> None:
    """What repeats one answer repeats others, and some copies come too late to be recognized."""
    copies = 1

    async def act(connection: Connection) -> None:
        await connection.send(EXECUTING * copies)

    async with session(act, tls=tls) as (server, api):
        for _ in range(5):
            await api.job_status("ACME", "wa1-1")
        assert server.connections == 1 + 1
        copies = 2
        await api.job_status("ACME", "wa1-1")
        copies = 1
        for _ in range(5):
            await api.job_status("ACME", "wa1-1")
        assert server.connections == 1 + 1 + 5


async def test_an_answer_about_another_server_or_data_center_is_malformed() -> None:
    async def act(connection: Connection) -> None:
        await connection.send(answer({"id": "a2"}))

    async with session(act) as (_, api):
        assert (await api.server("ACME", "A2")).server.id == "A2"
        with pytest.raises(Malformed, match="about something else"):
            await api.server("ACME", "A1")
        assert (await api.group_tree("ACME", DataCenter("WA1", root_group_id="A2"))).groups
        with pytest.raises(Malformed, match="about something else"):
            await api.group_tree("ACME", DataCenter("WA1", root_group_id="a1"))


async def test_a_kept_connection_is_closed_at_once_after_a_copy() -> None:
    client_closed = asyncio.Event()

    async def act(connection: Connection) -> None:
        await connection.send(EXECUTING + EXECUTING)
        await connection.wait_closed()
        client_closed.set()

    async with session(act) as (_, api):
        assert await api.job_status("ACME", "wa1-1") == "executing"
        async with asyncio.timeout(PATIENCE):
            await client_closed.wait()
