"""The paths of files, and that nobody else can read the files."""

import os
import stat
from pathlib import Path

import pytest

from tui.settings.log import MAX_SIZE, start_log
from tui.settings.paths import UnsafePathError, find_paths, make_private_directory, open_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_pitstop_home_contains_all_files(tmp_path: Path) -> None:
    paths = find_paths({"PITSTOP_HOME": str(tmp_path), "XDG_STATE_HOME": "/elsewhere"})
    assert paths.config == tmp_path / "config.toml"
    assert {paths.journal.parent, paths.log.parent, paths.saved.parent} == {tmp_path}


def test_the_home_of_an_unknown_user_is_refused() -> None:
    with pytest.raises(UnsafePathError, match="there is no such user"):
        find_paths({"PITSTOP_HOME": "~nobody-of-that-name/pitstop"})


def test_xdg_directories_are_used_if_they_are_absolute(tmp_path: Path) -> None:
    paths = find_paths({"XDG_CONFIG_HOME": str(tmp_path / "c"), "XDG_STATE_HOME": str(tmp_path / "s")})
    assert paths.config == tmp_path / "c" / "pitstop" / "config.toml"
    assert paths.state == tmp_path / "s" / "pitstop"
    assert find_paths({"XDG_STATE_HOME": "relative"}).state.is_absolute()


def test_new_files_and_directories_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_private_directory(tmp_path / "new")
        with open(tmp_path / "new" / "file", "w", opener=open_private) as file:
            file.write("text")
    finally:
        os.umask(before)
    assert mode(tmp_path / "new") == 0o700
    assert mode(tmp_path / "new" / "file") == 0o600


def test_files_and_directories_that_others_could_read_are_made_private(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "open" / "file").touch(0o644)
    make_private_directory(tmp_path / "open")
    os.close(open_private(tmp_path / "open" / "file", os.O_RDONLY))
    assert mode(tmp_path / "open") == 0o700
    assert mode(tmp_path / "open" / "file") == 0o600


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(UnsafePathError, match="symbolic link"):
        open_private(tmp_path / "link", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    assert (tmp_path / "target").read_text() == "precious"


def test_a_named_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnsafePathError, match="not a file of your own"):
        open_private(tmp_path / "pipe", os.O_RDWR)


def test_a_large_log_is_renamed_at_the_start(tmp_path: Path) -> None:
    import logging

    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    log = tmp_path / "state" / "pitstop.log"
    make_private_directory(log.parent)
    log.write_bytes(b"x" * (MAX_SIZE + 1))
    try:
        start_log(log)
        logging.getLogger("tui.engine").error("broke", exc_info=ValueError("the reason"))
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    assert log.with_name("pitstop.log.1").stat().st_size == MAX_SIZE + 1
    assert "the reason" in log.read_text()
    assert mode(log) == 0o600
