"""Logging in, and renewing the token when it expires."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from tests.api.service import PASSWORD, TOKEN, Service, login_accepted, login_refused, queued, status
from tui import __version__
from tui.api.errors import (
    LoginRefused,
    Malformed,
    NotFound,
    OutcomeUnsure,
    RateLimited,
    ServerFault,
    TokenExpired,
    TokenRenewed,
    Unreachable,
)
from tui.model.operation import Action

UNAUTHORIZED = httpx.Response(401, json={"message": "Authorization has been denied for this request."})


async def test_a_login_returns_user_account_location_and_roles() -> None:
    service = Service()
    session = await service.api().login("demo", PASSWORD)
    assert (session.user, session.account, session.location) == ("demo", "ACME", "WA1")
    assert session.roles == ("ServerAdmin", "ServerScheduler")
    (request,) = service.requests
    assert (request.method, str(request.url)) == ("POST", "https://api.test/v2/authentication/login")
    assert json.loads(request.content) == {"username": "demo", "password": PASSWORD}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == f"pitstop/{__version__}"
    assert "authorization" not in request.headers


async def test_the_token_is_sent_with_later_requests() -> None:
    service = Service(status("running"))
    api = await service.logged_in()
    assert await api.job_status("acme", "wa1-1") == "running"
    assert service.tokens == [f"Bearer {TOKEN}-1"]


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (login_refused(), LoginRefused, "We didn't recognize the username or password you entered"),
        (httpx.Response(401), LoginRefused, "refuses this user and password"),
        (httpx.Response(403, json={"message": "Locked."}), LoginRefused, "Locked."),
        (httpx.Response(404), NotFound, "check the URL"),
        (httpx.Response(429, headers={"Retry-After": "9"}), RateLimited, "pause for 9 s before the next try"),
        (
            httpx.Response(500, json={"message": "An error has occurred."}),
            ServerFault,
            "An error has occurred",
        ),
        (httpx.Response(200, text="<html>Welcome</html>"), Malformed, "web page"),
        (httpx.Response(200, json={"userName": "demo"}), Malformed, "without a token"),
        (httpx.Response(200, json={"bearerToken": "a b\r\nX-Evil: 1"}), Malformed, "without a token"),
        (httpx.Response(200, content=b'{"bearerToken": "abc'), Malformed, "cut short"),
        (httpx.Response(302, headers={"Location": "https://evil.test/"}), Malformed, "redirect"),
        (httpx.ConnectError("no"), Unreachable, "cannot be reached"),
        (httpx.ReadTimeout("slow"), Unreachable, "too long"),
    ],
)
async def test_a_failed_login_is_reported_and_never_repeated(
    reply: httpx.Response | Exception, error: type[Exception], words: str
) -> None:
    service = Service()
    service.logins = [reply]
    api = service.api()
    with pytest.raises(error, match=words):
        await api.login("demo", PASSWORD)
    assert service.login_count == 1
    with pytest.raises(TokenExpired):  # without a token nothing is sent
        await api.job_status("ACME", "wa1-1")
    assert len(service.requests) == 1


async def test_a_refused_login_leaves_the_previous_session_usable() -> None:
    service = Service(status())
    api = await service.logged_in()
    service.logins = [login_refused()]
    with pytest.raises(LoginRefused):
        await api.login("other", "guess")
    assert await api.job_status("ACME", "wa1-1") == "executing"
    assert service.tokens[-1] == f"Bearer {TOKEN}-1"


async def test_a_read_with_401_logs_in_again_and_repeats() -> None:
    service = Service(UNAUTHORIZED, status("succeeded"))
    api = await service.logged_in()
    assert await api.job_status("ACME", "wa1-1") == "succeeded"
    path = "/v2/operations/ACME/status/wa1-1"
    assert service.paths == [f"GET {path}", "POST /v2/authentication/login", f"GET {path}"]
    assert service.tokens[-1] == f"Bearer {TOKEN}-2"


async def test_an_operation_with_401_raises_token_renewed_and_is_not_repeated() -> None:
    service = Service(UNAUTHORIZED, queued("WA1ACMEWEB01"))
    api = await service.logged_in()
    with pytest.raises(TokenRenewed):
        await api.operate("ACME", Action.START_MAINTENANCE, ["WA1ACMEWEB01"])
    assert len(service.requests) == 2
    (answer,) = await api.operate("ACME", Action.START_MAINTENANCE, ["WA1ACMEWEB01"])
    assert answer.queued
    assert service.login_count == 2
    assert len(service.requests) == 3


async def test_many_401s_at_once_cause_one_login() -> None:
    def only_the_second_token(request: httpx.Request) -> httpx.Response:
        good = request.headers["authorization"] == f"Bearer {TOKEN}-2"
        return status() if good else httpx.Response(401)

    service = Service(only_the_second_token)
    api = await service.logged_in()
    words = await asyncio.gather(*(api.job_status("ACME", f"wa1-{n}") for n in range(10)))
    assert words == ["executing"] * 10
    assert service.login_count == 2


async def test_a_refused_renewal_is_never_repeated() -> None:
    service = Service(UNAUTHORIZED)
    api = await service.logged_in()
    service.logins = [login_refused()]
    results = await asyncio.gather(
        *(api.job_status("ACME", f"wa1-{n}") for n in range(5)),
        api.operate("ACME", Action.POWER_ON, ["WA1ACMEWEB01"]),
        return_exceptions=True,
    )
    assert all(isinstance(result, TokenExpired) for result in results)
    assert any("We didn't recognize" in str(result) for result in results)
    assert service.login_count == 2
    sent = len(service.requests)
    with pytest.raises(TokenExpired):
        await api.data_centers("ACME")
    assert len(service.requests) == sent

    service.replies = [status()]
    await api.login("demo", "the new password")
    assert await api.job_status("ACME", "wa1-1") == "executing"


async def test_a_renewal_without_an_answer_is_not_retried_for_a_while() -> None:
    service = Service(UNAUTHORIZED)
    api = await service.logged_in()
    service.logins = [httpx.ReadTimeout("slow"), login_accepted("late")]
    for _ in range(3):
        with pytest.raises(Unreachable):
            await api.operate("ACME", Action.POWER_ON, ["WA1ACMEWEB01"])
    assert service.login_count == 2
    service.replies = [UNAUTHORIZED, status()]
    service.clock.now += 31
    assert await api.job_status("ACME", "wa1-1") == "executing"
    assert service.login_count == 3


async def test_renewals_stop_when_every_new_token_is_rejected() -> None:
    service = Service(UNAUTHORIZED)
    api = await service.logged_in()
    with pytest.raises(TokenExpired, match="it has just given"):
        await api.job_status("ACME", "wa1-1")
    assert service.login_count == 4


async def test_a_renewal_with_retry_after_of_a_week_waits_five_minutes() -> None:
    pauses: list[float] = []
    service = Service(httpx.Response(401))
    api = await service.logged_in(on_pause=pauses.append)
    logins = service.login_count
    service.logins = [httpx.Response(429, headers={"Retry-After": "604800"})]
    with pytest.raises(RateLimited):
        await api.job_status("ACME", "wa1-1")
    assert pauses == [300]
    service.clock.now += 299
    with pytest.raises(Unreachable):
        await api.job_status("ACME", "wa1-1")
    assert service.login_count == logins + 1
    service.clock.now += 2
    service.replies = [httpx.Response(401), status()]
    assert await api.job_status("ACME", "wa1-1") == "executing"
    assert service.login_count == logins + 2


async def test_a_lost_answer_after_a_renewal_stays_unsure() -> None:
    service = Service(UNAUTHORIZED, httpx.ReadError("reset"))
    api = await service.logged_in()
    with pytest.raises(TokenRenewed):
        await api.operate("ACME", Action.POWER_ON, ["WA1ACMEWEB01"])
    with pytest.raises(OutcomeUnsure):
        await api.operate("ACME", Action.POWER_ON, ["WA1ACMEWEB01"])
    assert len(service.requests) == 3


async def test_a_closed_client_has_no_token_and_sends_nothing() -> None:
    service = Service(status())
    api = await service.logged_in()
    await api.aclose()
    with pytest.raises(TokenExpired):
        await api.job_status("ACME", "wa1-1")
    assert service.requests == []
