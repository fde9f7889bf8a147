"""Passwords and tokens appear in no error, repr or log."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback

import httpx
import pytest

from tests.api.held import objects_below, secrets_held
from tests.api.service import PASSWORD, TOKEN, Reply, Service, login_refused, queued, status
from tui.api.endpoints import Api
from tui.api.errors import ApiError
from tui.api.secret import Secret
from tui.model.operation import Action

SECRET = "hunter2-zx81"


def traceback_of(error: BaseException) -> str:
    """The longest traceback of an error, below the frames of the tests, with the locals of each frame."""
    parts = [repr(error), str(error), repr(error.__dict__)]
    seen: BaseException | None = error
    while seen is not None:
        frame = seen.__traceback__
        while frame is not None and "/tests/" in frame.tb_frame.f_code.co_filename:
            frame = frame.tb_next
        lines = traceback.TracebackException(type(seen), seen, frame, capture_locals=True).format()
        parts.extend(lines)
        seen = seen.__context__
    return "".join(parts)


FAILED_LOGINS: list[Reply] = [
    login_refused(),
    httpx.Response(500, json={"message": "no"}),
    httpx.Response(200, content=b'{"bearerToken": "' + SECRET.encode() + b'", "cut'),
    httpx.Response(200, json={"bearerToken": f"{SECRET} with spaces"}),
    httpx.Response(200, content=b'["' + SECRET.encode()),
    httpx.ReadTimeout(""),
    httpx.ConnectError("refused"),
]


@pytest.mark.parametrize("reply", FAILED_LOGINS, ids=str)
async def test_the_error_of_a_failed_login_shows_no_secret(reply: Reply) -> None:
    service = Service()
    service.logins = [reply]
    with pytest.raises(ApiError) as caught:
        await service.api().login("demo", SECRET)
    text = traceback_of(caught.value)
    assert "tui/api/client.py" in text  # the traceback has frames of the client
    assert SECRET not in text


@pytest.mark.parametrize(
    "reply",
    [httpx.Response(401), httpx.Response(500), httpx.ReadTimeout(""), httpx.ConnectError("")],
    ids=str,
)
@pytest.mark.parametrize("operation", [True, False])
async def test_the_error_of_a_failed_request_shows_no_secret(reply: Reply, operation: bool) -> None:
    service = Service(reply)
    api = await service.logged_in()
    service.logins = [login_refused()]
    call = api.operate("ACME", Action.POWER_ON, ["A1"]) if operation else api.job_status("ACME", "wa1-1")
    with pytest.raises(ApiError) as caught:
        await call
    text = traceback_of(caught.value)
    assert "tui/api/client.py" in text
    assert PASSWORD not in text
    assert TOKEN not in text


async def test_no_repr_of_the_client_shows_a_secret() -> None:
    service = Service(status())
    api = await service.logged_in()
    found = list(objects_below(api))
    assert any(isinstance(thing, httpx.AsyncClient) for thing in found)
    for thing in found:
        assert TOKEN not in repr(thing)
        assert PASSWORD not in repr(thing)
    assert PASSWORD in secrets_held(api)
    assert f"{TOKEN}-1" in secrets_held(api)


async def test_the_log_has_method_path_status_and_time_only(
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


async def test_closing_forgets_all_secrets() -> None:
    api: Api = await Service(status()).logged_in()
    await api.aclose()
    assert secrets_held(api) == set()


def test_a_secret_shows_its_value_only_by_reveal() -> None:
    secret = Secret(SECRET)
    assert secret.reveal() == SECRET
    for text in (str(secret), repr(secret), f"{secret}", repr([secret]), repr({"x": (secret,)})):
        assert SECRET not in text
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="stays in memory"):
            take(secret)
