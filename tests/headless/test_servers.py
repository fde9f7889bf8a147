"""`pitstop servers`."""

import csv
import io
from pathlib import Path

import pytest

from tests.headless.conftest import Pitstop, Serve
from tui.headless.servers import PLAIN


def test_json_is_an_array_with_the_fields_that_scripts_need(pitstop: Pitstop, platform: Serve) -> None:
    place = platform(servers=30)
    ran = pitstop("servers", "--json")
    assert ran.code == 0
    assert len(ran.json) == 30
    for server in ran.json:
        assert server["id"] == server["id"].upper()
        assert server["maintenance"] in (True, False, None)
        assert {"name", "group", "data_center", "power", "status"} <= server.keys()
    flags = [bool(server["maintenance"]) for server in ran.json]
    assert flags == place.in_maintenance(*(server["id"] for server in ran.json))


def test_the_whole_fleet_takes_one_login_and_four_reads(pitstop: Pitstop, platform: Serve) -> None:
    place = platform(servers=10_000)
    assert pitstop("servers").code == 0
    requests = place.requests
    assert requests.pop("POST /v2/authentication/login") == 1
    assert sum(requests.values()) == 1 + 3


def test_a_pipe_gets_tab_separated_text_that_another_command_can_read(
    pitstop: Pitstop, platform: Serve
) -> None:
    platform(servers=20)
    ran = pitstop("servers", "status:active")
    rows = [line.split("\t") for line in ran.out.splitlines()]
    assert {len(row) for row in rows} == {len(PLAIN)}
    ids = "\n".join(row[0] for row in rows)
    planned = pitstop("start", "-", "--dry-run", "--json", stdin=ids).json
    assert len(planned["servers"]) + len(planned["skipped"]) == len(rows)


def test_csv_has_a_header_and_all_fields(pitstop: Pitstop, platform: Serve) -> None:
    platform(servers=20)
    rows = list(csv.DictReader(io.StringIO(pitstop("servers", "--csv").out)))
    assert len(rows) == 20
    assert {"id", "group", "maintenance", "description"} <= rows[0].keys()
    assert {row["maintenance"] for row in rows} <= {"true", "false", ""}


def test_a_query_may_be_given_as_several_arguments(pitstop: Pitstop, platform: Serve) -> None:
    platform(servers=120)
    chosen = pitstop("servers", "dc:wa1", "maint:on", "--json").json
    assert chosen
    assert all(server["data_center"] == "WA1" and server["maintenance"] for server in chosen)


def test_a_filter_of_the_settings_can_be_used_by_name(pitstop: Pitstop, platform: Serve, home: Path) -> None:
    platform(servers=120)
    home.mkdir()
    (home / "config.toml").write_text('[filters]\nnight = "dc:wa1 maint:on"\n')
    assert pitstop("servers", "@night", "--json").json == pitstop("servers", "dc:wa1 maint:on", "--json").json
    unknown = pitstop("servers", "@nihgt")
    assert unknown.code == 2
    assert "nihgt" in unknown.err
    assert "night" in unknown.err


def test_the_settings_choose_the_order(
    pitstop: Pitstop, platform: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform(servers=60)
    monkeypatch.setenv("PITSTOP_SORT", "-memory")
    found = [server["memory_mb"] for server in pitstop("servers", "--json").json]
    sizes = [size for size in found if size is not None]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) > 1
    monkeypatch.setenv("PITSTOP_SORT", "colour")
    ran = pitstop("servers")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no column 'colour'" in ran.err


def test_an_invalid_query_is_shown_with_the_position_of_the_error(pitstop: Pitstop, platform: Serve) -> None:
    platform(servers=5)
    ran = pitstop("servers", "web (db")
    assert ran.code == 2
    assert ran.out == ""
    problem, text, pointer = ran.err.rstrip("\n").split("\n")
    assert "does not parse" in problem
    assert text.strip() == "web (db"
    assert text[pointer.index("^")] == "("


def test_an_unreadable_data_center_does_not_hide_the_others(pitstop: Pitstop, platform: Serve) -> None:
    place = platform(servers=120, seed=3)
    everything = pitstop("servers", "--json").json
    place.set_faults(group_500=0.75)
    for _ in range(12):  # which ones fail is chance; that some do and some do not is soon seen
        ran = pitstop("servers", "--json")
        if ran.code != 4 or not ran.out:
            continue
        assert 0 < len(ran.json) < len(everything)
        assert "could not be read" in ran.err
        return
    raise AssertionError("no reading failed in part")


def test_when_nothing_can_be_read_nothing_is_printed(pitstop: Pitstop, platform: Serve) -> None:
    platform(servers=30, faults={"group-500": 1.0})
    ran = pitstop("servers", "--json")
    assert (ran.code, ran.out) == (4, "")
    assert "no data center could be read" in ran.err


def test_without_an_endpoint_the_sandbox_is_suggested(pitstop: Pitstop) -> None:
    ran = pitstop("servers")
    assert (ran.code, ran.out) == (2, "")
    assert "no endpoint is configured" in ran.err
    assert "--sandbox" in ran.err


def test_the_sandbox_flags_shape_the_built_in_sandbox(pitstop: Pitstop) -> None:
    assert len(pitstop("servers", "--sandbox", "--json").json) == 240
    small = pitstop("servers", "--sandbox", "--servers", "7", "--seed", "3", "--json").json
    assert len(small) == 7
    assert small == pitstop("servers", "--sandbox", "--servers", "7", "--seed", "3", "--json").json
    assert pitstop("servers", "--sandbox", "--fault", "no-such=1").code == 2
    assert pitstop("servers", "--servers", "7").code == 2
    assert pitstop("servers", "--sandbox", "--api-url", "https://x.invalid").code == 2


def test_the_endpoint_may_be_named_before_or_after_the_command(
    pitstop: Pitstop, platform: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = platform(servers=9).url
    monkeypatch.delenv("PITSTOP_API_URL")
    for arguments in (
        ("--api-url", url, "servers", "--json"),
        ("servers", "--json", "--api-url", f"{url}/v2/"),
        ("--profile", "nowhere", "servers", "--json", "--api-url", url),
    ):
        assert len(pitstop(*arguments).json) == 9


def test_account_selects_another_account(pitstop: Pitstop, platform: Serve) -> None:
    platform(servers=60)
    own = {server["id"] for server in pitstop("servers", "--json").json}
    sub = {server["id"] for server in pitstop("servers", "--json", "--account", "acmd").json}
    assert sub
    assert not own & sub


def test_a_full_disk_is_reported(platform: Serve) -> None:
    import subprocess
    import sys

    platform(servers=20)
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "tui", "servers"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "pitstop: standard output cannot be written: No space left on device\n",
    )


def test_closed_output_streams_are_no_error(platform: Serve) -> None:
    import subprocess
    import sys

    platform(servers=20)
    command = f"{sys.executable} -m tui servers >&- 2>&-"
    assert subprocess.run(["bash", "-c", command], check=False).returncode == 0


def test_a_reader_that_closes_the_pipe_is_no_error(platform: Serve) -> None:
    import subprocess
    import sys

    platform(servers=2000)
    command = f"set -o pipefail; {sys.executable} -m tui servers | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if not line.startswith("waiting for ")] == []
    assert len(done.stdout.splitlines()) == 1
