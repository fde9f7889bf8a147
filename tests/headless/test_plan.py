"""What `pitstop start` says of its plan before it sends anything, and servers that the profile protects."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.headless.conftest import Pitstop, Platform, Serve
from tests.headless.test_operate import READY, find_ids
from tui.engine.journal.writer import JournalWriter
from tui.model.operation import Action


def write_profile(home: Path, place: Platform, protected: str) -> None:
    """Make the sandbox the profile night, with a filter for what is protected."""
    home.mkdir(exist_ok=True)
    text = (
        f'[filters]\nprod = "group:Prod*"\n[profiles.night]\nurl = "{place.url}"\nprotected = {protected}\n'
    )
    (home / "config.toml").write_text(text)


@pytest.fixture
def whole_group(pitstop: Pitstop) -> Any:
    """``whole_group()``: the path of the largest group in one data center, and its servers in service."""

    def find() -> tuple[str, list[str]]:
        found: dict[tuple[str, str], list[str]] = {}
        for server in pitstop("servers", f"{READY} power:started", "--json").json:
            found.setdefault((server["data_center"], server["group"]), []).append(server["id"])
        (_, group), ids = max(found.items(), key=lambda item: len(item[1]))
        return group, ids

    return find


def test_a_dry_run_prints_counts_estimate_and_warnings(
    pitstop: Pitstop, platform: Serve, whole_group: Any
) -> None:
    place = platform()
    group, ids = whole_group()
    ran = pitstop("start", *ids, "--dry-run")
    assert ran.code == 0
    lines = [line.strip() for line in ran.err.splitlines()]
    assert f"where: {len(ids)} in {ids[0][:3]}" in lines
    assert any(line.startswith(f"groups: {len(ids)} in {group}") for line in lines)
    (takes,) = (line for line in lines if line.startswith("takes: "))
    assert re.fullmatch(
        r"takes: about \d+ s, by times recorded on the platform: the journal has no such job yet", takes
    )
    (warning,) = (line for line in lines if "half or more" in line)
    assert warning.startswith("warning: half or more of a group in service goes at once: ")
    assert f"{group}" in warning
    assert f"({len(ids)} of {len(ids)})" in warning
    assert "note: Maintenance mutes a server's alerts" in ran.err
    assert place.posts == 0


def test_a_dry_run_as_json_has_the_same_as_data(pitstop: Pitstop, platform: Serve, whole_group: Any) -> None:
    platform()
    _, ids = whole_group()
    public = [
        server["id"]
        for server in pitstop("servers", READY, "--json").json
        if server["id"] in ids and "203.0.113." in server["ip"]
    ]
    plan = pitstop("start", *ids, "--dry-run", "--json").json["plan"]
    assert plan["action"] == "startMaintenance"
    assert (plan["requests"], plan["waves"]) == (1, 1)
    assert plan["data_centers"] == {ids[0][:3]: len(ids)}
    assert sum(plan["groups"].values()) == len(ids)
    assert plan["estimate"].keys() == {"seconds", "from_jobs", "text"}
    assert plan["estimate"]["from_jobs"] == 0
    warned = {warning["kind"]: warning for warning in plan["warnings"]}
    assert sorted(warned["group"]["servers"]) == sorted(ids)
    assert warned["group"]["groups"] == list(plan["groups"])
    assert sorted(warned.get("public_ip", {"servers": []})["servers"]) == sorted(public)
    assert "plan" not in pitstop("start", ids[0], "--yes", "--json").json


def test_the_estimate_comes_from_the_jobs_in_the_journal(
    pitstop: Pitstop, platform: Serve, home: Path
) -> None:
    platform()
    ids = find_ids(pitstop, f"dc:wa1 {READY}", 4)
    journal = JournalWriter(home / "journal.sqlite3")
    for seconds in (100.0, 120.0, 140.0):
        journal.record_duration(Action.START_MAINTENANCE, 2, seconds)
    journal.heartbeat()
    journal.close()
    ran = pitstop("start", *ids, "--dry-run", "--json", "--wave", "2")
    assert ran.json["plan"]["estimate"] == {
        "seconds": 240.0,
        "from_jobs": 3,
        "text": "about 4 min in 2 waves, one after the other, by 3 such jobs in the journal",
    }
    assert "takes: about 4 min in 2 waves" in ran.err


def test_protected_servers_need_a_flag_beside_yes_and_are_named(
    pitstop: Pitstop, platform: Serve, home: Path
) -> None:
    place = platform()
    one, two, other = find_ids(pitstop, READY, 3)
    write_profile(home, place, f'"id:{one} or id:{two}"')
    ran = pitstop("start", one, two, other, "--yes", "--json", "--profile", "night")
    assert (ran.code, ran.out) == (2, "")
    assert (
        f"2 servers are protected at night (id:{one} or id:{two}): {one}, {two}; nothing was sent" in ran.err
    )
    assert "--protected" in ran.err
    assert place.posts == 0
    assert pitstop("start", other, "--yes", "--json", "--profile", "night").code == 0
    ran = pitstop("start", one, two, "--yes", "--protected", "--json", "--profile", "night")
    assert ran.json["summary"] == {"verified": 2}
    assert f"warning: 2 of these 2 ({one}, {two}) are protected: id:{one}" in ran.err


def test_without_a_terminal_both_flags_are_asked_for(pitstop: Pitstop, platform: Serve, home: Path) -> None:
    place = platform()
    (one,) = find_ids(pitstop, READY, 1)
    write_profile(home, place, f'"id:{one}"')
    ran = pitstop("start", one, "--profile", "night")
    assert ran.code == 2
    assert "say --yes and --protected" in ran.err
    assert pitstop("start", one, "--dry-run", "--profile", "night").code == 0, "nothing is sent"
    assert place.posts == 0


def test_a_protected_server_that_is_skipped_needs_no_flag(
    pitstop: Pitstop, platform: Serve, home: Path
) -> None:
    place = platform()
    (busy,) = find_ids(pitstop, "maint:on", 1)
    (other,) = find_ids(pitstop, READY, 1)
    write_profile(home, place, f'"id:{busy}"')
    assert pitstop("start", busy, other, "--yes", "--profile", "night").code == 0


@pytest.mark.parametrize("command", ["where", "servers"])
def test_a_filter_that_does_not_parse_is_reported_with_file_setting_and_place(
    pitstop: Pitstop, platform: Serve, home: Path, command: str
) -> None:
    place = platform()
    write_profile(home, place, "'group:web (maint:on'")
    ran = pitstop(command)
    assert (ran.code, ran.out) == (2, "")
    first, text, pointer = ran.err.splitlines()
    assert first == (
        f"pitstop: {home / 'config.toml'}: profiles.night.protected: does not parse at character 11: "
        "this ( is not closed"
    )
    assert text[pointer.index("^")] == "("


def test_a_named_filter_can_be_protected_and_where_shows_it(
    pitstop: Pitstop, platform: Serve, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = platform()
    write_profile(home, place, '"@prod"')
    ran = pitstop("where", "--profile", "night")
    assert ran.code == 0
    assert re.search(rf'protected +"@prod" +{re.escape(str(home / "config.toml"))}', ran.out)
    write_profile(home, place, '"@nosuch"')
    assert "there is no filter named 'nosuch'; there are prod" in pitstop("where").err
    write_profile(home, place, "7")
    assert "profiles.night.protected: must be text, not 7" in pitstop("where").err
