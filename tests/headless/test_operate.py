"""`pitstop start` and `pitstop stop`: how servers are chosen, what is sent, and how the command ends."""

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


def find_ids(pitstop: Pitstop, query: str, count: int) -> list[str]:
    """The first ``count`` ids that match a query."""
    found = [server["id"] for server in pitstop("servers", query, "--json").json]
    assert len(found) >= count
    return found[:count]


READY = "maint:off status:active"


def test_servers_are_put_into_maintenance_and_brought_back(pitstop: Pitstop, platform: Serve) -> None:
    place = platform()
    ids = find_ids(pitstop, READY, 5)
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


def test_ids_are_accepted_in_any_case_with_any_separator_and_once_each(
    pitstop: Pitstop, platform: Serve
) -> None:
    place = platform()
    one, two, three = find_ids(pitstop, READY, 3)
    text = f"\ufeff{one.lower()},{two}\r\n\r\n  {three.title()};\t{one}\r\n"  # as Windows writes a list
    ran = pitstop("start", "-", two.lower(), "--yes", "--json", stdin=text)
    assert [server["id"] for server in ran.json["servers"]] == [one, two, three]
    assert place.in_maintenance(one, two, three) == [True] * 3


def test_a_filter_selects_the_servers(pitstop: Pitstop, platform: Serve) -> None:
    platform()
    ids = find_ids(pitstop, f"dc:wa1 {READY}", 1)
    ran = pitstop("start", "--filter", f"dc:wa1 {READY} {ids[0]}", "--yes", "--json")
    assert [server["id"] for server in ran.json["servers"]] == ids
    assert ran.code == 0


def test_plain_output_is_tab_separated(pitstop: Pitstop, platform: Serve) -> None:
    platform()
    ids = find_ids(pitstop, READY, 2)
    ran = pitstop("start", *ids, "--yes")
    assert [line.split("\t")[:2] for line in ran.out.splitlines()] == [[id_, "verified"] for id_ in ids]
    assert "2 of 2 verified" in ran.err


def test_unknown_ids_are_reported_and_nothing_is_sent(pitstop: Pitstop, platform: Serve) -> None:
    place = platform()
    (id_,) = find_ids(pitstop, READY, 1)
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
def test_a_range_of_ids_is_refused_even_with_skip_unknown(
    pitstop: Pitstop, platform: Serve, between: str
) -> None:
    place = platform()
    (id_,) = find_ids(pitstop, READY, 1)
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
def test_wrong_usage_is_reported_and_nothing_is_sent(
    pitstop: Pitstop, platform: Serve, arguments: list[str], message: str
) -> None:
    place = platform(servers=10)
    arguments = [find_ids(pitstop, READY, 1)[0] if one == "A" else one for one in arguments]
    ran = pitstop(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert place.posts == 0


def test_without_yes_or_a_terminal_nothing_is_sent(pitstop: Pitstop, platform: Serve) -> None:
    place = platform()
    ran = pitstop("start", *find_ids(pitstop, READY, 3))
    assert (ran.code, ran.out) == (2, "")
    assert "3 servers" in ran.err
    assert "--yes" in ran.err
    assert place.posts == 0


def test_a_dry_run_shows_the_plan_and_sends_nothing(pitstop: Pitstop, platform: Serve) -> None:
    place = platform()
    (busy,) = find_ids(pitstop, "maint:on", 1)
    ids = find_ids(pitstop, READY, 2)
    ran = pitstop("start", *ids, busy, "--dry-run", "--json")
    assert ran.code == 0
    assert ran.json["operation"] is None
    assert ran.json["summary"] == {"planned": 2}
    assert ran.json["skipped"] == [{"id": busy, "reason": "already in maintenance"}]
    assert place.posts == 0


def test_servers_already_in_the_requested_state_are_skipped_without_failure(
    pitstop: Pitstop, platform: Serve
) -> None:
    place = platform()
    ran = pitstop("start", *find_ids(pitstop, "maint:on", 2), "--yes", "--json")
    assert (ran.code, ran.json["servers"]) == (0, [])
    assert "Start maintenance: nothing to send" in ran.err
    assert place.posts == 0


def test_an_ineligible_server_given_by_id_fails_the_command(pitstop: Pitstop, platform: Serve) -> None:
    platform()
    (archived,) = find_ids(pitstop, "status:archived", 1)
    (ready,) = find_ids(pitstop, READY, 1)
    ran = pitstop("start", archived, ready, "--yes", "--json")
    assert ran.code == 1
    assert ran.json["summary"] == {"verified": 1}
    assert "not active" in ran.json["skipped"][0]["reason"]


def test_batch_size_limits_the_servers_of_each_request(pitstop: Pitstop, platform: Serve) -> None:
    place = platform()
    ids = find_ids(pitstop, f"dc:wa1 {READY}", 7)
    ran = pitstop("start", *ids, "--yes", "--json", "--batch-size", "3")
    assert ran.code == 0
    assert place.posts == 3
    assert len({server["job_id"] for server in ran.json["servers"]}) == 3


def test_three_hundred_servers_take_one_post_per_batch_and_few_reads(
    pitstop: Pitstop, platform: Serve
) -> None:
    place = platform(servers=1200)
    planned = pitstop("start", "--filter", READY, "--dry-run", "--json").json["servers"]
    ids = [server["id"] for server in planned][:300]
    before = place.requests
    ran = pitstop("start", *ids, "--yes", "--json")
    assert ran.json["summary"] == {"verified": 300}
    requested = {route: count - before.get(route, 0) for route, count in place.requests.items()}
    batches = len({server["job_id"] for server in ran.json["servers"]})
    centers = Counter(id_[:3] for id_ in ids)
    assert place.posts == batches == sum(-(-count // 100) for count in centers.values())
    assert requested["GET /v2/operations/{alias}/status/{id}"] <= 10 * batches
    assert "GET /v2/servers/{alias}/{id}" not in requested
    assert requested["GET /v2/groups/{alias}/{id}"] <= 3 + 10 * len(centers)


def test_waves_follow_each_other_and_stop_after_failures(pitstop: Pitstop, platform: Serve) -> None:
    place = platform(faults={"job-fails": 1.0}, seed=5)
    ids = find_ids(pitstop, f"dc:wa1 {READY}", 8)
    ran = pitstop("start", *ids, "--yes", "--json", "--wave", "50%", "--max-failed", "0")
    assert ran.code == 1
    assert place.posts == 1
    states = [server["state"] for server in ran.json["servers"]]
    assert states[4:] == ["cancelled"] * 4
    assert "failed" in states[:4]
    failed = [server for server in ran.json["servers"] if server["state"] == "failed"]
    reported = " ".join(line for line in ran.err.splitlines() if "  failed  " in line)
    assert all(server["id"] in reported for server in failed)


def test_a_server_that_shows_its_new_state_late_is_verified(pitstop: Pitstop, platform: Serve) -> None:
    platform(faults={"settle": 1.0}, time_scale=0.01, seed=2)
    ran = pitstop("start", *find_ids(pitstop, READY, 1), "--yes", "--json")
    assert (ran.code, ran.json["summary"]) == (0, {"verified": 1})


def test_a_role_without_permission_sends_nothing(
    pitstop: Pitstop, platform: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = platform()
    monkeypatch.setenv("PITSTOP_USERNAME", "viewer")
    ran = pitstop("start", "--filter", READY, "--yes", "--json")
    assert ran.code == 1
    assert ran.json["servers"] == []
    assert {skip["reason"] for skip in ran.json["skipped"]} == {"not allowed by your role"}
    assert place.posts == 0


def test_read_only_sends_nothing_by_flag_profile_or_variable(
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


def test_no_wait_exits_when_all_is_sent_and_resume_follows_the_jobs(
    pitstop: Pitstop, platform: Serve
) -> None:
    place = platform(time_scale=0.2)
    ids = find_ids(pitstop, f"dc:wa1 {READY}", 3)
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
def test_a_filter_that_does_not_parse_is_reported_before_the_login(
    pitstop: Pitstop, platform: Serve, arguments: tuple[str, ...]
) -> None:
    sandbox = platform()
    ran = pitstop(*arguments)
    assert ran.code == 2
    assert "the filter does not parse" in ran.err
    assert sandbox.requests == {}


@pytest.mark.parametrize("how", ["by id", "by a filter"])
@pytest.mark.parametrize("command", ["start", "stop"])
def test_servers_of_a_running_operation_are_skipped_with_the_reason(
    pitstop: Pitstop, platform: Serve, command: str, how: str
) -> None:
    place = platform(job_seconds=(60.0, 60.0))
    ids = find_ids(pitstop, f"dc:wa1 {READY}", 2)
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


def test_unsure_servers_are_reported_before_they_are_sent_again(
    pitstop: Pitstop, platform: Serve, home: Path
) -> None:
    place = platform()
    ids = find_ids(pitstop, f"dc:wa1 {READY}", 3)
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
        f"warning: 2 of these 3 ({ids[0]}, {ids[1]}) are unsure: "
        "whether the last start maintenance reached them is not known" in ran.err
    )


def test_stop_warns_of_servers_that_others_put_into_maintenance(pitstop: Pitstop, platform: Serve) -> None:
    platform()
    (mine,) = find_ids(pitstop, f"dc:wa1 {READY}", 1)
    others = find_ids(pitstop, "maint:on status:active", 2)
    assert pitstop("start", mine, "--yes").code == 0
    ran = pitstop("stop", mine, *others, "--dry-run")
    assert f"warning: 2 of these 3 ({others[0]}, {others[1]}) are not yours" in ran.err
    assert "not yours" not in pitstop("stop", mine, "--dry-run").err


def test_servers_of_a_failed_job_are_shown_as_looking_not_running(
    pitstop: Pitstop, platform: Serve, running: Any
) -> None:
    platform(faults={"job-fails": 1.0}, seed=5)
    run = running("start", *find_ids(pitstop, f"dc:wa1 {READY}", 4), "--yes")
    line = run.wait_for("the job failed; reading the server to see whether it changed")
    assert "looking" in line
    assert "running" not in run.end().err


def test_no_wait_with_the_built_in_sandbox_promises_no_resume(pitstop: Pitstop) -> None:
    ran = pitstop("start", "--sandbox", "--filter", f"dc:wa1 {READY} web", "--yes", "--no-wait")
    assert ran.code == 0
    assert "the sandbox ends here, and their jobs with it" in ran.err
    assert "pitstop resume" not in ran.err


def test_the_built_in_sandbox_writes_no_journal(pitstop: Pitstop, home: Path) -> None:
    ran = pitstop(
        "start", "--sandbox", "--time-scale", "0.001", "--filter", f"dc:wa1 {READY} web", "--yes", "--json"
    )
    assert ran.code == 0
    assert set(ran.json["summary"]) == {"verified"}
    assert not (home / "journal.sqlite3").exists()


def test_a_lost_answer_is_reconciled_and_nothing_is_sent_twice(pitstop: Pitstop, platform: Serve) -> None:
    place: Platform = platform()
    ids = find_ids(pitstop, f"dc:wa1 {READY}", 2)
    place.set_faults(drop_after=1.0)
    ran = pitstop("start", *ids, "--yes", "--json")
    assert place.posts == 1
    assert ran.json["summary"] == {"verified": 2}
    assert ran.code == 0
    (reported,) = [line for line in ran.err.splitlines() if "unsure" in line and "lost" in line]
    assert all(id_ in reported for id_ in ids), "servers with the same outcome share a line"
