"""Each defect of an earlier version makes the campaign fail when put back; the same faults alone do not."""

from pathlib import Path

import pytest

from tests.campaign import processes, run
from tests.campaign.defects import DEFECTS, broken_promises
from tests.campaign.promises import Promise


@pytest.fixture(autouse=True)
def _less_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give simulated processes two hours, which is enough for all that end."""
    monkeypatch.setattr(run, "PATIENCE", 7_200.0)


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_that_is_put_back_is_detected(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks = DEFECTS[name].breaks
    if breaks is Promise.ENDS:
        # Give up sooner on what never ends.
        monkeypatch.setattr(processes, "PATIENCE", 25.0)
        monkeypatch.setattr(processes, "STALLED_FOR", 500.0)
    monkeypatch.setattr(processes, "MAX_RESUMES", 1)
    assert breaks in broken_promises(name, tmp_path)


@pytest.mark.parametrize("name", DEFECTS)
def test_without_the_defect_the_same_faults_break_no_promise(name: str, tmp_path: Path) -> None:
    assert broken_promises(name, tmp_path, as_it_is=True) == set()
