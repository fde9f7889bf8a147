"""Whether the owner of an operation is alive."""

import os
import subprocess
import sys

import msgspec

from tui.engine.journal.owner import SILENT_FOR, Owner, _started, is_alive


def test_this_process_is_alive_and_always_the_same_owner() -> None:
    me = Owner.current()
    assert me == Owner.current()
    assert me.pid == os.getpid()
    assert is_alive(me, heartbeat_age=1e9), "on this host the system knows, not the heartbeat"


def test_a_process_that_ended_is_dead() -> None:
    code = (
        "import msgspec; from tui.engine.journal.owner import Owner;"
        "print(msgspec.json.encode(Owner.current()).decode())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    other = msgspec.json.decode(done.stdout, type=Owner)
    assert other.host == Owner.current().host
    assert other.pid != os.getpid()
    assert not is_alive(other, heartbeat_age=0.0)


def test_a_reused_process_id_is_another_owner() -> None:
    reused = msgspec.structs.replace(Owner.current(), started="long ago")
    assert not is_alive(reused, heartbeat_age=0.0)
    assert not is_alive(msgspec.structs.replace(reused, started=""), heartbeat_age=0.0)


def test_a_zombie_process_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert child.stdout is not None
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert _started(child.pid) == ""
    child.wait()
    child.stdout.close()


def test_an_owner_on_another_host_is_judged_by_its_heartbeat() -> None:
    other = Owner("another host", 1, "whenever")
    assert is_alive(other, SILENT_FOR - 1)
    assert not is_alive(other, SILENT_FOR + 1)
