"""Which file system a folder is on, and where the journal is refused."""

import sqlite3
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from tui.engine.errors import JournalNotLocal
from tui.engine.journal import mounts
from tui.engine.journal.mounts import check_local, file_system
from tui.engine.journal.writer import JournalWriter

MOUNTS = r"""
25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
36 25 0:31 / /home rw,relatime shared:2 master:1 - autofs systemd-1 rw,fd=29
37 36 0:40 / /home/ann rw,relatime - nfs4 files:/home/ann rw,vers=4.2
38 37 8:2 / /home/ann/local rw - xfs /dev/sdb1 rw
39 25 0:41 / /mnt/two\040words\134\011x rw - cifs //files/share rw
40 25 0:42 / /mnt/far rw - fuse.sshfs far:/ rw
41 25 0:43 / /mnt/near rw - fuse.gocryptfs /crypt rw
42 25 0:44 / /over rw - nfs files:/ rw
43 25 8:3 / /over rw - ext4 /dev/sdc1 rw
44 25 0:45 / /under rw - ext4 /dev/sdd1 rw
45 25 0:46 / /under rw - smb3 //files/under rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/var/lib", "ext4"),
        ("/home/bob", "autofs"),
        ("/home/ann", "nfs4"),
        ("/home/ann/.local/state/pitstop", "nfs4"),
        ("/home/annabel", "autofs"),
        ("/home/ann/local/state", "xfs"),
        ("/mnt/two words\\\tx/state", "cifs"),
        ("/mnt/two", "ext4"),
        ("/mnt/far/away", "fuse.sshfs"),
        ("/over/it", "ext4"),
        ("/under/it", "smb3"),
    ],
)
def test_the_innermost_and_newest_mount_decides_the_type(folder: str, kind: str) -> None:
    assert file_system(MOUNTS, PurePosixPath(folder)) == kind


def test_an_invalid_list_of_mounts_gives_no_type() -> None:
    assert file_system("", PurePosixPath("/home")) == ""
    assert file_system("nonsense\n1 2 3 - x\n1 2 3 4 /home rw\n", PurePosixPath("/home")) == ""


@pytest.mark.parametrize(
    ("kind", "refused"),
    [
        *((kind, True) for kind in ("nfs", "nfs4", "cifs", "smb3", "fuse.sshfs")),
        *((kind, False) for kind in ("ext4", "tmpfs", "overlay", "fuseblk", "fuse.gocryptfs")),
    ],
)
def test_a_network_file_system_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, *, refused: bool
) -> None:
    (tmp_path / "mountinfo").write_text(f"9 1 0:9 / {tmp_path}/far rw - {kind} x rw\n", encoding="utf-8")
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far")
    monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "mountinfo")
    journal = JournalWriter(tmp_path / "link" / "state" / "journal.db")
    emitted: list[str] = []
    journal.database.on_problem = emitted.append
    if not refused:
        assert journal.unfinished_everywhere() == {}
        journal.close()
        return
    with pytest.raises(
        JournalNotLocal, match=rf"state is on a network file system \({kind}\).*XDG_STATE_HOME"
    ):
        journal.unfinished_everywhere()
    assert list((tmp_path / "far").iterdir()) == []
    assert len(emitted) == 1


def test_without_a_list_of_mounts_a_folder_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "missing")
    check_local(tmp_path)


def test_a_file_system_without_wal_support_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoSharedMemory(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            return super().execute(sql.replace("journal_mode = WAL", "journal_mode = DELETE"), *parameters)

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=NoSharedMemory))
    with pytest.raises(JournalNotLocal, match=r"can keep no write-ahead log \(it answers delete\)"):
        JournalWriter(tmp_path / "journal.db").unfinished_everywhere()
