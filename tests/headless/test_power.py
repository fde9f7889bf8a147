"""`pitstop power`: which servers each operation takes, what it sends, and how it ends."""

import signal
from typing import Any

import pytest

from tests.headless.conftest import Pitstop, Serve
from tests.headless.test_operate import find_ids
from tui.cli import POWER
from tui.console.commands import COMMANDS
from tui.model.operation import Action
from tui.model.plan import ineligible_reason
from tui.model.server import Server
from tui.sandbox.operations import OPERATIONS

STARTED, STOPPED = "power:started status:active dc:wa1", "power:stopped status:active dc:wa1"
POWER_ACTIONS = [action for action in Action if not action.is_maintenance]


def test_the_command_line_the_table_and_the_console_name_the_same_operations() -> None:
    assert {action.verb for action in POWER_ACTIONS} == {f"power {word}" for word in POWER}
    palette = {command.name for command in COMMANDS if command.section == "Power"}
    assert palette == {f"power.{word}" for word in POWER}
    assert len({action.verb for action in Action}) == len(Action)


@pytest.mark.parametrize("action", POWER_ACTIONS)
@pytest.mark.parametrize("power", ["started", "stopped", "paused"])
def test_a_plan_takes_no_server_that_the_sandbox_refuses(action: Action, power: str) -> None:
    operation = OPERATIONS[action.value]
    there = operation.fields and all(value == power for value in operation.fields.values())
    taken = power in operation.only_from and not there
    reason = ineligible_reason(action, Server("A", status="active", power=power))
    assert (reason is None) is taken, reason


@pytest.mark.parametrize(
    ("word", "query", "power"),
    [
        ("on", STOPPED, "started"),
        ("off", STARTED, "stopped"),
        ("pause", STARTED, "paused"),
        ("shutdown", STARTED, "stopped"),
    ],
)
def test_servers_are_verified_in_the_requested_power_state(
    pitstop: Pitstop, platform: Serve, word: str, query: str, power: str
) -> None:
    place = platform()
    ids = find_ids(pitstop, query, 3)
    ran = pitstop("power", word, *ids, "--yes", "--json", "--reason", "CHG-1")
    assert (ran.code, ran.json["summary"]) == (0, {"verified": 3})
    assert ran.json["action"] == next(one for one in POWER_ACTIONS if one.verb == f"power {word}").value
    assert place.power(*ids) == [power] * 3
    assert place.posts == 1
    again = pitstop("power", word, *ids, "--yes", "--json")
    assert (again.code, again.json["servers"], place.posts) == (0, [], 1)
    assert {skip["reason"] for skip in again.json["skipped"]} == {f"already {power}"}


@pytest.mark.parametrize("word", ["reset", "reboot"])
def test_what_leaves_no_trace_ends_as_done_and_says_so(pitstop: Pitstop, platform: Serve, word: str) -> None:
    place = platform()
    ids = find_ids(pitstop, STARTED, 3)
    ran = pitstop("power", word, *ids, "--yes", "--json", "--wave", "2")
    assert (ran.code, ran.json["summary"], place.posts) == (0, {"succeeded": 3}, 2)
    assert f"note: no field of a server shows that it was {word}" in ran.err
    assert "3 of 3 done" in ran.err
    assert "verified" not in ran.err
    assert "checking" not in ran.err


def test_servers_that_an_operation_does_not_take_are_left_alone_with_the_reason(
    pitstop: Pitstop, platform: Serve
) -> None:
    place = platform()
    (started,), (stopped,) = find_ids(pitstop, STARTED, 1), find_ids(pitstop, STOPPED, 1)
    ran = pitstop("power", "reboot", started, stopped, "--dry-run", "--json")
    assert ran.json["skipped"] == [{"id": stopped, "reason": "not started (stopped)"}]
    assert ran.json["summary"] == {"planned": 1}
    assert ran.code == 1
    by_filter = pitstop("power", "reboot", "--filter", f"{started} or {stopped}", "--dry-run")
    assert by_filter.code == 0
    assert f"left alone, not started (stopped): {stopped}" in by_filter.err
    assert place.posts == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["power"], "on|off|pause|reset|reboot|shutdown"),
        (["power", "archive", "X"], "'archive' is not one of"),
        (["power", "delete", "X"], "'delete' is not one of"),
        (["power", "off"], "no servers are named"),
        (["power", "off", "--filter", "group:"], "does not parse"),
        (["--readonly", "power", "off", "X", "--yes"], "read-only"),
    ],
)
def test_wrong_usage_sends_nothing(
    pitstop: Pitstop, platform: Serve, arguments: list[str], message: str
) -> None:
    place = platform(servers=10)
    ran = pitstop(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert place.requests == {}


def test_a_reboot_whose_answer_is_lost_is_unsure_and_never_sent_again(
    pitstop: Pitstop, platform: Serve
) -> None:
    place = platform()
    ids = find_ids(pitstop, STARTED, 2)
    place.set_faults(drop_after=1.0)
    ran = pitstop("power", "reboot", *ids, "--yes", "--json")
    assert (ran.code, ran.json["summary"], place.posts) == (5, {"unsure": 2}, 1)
    place.set_faults(drop_after=0.0)
    for command in (["resume"], ["resume", "--send-rest"]):
        assert pitstop(*command).code == 0
    again = pitstop("retry", "--yes", "--json")
    assert (again.code, again.json["servers"], place.posts) == (5, [], 1)
    assert {skip["reason"] for skip in again.json["skipped"]} == {
        "unsure: a server does not show whether it was rebooted; look there"
    }


def test_after_a_kill_what_was_sent_is_followed_and_the_rest_is_sent_once(
    pitstop: Pitstop, platform: Serve, running: Any
) -> None:
    place = platform(job_seconds=(2.0, 2.0))
    ids = find_ids(pitstop, STARTED, 4)
    run = running("power", "reboot", *ids, "--yes", "--json", "--wave", "2")
    run.wait_for("2 servers queued")
    run.process.send_signal(signal.SIGKILL)
    run.end()
    first = pitstop("resume", "--json")
    assert (first.code, first.json["summary"], place.posts) == (1, {"planned": 2, "succeeded": 2}, 1)
    rest = pitstop("resume", "--send-rest", "--json")
    assert (rest.code, rest.json["summary"], place.posts) == (0, {"succeeded": 4}, 2)
    assert "nothing is unfinished" in pitstop("resume", "--send-rest").err
    assert place.posts == 2
