"""A short campaign with nothing simulated: real processes, killed and frozen, through the proxy."""

from pathlib import Path

import pytest

from tests.campaign import hurried, processes
from tests.campaign.processes import said
from tests.campaign.proxy import FAULTS
from tests.campaign.script import RATES, SANDBOX_RATES, Command, Process, Script, draw
from tui.model.operation import State
from tui.sandbox.config import FAULTS as SANDBOX_FAULTS

KILLED = Script(
    seed=11,
    processes=(
        Process(command=Command.START, wave=6, killed_after=70),
        Process(command=Command.RESUME, begins=50, killed_after=60),
        Process(command=Command.STOP, begins=60),
    ),
    faults={"slow": 0.1, "job-fails": 0.3},
    weather={"reset": 0.1, "drop-after": 0.2, "answer-twice": 0.3},
)
FROZEN = Script(
    seed=12,
    processes=(
        Process(command=Command.START, frozen_after=40, frozen_for=100),
        Process(command=Command.SEND_REST, begins=30),
    ),
    faults={"settle": 0.5},
)


@pytest.mark.parametrize("script", [KILLED, FROZEN], ids=["killed", "frozen"])
def test_promises_hold(script: Script, tmp_path: Path) -> None:
    result = processes.carry_out(script, tmp_path)
    assert result.violations == ()
    assert result.processes > len(script.processes)


def test_a_seed_is_a_script() -> None:
    assert draw(11) == draw(11)
    assert draw(11) != draw(12)


def test_a_campaign_has_all_troubles() -> None:
    """Those that only the sandbox's own faults bring are left to the simulated runs, or to the proxy."""
    scripts = [draw(seed) for seed in range(1, 501)]
    assert {name for script in scripts for name in script.weather} == set(RATES) == set(FAULTS)
    assert {name for script in scripts for name in script.faults} == set(SANDBOX_RATES)
    assert set(SANDBOX_FAULTS) - set(SANDBOX_RATES) <= {"malformed", *FAULTS}
    everyone = [process for script in scripts for process in script.processes]
    assert {process.command for process in everyone} == set(Command)
    assert any(process.apart and process.killed_after for process in everyone)
    assert any(process.apart and process.since == "pause" for process in everyone)
    assert any(process.unheard for process in everyone)


def test_what_a_process_says_is_understood() -> None:
    line = '{"operation": "op-1", "window": "w", "servers": [{"id": "A", "state": "verified"}]}'
    assert said(f"{line}\n") == {"op-1": {"A": State.VERIFIED}}
    assert said("") == said('{"operation": null, "servers": []}') == said("no JSON") == {}


def test_hurried_time_runs_as_it_says() -> None:
    assert hurried.FACTOR > 1
    assert hurried.now() > hurried.ANCHOR
