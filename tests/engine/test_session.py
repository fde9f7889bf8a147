"""The login, the token, and the state of the link."""

import asyncio
from pathlib import Path

import pytest

from tests.engine.clock import VirtualClock
from tests.engine.cloud import ENDPOINT, PASSWORD, Cloud
from tests.engine.console import Console, until
from tui.api.errors import ApiError, Malformed, ServerFault, TokenExpired, Unreachable
from tui.engine.endpoint import Endpoint
from tui.engine.events import (
    Link,
    LinkChanged,
    LoggedIn,
    LoginFailed,
    LoginNeeded,
    OperationEnded,
)
from tui.model.operation import State


async def test_a_login_reports_user_account_roles_and_endpoint(console: Console) -> None:
    assert console.emitted(LoggedIn) == [LoggedIn("op", "ACME", ("ServerAdmin",), "test")]


async def test_another_account_may_be_named_in_any_case(
    clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    console = Console(clock, cloud, tmp_path / "journal.db")
    await console.service.login(ENDPOINT, "op", PASSWORD, "acmd")
    assert console.emitted(LoggedIn)[0].account == "ACMD"
    assert console.service.inventory.fleet.account == "ACMD"


async def test_a_refused_login_is_reported_and_not_tried_again(
    clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    console = Console(clock, cloud, tmp_path / "journal.db")
    await console.service.login(ENDPOINT, "op", "wrong")
    assert console.emitted(LoginFailed) == [
        LoginFailed("We didn't recognize the username or password you entered.", refused=True)
    ]
    await clock.sleep(3_600)
    assert cloud.requests == {"login": 1}


async def test_an_endpoint_that_cannot_be_reached_is_not_a_refusal(
    clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    def unplug(call: str) -> None:
        raise Unreachable("connection refused")

    cloud.on_call = unplug
    console = Console(clock, cloud, tmp_path / "journal.db")
    await console.service.login(ENDPOINT, "op", PASSWORD)
    assert console.emitted(LoginFailed) == [LoginFailed("connection refused", refused=False)]


async def test_a_failed_login_leaves_the_session_as_it_is(console: Console, cloud: Cloud) -> None:
    await console.service.login(ENDPOINT, "op", "wrong")
    operation = await console.run(console.plan())
    assert operation.summary() == {"verified": 6}


async def test_a_token_that_cannot_be_renewed_needs_one_login_and_loses_nothing(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    logins = cloud.requests["login"]

    def expire(call: str) -> None:
        if call != "login" and cloud.requests["login"] == logins:
            raise TokenExpired("the password was changed; log in again")

    work = asyncio.create_task(console.run(console.plan(batch_size=1, wave_size=3)))
    await until(lambda: cloud.posts, clock)
    cloud.on_call = expire
    await clock.sleep(3_600)
    assert console.emitted(LoginNeeded) == [LoginNeeded("the password was changed; log in again")]
    requests = sum(cloud.requests.values())
    await clock.sleep(3_600)
    assert sum(cloud.requests.values()) == requests, "nothing is requested meanwhile"
    await console.service.login(ENDPOINT, "op", PASSWORD)
    operation = await work
    assert operation.summary() == {"verified": 6}
    assert len(cloud.posts) == 6


async def test_a_batch_refused_for_its_token_is_sent_after_the_login(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    logins = cloud.requests["login"]

    def expire(call: str) -> None:
        if call == "operate" and cloud.requests["login"] == logins:
            raise TokenExpired("log in again")

    cloud.on_call = expire
    work = asyncio.create_task(console.run(console.plan()))
    await until(lambda: console.emitted(LoginNeeded), clock)
    assert not cloud.posts
    await console.service.login(ENDPOINT, "op", PASSWORD)
    assert (await work).summary() == {"verified": 6}
    assert len(cloud.posts) == 1


async def test_a_batch_refused_for_its_token_can_be_cancelled_without_a_login(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    def expire(call: str) -> None:
        if call == "operate":
            raise TokenExpired("log in again")

    cloud.on_call = expire
    work = asyncio.create_task(console.run(console.plan(batch_size=1)))
    await until(lambda: console.emitted(LoginNeeded), clock)
    await console.service.operations.cancel("op-1")
    operation = await work
    assert operation.ids(State.CANCELLED) == list(cloud.servers)
    assert {target.message for target in operation.targets.values()} == {
        "stopped by the operator before it was sent"
    }
    assert not cloud.posts


async def test_closing_while_a_login_is_needed_leaves_no_server_unsure(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    def expire(call: str) -> None:
        if call == "operate":
            raise TokenExpired("log in again")

    cloud.on_call = expire
    work = asyncio.create_task(console.run(console.plan(batch_size=1)))
    await until(lambda: console.emitted(LoginNeeded), clock)
    await console.service.close()
    await asyncio.gather(work, return_exceptions=True)
    stored = Console(clock, cloud, tmp_path / "journal.db").journal.load("op-1").operation
    assert stored.count(State.SUBMITTING, State.UNSURE) == 0
    assert stored.count(State.PLANNED, State.CANCELLED) == 6


@pytest.mark.parametrize("refused", ["operate", "job_status", "group_tree"])
async def test_winding_down_without_a_login_leaves_the_rest_to_the_next_process(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path, refused: str
) -> None:
    def expire(call: str) -> None:
        if call == refused and cloud.posts:
            raise TokenExpired("log in again")

    cloud.on_call = expire
    work = asyncio.create_task(console.run(console.plan(batch_size=1)))
    await until(lambda: cloud.posts, clock)
    await console.service.operations.wind_down(send_rest=True)
    await work
    assert console.emitted(LoginNeeded)
    assert not console.service.operations.running
    cloud.on_call = lambda call: None
    again = await Console(clock, cloud, tmp_path / "journal.db").login()
    await again.service.operations.resume(send_planned=True)
    (ended,) = again.emitted(OperationEnded)
    assert ended.summary.get("verified", 0) + ended.summary.get("cancelled", 0) == 6
    assert ended.summary.get("verified", 0) == len(cloud.posts)
    await again.service.close()


async def test_no_login_elsewhere_while_operations_are_under_way(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    work = asyncio.create_task(console.run(console.plan()))
    await until(lambda: cloud.posts, clock)
    await console.service.login(ENDPOINT, "op", PASSWORD, "ACMD")
    await console.service.login(Endpoint("other", "https://other.example"), "op", PASSWORD)
    assert [event.refused for event in console.emitted(LoginFailed)] == [False, False]
    assert "operations on ACME are under way" in console.emitted(LoginFailed)[0].message
    assert cloud.requests["login"] == 1
    assert (await work).summary() == {"verified": 6}
    await console.service.login(ENDPOINT, "op", PASSWORD, "ACMD")
    assert console.emitted(LoggedIn)[-1].account == "ACMD"


async def test_link_changes_are_reported_once_and_the_link_recovers_by_itself(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    def unplug(call: str) -> None:
        raise Unreachable("name not resolved")

    work = asyncio.create_task(console.run(console.plan()))
    await until(lambda: cloud.posts, clock)
    cloud.on_call = unplug
    await clock.sleep(3_600)
    assert [(event.link, event.message) for event in console.emitted(LinkChanged)] == [
        (Link.DOWN, "name not resolved")
    ]
    cloud.on_call = lambda call: None
    assert (await work).summary() == {"verified": 6}
    assert [event.link for event in console.emitted(LinkChanged)] == [Link.DOWN, Link.UP]


@pytest.mark.parametrize("request_kind", ["refresh", "details", "login"])
async def test_any_request_without_an_answer_reports_the_link_down(
    console: Console, cloud: Cloud, request_kind: str
) -> None:
    errors: list[ApiError] = [Unreachable("connection refused")]

    def once(call: str) -> None:
        if errors:
            raise errors.pop()

    cloud.on_call = once
    match request_kind:
        case "refresh":
            await console.service.inventory.refresh()
        case "details":
            await console.service.inventory.read_details("WA1ACME00001")
        case _:
            await console.service.login(ENDPOINT, "op", PASSWORD)
    assert [(e.link, e.message) for e in console.emitted(LinkChanged)] == [(Link.DOWN, "connection refused")]
    await console.service.inventory.refresh()
    assert [event.link for event in console.emitted(LinkChanged)] == [Link.DOWN, Link.UP]


async def test_one_lost_request_among_answered_ones_is_not_a_link_down(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    async def lose(call: str) -> None:
        if call == "server":
            await clock.sleep(5)
            raise Unreachable("reset")

    cloud.on_call = lambda call: lose(call)
    await asyncio.gather(
        console.service.inventory.read_details("WA1ACME00001"), console.service.inventory.refresh()
    )
    assert console.emitted(LinkChanged) == []


@pytest.mark.parametrize("error", [ServerFault("it failed (500)", 500), Malformed("a web page")])
async def test_an_endpoint_that_answers_with_errors_is_failing_and_not_down(
    console: Console, cloud: Cloud, error: ApiError
) -> None:
    def fail(call: str) -> None:
        raise error

    cloud.on_call = fail
    await console.service.inventory.refresh()
    assert console.emitted(LinkChanged) == [], "the request itself may be the reason"
    await console.service.inventory.refresh()
    await console.service.inventory.refresh()
    assert [(e.link, e.message) for e in console.emitted(LinkChanged)] == [(Link.FAILING, str(error))]
    cloud.on_call = lambda call: None
    await console.service.inventory.refresh()
    assert [event.link for event in console.emitted(LinkChanged)] == [Link.FAILING, Link.UP]


def test_spellings_of_one_url_are_one_endpoint_in_the_journal() -> None:
    urls = (
        "https://api.example",
        "https://api.example/",
        "https://API.example/v2",
        "https://api.example/v2/",
    )
    assert {Endpoint("any", url).key for url in urls} == {"https://api.example"}


def everything_in(directory: Path) -> bytes:
    return b"".join(file.read_bytes() for file in directory.iterdir())


async def test_the_password_reaches_neither_the_journal_nor_any_event(
    console: Console, tmp_path: Path
) -> None:
    await console.service.login(ENDPOINT, "op", "wrong-battery")
    await console.run(console.plan())
    written = everything_in(tmp_path)
    assert b"WA1ACME00001" in written
    for secret in (PASSWORD, "wrong-battery"):
        assert secret.encode() not in written
        assert secret not in repr(console.events)
        assert secret not in repr(vars(console.service)) + repr(vars(console.service.session))
