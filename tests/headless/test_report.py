"""`pitstop report`: no login, no request, and a clear error where there is nothing to report."""

import csv
import io
import json
import stat
from contextlib import closing
from pathlib import Path

import pytest

from tests.headless.conftest import Pitstop, Serve
from tests.report.journals import PLACE, Recorder, window
from tui.cli import cli
from tui.headless.report import FORMATS

SERVERS = ["WA1ACMEWEB01", "WA1ACMEWEB02"]


@pytest.fixture
def recorded(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two windows of CHG-1234 on two accounts and a newer one, at an endpoint that nobody can reach."""
    home.mkdir(mode=0o700)
    monkeypatch.setenv("PITSTOP_API_URL", PLACE)
    with closing(Recorder(home / "journal.sqlite3")) as recorder:
        recorder.operation("op-1", window("win-1"), SERVERS)
        recorder.operation("op-2", window("win-2", account="ACMD"), ["DE1ACMDWEB01"])
        newest = window("win-3", reason="CHG-9, night", opened=window().opened + 9)
        recorder.operation("op-3", newest, ["WA1ACMEDB01"])
    return home


def test_a_report_of_a_real_run_agrees_with_what_the_command_said(pitstop: Pitstop, platform: Serve) -> None:
    place = platform(servers=60)
    ids = [row["id"] for row in pitstop("servers", "status:active maint:off", "--json").json][:20]
    started = pitstop("start", *ids, "--yes", "--json", "--reason", "CHG-77", "--wave", "4").json
    sent = [one["id"] for one in started["servers"]]
    pitstop("stop", sent[0], "--yes", "--reason", "CHG-77")
    before = place.requests
    report = pitstop("report", "chg-77", "--format", "json").json
    assert place.requests == before, "no login and no request"
    assert report["window"] == started["window"]
    assert report["totals"] == {"verified": len(sent) + 1}
    assert [held["server"] for held in report["held"]] == sent[1:]
    first, second = report["operations"]
    assert (first["id"], first["waves"], first["user"]) == (started["operation"], -(-len(sent) // 4), "demo")
    assert [
        {name: one[name] for name in ("job_id", "state")} | {"id": one["server"]} for one in first["results"]
    ] == [{name: one[name] for name in ("job_id", "state", "id")} for one in started["servers"]]
    assert [one["server"] for one in second["results"]] == sent[:1]
    for one in first["results"]:
        assert one["started"] <= one["ended"]
        assert one["transitions"][-1]["at"] == one["ended"]


def test_without_a_name_it_is_the_newest_window_of_the_account(pitstop: Pitstop, recorded: Path) -> None:
    assert pitstop("report", "--format", "json").json["window"] == "win-3"
    assert pitstop("report", "--account", "acmd", "--format", "json").json["window"] == "win-2"


def test_it_asks_for_no_credentials(pitstop: Pitstop, recorded: Path) -> None:
    (recorded / "config.toml").write_text(
        f'[profiles.night]\nurl = "{PLACE}"\nuser = "op"\npassword_command = "touch {recorded}/asked"\n'
    )
    ran = pitstop("report", "win-1", "--profile", "night")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("# Maintenance window `CHG-1234`\n")
    assert not (recorded / "asked").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("CHG-5",), "there is no window 'CHG-5'; the newest are: win-3 ("),
        (("chg-1234",), "2 windows are named 'chg-1234'; say the id of one: win-"),
        (
            ("--account", "NONE"),
            "no window of cloud.example (account NONE); --profile, --api-url and --account",
        ),
        (("--api-url", "https://other.example"), "no window of other.example; --profile"),
        (("--format", "xml"), "'xml' is not one of"),
    ],
)
def test_what_cannot_be_reported_is_a_clear_error(
    pitstop: Pitstop, recorded: Path, arguments: tuple[str, ...], said: str
) -> None:
    ran = pitstop("report", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_sandbox_has_a_journal_of_its_own(pitstop: Pitstop, recorded: Path) -> None:
    ran = pitstop("report", "--sandbox")
    assert (ran.code, ran.out) == (2, "")
    assert "each --sandbox begins with an empty journal; `pitstop sandbox` serves one that lasts" in ran.err


def test_without_an_endpoint_it_says_how_to_name_one(pitstop: Pitstop) -> None:
    ran = pitstop("report")
    assert ran.code == 2
    assert "no endpoint is configured: name one with --api-url" in ran.err


def test_a_damaged_journal_is_reported(pitstop: Pitstop, recorded: Path) -> None:
    with closing(Recorder(recorded / "journal.sqlite3")) as recorder:  # noqa: SIM117
        with recorder.journal.database.writing() as db:
            db.execute("UPDATE outcomes SET at = 1e300 WHERE key = 1")
    ran = pitstop("report", "win-1", "--format", "json", "--output", str(recorded / "report"))
    assert ran.code == 1
    assert "is damaged" in ran.err
    assert not [path for path in recorded.iterdir() if "report" in path.name], "no part of a report is left"


def test_the_file_is_private_and_replaced_at_once(pitstop: Pitstop, recorded: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tickets"
    folder.mkdir(mode=0o755)
    file = folder / "report.csv"
    file.write_text("old")
    file.chmod(0o644)
    ran = pitstop("report", "win-1", "--output", str(file))
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == f"the report of CHG-1234 is in {file}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [row["server"] for row in csv.DictReader(io.StringIO(file.read_text()))] == SERVERS
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert list(folder.iterdir()) == [file]


@pytest.mark.parametrize("kind", ["link", "folder", "missing"])
def test_a_file_that_cannot_be_replaced_is_left_alone(
    pitstop: Pitstop, recorded: Path, tmp_path: Path, kind: str
) -> None:
    target, file = tmp_path / "target", tmp_path / kind
    target.write_text("target")
    if kind == "link":
        file.symlink_to(target)
    elif kind == "folder":
        file.mkdir()
    else:
        file = tmp_path / "missing" / "report.md"
    ran = pitstop("report", "win-1", "--output", str(file))
    assert ran.code == (1 if kind == "missing" else 2)
    assert str(file) in ran.err
    assert target.read_text() == "target"
    assert file.is_symlink() == (kind == "link")


def test_the_name_of_the_file_says_the_format_unless_a_flag_does(
    pitstop: Pitstop, recorded: Path, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    pitstop("report", "win-1", "--output", str(file))
    assert file.read_text().startswith("<!DOCTYPE html>")
    pitstop("report", "win-1", "--output", str(file), "--format", "json")
    assert json.loads(file.read_text())["window"] == "win-1"


def test_the_schema_needs_no_journal_and_no_endpoint(pitstop: Pitstop, home: Path) -> None:
    ran = pitstop("report", "--schema")
    assert ran.code == 0
    assert ran.json["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert not home.exists()


def test_the_flag_offers_every_format() -> None:
    (option,) = [one for one in cli.commands["report"].params if one.name == "form"]
    assert list(getattr(option.type, "choices", ())) == list(FORMATS)
