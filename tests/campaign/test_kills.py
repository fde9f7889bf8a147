"""SIGKILL at system calls of one operation: a few of them; `make kills` has them all."""

from pathlib import Path

import pytest

from tests.campaign.kills import CALLS, counted, kill_at, points

TRACE = """\
71  fdatasync(9)                      = 0
71  fdatasync(9)                      = 0
70  sendto(6, "POST", 4, 0, NULL, 0)  = 4
71  sendto(7, "sendto(", 1, 0, NULL, 0) = 1
71  <... fdatasync resumed>)          = 0
71  sendto(7, "", 1, 0, NULL, 0)      = 1
71  +++ killed by SIGKILL +++
"""


def test_calls_are_counted_in_their_threads() -> None:
    assert counted(TRACE) == [("fdatasync", 1), ("fdatasync", 2), ("sendto", 1), ("sendto", 2)]


@pytest.mark.needs("strace")
def test_an_operation_makes_every_call_that_is_killed_at(tmp_path: Path) -> None:
    found = points(tmp_path)
    assert {call for call, _ in found} == set(CALLS)
    assert len(found) > 50


@pytest.mark.needs("strace")
@pytest.mark.parametrize("number", [6, 8])
def test_a_kill_between_what_is_synced_loses_nothing(number: int) -> None:
    _, result = kill_at(("fdatasync", number))
    assert result.struck == {"died": 1}
    assert result.violations == ()
