"""Each defect of an earlier version, put back, makes the campaign fail; the same trouble alone does not."""

from pathlib import Path

import pytest

from tests.campaign import processes
from tests.campaign.defects import DEFECTS


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_put_back_is_seen(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What never ends is given up sooner.
    monkeypatch.setattr(processes, "PATIENCE", 25.0)
    monkeypatch.setattr(processes, "MAX_RESUMES", 1)
    script, trouble, breaks, _ = DEFECTS[name]
    result = processes.carry_out(script, tmp_path, choose=trouble(), defect=name)
    assert breaks in {violation.promise for violation in result.violations}


@pytest.mark.parametrize("name", DEFECTS)
def test_what_shows_a_defect_does_no_harm_without_it(name: str, tmp_path: Path) -> None:
    script, trouble, _, _ = DEFECTS[name]
    assert processes.carry_out(script, tmp_path, choose=trouble()).violations == ()
