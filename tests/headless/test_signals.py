"""Ctrl-C, kill, kill -9 and a hang-up, sent to commands in processes of their own."""

import json
import signal
from typing import Any

from tests.headless.conftest import Pitstop, Serve

READY = "maint:off status:active"


def start_slowly(pitstop: Pitstop, running: Any, *options: str) -> tuple[Any, list[str]]:
    """Start maintenance on four servers in two waves; gives the process and the ids."""
    ids = [server["id"] for server in pitstop("servers", f"dc:wa1 {READY}", "--json").json][:4]
    run = running("start", *ids, "--yes", "--json", "--wave", "2", *options)
    return run, ids


def test_the_first_interrupt_stops_sending_and_follows_what_was_sent(
    pitstop: Pitstop, platform: Serve, running: Any
) -> None:
    place = platform(held=True)
    run, ids = start_slowly(pitstop, running)
    run.wait_for("2 servers queued")
    run.process.send_signal(signal.SIGINT)
    run.wait_for("stopped: 2 servers not sent")
    place.clock.release()
    ran = run.end()
    assert ran.code == 130
    assert ran.json["summary"] == {"planned": 2, "verified": 2}
    assert "2 servers not sent; `pitstop resume --send-rest` sends them" in ran.err
    assert place.in_maintenance(*ids) == [True, True, False, False]
    assert place.posts == 1
    resumed = pitstop("resume", "--json")
    assert resumed.json["summary"] == {"planned": 2, "verified": 2}
    assert f": {ids[2]}, {ids[3]}\n" in resumed.err
    rest = pitstop("resume", "--send-rest", "--json")
    assert (rest.code, rest.json["summary"]) == (0, {"verified": 4})
    assert (place.posts, place.in_maintenance(*ids)) == (2, [True] * 4)


def test_the_second_interrupt_exits_and_resume_follows_what_was_sent(
    pitstop: Pitstop, platform: Serve, running: Any
) -> None:
    place = platform(held=True)
    run, ids = start_slowly(pitstop, running)
    run.wait_for("2 servers queued")
    run.process.send_signal(signal.SIGINT)
    run.wait_for("stopped")
    run.process.send_signal(signal.SIGINT)
    ran = run.end()
    assert ran.code == 130
    assert "pitstop resume" in ran.err
    place.clock.release()
    resumed = pitstop("resume", "--json")
    assert json.loads(resumed.out)["summary"] == {"planned": 2, "verified": 2}
    assert place.in_maintenance(*ids[:2]) == [True, True]
    assert place.posts == 1


def test_resume_after_kill_does_not_send_the_rest_unasked(
    pitstop: Pitstop, platform: Serve, running: Any
) -> None:
    place = platform(held=True)
    run, _ = start_slowly(pitstop, running)
    run.wait_for("2 servers queued")
    run.process.kill()
    run.end()
    place.clock.release()
    resumed = pitstop("resume", "--json")
    assert json.loads(resumed.out)["summary"] == {"planned": 2, "verified": 2}
    assert resumed.code == 1
    assert "--send-rest" in resumed.err
    assert place.posts == 1


def test_resume_after_kill_sends_the_rest_with_send_rest(
    pitstop: Pitstop, platform: Serve, running: Any
) -> None:
    place = platform(held=True)
    run, ids = start_slowly(pitstop, running)
    run.wait_for("2 servers queued")
    run.process.kill()
    run.end()
    place.clock.release()
    ran = pitstop("resume", "--json", "--send-rest")
    assert json.loads(ran.out)["summary"] == {"verified": 4}
    assert place.in_maintenance(*ids) == [True] * 4
    assert place.posts == 2


def test_send_rest_skips_servers_already_in_the_requested_state(
    pitstop: Pitstop, platform: Serve, running: Any
) -> None:
    place = platform(held=True)
    run, ids = start_slowly(pitstop, running)
    run.wait_for("2 servers queued")
    run.process.send_signal(signal.SIGINT)
    run.wait_for("stopped: 2 servers not sent")
    place.clock.release()
    run.end()
    assert pitstop("start", ids[3], "--yes").code == 0
    ran = pitstop("resume", "--json", "--send-rest")
    assert (ran.code, ran.json["summary"]) == (0, {"verified": 3, "cancelled": 1})
    assert ran.json["servers"][3]["message"] == "not sent: already in maintenance"
    assert (place.posts, place.in_maintenance(*ids)) == (3, [True] * 4)


def test_sigterm_exits_with_143_and_leaves_the_rest_to_resume(
    pitstop: Pitstop, platform: Serve, running: Any
) -> None:
    place = platform(held=True)
    run, ids = start_slowly(pitstop, running)
    run.wait_for("2 servers queued")
    run.process.send_signal(signal.SIGTERM)
    ran = run.end()
    assert ran.code == 143
    assert "pitstop resume" in ran.err
    place.clock.release()
    assert pitstop("resume", "--json", "--send-rest").json["summary"] == {"verified": 4}
    assert (place.posts, place.in_maintenance(*ids)) == (2, [True] * 4)


def test_sighup_sends_no_more_and_follows_what_was_sent(
    pitstop: Pitstop, platform: Serve, running: Any
) -> None:
    place = platform(held=True)
    run, ids = start_slowly(pitstop, running)
    run.wait_for("2 servers queued")
    run.process.send_signal(signal.SIGHUP)
    place.clock.release()
    ran = run.end()
    assert ran.code == 129
    assert ran.json["summary"] == {"planned": 2, "verified": 2}
    assert place.in_maintenance(*ids) == [True, True, False, False]
    assert pitstop("resume", "--json", "--send-rest").json["summary"] == {"verified": 4}


def test_under_nohup_sighup_is_ignored_and_all_waves_are_sent(
    pitstop: Pitstop, platform: Serve, running: Any
) -> None:
    place = platform(held=True)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run, ids = start_slowly(pitstop, running)
    finally:
        signal.signal(signal.SIGHUP, before)
    run.wait_for("2 servers queued")
    run.process.send_signal(signal.SIGHUP)
    place.clock.release()
    ran = run.end()
    assert ran.code == 0
    assert place.in_maintenance(*ids) == [True] * 4


def test_unfinished_operations_of_any_endpoint_are_mentioned(
    pitstop: Pitstop, platform: Serve, running: Any
) -> None:
    first = platform(job_seconds=(30.0, 30.0))
    run, ids = start_slowly(pitstop, running)
    run.wait_for("2 servers queued")
    run.process.kill()
    run.end()
    words = f"1 operation is unfinished at {first.url} (account ACME): `pitstop resume"
    assert f"{words}` goes on" in pitstop("start", ids[3], "--dry-run").err
    platform()
    words += f" --api-url {first.url} --account ACME` goes on"
    assert words in pitstop("start", ids[3], "--dry-run").err
    resumed = pitstop("resume")
    assert words in resumed.err
    assert "nothing is unfinished at" in resumed.err


def test_interrupting_resume_does_not_stop_the_operation_it_follows(
    pitstop: Pitstop, platform: Serve, running: Any
) -> None:
    place = platform(held=True)
    run, ids = start_slowly(pitstop, running)
    run.wait_for("2 servers queued")
    follower = running("resume", "--json")
    follower.wait_for("Going on with")
    follower.process.send_signal(signal.SIGINT)
    assert follower.end().code == 130
    place.clock.release()
    assert run.end().json["summary"] == {"verified": 4}
    assert place.in_maintenance(*ids) == [True] * 4


def test_an_interrupt_before_anything_was_sent_exits_with_130(platform: Serve, running: Any) -> None:
    place = platform(faults={"slow": 1.0}, slow_seconds=(30.0, 30.0))
    run = running("servers")
    while not place.requests:
        assert run.process.poll() is None
    run.process.send_signal(signal.SIGINT)
    ran = run.end()
    assert (ran.code, ran.out, ran.err.strip()) == (130, "", "pitstop: interrupted")
