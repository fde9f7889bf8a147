"""Finds out whether a folder is on a local disk: SQLite's WAL works only between processes of one machine."""

import os
import re
from pathlib import Path, PurePosixPath

from tui.engine.errors import JournalNotLocal

MOUNTS = Path("/proc/self/mountinfo")
"""The list of mounts on Linux; other systems have no such file."""

# fmt: off
NETWORK = frozenset({
    "afs", "beegfs", "ceph", "cifs", "coda", "curlftpfs", "davfs", "davfs2", "gcsfuse", "gfs2",
    "glusterfs", "gpfs", "juicefs", "lustre", "mfs", "moosefs", "ncpfs", "nfs", "nfs4",
    "ocfs2", "orangefs", "panfs", "rclone", "s3fs", "smb3", "smbfs", "smbnetfs", "sshfs",
})
# fmt: on
"""File systems that other machines can write to as well; those in user space come as ``fuse.NAME``."""

ADVICE = "set XDG_STATE_HOME or PITSTOP_HOME to a directory on a local disk"


def check_local(folder: Path) -> None:
    """Check that a folder, which need not exist, is not on a network file system.

    Passes where the system does not list its mounts.

    Raises:
        JournalNotLocal: it is.
    """
    # realpath visits every parent, so that file systems mounted on demand are mounted.
    resolved = PurePosixPath(os.path.realpath(folder))
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return
    kind = file_system(mounts, resolved)
    if kind.removeprefix("fuse.") in NETWORK:
        raise JournalNotLocal(
            f"{folder} is on a network file system ({kind}), where the journal is not safe; {ADVICE}"
        )


def file_system(mounts: str, folder: PurePosixPath) -> str:
    """Return the type of the file system that a folder is on; empty when it is not listed.

    Args:
        mounts: The content of ``/proc/self/mountinfo``. Source: proc_pid_mountinfo(5).
        folder: Absolute, without symbolic links.
    """
    deepest, kind = -1, ""
    for line in mounts.splitlines():
        mount, _, rest = line.partition(" - ")
        fields = mount.split(" ")
        if len(fields) < 5:
            continue
        point = PurePosixPath(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4]))
        # A later mount at the same point hides the earlier one.
        if folder.is_relative_to(point) and len(point.parts) >= deepest:
            deepest, kind = len(point.parts), rest.split(" ")[0]
    return kind
