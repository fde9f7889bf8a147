"""Everything that is written is private; files that others can write, own or replace are not used."""

from __future__ import annotations

import errno
import os
import re
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.security.endpoint import Endpoint, serve_endpoint, server_id_of
from tests.security.program import Home, with_umask
from tui.cli import main
from tui.settings.paths import UnsafePathError, check_trusted, make_private_directory, open_private

SERVER = server_id_of("clear")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serve_endpoint() as running:
        yield running


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_files_and_directories_are_private_even_with_umask_zero(tmp_path: Path, endpoint: Endpoint) -> None:
    home = Home(tmp_path)
    ran = with_umask(0, lambda: home.run("start", SERVER, "--yes", url=endpoint.url))
    assert ran.code == 0, ran.text
    made = [path for path in tmp_path.rglob("*") if path != home.temporary]
    assert home.journal in made
    assert {oct(mode(path)) for path in made if path.is_dir()} == {"0o700"}
    assert {oct(mode(path)) for path in made if path.is_file()} == {"0o600"}


def test_permissions_that_are_too_wide_are_narrowed(tmp_path: Path, endpoint: Endpoint) -> None:
    home = Home(tmp_path)
    assert home.run("start", SERVER, "--yes", url=endpoint.url).code == 0
    home.state.chmod(0o755)
    home.journal.chmod(0o644)
    endpoint.reset()
    assert home.run("servers", url=endpoint.url).code == 0
    assert home.run("start", SERVER, "--yes", url=endpoint.url).code == 0
    assert {mode(home.state), mode(home.journal)} == {0o700, 0o600}


@pytest.mark.parametrize("name", ["journal.sqlite3", "saved.json", "pitstop.log"])
def test_a_symlink_in_place_of_a_file_is_not_followed(tmp_path: Path, endpoint: Endpoint, name: str) -> None:
    home = Home(tmp_path)
    home.state.mkdir(parents=True, mode=0o700)
    target = tmp_path / "target"
    target.write_text("target")
    (home.state / name).symlink_to(target)
    script = (
        "import logging, sys; from tui.cli import main; from tui.headless import choice;"
        "choice.can_ask = lambda: logging.getLogger('tui').error('something');"
        "sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "start", SERVER],
        env=home.environment(endpoint.url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
    )
    assert done.returncode in (1, 2)
    assert target.read_text() == "target"
    assert (home.state / name).is_symlink()
    if name == "pitstop.log":
        assert b"needs a yes" in done.stderr, "the command continues without its log"
    else:
        assert b"link" in home.run("start", SERVER, "--yes", url=endpoint.url).err
        assert target.read_text() == "target"
        assert not any("POST /v2/operations" in request for request in endpoint.requests)


@pytest.mark.parametrize(
    ("what", "bits"), [("file", 0o602), ("file", 0o666), ("folder", 0o703), ("folder", 0o777)]
)
def test_a_configuration_that_others_can_write_is_not_read(tmp_path: Path, what: str, bits: int) -> None:
    home = Home(tmp_path)
    proof = tmp_path / "ran"
    config = home.configure(
        f"[profiles.prod]\nurl = 'https://api.invalid'\nuser = 'x'\npassword_command = 'touch {proof}'\n"
    )
    (config if what == "file" else config.parent).chmod(bits)
    ran = home.run("servers")
    assert ran.code == 2
    assert re.search(rb"others can write to .*; run chmod go-w on it", ran.err)
    assert not proof.exists()
    (config if what == "file" else config.parent).chmod(bits & 0o700)
    home.run("servers")
    assert proof.exists(), "with private permissions the same file is read"


def test_a_configuration_may_be_a_symlink_and_group_writable(tmp_path: Path) -> None:
    file = tmp_path / "dotfiles" / "config.toml"
    file.parent.mkdir(mode=0o775)
    file.touch(0o664)
    (tmp_path / "link").symlink_to(file)
    check_trusted(tmp_path / "link")


@pytest.mark.parametrize("what", ["folder", "file", "configuration"])
def test_files_of_another_user_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The effective user id is patched, because a real change of owner needs root."""
    (tmp_path / "folder").mkdir()
    file = tmp_path / "file"
    file.touch()
    real = os.stat(file)
    monkeypatch.setattr(os, "geteuid", lambda: real.st_uid + 1)
    if what == "configuration":  # root's configuration is trusted, another user's is not
        stranger = os.stat_result((real.st_mode, 0, 0, 1, real.st_uid + 7, *real[5:10]))
        monkeypatch.setattr(Path, "stat", lambda *_, **__: stranger)
    use: Callable[[], object] = {
        "folder": lambda: make_private_directory(tmp_path / "folder"),
        "file": lambda: open_private(file, os.O_RDONLY),
        "configuration": lambda: check_trusted(file),
    }[what]
    with pytest.raises(UnsafePathError, match=r"another user|not a file of your own"):
        use()


def test_temporary_folders_have_random_names_and_are_removed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    names = set()
    for _ in range(2):
        with home.terminal("demo", "--servers", "20") as terminal:
            terminal.wait_for("WA1ACME")
            (folder,) = home.temporary.iterdir()
            assert re.fullmatch(r"pitstop-\w{8,}", folder.name)
            assert mode(folder) == 0o700
            names.add(folder.name)
            terminal.press("q")
            assert terminal.wait_exit() == 0
        assert list(home.temporary.iterdir()) == []
    assert len(names) == 2


def test_the_program_has_no_listening_socket(tmp_path: Path, endpoint: Endpoint) -> None:
    home = Home(tmp_path)
    with home.terminal(url=endpoint.url) as terminal:
        terminal.wait_for(SERVER)
        process = Path(f"/proc/{terminal.process.pid}")
        links = [os.readlink(link) for link in (process / "fd").iterdir() if link.is_symlink()]
        mine = {link[8:-1] for link in links if link.startswith("socket:[")}
        assert mine, "it has the connection to the endpoint, and those that wake the event loops"
        listening = set()
        for table in ("tcp", "tcp6"):
            rows = [line.split() for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
            listening |= {row[9] for row in rows if row[3] == "0A"}
        bound = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
        listening |= {row[6] for row in bound if len(row) > 7}
        assert mine & listening == set()


def test_the_next_start_removes_the_temporary_folder_of_a_killed_program(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with (
        home.terminal("demo", "--servers", "20") as killed,
        home.terminal("demo", "--servers", "20") as running_one,
    ):
        killed.wait_for("WA1ACME")
        running_one.wait_for("WA1ACME")
        killed.process.kill()
        killed.wait_exit()
        mine = home.temporary / "pitstop-archives"
        mine.mkdir()
        (mine / "ticket.txt").touch()
        folders = set(home.temporary.iterdir())
        for path in folders:
            os.utime(path, (0, 0))
        assert home.run("servers", "--sandbox", "--servers", "20").code == 0
        assert len(folders - set(home.temporary.iterdir())) == 1, "that of the killed program only"
        running_one.press("q")
        assert running_one.wait_exit() == 0
    assert list(home.temporary.rglob("*")) == [mine, mine / "ticket.txt"], "foreign folders stay"


@pytest.mark.parametrize("arguments", [["servers", "--sandbox"], ["demo"]])
def test_a_missing_temporary_folder_is_reported_by_the_sandbox(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in []")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    monkeypatch.setenv("PITSTOP_HOME", str(tmp_path))
    assert main(arguments) == 2
    assert "the sandbox needs a temporary folder" in capsys.readouterr().err


def test_a_home_below_a_directory_that_others_can_write_is_not_used(tmp_path: Path) -> None:
    home = Home(tmp_path)
    place = tmp_path / "shared" / "deep"
    place.mkdir(parents=True)
    place.parent.chmod(0o777)
    ran = home.run("where", PITSTOP_HOME=str(place / "home"))
    assert ran.code == 2
    assert b"others can write to " + bytes(place.parent) in ran.err
    place.parent.chmod(0o1777)
    assert home.run("where", PITSTOP_HOME=str(place / "home")).code == 0


def test_core_files_are_disabled_before_the_first_import() -> None:
    code = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
class PrintLimit:
    def find_spec(name, *_):
        if name in ("tui.cli", "click"):
            print(name, resource.getrlimit(resource.RLIMIT_CORE)[0])
sys.meta_path.insert(0, PrintLimit)
import tui.__main__
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["tui.cli 0", "click 0"]
