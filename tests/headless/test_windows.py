"""`pitstop windows`, and which servers are mine: in lists, in filters, and for `pitstop stop`."""

import csv
import io
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture.test_start_up import loaded_after
from tests.engine.journals import record
from tests.headless.conftest import Pitstop, Platform, Serve
from tests.headless.test_operate import READY, find_ids
from tui.engine.journal.writer import JournalWriter
from tui.model.operation import Action, Operation, State, Target
from tui.model.plan import Batch, Plan
from tui.model.window import Window

Hold = Callable[..., str]
PLACE = "https://cloud.example.net"


@pytest.fixture
def hold(home: Path) -> Hold:
    """Write a window that holds servers; ``end`` is in seconds from now."""

    def write(
        *ids: str, id_: str = "win-1", reason: str = "CHG-1", end: float | None = -60.0, place: str = PLACE
    ) -> str:
        now = time.time()
        planned_end = None if end is None else now + end
        window = Window(id_, place, "ACME", "demo", now - 7_200, reason, planned_end)
        plan = Plan(Action.START_MAINTENANCE, (Batch(0, 0, "WA1", ids),))
        operation = Operation(f"op-{id_}", plan.action, ids, reason=reason, started=now - 7_200)
        journal = JournalWriter(home / "journal.sqlite3")
        journal.create(operation, plan, window, was_in_maintenance=dict.fromkeys(ids, False))
        record(journal, operation.id, [Target(one, State.VERIFIED, now - 7_100) for one in ids])
        journal.end_all([(operation.id, now - 7_100)])
        journal.close()
        return id_

    return write


# -- the planned end


def test_a_start_sets_the_planned_end_of_its_window_and_a_later_one_moves_it(
    pitstop: Pitstop, platform: Serve
) -> None:
    platform()
    one, two, three = find_ids(pitstop, READY, 3)
    ran = pitstop("start", one, "--yes", "--json", "--reason", "CHG-1", "--until", "2h")
    assert (ran.code, "planned to end at" in ran.err) == (0, True)
    assert pitstop("start", two, "--yes", "--reason", "CHG-1").code == 0
    (window,) = pitstop("windows", "--json").json
    assert (window["id"], window["reason"], window["held"]) == (ran.json["window"], "CHG-1", [one, two])
    assert len(window["operations"]) == 2
    assert pitstop("start", three, "--yes", "--reason", "CHG-1", "--until", "3h").code == 0
    (moved,) = pitstop("windows", "--json").json
    assert moved["planned_end"] > window["planned_end"] > moved["opened"]


@pytest.mark.parametrize(
    ("end", "message"),
    [("soon", "an end is written like"), ("2020-01-01 02:00", "in the past"), ("90d", "more than 31 days")],
)
def test_a_wrong_planned_end_is_reported_before_the_login(
    pitstop: Pitstop, platform: Serve, end: str, message: str
) -> None:
    place = platform(servers=10)
    ran = pitstop("start", "WA1ACMEWEB01", "--yes", "--until", end)
    assert (ran.code, ran.out, place.requests) == (2, "", {})
    assert message in ran.err
    assert "nothing was sent" in ran.err


# -- the windows


def test_windows_are_listed_and_shown_without_a_login(pitstop: Pitstop, hold: Hold) -> None:
    hold("WA1A", "WA1B")
    hold("WA1C", id_="win-2", reason="=cmd\x1b[31m|evil", end=None)
    lines = [line.split("\t") for line in pitstop("windows").out.splitlines()]
    assert [(line[0], line[1], line[4], line[5]) for line in lines] == [
        ("CHG-1", "win-1", "2", "1"),
        ("=cmd\ufffd[31m|evil", "win-2", "1", "1"),
    ]
    ran = pitstop("windows", "chg-1")
    assert ran.code == 0
    assert "Held\tWA1A WA1B" in ran.out
    assert "op-win-1\tStart maintenance\t2 verified" in ran.out
    assert "`pitstop stop --window win-1`" in ran.err
    shown = pitstop("windows", "win-1", "--json").json
    assert shown == pitstop("windows", "--json").json[0]
    assert (shown["overdue"], shown["closed"], shown["held"]) == (True, None, ["WA1A", "WA1B"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", shown["planned_end"])
    assert shown["operations"][0]["summary"] == {"verified": 2}


def test_without_a_journal_there_are_no_windows_and_none_is_made(pitstop: Pitstop, home: Path) -> None:
    assert pitstop("windows", "--check") == (0, "", "")
    assert pitstop("windows", "--json").json == []
    assert pitstop("windows", "CHG-1").code == 2
    assert not (home / "journal.sqlite3").exists()


def test_flags_narrow_the_windows_to_an_endpoint_and_an_account(pitstop: Pitstop, hold: Hold) -> None:
    hold("WA1A")
    hold("WA1A", id_="win-2", place="https://other.example")

    def found(*flags: str) -> list[str]:
        return [window["id"] for window in pitstop("windows", "--json", *flags).json]

    assert found() == ["win-1", "win-2"]
    assert found("--api-url", f"{PLACE}/v2") == ["win-1"]
    assert found("--api-url", PLACE, "--account", "acmd") == []
    ran = pitstop("windows", "CHG-1")
    assert (ran.code, ran.out) == (2, "")
    assert "2 windows are named 'CHG-1'; say the id of one: " in ran.err
    assert "win-1 (CHG-1, account ACME" in ran.err
    assert "win-2 (CHG-1, account ACME" in ran.err
    assert pitstop("windows", "CHG-1", "--api-url", PLACE, "--json").json["id"] == "win-1"


def test_check_names_each_window_past_its_end_that_holds_servers(pitstop: Pitstop, hold: Hold) -> None:
    hold("WA1A", "WA1B")
    hold("WA1C", id_="win-2", reason="CHG-2", end=3_600.0)
    hold("WA1D", id_="win-3", reason="")
    ran = pitstop("windows", "--check")
    assert (ran.code, ran.out) == (1, "")
    one, three = ran.err.splitlines()
    assert re.fullmatch(
        r"CHG-1 \(win-1\) was planned to end at \d{4}-\d\d-\d\d \d\d:\d\d and still holds "
        "2 servers: WA1A, WA1B",
        one,
    )
    assert three.startswith("win-3 was planned to end at")
    assert pitstop("windows", "--check", "--api-url", "https://other.example") == (0, "", "")


def test_check_says_that_it_does_not_know_when_the_journal_is_damaged(pitstop: Pitstop, home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "journal.sqlite3").write_bytes(b"damaged" * 1_000)
    ran = pitstop("windows", "--check")
    assert (ran.code, ran.out) == (5, "")
    assert "is damaged" in ran.err


def test_check_loads_no_client_and_no_screen() -> None:
    code = "import tui.assembly, tui.headless.windows"
    assert loaded_after(code, "httpx", "textual", "rich", "starlette") == set()


def test_a_window_that_holds_servers_is_closed_only_with_a_reason_which_its_log_has(
    pitstop: Pitstop, hold: Hold
) -> None:
    hold("WA1A", "WA1B")
    ran = pitstop("windows", "--close", "CHG-1")
    assert ran.code == 2
    assert "still holds 2 servers: WA1A, WA1B; it was not closed" in ran.err
    assert pitstop("windows", "--close", "CHG-1", "--leave", " ").code == 2
    assert pitstop("windows", "CHG-1", "--json").json["closed"] is None
    ran = pitstop("windows", "--close", "CHG-1", "--leave", "vendor\nat work")
    assert ran.code == 0
    assert "left in maintenance: WA1A, WA1B" in ran.err
    shown = pitstop("windows", "CHG-1", "--json").json
    assert shown["closed"] is not None
    (note,) = shown["notes"]
    assert (note["kind"], note["text"], note["servers"]) == ("left", "vendor at work", ["WA1A", "WA1B"])
    assert pitstop("windows", "--check").code == 0
    ran = pitstop("windows", "--close", "CHG-1")
    assert (ran.code, "was closed at" in ran.err) == (2, True)


def test_notes_are_in_the_windows_log(pitstop: Pitstop, hold: Hold) -> None:
    hold("WA1A")
    assert pitstop("windows", "--note", "CHG-1", "rack 4:\x1b[31m", "disks swapped").code == 0
    assert pitstop("windows", "CHG-1").out.endswith("\track 4:\ufffd[31m disks swapped\n")
    (note,) = pitstop("windows", "CHG-1", "--json").json["notes"]
    assert (note["kind"], note["text"]) == ("note", "rack 4:\ufffd[31m disks swapped")
    ran = pitstop("windows", "--note", "CHG-1")
    assert (ran.code, "a note needs a text" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch"], "there is no window 'nosuch'"),
        (["--close", "nosuch"], "there is no window 'nosuch'"),
        (["--note", "nosuch", "text"], "there is no window 'nosuch'"),
        (["--close"], "name the window"),
        (["--note"], "name the window"),
        (["--check", "CHG-1"], "name none"),
        (["--check", "--close", "CHG-1"], "exclude each other"),
        (["--leave", "why", "CHG-1"], "--close"),
        (["CHG-1", "CHG-2"], "one window at a time"),
        (["--check", "--json"], "--json is for"),
    ],
)
def test_wrong_usage_of_windows_is_reported(
    pitstop: Pitstop, hold: Hold, arguments: list[str], message: str
) -> None:
    hold("WA1A")
    ran = pitstop("windows", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


# -- mine


class Night:
    """Two windows that hold servers, and servers that others put into maintenance."""

    def __init__(self, pitstop: Pitstop, place: Platform) -> None:
        self.place = place
        self.one, self.two, self.three, self.free = find_ids(pitstop, f"dc:wa1 {READY}", 4)
        self.others = find_ids(pitstop, "maint:on status:active", 2)
        assert pitstop("start", self.one, self.two, "--yes", "--reason", "CHG-1").code == 0
        assert pitstop("start", self.three, "--yes", "--reason", "Disk swap").code == 0
        self.posts = place.posts


@pytest.fixture
def night(pitstop: Pitstop, platform: Serve) -> Night:
    return Night(pitstop, platform())


def test_filters_find_the_servers_that_windows_hold(pitstop: Pitstop, night: Night) -> None:
    def found(query: str) -> set[str]:
        return {line.split("\t")[0] for line in pitstop("servers", query).out.splitlines()}

    assert found("mine:yes") == {night.one, night.two, night.three}
    assert found("maint:on mine:no") >= set(night.others)
    assert found("window:chg-1") == {night.one, night.two}
    assert found("reason:swap") == {night.three}
    assert found('window:"disk swap" or window:CHG-*') == found("mine:yes")
    assert found('mine:yes !window:""') == found("mine:yes")
    planned = pitstop("start", "--filter", "mine:yes", "--dry-run", "--json").json
    assert {skip["id"] for skip in planned["skipped"]} == found("mine:yes")


def test_json_and_csv_say_which_servers_are_mine_and_why(pitstop: Pitstop, night: Night) -> None:
    rows = {row["id"]: row for row in pitstop("servers", "--json").json}
    windows = {window["reason"]: window["id"] for window in pitstop("windows", "--json").json}
    for id_, mine, reason in (
        (night.one, True, "CHG-1"),
        (night.three, True, "Disk swap"),
        (night.free, False, None),
        (night.others[0], False, None),
    ):
        row = rows[id_]
        assert (row["mine"], row["window"], row["reason"]) == (mine, windows.get(reason), reason)
    cells = {row["id"]: row for row in csv.DictReader(io.StringIO(pitstop("servers", "--csv").out))}
    assert (cells[night.one]["mine"], cells[night.one]["reason"]) == ("true", "CHG-1")
    assert (cells[night.free]["mine"], cells[night.free]["window"]) == ("false", "")


def test_a_damaged_journal_hides_no_servers_and_answers_no_question_about_windows(
    pitstop: Pitstop, platform: Serve, home: Path
) -> None:
    platform(servers=10)
    home.mkdir(mode=0o700)
    (home / "journal.sqlite3").write_bytes(b"damaged" * 1_000)
    ran = pitstop("servers", "--json")
    assert ran.code == 0
    assert {(row["mine"], row["window"]) for row in ran.json} == {(None, None)}
    ran = pitstop("servers", "mine:yes")
    assert (ran.code, ran.out) == (1, "")
    assert "is damaged" in ran.err


def test_stop_mine_ends_exactly_what_my_windows_hold(pitstop: Pitstop, night: Night) -> None:
    mine = [night.one, night.two, night.three]
    ran = pitstop("stop", "--mine", "--yes", "--json")
    assert (ran.code, ran.json["summary"]) == (0, {"verified": 3})
    assert {server["id"] for server in ran.json["servers"]} == set(mine)
    assert night.place.in_maintenance(*mine, *night.others) == [False] * 3 + [True] * 2
    ran = pitstop("stop", "--mine", "--yes", "--json")
    assert (ran.code, ran.json["servers"]) == (0, [])


def test_stop_window_ends_exactly_what_one_window_holds_and_is_part_of_it(
    pitstop: Pitstop, night: Night
) -> None:
    window = pitstop("windows", "CHG-1", "--json").json
    ran = pitstop("stop", "--window", "chg-1", "--yes", "--json")
    assert (ran.code, ran.json["window"]) == (0, window["id"])
    assert night.place.in_maintenance(night.one, night.two, night.three) == [False, False, True]
    assert len(pitstop("windows", "CHG-1", "--json").json["operations"]) == 2
    ran = pitstop("stop", "--window", "nosuch", "--yes")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no window 'nosuch'" in ran.err
    assert "nothing was sent" in ran.err


def test_with_yes_maintenance_of_others_ends_only_with_not_mine(pitstop: Pitstop, night: Night) -> None:
    one, *_ = others = night.others
    ran = pitstop("stop", night.one, *others, "--yes")
    assert (ran.code, ran.out) == (2, "")
    assert f"2 servers are not yours, put into maintenance by others or not from here: {one}" in ran.err
    assert "--not-mine" in ran.err
    assert night.place.posts == night.posts
    ran = pitstop("stop", night.one, *others, "--yes", "--not-mine", "--json")
    assert (ran.code, ran.json["summary"]) == (0, {"verified": 3})
    assert night.place.in_maintenance(night.one, *others) == [False] * 3


def test_a_server_taken_out_by_another_hand_is_held_no_more_once_stop_has_read_it(
    pitstop: Pitstop, night: Night, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("PITSTOP_HOME", str(home.parent / "elsewhere"))
        assert pitstop("stop", night.one, "--yes", "--not-mine").code == 0
    assert night.one not in pitstop("servers", "mine:yes").out
    assert pitstop("stop", "--window", "CHG-1", "--dry-run").code == 0
    assert night.one in pitstop("windows", "CHG-1", "--json").json["held"]
    ran = pitstop("stop", "--window", "CHG-1", "--yes", "--json")
    assert (ran.code, ran.json["summary"]) == (0, {"verified": 1})
    shown = pitstop("windows", "CHG-1", "--json").json
    assert shown["held"] == []
    assert [(note["kind"], note["servers"]) for note in shown["notes"]] == [("gone", [night.one])]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--mine", "WA1ACMEWEB01"],
        ["--mine", "--filter", "web"],
        ["--mine", "--window", "CHG-1"],
        ["--window", "CHG-1", "WA1ACMEWEB01"],
    ],
)
def test_servers_are_chosen_in_one_way_only(pitstop: Pitstop, platform: Serve, arguments: list[str]) -> None:
    place = platform(servers=10)
    ran = pitstop("stop", *arguments, "--yes")
    assert (ran.code, ran.out, place.requests) == (2, "", {})
    assert "not two of them" in ran.err
