"""`pitstop where`, `pitstop --help` and the shell's completion."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.headless.conftest import Pitstop
from tui import __version__
from tui.cli import cli
from tui.settings.report import describe
from tui.settings.schema import Profile, Settings, setting_infos


def lines_of(text: str) -> dict[str, list[str]]:
    """Name -> the rest of its line, split at two or more spaces."""
    found = {}
    for line in filter(str.strip, text.splitlines()):
        name, *rest = (part.strip() for part in line.strip().split("  ") if part.strip())
        found[name] = rest
    return found


@pytest.fixture
def config(home: Path) -> Path:
    home.mkdir()
    path = home / "config.toml"
    path.write_text('batch_size = 20\n[profiles.night]\nurl = "https://night.example.net/v2"\nuser = "ops"\n')
    return path


def test_a_journal_on_a_network_file_system_is_reported(
    pitstop: Pitstop, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"36 25 0:31 / {tmp_path} rw,relatime - nfs4 files:/home rw\n", encoding="utf-8")
    monkeypatch.setattr("tui.engine.journal.mounts.MOUNTS", mounts)
    ran = pitstop("where")
    assert ran.code == 0
    assert "on a network file system (nfs4)" in lines_of(ran.out)["journal"][-1]


def test_every_setting_is_shown_with_its_origin(
    pitstop: Pitstop, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITSTOP_CONFIRM_ABOVE", "7")
    monkeypatch.setenv("PITSTOP_ACCOUNT", "ACMD")
    ran = pitstop("where", "--readonly")
    assert ran.code == 0
    shown = lines_of(ran.out.replace("Endpoint night\n", ""))
    assert shown["batch_size"] == ["20", str(config)]
    assert shown["confirm_above"] == ["7", "PITSTOP_CONFIRM_ABOVE"]
    assert shown["on_hangup"] == ['"finish"', "default"]
    assert shown["url"] == ['"https://night.example.net"', str(config)]
    assert shown["account"] == ['"ACMD"', "PITSTOP_ACCOUNT"]
    assert {field.name for field in setting_infos(Settings)} - {"profiles"} <= shown.keys()
    assert {field.name for field in setting_infos(Profile)} <= shown.keys()
    assert "true      --readonly" in ran.out


def test_files_are_named_even_where_they_do_not_exist(pitstop: Pitstop, home: Path) -> None:
    shown = lines_of(pitstop("where").out)
    assert shown["configuration"] == [str(home / "config.toml"), "not there"]
    assert shown["journal"] == [str(home / "journal.sqlite3"), "not there yet"]
    assert "none is configured" in shown


def test_no_password_is_shown(pitstop: Pitstop, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITSTOP_PASSWORD", "hunter2")
    ran = pitstop("where")
    assert "hunter2" not in ran.out + ran.err


def test_every_setting_has_a_description_and_a_type() -> None:
    for struct in (Settings, Profile):
        assert all(field.description.endswith(".") and field.kind for field in setting_infos(struct))
    assert describe.__doc__


@pytest.mark.parametrize("command", ["", *cli.commands])
def test_every_command_has_help(pitstop: Pitstop, command: str) -> None:
    for flag in ("--help", "-h"):
        ran = pitstop(*command.split(), flag)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.startswith("Usage: pitstop")


def test_version_prints_the_version(pitstop: Pitstop) -> None:
    assert pitstop("--version").out == f"pitstop, version {__version__}\n"


def test_the_shell_completes_commands() -> None:
    environ = {
        **os.environ,
        "_PITSTOP_COMPLETE": "bash_complete",
        "COMP_WORDS": "pitstop st",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tui"], env=environ, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["plain,start", "plain,stop"]
