"""Everything that is written is for its owner only; what others put in the way is not believed."""

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
from tests.security.endpoint import Endpoint, served, server_id_of
from tests.security.program import Home, with_umask
from tui.cli import main
from tui.settings.paths import UnsafePathError, check_trusted, make_private_directory, open_private

SERVER = server_id_of("clear")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with served() as running:
        yield running


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_with_the_widest_umask_all_of_it_is_private(tmp_path: Path, endpoint: Endpoint) -> None:
    home = Home(tmp_path)
    ran = with_umask(0, lambda: home.run("start", SERVER, "--yes", url=endpoint.url))
    assert ran.code == 0, ran.text
    made = [path for path in tmp_path.rglob("*") if path != home.temporary]
    assert home.journal in made
    assert {oct(mode(path)) for path in made if path.is_dir()} == {"0o700"}
    assert {oct(mode(path)) for path in made if path.is_file()} == {"0o600"}


def test_what_was_open_to_others_is_closed(tmp_path: Path, endpoint: Endpoint) -> None:
    home = Home(tmp_path)
    assert home.run("start", SERVER, "--yes", url=endpoint.url).code == 0
    home.state.chmod(0o755)
    home.journal.chmod(0o644)
    endpoint.forget()
    assert home.run("servers", url=endpoint.url).code == 0
    assert home.run("start", SERVER, "--yes", url=endpoint.url).code == 0
    assert {mode(home.state), mode(home.journal)} == {0o700, 0o600}


@pytest.mark.parametrize("name", ["journal.sqlite3", "saved.json", "pitstop.log"])
def test_a_link_in_the_way_is_not_followed(tmp_path: Path, endpoint: Endpoint, name: str) -> None:
    home = Home(tmp_path)
    home.state.mkdir(parents=True, mode=0o700)
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (home.state / name).symlink_to(precious)
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
    assert precious.read_text() == "precious"
    assert (home.state / name).is_symlink()
    if name == "pitstop.log":
        assert b"needs a yes" in done.stderr, "what had something to log went on"
    else:
        done = subprocess.run(
            [sys.executable, "-m", "tui", "start", SERVER, "--yes"],
            env=home.environment(endpoint.url),
            capture_output=True,
            timeout=PATIENCE,
        )
        assert b"link" in done.stderr
        assert precious.read_text() == "precious"
        assert not any("POST /v2/operations" in request for request in endpoint.requests)


@pytest.mark.parametrize(
    ("what", "bits"), [("file", 0o602), ("file", 0o666), ("folder", 0o703), ("folder", 0o777)]
)
def test_a_configuration_that_others_can_write_is_not_believed(tmp_path: Path, what: str, bits: int) -> None:
    home = Home(tmp_path)
    ran_by = tmp_path / "ran"
    config = home.configure(
        f"[profiles.prod]\nurl = 'https://api.invalid'\nuser = 'x'\npassword_command = 'touch {ran_by}'\n"
    )
    (config if what == "file" else config.parent).chmod(bits)
    ran = home.run("servers")
    assert ran.code == 2
    assert re.search(rb"others can write to .*; run chmod go-w on it", ran.err)
    assert not ran_by.exists()
    (config if what == "file" else config.parent).chmod(bits & 0o700)
    home.run("servers")
    assert ran_by.exists(), "it was the permissions alone"


def test_a_configuration_may_be_linked_to_and_writable_for_ones_own_group(tmp_path: Path) -> None:
    file = tmp_path / "dotfiles" / "config.toml"
    file.parent.mkdir(mode=0o775)
    file.touch(0o664)
    (tmp_path / "link").symlink_to(file)
    check_trusted(tmp_path / "link")


@pytest.mark.parametrize("what", ["folder", "file", "configuration"])
def test_what_belongs_to_somebody_else_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The test is somebody else meanwhile: to be root, and give something away, is not for every machine."""
    (tmp_path / "folder").mkdir()
    file = tmp_path / "file"
    file.touch()
    real = os.stat(file)
    monkeypatch.setattr(os, "geteuid", lambda: real.st_uid + 1)
    if what == "configuration":  # the system's own user is trusted with that
        stranger = os.stat_result((real.st_mode, 0, 0, 1, real.st_uid + 7, *real[5:10]))
        monkeypatch.setattr(Path, "stat", lambda *_, **__: stranger)
    use: Callable[[], object] = {
        "folder": lambda: make_private_directory(tmp_path / "folder"),
        "file": lambda: open_private(file, os.O_RDONLY),
        "configuration": lambda: check_trusted(file),
    }[what]
    with pytest.raises(UnsafePathError, match=r"another user|not a file of your own"):
        use()


def test_no_name_is_predictable_and_nothing_stays(tmp_path: Path) -> None:
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


def test_nobody_can_connect_to_the_program(tmp_path: Path, endpoint: Endpoint) -> None:
    home = Home(tmp_path)
    with home.terminal(url=endpoint.url) as terminal:
        terminal.wait_for(SERVER)
        process = Path(f"/proc/{terminal.process.pid}")
        links = [os.readlink(link) for link in (process / "fd").iterdir() if link.is_symlink()]
        mine = {link[8:-1] for link in links if link.startswith("socket:[")}
        assert mine, "the connection to the endpoint, and what wakes the event loops"
        listening = set()
        for table in ("tcp", "tcp6"):
            rows = [line.split() for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
            listening |= {row[9] for row in rows if row[3] == "0A"}
        bound = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
        listening |= {row[6] for row in bound if len(row) > 7}
        assert mine & listening == set()


def test_what_a_killed_program_left_goes_with_the_next(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with (
        home.terminal("demo", "--servers", "20") as killed,
        home.terminal("demo", "--servers", "20") as lives,
    ):
        killed.wait_for("WA1ACME")
        lives.wait_for("WA1ACME")
        killed.process.kill()
        killed.wait_exit()
        mine = home.temporary / "pitstop-archives"
        mine.mkdir()
        (mine / "ticket.txt").touch()
        left = set(home.temporary.iterdir())
        for path in left:
            os.utime(path, (0, 0))
        assert home.run("servers", "--sandbox", "--servers", "20").code == 0
        assert len(left - set(home.temporary.iterdir())) == 1, "of the dead one, not of the living"
        lives.press("q")
        assert lives.wait_exit() == 0
    assert list(home.temporary.rglob("*")) == [mine, mine / "ticket.txt"], "what others made stays"


@pytest.mark.parametrize("arguments", [["servers", "--sandbox"], ["demo"]])
def test_without_a_temporary_folder_the_sandbox_says_so(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in []")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    monkeypatch.setenv("PITSTOP_HOME", str(tmp_path))
    assert main(arguments) == 2
    assert "the sandbox needs a temporary folder" in capsys.readouterr().err


def test_a_home_in_a_place_where_others_write_is_not_used(tmp_path: Path) -> None:
    home = Home(tmp_path)
    place = tmp_path / "shared" / "deep"
    place.mkdir(parents=True)
    place.parent.chmod(0o777)
    ran = home.run("where", PITSTOP_HOME=str(place / "home"))
    assert ran.code == 2
    assert b"others can write to " + bytes(place.parent) in ran.err
    place.parent.chmod(0o1777)
    assert home.run("where", PITSTOP_HOME=str(place / "home")).code == 0


def test_no_core_is_left_from_the_first_import_on() -> None:
    code = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
class Look:
    def find_spec(name, *_):
        if name in ("tui.cli", "click"):
            print(name, resource.getrlimit(resource.RLIMIT_CORE)[0])
sys.meta_path.insert(0, Look)
import tui.__main__
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["tui.cli 0", "click 0"]
