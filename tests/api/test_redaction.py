"""A password or token that an endpoint repeats is hidden, in whatever form."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.held import secrets_held
from tests.api.service import PASSWORD, Reply, Service, status
from tui.api.errors import ApiError, LoginRefused, TokenExpired
from tui.api.redaction import HIDDEN, WITHHELD, Redaction
from tui.api.secret import Secret
from tui.model.group import DataCenter
from tui.model.operation import Action

HARD_PASSWORD = 'p\u00e4"ss /\\+w\u00f6rd&1'
"""A password that every encoding changes."""


def twice(form: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: form(form(text))


def in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "JSON": in_json,
    "JSON, not ASCII": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON, slashes escaped": lambda text: in_json(text).replace("/", "\\/"),
    "JSON in JSON": twice(in_json),
    "URL": quote,
    "URL, all of it": lambda text: quote(text, safe=""),
    "URL, lower case": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text)),
    "form": quote_plus,
    "URL in URL": twice(quote),
    "HTML": html.escape,
    "HTML in HTML": twice(html.escape),
    "basic": lambda text: b64encode(f"demo:{text}".encode()).decode(),
    "basic, for URLs": lambda text: urlsafe_b64encode(f"demo:{text}".encode()).decode().rstrip("="),
    "Python": lambda text: repr(text.encode())[2:-1],
}


def redaction_of(password: str, token: str = "") -> Redaction:
    redaction = Redaction()
    redaction.know_logins(("demo", Secret(password)))
    if token:
        redaction.know_token(Secret(token))
    return redaction


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("password", [HARD_PASSWORD, "hunter2-zx81", "€€€€", "    ", "\\\\\\\\", "a" * 100])
def test_each_form_is_hidden(form: str, password: str) -> None:
    message = f"refused <{FORMS[form](password)}>"
    assert redaction_of(password).text(message).rstrip("=>") == f"refused <{HIDDEN}"


@given(
    password=st.text(st.characters(codec="utf-8"), min_size=4, max_size=40),
    form=st.sampled_from(sorted(FORMS)),
    before=st.text(max_size=5),
    after=st.text(max_size=5),
)
def test_any_password_is_hidden_in_each_form(password: str, form: str, before: str, after: str) -> None:
    repeated = FORMS[form](password)
    shown = redaction_of(password).text(before + repeated + after)
    assert repeated not in shown
    assert password not in shown


@given(text=st.text(max_size=80))
def test_text_without_a_secret_is_unchanged(text: str) -> None:
    assert redaction_of("Quite-Another-42", "eyJhbGciOiJIUzI1NiJ9.e30.x").text(text) == text


@pytest.mark.parametrize("password", ["abc", "ab", "a", "é"])
def test_a_text_with_a_very_short_secret_is_withheld(password: str) -> None:
    assert redaction_of(password).text(f"user demo, password {password}!") == WITHHELD
    assert redaction_of(password).text("nothing of the kind?") == (
        WITHHELD if password in "nothing of the kind" else "nothing of the kind?"
    )


@pytest.mark.parametrize("length", [4, 31, 32, 33, 200])
def test_the_beginning_of_a_truncated_secret_is_hidden(length: int) -> None:
    token = "".join(f"{number:x}." for number in range(7, 500))
    assert redaction_of("hunter2-zx81", token).text(f"Bearer {token[:length]}…") in ("Bearer ……", "Bearer …")


def echo(form: Callable[[str], str], code: int) -> Callable[[httpx.Request], httpx.Response]:
    """A gateway whose message repeats the token or the password that it was sent."""

    def answer(request: httpx.Request) -> httpx.Response:
        sent = request.headers.get("Authorization") or json.loads(request.content)["password"]
        return httpx.Response(code, json={"message": f"no: {form(sent)}"})

    return answer


@pytest.mark.parametrize("code", [400, 401, 403, 404, 429, 500])
@pytest.mark.parametrize("form", ["raw", "JSON", "URL, all of it"])
async def test_a_password_repeated_by_the_login_is_hidden(code: int, form: str) -> None:
    service = Service()
    service.logins = [echo(FORMS[form], code)]
    with pytest.raises(ApiError) as caught:
        await service.api().login("demo", HARD_PASSWORD)
    assert FORMS[form](HARD_PASSWORD) not in str(caught.value)
    if isinstance(caught.value, LoginRefused):
        assert str(caught.value) == f"no: {HIDDEN}"


@pytest.mark.parametrize("code", [400, 403, 404, 409, 500])
async def test_a_token_repeated_by_a_gateway_is_hidden(code: int) -> None:
    service = Service(echo(str, code))
    service.logins = [httpx.Response(200, json={"bearerToken": "t0k3", "accountAlias": "ACME"})]
    api = service.api()
    await api.login("demo", PASSWORD)
    for call in (api.job_status("ACME", "wa1-1"), api.operate("ACME", Action.POWER_ON, ["A1"])):
        with pytest.raises(ApiError) as caught:
            await call
        assert "t0k3" not in str(caught.value)


async def test_a_renewed_token_stays_hidden() -> None:
    seen: list[str] = []

    def first(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"].removeprefix("Bearer "))
        service.replies = [lambda _: httpx.Response(403, json={"message": f"not {seen[0]}"})]
        return httpx.Response(401)

    service = Service(first)
    api = await service.logged_in()
    with pytest.raises(ApiError, match="not …") as caught:
        await api.job_status("ACME", "wa1-1")
    assert seen[0] not in str(caught.value)


async def test_a_token_in_a_garbled_answer_is_hidden() -> None:
    def garbled(request: httpx.Request) -> httpx.Response:
        raise httpx.RemoteProtocolError(f"illegal status line: {request.headers['Authorization'].encode()!r}")

    api = await Service(garbled).logged_in()
    with pytest.raises(ApiError, match="illegal status line") as caught:
        await api.operate("ACME", Action.POWER_ON, ["A1"])
    assert "token-7f3a" not in str(caught.value)


async def test_a_token_in_a_job_status_is_hidden() -> None:
    service = Service(lambda request: status(request.headers["Authorization"]))
    api = await service.logged_in()
    assert await api.job_status("ACME", "wa1-1") == f"Bearer {HIDDEN}"


async def test_a_password_in_the_message_of_a_refused_server_is_hidden() -> None:
    reply: Reply = httpx.Response(
        202, json=[{"server": "A1", "isQueued": False, "errorMessage": f"no {PASSWORD}" + "x" * 500}]
    )
    api = await Service(reply).logged_in()
    (answer,) = await api.operate("ACME", Action.POWER_ON, ["A1"])
    assert answer.message.startswith(f"no {HIDDEN}x")


async def test_secrets_are_hidden_in_names_and_descriptions_but_not_in_ids() -> None:
    """Ids are compared and sent, so a changed id would name another server."""
    named = {
        "id": "wa1-root",
        "name": f"of {PASSWORD}",
        "servers": [{"id": "PLAIN01", "description": PASSWORD}],
    }
    api = await Service(httpx.Response(200, json=named)).logged_in()
    found = await api.group_tree("ACME", DataCenter("WA1", "", "wa1-root"))
    assert found.groups[0].name == f"of {HIDDEN}"
    assert found.servers[0].description == HIDDEN
    api = Service(httpx.Response(200, json=named)).api()
    await api.login("demo", "PLAIN01")
    found = await api.group_tree("ACME", DataCenter("WA1", "", "wa1-root"))
    assert found.servers[0].id == "PLAIN01"


async def test_a_password_in_the_raw_details_is_hidden() -> None:
    reply = httpx.Response(200, json={"id": "A1", "description": HARD_PASSWORD})
    api = Service(reply).api()
    await api.login("demo", HARD_PASSWORD)
    details = await api.server("ACME", "A1")
    assert json.loads(details.raw) == {"id": "A1", "description": HIDDEN}


async def test_refused_credentials_are_forgotten() -> None:
    service = Service()
    service.logins = [httpx.Response(401, json={"message": "no"})]
    api = service.api()
    with pytest.raises(LoginRefused):
        await api.login("demo", HARD_PASSWORD)
    assert secrets_held(api) == set()


async def test_after_a_refused_login_the_secrets_of_the_session_stay_hidden() -> None:
    service = Service(lambda request: status(f"{request.headers['Authorization']} {PASSWORD}"))
    api = await service.logged_in()
    service.logins = [httpx.Response(401, json={"message": "no"})]
    with pytest.raises(LoginRefused):
        await api.login("demo", HARD_PASSWORD)
    assert await api.job_status("ACME", "wa1-1") == f"Bearer {HIDDEN} {HIDDEN}"


async def test_the_password_of_a_refused_renewal_is_forgotten() -> None:
    service = Service(httpx.Response(401))
    api = await service.logged_in()
    service.logins = [httpx.Response(401, json={"message": "no"})]
    with pytest.raises(TokenExpired):
        await api.job_status("ACME", "wa1-1")
    assert PASSWORD not in secrets_held(api)
