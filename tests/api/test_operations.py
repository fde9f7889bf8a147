"""Operations: what is sent, what the answers mean, and what is never sent twice."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.api.service import Reply, Service, queued
from tui.api.endpoints import Answer
from tui.api.errors import (
    ApiError,
    BadRequest,
    NotAllowed,
    NotFound,
    OutcomeUnsure,
    RateLimited,
    Unreachable,
    Untrusted,
)
from tui.api.wire import NO_REASON
from tui.model.operation import Action

WEB1, WEB2 = "WA1ACMEWEB01", "WA1ACMEWEB02"
MESSAGE = "The operation cannot be queued because the server cannot be found or it is not in a valid state."


@pytest.mark.parametrize("action", list(Action))
async def test_ids_are_sent_once_each_in_upper_case_as_a_plain_array(action: Action) -> None:
    service = Service(queued(WEB1, WEB2))
    api = await service.logged_in()
    await api.operate("acme", action, [WEB1.lower(), WEB2, WEB1])
    (request,) = service.requests
    assert (request.method, request.url.path) == ("POST", f"/v2/operations/ACME/servers/{action.value}")
    assert json.loads(request.content) == [WEB1, WEB2]
    assert request.headers["content-type"] == "application/json"


async def test_answers_are_matched_by_id_in_any_order_and_case() -> None:
    service = Service(
        httpx.Response(
            200,
            json=[
                {"server": WEB2.lower(), "isQueued": False, "errorMessage": MESSAGE},
                *json.loads(queued(WEB1).content),
                {"server": "wa1acmeother", "isQueued": True, "links": []},
            ],
        )
    )
    api = await service.logged_in()
    assert await api.operate("ACME", Action.START_MAINTENANCE, [WEB1, WEB2]) == [
        Answer(WEB2, queued=False, message=MESSAGE),
        Answer(WEB1, queued=True, job_id="wa1-12345"),
    ]


async def test_a_400_with_a_list_of_servers_is_an_answer() -> None:
    body = [{"server": WEB1.lower(), "isQueued": False}]
    service = Service(httpx.Response(400, json=body))
    api = await service.logged_in()
    answers = await api.operate("ACME", Action.STOP_MAINTENANCE, [WEB1])
    assert answers == [Answer(WEB1, queued=False, message=NO_REASON)]


async def test_no_ids_or_an_invalid_id_send_no_request() -> None:
    service = Service()
    api = await service.logged_in()
    assert await api.operate("ACME", Action.POWER_ON, []) == []
    with pytest.raises(BadRequest):
        await api.operate("ACME", Action.POWER_ON, [WEB1, "../" + WEB2])
    assert service.requests == []


@pytest.mark.parametrize(
    "reply",
    [
        httpx.ReadTimeout(""),
        httpx.WriteTimeout(""),
        httpx.ReadError("reset"),
        httpx.WriteError("reset"),
        httpx.CloseError(""),
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
        httpx.LocalProtocolError("odd"),
        ConnectionResetError(104, "Connection reset by peer"),
        httpx.Response(500, json={"message": "An error has occurred."}),
        httpx.Response(502),
        httpx.Response(503, headers={"Retry-After": "1"}),
        httpx.Response(504, text="<html>"),
        httpx.Response(408),
        httpx.Response(302, headers={"Location": "/"}),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=queued(WEB1).content[:-9]),
        httpx.Response(200, text="<html>Welcome</html>"),
        httpx.Response(200, json={"message": "ok"}),
        httpx.Response(200, json="ok"),
        httpx.Response(200, content=queued(WEB1).content, headers={"Content-Encoding": "br"}),
        httpx.Response(200, content=b"[" * 10_000),
        httpx.Response(204),
    ],
    ids=str,
)
async def test_a_request_that_may_have_arrived_is_unsure_and_sent_once(reply: Reply) -> None:
    service = Service()
    service.replies = [reply] if not callable(reply) else []
    if isinstance(reply, httpx.Response) and reply.headers.get("content-encoding"):
        service.replies = [lambda _: httpx.Response(200, headers=reply.headers, stream=_Stream(b"xx"))]
    api = await service.logged_in()
    with pytest.raises(OutcomeUnsure, match="not known whether startMaintenance was carried out"):
        await api.operate("ACME", Action.START_MAINTENANCE, [WEB1])
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "failure",
    [httpx.ConnectError("refused"), httpx.ConnectTimeout(""), httpx.PoolTimeout(""), httpx.ProxyError("403")],
    ids=str,
)
async def test_a_request_that_provably_never_left_is_sent_up_to_three_times(failure: Exception) -> None:
    service = Service(failure, queued(WEB1))
    api = await service.logged_in()
    assert (await api.operate("ACME", Action.START_MAINTENANCE, [WEB1]))[0].queued
    assert len(service.requests) == 2

    service = Service(failure)
    api = await service.logged_in()
    with pytest.raises(Unreachable):
        await api.operate("ACME", Action.START_MAINTENANCE, [WEB1])
    assert len(service.requests) == 3


async def test_a_429_is_raised_at_once_and_the_next_request_waits() -> None:
    """Behind a gateway it may have been carried out, so the caller reads the servers before a retry."""
    service = Service(httpx.Response(429, headers={"Retry-After": "5"}), queued(WEB1))
    api = await service.logged_in()
    with pytest.raises(RateLimited):
        await api.operate("ACME", Action.START_MAINTENANCE, [WEB1])
    assert (await api.operate("ACME", Action.START_MAINTENANCE, [WEB1]))[0].queued
    assert service.clock.now - 1000 >= 5


@pytest.mark.parametrize(
    ("reply", "error", "requests"),
    [
        (httpx.Response(429, headers={"Retry-After": "5"}), RateLimited, 1),
        (httpx.Response(429, headers={"Retry-After": "999"}), RateLimited, 1),
        (httpx.Response(403), NotAllowed, 1),
        (httpx.Response(404), NotFound, 1),
        (httpx.Response(400, json={"message": "The request is invalid."}), BadRequest, 1),
        (httpx.Response(400, json=["nonsense"]), BadRequest, 1),
        (httpx.Response(409), BadRequest, 1),
        (httpx.Response(413), BadRequest, 1),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] x"), Untrusted, 1),
    ],
    ids=str,
)
async def test_refusals_of_a_whole_request_are_typed(
    reply: Reply, error: type[ApiError], requests: int
) -> None:
    service = Service(reply)
    api = await service.logged_in()
    with pytest.raises(error) as caught:
        await api.operate("ACME", Action.START_MAINTENANCE, [WEB1])
    assert type(caught.value) is error
    assert len(service.requests) == requests


class _Stream(httpx.AsyncByteStream):
    """A body that arrives in chunks."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks

    async def __aiter__(self):  # type: ignore[no-untyped-def]
        for chunk in self._chunks:
            yield chunk
