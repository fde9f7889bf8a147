"""`pitstop start` and `pitstop stop`: who is meant, what is asked, and how it ends."""

import json
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.engine.journals import record
from tests.headless.conftest import Pitstop, Platform, Serve
from tui.engine.journal.writer import JournalWriter
from tui.model.operation import Action, Operation, State, Target
from tui.model.plan import Batch, Plan
from tui.model.window import Window


def some(pitstop: Pitstop, query: str, count: int) -> list[str]:
    """The first ids that a query gives."""
    found = [server["id"] for server in pitstop("servers", query, "--json").json]
    assert len(found) >= count
    return found[:count]


READY = "maint:off status:active"


def test_servers_go_into_maintenance_and_come_back(pitstop: Pitstop, platform: Serve) -> None:
    place = platform()
    ids = some(pitstop, READY, 5)
    ran = pitstop("start", *ids, "--yes", "--json", "--reason", "CHG-1")
    assert ran.code == 0
    assert ran.json["summary"] == {"verified": 5}
    assert ran.json["operation"]
    assert ran.json["window"]
    assert [server["id"] for server in ran.json["servers"]] == ids
    assert all(server.keys() == {"id", "state", "job_id", "message"} for server in ran.json["servers"])
    assert place.in_maintenance(*ids) == [True] * 5
    back = pitstop("stop", *ids, "--yes", "--json", "--reason", "CHG-1")
    assert back.json["summary"] == {"verified": 5}
    assert back.json["window"] == ran.json["window"]
    assert place.in_maintenance(*ids) == [False] * 5


def test_ids_are_taken_in_any_case_and_surroundings_and_once_each(pitstop: Pitstop, platform: Serve) -> None:
    place = platform()
    one, two, three = some(pitstop, READY, 3)
    text = f"\ufeff{one.lower()},{two}\r\n\r\n  {three.title()};\t{one}\r\n"  # as Windows writes a list
    ran = pitstop("start", "-", two.lower(), "--yes", "--json", stdin=text)
    assert [server["id"] for server in ran.json["servers"]] == [one, two, three]
    assert place.in_maintenance(one, two, three) == [True] * 3


def test_a_filter_chooses(pitstop: Pitstop, platform: Serve) -> None:
    platform()
    ids = some(pitstop, f"dc:wa1 {READY}", 1)
    ran = pitstop("start", "--filter", f"dc:wa1 {READY} {ids[0]}", "--yes", "--json")
    assert [server["id"] for server in ran.json["servers"]] == ids
    assert ran.code == 0


def test_plain_output_is_tab_separated(pitstop: Pitstop, platform: Serve) -> None:
    platform()
    ids = some(pitstop, READY, 2)
    ran = pitstop("start", *ids, "--yes")
    assert [line.split("\t")[:2] for line in ran.out.splitlines()] == [[id_, "verified"] for id_ in ids]
    assert "2 of 2 verified" in ran.err


def test_unknown_ids_are_named_and_nothing_is_sent(pitstop: Pitstop, platform: Serve) -> None:
    place = platform()
    (id_,) = some(pitstop, READY, 1)
    ran = pitstop("start", id_, "NOSUCH01", "\x1b[31mevil", "--yes", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "NOSUCH01" in ran.err
    assert "nothing was sent" in ran.err
    assert "\x1b" not in ran.err
    assert place.posts == 0
    ran = pitstop("start", id_, "NOSUCH01", "--yes", "--json", "--skip-unknown")
    assert ran.code == 0
    assert "NOSUCH01" in ran.err
    assert ran.json["summary"] == {"verified": 1}
    assert pitstop("start", "NOSUCH01", "--yes", "--skip-unknown").code == 2


@pytest.mark.parametrize("between", ["..", "-"])
def test_a_range_is_said_to_be_one_and_never_skipped(pitstop: Pitstop, platform: Serve, between: str) -> None:
    place = platform()
    (id_,) = some(pitstop, READY, 1)
    written = f"{id_}{between}{id_}"
    ran = pitstop("start", written, id_, "--yes", "--skip-unknown")
    assert (ran.code, ran.out) == (2, "")
    assert f"not an id but a range, it seems: {written}" in ran.err
    assert place.posts == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["start"], "no servers are named"),
        (["start", "-"], "standard input names no servers"),
        (["start", "A", "--filter", "x"], "not both"),
        (["start", "--filter", "nothingmatchesthis"], "matches no server"),
        (["start", "A", "--wave", "0"], "1% to 100%"),
        (["start", "A", "--wave", "120%"], "1% to 100%"),
        (["start", "A", "--max-failed", "1"], "--wave"),
        (["start", "A", "--wave", "1", "--no-wait"], "exclude"),
        (["start", "A", "--batch-size", "0"], "batch-size"),
        (["start", "A", "--no-such-flag"], "no-such-flag"),
        (["no-such-command"], "no-such-command"),
    ],
)
def test_wrong_usage_is_said_and_sends_nothing(
    pitstop: Pitstop, platform: Serve, arguments: list[str], message: str
) -> None:
    place = platform(servers=10)
    arguments = [some(pitstop, READY, 1)[0] if one == "A" else one for one in arguments]
    ran = pitstop(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert place.posts == 0


def test_without_a_yes_and_a_terminal_nothing_is_sent(pitstop: Pitstop, platform: Serve) -> None:
    place = platform()
    ran = pitstop("start", *some(pitstop, READY, 3))
    assert (ran.code, ran.out) == (2, "")
    assert "3 servers" in ran.err
    assert "--yes" in ran.err
    assert place.posts == 0


def test_a_dry_run_says_what_would_be_and_sends_nothing(pitstop: Pitstop, platform: Serve) -> None:
    place = platform()
    (busy,) = some(pitstop, "maint:on", 1)
    ids = some(pitstop, READY, 2)
    ran = pitstop("start", *ids, busy, "--dry-run", "--json")
    assert ran.code == 0
    assert ran.json["operation"] is None
    assert ran.json["summary"] == {"planned": 2}
    assert ran.json["skipped"] == [{"id": busy, "reason": "already in maintenance"}]
    assert place.posts == 0


def test_what_is_so_already_is_no_failure_and_sends_nothing(pitstop: Pitstop, platform: Serve) -> None:
    place = platform()
    ran = pitstop("start", *some(pitstop, "maint:on", 2), "--yes", "--json")
    assert (ran.code, ran.json["servers"]) == (0, [])
    assert "Start maintenance: nothing to send" in ran.err
    assert place.posts == 0


def test_a_named_server_that_cannot_be_operated_on_fails_the_command(
    pitstop: Pitstop, platform: Serve
) -> None:
    platform()
    (archived,) = some(pitstop, "status:archived", 1)
    (ready,) = some(pitstop, READY, 1)
    ran = pitstop("start", archived, ready, "--yes", "--json")
    assert ran.code == 1
    assert ran.json["summary"] == {"verified": 1}
    assert "not active" in ran.json["skipped"][0]["reason"]


def test_batches_are_requests_of_one_data_center(pitstop: Pitstop, platform: Serve) -> None:
    place = platform()
    ids = some(pitstop, f"dc:wa1 {READY}", 7)
    ran = pitstop("start", *ids, "--yes", "--json", "--batch-size", "3")
    assert ran.code == 0
    assert place.posts == 3
    assert len({server["job_id"] for server in ran.json["servers"]}) == 3


def test_three_hundred_servers_are_a_request_for_each_batch_and_job(
    pitstop: Pitstop, platform: Serve
) -> None:
    place = platform(servers=1200)
    planned = pitstop("start", "--filter", READY, "--dry-run", "--json").json["servers"]
    ids = [server["id"] for server in planned][:300]
    before = place.requests
    ran = pitstop("start", *ids, "--yes", "--json")
    assert ran.json["summary"] == {"verified": 300}
    asked = {route: count - before.get(route, 0) for route, count in place.requests.items()}
    batches = len({server["job_id"] for server in ran.json["servers"]})
    centers = Counter(id_[:3] for id_ in ids)
    assert place.posts == batches == sum(-(-count // 100) for count in centers.values())
    assert asked["GET /v2/operations/{alias}/status/{id}"] <= 10 * batches
    assert "GET /v2/servers/{alias}/{id}" not in asked
    assert asked["GET /v2/groups/{alias}/{id}"] <= 3 + 10 * len(centers)


def test_waves_follow_each_other_and_stop_after_failures(pitstop: Pitstop, platform: Serve) -> None:
    place = platform(faults={"job-fails": 1.0}, seed=5)
    ids = some(pitstop, f"dc:wa1 {READY}", 8)
    ran = pitstop("start", *ids, "--yes", "--json", "--wave", "50%", "--max-failed", "0")
    assert ran.code == 1
    assert place.posts == 1
    states = [server["state"] for server in ran.json["servers"]]
    assert states[4:] == ["cancelled"] * 4
    assert "failed" in states[:4]
    wrong = [server for server in ran.json["servers"] if server["state"] == "failed"]
    told = " ".join(line for line in ran.err.splitlines() if "  failed  " in line)
    assert all(server["id"] in told for server in wrong)


def test_a_job_that_stays_unknown_is_unsure(pitstop: Pitstop, platform: Serve) -> None:
    platform(faults={"settle": 1.0}, time_scale=0.01, seed=2)
    ran = pitstop("start", *some(pitstop, READY, 1), "--yes", "--json")
    assert set(ran.json["summary"]) <= {"verified", "unsure", "succeeded"}
    assert ran.code == (0 if ran.json["summary"] == {"verified": 1} else 5)


def test_a_role_that_may_only_look_sends_nothing(
    pitstop: Pitstop, platform: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = platform()
    monkeypatch.setenv("PITSTOP_USERNAME", "viewer")
    ran = pitstop("start", "--filter", READY, "--yes", "--json")
    assert ran.code == 1
    assert ran.json["servers"] == []
    assert {skip["reason"] for skip in ran.json["skipped"]} == {"not allowed by your role"}
    assert place.posts == 0


def test_read_only_sends_nothing_wherever_it_is_said(
    pitstop: Pitstop, platform: Serve, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = platform()

    def refused(*arguments: str) -> None:
        ran = pitstop(*arguments, "--filter", READY, "--yes")
        assert (ran.code, ran.out) == (2, "")
        assert "read-only" in ran.err

    refused("--readonly", "start")
    refused("start", "--readonly")
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(f'[profiles.look]\nurl = "{place.url}"\nreadonly = true\n')
    monkeypatch.delenv("PITSTOP_API_URL")
    refused("--profile", "look", "start")
    monkeypatch.setenv("PITSTOP_READONLY", "1")
    refused("stop", "--api-url", place.url)
    assert place.posts == 0
    assert pitstop("resume", "--send-rest", "--api-url", place.url).code == 2


def test_no_wait_leaves_when_all_is_sent_and_resume_follows(pitstop: Pitstop, platform: Serve) -> None:
    place = platform(time_scale=0.2)
    ids = some(pitstop, f"dc:wa1 {READY}", 3)
    sent = pitstop("start", *ids, "--yes", "--json", "--no-wait")
    assert sent.code == 0
    assert set(sent.json["summary"]) <= {"queued", "executing", "succeeded", "verified"}
    ran = pitstop("resume", "--json")
    assert ran.code == 0
    resumed = json.loads(ran.out)
    assert resumed["operation"] == sent.json["operation"]
    assert resumed["summary"] == {"verified": 3}
    assert [server["id"] for server in resumed["servers"]] == ids
    assert (place.posts, place.in_maintenance(*ids)) == (1, [True] * 3)
    again = pitstop("resume", "--json")
    assert (again.code, again.out) == (0, "")
    assert "nothing is unfinished" in again.err


@pytest.mark.parametrize("arguments", [("servers", "maint:perhaps"), ("start", "--filter", "(web", "--yes")])
def test_a_filter_that_does_not_parse_is_told_before_the_login(
    pitstop: Pitstop, platform: Serve, arguments: tuple[str, ...]
) -> None:
    sandbox = platform()
    ran = pitstop(*arguments)
    assert ran.code == 2
    assert "the filter does not parse" in ran.err
    assert sandbox.requests == {}


@pytest.mark.parametrize("how", ["by id", "by a filter"])
@pytest.mark.parametrize("command", ["start", "stop"])
def test_what_is_under_way_is_left_alone_and_said_so(
    pitstop: Pitstop, platform: Serve, command: str, how: str
) -> None:
    place = platform(job_seconds=(60.0, 60.0))
    ids = some(pitstop, f"dc:wa1 {READY}", 2)
    assert pitstop("start", *ids, "--yes", "--no-wait", "--reason", "CHG-1").code == 0
    chosen = ids if how == "by id" else ["--filter", " or ".join(ids)]
    ran = pitstop(command, *chosen, "--yes", "--json")
    assert (ran.code, ran.json["servers"]) == (5, [])
    assert place.posts == 1
    for skipped in ran.json["skipped"]:
        assert re.fullmatch(
            r"still under way: start maintenance of \d\d:\d\d \(CHG-1\) has not ended", skipped["reason"]
        )
    assert "`pitstop resume` follows what is under way" in ran.err


def test_what_is_unsure_is_said_before_it_is_tried_again_and_not_called_out_of_maintenance(
    pitstop: Pitstop, platform: Serve, home: Path
) -> None:
    place = platform()
    ids = some(pitstop, f"dc:wa1 {READY}", 3)
    journal = JournalWriter(home / "journal.sqlite3")
    window = Window("win-1", place.url, "ACME", "demo", time.time())
    plan = Plan(Action.START_MAINTENANCE, (Batch(0, 0, "WA1", tuple(ids[:2])),))
    operation = Operation("op-1", plan.action, plan.server_ids, window_id="win-1", started=time.time())
    journal.create(operation, plan, window, was_in_maintenance={})
    record(journal, "op-1", [Target(id_, State.UNSURE, time.time()) for id_ in ids[:2]])
    journal.end_all([("op-1", time.time())])
    journal.close()
    ran = pitstop("stop", ids[0], ids[2], "--yes", "--json")
    assert (ran.code, place.posts) == (5, 0)
    unsure, other = ran.json["skipped"]
    assert unsure["reason"].startswith("unsure: whether start maintenance of ")
    assert other["reason"] == "not in maintenance"
    ran = pitstop("start", *ids, "--dry-run", "--json")
    assert ran.json["summary"] == {"planned": 3}
    assert (
        f"note: 2 of these 3 ({ids[0]}, {ids[1]}) are unsure: "
        "whether the last start maintenance reached them is not known" in ran.err
    )


def test_ending_what_others_began_is_said_before_it_is_done(pitstop: Pitstop, platform: Serve) -> None:
    platform()
    (mine,) = some(pitstop, f"dc:wa1 {READY}", 1)
    others = some(pitstop, "maint:on status:active", 2)
    assert pitstop("start", mine, "--yes").code == 0
    ran = pitstop("stop", mine, *others, "--dry-run")
    assert f"note: 2 of these 3 ({others[0]}, {others[1]}) are not yours" in ran.err
    assert "not yours" not in pitstop("stop", mine, "--dry-run").err


def test_servers_of_a_failed_job_are_not_called_running_while_they_are_looked_at(
    pitstop: Pitstop, platform: Serve, running: Any
) -> None:
    platform(faults={"job-fails": 1.0}, seed=5)
    run = running("start", *some(pitstop, f"dc:wa1 {READY}", 4), "--yes")
    told = run.wait_for("the job failed; reading the server to see whether it changed")
    assert "looking" in told
    assert "running" not in run.end().err


def test_leaving_a_sandbox_in_the_process_promises_no_resume(pitstop: Pitstop) -> None:
    ran = pitstop("start", "--sandbox", "--filter", f"dc:wa1 {READY} web", "--yes", "--no-wait")
    assert ran.code == 0
    assert "the sandbox ends here, and their jobs with it" in ran.err
    assert "pitstop resume" not in ran.err


def test_the_sandbox_in_the_process_leaves_no_journal_behind(pitstop: Pitstop, home: Path) -> None:
    ran = pitstop(
        "start", "--sandbox", "--time-scale", "0.001", "--filter", f"dc:wa1 {READY} web", "--yes", "--json"
    )
    assert ran.code == 0
    assert set(ran.json["summary"]) == {"verified"}
    assert not (home / "journal.sqlite3").exists()


def test_an_answer_that_was_lost_is_looked_after_and_nothing_sent_twice(
    pitstop: Pitstop, platform: Serve
) -> None:
    place: Platform = platform()
    ids = some(pitstop, f"dc:wa1 {READY}", 2)
    place.set_faults(drop_after=1.0)
    ran = pitstop("start", *ids, "--yes", "--json")
    assert place.posts == 1
    assert ran.json["summary"] == {"verified": 2}
    assert ran.code == 0
    (told,) = [line for line in ran.err.splitlines() if "unsure" in line and "lost" in line]
    assert all(id_ in told for id_ in ids), "servers with one fate share a line"
