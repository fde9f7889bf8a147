"""SIGKILL at a few system calls of one operation; `make kills` kills at all of them."""

from pathlib import Path

import pytest

from tests.campaign.kills import CALLS, kill_at, points, points_of

TRACE = """\
71  fdatasync(9)                      = 0
71  fdatasync(9)                      = 0
70  sendto(6, "POST", 4, 0, NULL, 0)  = 4
71  sendto(7, "sendto(", 1, 0, NULL, 0) = 1
71  <... fdatasync resumed>)          = 0
71  sendto(7, "", 1, 0, NULL, 0)      = 1
71  +++ killed by SIGKILL +++
"""


def test_calls_are_counted_per_thread() -> None:
    assert points_of(TRACE) == [("fdatasync", 1), ("fdatasync", 2), ("sendto", 1), ("sendto", 2)]


@pytest.mark.needs("strace")
def test_a_trace_has_every_kind_of_call_to_kill_at(tmp_path: Path) -> None:
    found = points(tmp_path)
    assert {call for call, _ in found} == set(CALLS)
    assert len(found) > 50


@pytest.mark.needs("strace")
@pytest.mark.parametrize("number", [6, 8])
def test_a_kill_between_two_syncs_breaks_no_promise(number: int) -> None:
    _, result = kill_at(("fdatasync", number))
    assert result.struck == {"killed": 1}
    assert result.violations == ()
