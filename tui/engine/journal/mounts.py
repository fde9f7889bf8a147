"""What kind of disk a folder is on: SQLite's WAL needs memory that all its users share, so one machine."""

import os
import re
from pathlib import Path, PurePosixPath

from tui.engine.errors import JournalNotLocal

MOUNTS = Path("/proc/self/mountinfo")
"""Where Linux lists what is mounted; other systems have no such file."""

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
    """Make sure that a folder, or where it is to be made, is on a disk of this machine, as far as it tells.

    Raises:
        JournalNotLocal: it is not.
    """
    # Looks at every folder on the way, so that what is mounted on demand is.
    place = PurePosixPath(os.path.realpath(folder))
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return
    kind = file_system(mounts, place)
    if kind.removeprefix("fuse.") in NETWORK:
        raise JournalNotLocal(
            f"{folder} is on a network file system ({kind}), where the journal is not safe; {ADVICE}"
        )


def file_system(mounts: str, folder: PurePosixPath) -> str:
    """The type of the file system that a folder is on; empty when that is not told.

    Args:
        mounts: What ``/proc/self/mountinfo`` says.
        folder: Absolute, without symbolic links.
    """
    deepest, kind = -1, ""
    for line in mounts.splitlines():
        mount, _, rest = line.partition(" - ")
        fields = mount.split(" ")
        if len(fields) < 5:
            continue
        point = PurePosixPath(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4]))
        # What is mounted later at the same place hides what was there.
        if folder.is_relative_to(point) and len(point.parts) >= deepest:
            deepest, kind = len(point.parts), rest.split(" ")[0]
    return kind
