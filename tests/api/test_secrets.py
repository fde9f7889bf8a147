"""Passwords and tokens are in memory and on the wire, and nowhere else."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback

import httpx
import pytest

from tests.api.held import objects_below, secrets_held
from tests.api.service import PASSWORD, TOKEN, Reply, Service, queued, refused, status
from tui.api.endpoints import Api
from tui.api.errors import ApiError
from tui.api.secret import Secret
from tui.model.operation import Action

HIDDEN = "hunter2-zx81"


def shown(error: BaseException) -> str:
    """All that the most talkative traceback tells from our own code down, every frame's locals included."""
    parts = [repr(error), str(error), repr(error.__dict__)]
    seen: BaseException | None = error
    while seen is not None:
        ours = seen.__traceback__
        while ours is not None and "/tests/" in ours.tb_frame.f_code.co_filename:
            ours = ours.tb_next
        lines = traceback.TracebackException(type(seen), seen, ours, capture_locals=True).format()
        parts.extend(lines)
        seen = seen.__context__
    return "".join(parts)


LOST: list[Reply] = [
    refused(),
    httpx.Response(500, json={"message": "no"}),
    httpx.Response(200, content=b'{"bearerToken": "' + HIDDEN.encode() + b'", "cut'),
    httpx.Response(200, json={"bearerToken": f"{HIDDEN} with spaces"}),
    httpx.Response(200, content=b'["' + HIDDEN.encode()),
    httpx.ReadTimeout(""),
    httpx.ConnectError("refused"),
]


@pytest.mark.parametrize("reply", LOST, ids=str)
async def test_a_failed_login_shows_neither(reply: Reply) -> None:
    service = Service()
    service.logins = [reply]
    with pytest.raises(ApiError) as caught:
        await service.api().login("demo", HIDDEN)
    text = shown(caught.value)
    assert "tui/api/client.py" in text  # there were frames to show
    assert HIDDEN not in text


@pytest.mark.parametrize(
    "reply",
    [httpx.Response(401), httpx.Response(500), httpx.ReadTimeout(""), httpx.ConnectError("")],
    ids=str,
)
@pytest.mark.parametrize("operation", [True, False])
async def test_a_failed_request_shows_neither(reply: Reply, operation: bool) -> None:
    service = Service(reply)
    api = await service.logged_in()
    service.logins = [refused()]
    call = api.operate("ACME", Action.POWER_ON, ["A1"]) if operation else api.job_status("ACME", "wa1-1")
    with pytest.raises(ApiError) as caught:
        await call
    text = shown(caught.value)
    assert "tui/api/client.py" in text
    assert PASSWORD not in text
    assert TOKEN not in text


async def test_no_object_shows_them() -> None:
    service = Service(status())
    api = await service.logged_in()
    found = list(objects_below(api))
    assert any(isinstance(thing, httpx.AsyncClient) for thing in found)
    for thing in found:
        assert TOKEN not in repr(thing)
        assert PASSWORD not in repr(thing)
    assert PASSWORD in secrets_held(api)
    assert f"{TOKEN}-1" in secrets_held(api)


async def test_the_log_tells_method_path_status_and_time_and_no_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore"):
        assert logging.getLogger(name).getEffectiveLevel() >= logging.WARNING
    service = Service(status(), httpx.ReadTimeout(""), queued("A1"))
    api = await service.logged_in()
    await api.job_status("ACME", "wa1-1")
    with pytest.raises(ApiError):
        await api.operate("ACME", Action.POWER_ON, ["A1"])
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("tui")]
    assert lines == [
        "POST /authentication/login 200 0 ms",
        "GET /operations/ACME/status/wa1-1 200 0 ms",
        "POST /operations/ACME/servers/powerOn - 0 ms ReadTimeout",
    ]
    assert PASSWORD not in caplog.text
    assert TOKEN not in caplog.text


async def test_closing_forgets_them() -> None:
    api: Api = await Service(status()).logged_in()
    await api.aclose()
    assert secrets_held(api) == set()


def test_a_secret_is_shown_on_request_only() -> None:
    secret = Secret(HIDDEN)
    assert secret.reveal() == HIDDEN
    for text in (str(secret), repr(secret), f"{secret}", repr([secret]), repr({"x": (secret,)})):
        assert HIDDEN not in text
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="stays in memory"):
            take(secret)
