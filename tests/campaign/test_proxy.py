"""The proxy: what the client and the endpoint receive, for each fault."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.campaign.proxy import FAULTS, REFUSALS, Choose, Message, Proxy, RandomFaults, named, read_message
from tests.patience import PATIENCE

FACTOR = 1_000.0
"""The proxy's waits of minutes take fractions of a second here."""

POST = (
    b"POST /v2/operations/ACME/servers/startMaintenance HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\n\r\n"
    b'["WA1A","wa1b"  ]'
)
LOGIN = b"POST /v2/authentication/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
ANSWER = b'HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n[{"server":"WA1A"}] '


class Endpoint:
    """Sends the same answer to every request, and records the requests."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.came = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                got = b""
                while not got.endswith((b"]", b"}")):
                    got += connection.recv(65_536)
                with self.came:
                    self.got.append(got)
                    self.came.notify_all()
                connection.sendall(ANSWER)

    def wait_for(self, requests: int) -> None:
        with self.came:
            assert self.came.wait_for(lambda: len(self.got) >= requests, PATIENCE)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class Received(NamedTuple):
    """What a client read, and how the connection ended: closed, reset, or still open."""

    data: bytes
    end: str


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


def proxy_to(endpoint: Endpoint, choose: Choose) -> Proxy:
    return Proxy(endpoint.port, choose, clock=time.monotonic, factor=FACTOR)


def send(proxy: Proxy, request: bytes, length: int = 1 << 20) -> Received:
    """Send a request and read ``length`` bytes, or to the end."""
    with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), PATIENCE) as client:
        client.sendall(request)
        data = b""
        try:
            while len(data) < length:
                if not (part := client.recv(65_536)):
                    return Received(data, "closed")
                data += part
        except ConnectionResetError:
            return Received(data, "reset")
        return Received(data, "")


def test_without_a_fault_requests_and_answers_are_forwarded_unchanged(endpoint: Endpoint) -> None:
    with proxy_to(endpoint, lambda _: "") as proxy:
        assert send(proxy, POST, len(ANSWER)) == (ANSWER, "")
        (exchange,) = proxy.exchanges
    assert endpoint.got == [POST]
    assert (exchange.method, exchange.ids, exchange.status, exchange.fault, exchange.carried_out) == (
        "POST",
        ("WA1A", "WA1B"),
        200,
        "",
        True,
    )


HALF = ANSWER[: len(ANSWER) - 11]


@pytest.mark.parametrize(
    ("fault", "data", "end", "delivered"),
    [
        ("drop-before", b"", "reset", 0),
        ("drop-after", b"", "closed", 1),
        ("half-close", HALF, "closed", 1),
        ("stall", ANSWER, "", 1),
        ("answer-twice", ANSWER + ANSWER, "", 1),
    ],
)
def test_faults_of_the_connection_change_the_answer(
    endpoint: Endpoint, fault: str, data: bytes, end: str, delivered: int
) -> None:
    with proxy_to(endpoint, lambda _: fault) as proxy:
        assert send(proxy, POST, len(data) + bool(end)) == (data, end)
        assert [exchange.carried_out for exchange in proxy.exchanges] == [bool(delivered)]
    assert len(endpoint.got) == delivered


def test_a_reset_cuts_the_answer_off(endpoint: Endpoint) -> None:
    with proxy_to(endpoint, lambda _: "reset") as proxy:
        received = send(proxy, POST)
    assert received.end == "reset"
    assert HALF.startswith(received.data), "a reset may drop bytes that were on their way"
    assert endpoint.got == [POST]


def test_garbage_is_not_http(endpoint: Endpoint) -> None:
    with proxy_to(endpoint, lambda _: "garbage") as proxy:
        received = send(proxy, POST)
    assert received.end == "closed"
    assert received.data
    assert not received.data.startswith(b"HTTP/")
    assert endpoint.got == [POST]


@pytest.mark.parametrize(
    ("fault", "status", "times", "delivered"),
    [
        ("refuse-after", None, 1, 1),
        ("pause", 429, 1, 0),
        ("pause-twice", 429, 2, 0),
        ("deny-twice", 401, 2, 0),
        ("long-pause", 429, 1, 0),
    ],
)
def test_faults_of_a_gateway_are_answered_by_the_proxy(
    endpoint: Endpoint, fault: str, status: int | None, times: int, delivered: int
) -> None:
    with proxy_to(endpoint, lambda _: fault) as proxy:
        data = send(proxy, POST, 1).data
        assert data.count(b"HTTP/1.1 ") == times
        answer = read(data)
        assert answer is not None
        assert answer.status in (REFUSALS if status is None else (status,))
        assert (b"Retry-After: 604800" in data) == (fault == "long-pause")
        assert proxy.exchanges[0].carried_out == bool(delivered)
    assert len(endpoint.got) == delivered


def test_deliver_late_delivers_after_the_client_has_given_up(endpoint: Endpoint) -> None:
    with proxy_to(endpoint, lambda _: "deliver-late") as proxy:
        port = int(proxy.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            client.sendall(POST)
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""
        endpoint.wait_for(1)
        wait_for(lambda: not proxy.undelivered)
        assert proxy.exchanges[0].carried_out
    assert endpoint.got == [POST]


def wait_for(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_every_fault_is_tested_here() -> None:
    tested = {"drop-before", "drop-after", "half-close", "stall", "answer-twice", "reset", "garbage"}
    tested |= {"refuse-after", "pause", "pause-twice", "deny-twice", "long-pause", "deliver-late"}
    assert tested == set(FAULTS)


def test_random_faults_depend_on_the_seed_and_spare_the_login() -> None:
    rates = dict.fromkeys(FAULTS, 0.2)
    post, login = read(POST), read(LOGIN)
    assert post is not None
    assert login is not None
    first = [RandomFaults(rates, 7)(post) for _ in range(3)]
    drawn = [[choose(post) for _ in range(50)] for choose in (RandomFaults(rates, 7), RandomFaults(rates, 7))]
    assert drawn[0] == drawn[1]
    assert first == [drawn[0][0]] * 3
    assert len(set(drawn[0])) > 5
    choose = RandomFaults(rates, 7)
    assert {choose(login) for _ in range(200)} == {"", "answer-twice"}


def read(data: bytes) -> Message | None:
    async def reading() -> Message | None:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await read_message(reader)

    return asyncio.run(reading())


def test_a_message_ends_at_its_content_length() -> None:
    message = read(POST + POST)
    assert message is not None
    assert message.raw == POST
    assert (message.method, message.operation, message.login) == ("POST", True, False)
    assert named(message) == ("WA1A", "WA1B")


def test_the_end_of_a_connection_gives_no_message() -> None:
    assert read(b"") is None


@pytest.mark.parametrize("data", [POST[:20], POST[:-1]])
def test_a_connection_that_ends_within_a_message_raises(data: bytes) -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        read(data)
