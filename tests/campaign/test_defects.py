"""Each defect of an earlier version makes the campaign fail when put back; the same faults alone do not."""

from pathlib import Path

import pytest

from tests.campaign import processes
from tests.campaign.defects import DEFECTS
from tests.campaign.promises import Promise


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_that_is_put_back_is_detected(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, make_choose, breaks, _ = DEFECTS[name]
    if breaks is Promise.ENDS:
        monkeypatch.setattr(processes, "PATIENCE", 25.0)  # Give up sooner on what never ends.
    monkeypatch.setattr(processes, "MAX_RESUMES", 1)
    result = processes.carry_out(script, tmp_path, choose=make_choose(), defect=name)
    assert breaks in {violation.promise for violation in result.violations}


@pytest.mark.parametrize("name", DEFECTS)
def test_without_the_defect_the_same_faults_break_no_promise(name: str, tmp_path: Path) -> None:
    script, make_choose, _, _ = DEFECTS[name]
    assert processes.carry_out(script, tmp_path, choose=make_choose()).violations == ()
