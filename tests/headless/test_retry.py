"""`pitstop retry`: what of an earlier operation is tried again, as a new operation that refers to it."""

import json
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.engine.journals import record
from tests.headless.conftest import Pitstop, Platform, Ran, Serve
from tests.headless.test_operate import READY, find_ids
from tui.engine.journal.writer import JournalWriter
from tui.model.operation import Action, Operation, State, Target
from tui.model.plan import Batch, Plan
from tui.model.window import Window

WA1 = f"dc:wa1 {READY}"


@pytest.fixture
def ended(home: Path) -> Callable[..., None]:
    """Writes an operation that has ended, with a state for each of its servers."""

    def write(
        place: Platform,
        states: Mapping[str, State],
        *,
        id_: str = "op-1",
        action: Action = Action.START_MAINTENANCE,
        account: str = "ACME",
    ) -> None:
        journal = JournalWriter(home / "journal.sqlite3")
        window = Window(f"win-{account}", place.url, account, "demo", time.time(), "CHG-1")
        plan = Plan(action, (Batch(0, 0, "WA1", tuple(states)),))
        operation = Operation(
            id_, action, plan.server_ids, window_id=window.id, reason="CHG-1", started=time.time()
        )
        journal.create(operation, plan, window, was_in_maintenance={})
        record(journal, id_, [Target(server, state, time.time()) for server, state in states.items()])
        journal.end_all([(id_, time.time())])
        journal.close()

    return write


def states(ran: Ran) -> dict[str, str]:
    """Server id -> its state, of a command with --json."""
    return {server["id"]: server["state"] for server in ran.json["servers"]}


def test_what_failed_is_tried_again_as_an_operation_that_refers_to_the_old_one(
    pitstop: Pitstop, platform: Serve
) -> None:
    place = platform(faults={"job-fails": 1.0}, seed=5)
    ids = find_ids(pitstop, WA1, 4)
    first = pitstop("start", *ids, "--yes", "--json", "--reason", "CHG-1")
    failed = [id_ for id_, state in states(first).items() if state == "failed"]
    assert failed
    assert f"`pitstop retry {first.json['operation']}` tries again what did not end well" in first.err
    place.set_faults(job_fails=0.0)
    planned = pitstop("retry", "--dry-run", "--json")
    assert (planned.json["retry_of"], states(planned)) == (
        first.json["operation"],
        dict.fromkeys(failed, "planned"),
    )
    assert place.posts == 1
    ran = pitstop("retry", "--yes", "--json")
    assert (ran.code, states(ran)) == (0, dict.fromkeys(failed, "verified"))
    assert (ran.json["retry_of"], ran.json["window"]) == (first.json["operation"], first.json["window"])
    assert ran.json["operation"] != first.json["operation"]
    assert f"Retry of start maintenance of {time.strftime('%H')}" in ran.err
    assert f"(CHG-1), {first.json['operation']}: {len(failed)} failed" in ran.err
    assert f"CHG-1, a retry of {first.json['operation']}" in ran.err
    assert (place.posts, place.in_maintenance(*ids)) == (2, [True] * 4)
    again = pitstop("retry", "--yes")
    assert (again.code, again.out) == (0, "")
    assert "nothing is to be tried again" in again.err
    by_name = pitstop("retry", first.json["operation"], "--yes", "--json")
    assert (by_name.code, by_name.json["servers"]) == (0, [])
    assert all(
        skip["reason"].startswith("already done in a later operation") for skip in by_name.json["skipped"]
    )
    assert place.posts == 2


def test_unsure_servers_are_read_first_and_left_out_where_they_are_as_requested(
    pitstop: Pitstop, platform: Serve, ended: Callable[..., None]
) -> None:
    place = platform()
    (there,) = find_ids(pitstop, "maint:on status:active dc:wa1", 1)
    unsure, checking, refused, verified = find_ids(pitstop, WA1, 4)
    ended(
        place,
        {
            there: State.UNSURE,
            unsure: State.UNSURE,
            checking: State.SUCCEEDED,
            refused: State.REFUSED,
            verified: State.VERIFIED,
        },
    )
    ran = pitstop("retry", "op-1", "--yes", "--json")
    assert (ran.code, states(ran)) == (0, dict.fromkeys((unsure, checking, refused), "verified"))
    assert ran.json["skipped"] == [{"id": there, "reason": "already in maintenance"}]
    assert f"3 servers were unsure, so read first: {there}, {unsure}, {checking}" in ran.err
    assert f"left alone, already in maintenance: {there}" in ran.err
    assert place.posts == 1


def test_what_was_not_sent_after_too_many_failures_is_tried_again_in_waves(
    pitstop: Pitstop, platform: Serve
) -> None:
    place = platform(faults={"job-fails": 1.0}, seed=5)
    ids = find_ids(pitstop, WA1, 8)
    first = pitstop("start", *ids, "--yes", "--json", "--wave", "50%", "--max-failed", "0")
    wanted = [id_ for id_, state in states(first).items() if state in {"failed", "cancelled"}]
    place.set_faults(job_fails=0.0)
    ran = pitstop("retry", "--yes", "--json", "--wave", "3", "--reason", "CHG-2")
    assert (ran.code, states(ran)) == (0, dict.fromkeys(wanted, "verified"))
    assert place.posts == 1 + -(-len(wanted) // 3)
    assert ran.json["window"] != first.json["window"]
    assert place.in_maintenance(*ids) == [True] * 8


def test_an_operation_that_has_not_ended_is_refused(pitstop: Pitstop, platform: Serve) -> None:
    place = platform(job_seconds=(60.0, 60.0))
    ids = find_ids(pitstop, WA1, 2)
    sent = pitstop("start", *ids, "--yes", "--json", "--no-wait")
    ran = pitstop("retry", sent.json["operation"], "--yes")
    assert (ran.code, ran.out, place.posts) == (5, "", 1)
    assert (
        f"({sent.json['operation']}) has not ended; nothing was sent; `pitstop resume` settles it" in ran.err
    )


def test_an_operation_of_a_running_process_is_refused(
    pitstop: Pitstop, platform: Serve, running: Any
) -> None:
    place = platform(job_seconds=(30.0, 30.0))
    ids = find_ids(pitstop, WA1, 2)
    run = running("start", *ids, "--yes", "--wave", "1")
    run.wait_for("1 server queued")
    ran = pitstop("retry", "--yes", "--json")
    assert (ran.code, ran.out, place.posts) == (5, "", 1)
    assert "is carried out by another Pitstop right now; nothing was sent" in ran.err


@pytest.mark.parametrize("newest_first", [True, False])
def test_without_a_name_the_newest_operation_that_has_anything_is_taken(
    pitstop: Pitstop, platform: Serve, ended: Callable[..., None], *, newest_first: bool
) -> None:
    place = platform()
    one, two, three = find_ids(pitstop, WA1, 3)
    ended(place, {one: State.FAILED}, id_="op-1")
    ended(place, {two: State.FAILED if newest_first else State.VERIFIED}, id_="op-2")
    ended(place, {three: State.FAILED}, id_="op-3", account="ACMD")
    ran = pitstop("retry", "--yes", "--json")
    assert ran.json["retry_of"] == ("op-2" if newest_first else "op-1")
    assert (ran.code, states(ran)) == (0, {two if newest_first else one: "verified"})
    assert place.posts == 1


def test_a_wrong_name_or_place_sends_nothing(
    pitstop: Pitstop, platform: Serve, ended: Callable[..., None]
) -> None:
    place = platform()
    (id_,) = find_ids(pitstop, WA1, 1)
    unknown = pitstop("retry", "op-\x1b[31mx", "--yes")
    assert (unknown.code, unknown.out) == (2, "")
    assert "the journal has no operation op-" in unknown.err
    assert "\x1b" not in unknown.err
    ended(place, {id_: State.FAILED}, account="ACMD")
    elsewhere = pitstop("retry", "op-1", "--yes")
    assert (elsewhere.code, elsewhere.out) == (2, "")
    assert f"was at another place: say --api-url {place.url} --account ACMD" in elsewhere.err
    assert pitstop("--readonly", "retry", "--yes").code == 2
    assert pitstop("retry", "--yes", "--max-failed", "1").code == 2
    assert pitstop("retry", "--yes", "--wave", "0").code == 2
    assert place.posts == 0


def test_without_yes_or_a_terminal_nothing_is_sent(
    pitstop: Pitstop, platform: Serve, ended: Callable[..., None]
) -> None:
    place = platform()
    (id_,) = find_ids(pitstop, WA1, 1)
    ended(place, {id_: State.FAILED})
    ran = pitstop("retry")
    assert (ran.code, ran.out, place.posts) == (2, "", 0)
    assert "say --yes" in ran.err


def test_a_server_that_is_gone_is_named_and_the_others_are_tried_again(
    pitstop: Pitstop, platform: Serve, ended: Callable[..., None]
) -> None:
    place = platform()
    (id_,) = find_ids(pitstop, WA1, 1)
    ended(place, {"WA1ACMEGONE01": State.FAILED, id_: State.FAILED})
    ran = pitstop("retry", "--yes", "--json")
    assert (ran.code, states(ran), place.posts) == (1, {id_: "verified"}, 1)
    assert ran.json["skipped"] == [{"id": "WA1ACMEGONE01", "reason": "not found"}]


def test_after_a_kill_a_retry_is_resumed_and_sends_nothing_twice(
    pitstop: Pitstop, platform: Serve, running: Any, ended: Callable[..., None]
) -> None:
    place = platform(job_seconds=(2.0, 2.0))
    ids = find_ids(pitstop, WA1, 4)
    ended(place, dict.fromkeys(ids, State.FAILED))
    run = running("retry", "--yes", "--json", "--wave", "2")
    run.wait_for("2 servers queued")
    run.process.send_signal(signal.SIGKILL)
    run.end()
    refused = pitstop("retry", "op-1", "--yes", "--json")
    assert (refused.json["servers"], place.posts) == ([], 1)
    assert all("in a later operation: " in skip["reason"] for skip in refused.json["skipped"])
    assert pitstop("retry", "--yes").code == 5
    first = pitstop("resume", "--json")
    assert json.loads(first.out)["retry_of"] == "op-1"
    assert (first.json["summary"], place.posts) == ({"planned": 2, "verified": 2}, 1)
    assert "Going on with Start maintenance: 4 servers, CHG-1, a retry of op-1" in first.err
    rest = pitstop("resume", "--send-rest", "--json")
    assert (rest.code, rest.json["summary"], place.posts) == (0, {"verified": 4}, 2)
    assert place.in_maintenance(*ids) == [True] * 4
    assert "nothing is to be tried again" in pitstop("retry", "--yes").err
    assert place.posts == 2
