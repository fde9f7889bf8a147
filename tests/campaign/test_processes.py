"""A short campaign with real processes, killed and frozen, through the proxy."""

from pathlib import Path

import pytest

from tests.campaign import processes
from tests.campaign.processes import printed_states
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
    link_faults={"reset": 0.1, "drop-after": 0.2, "answer-twice": 0.3},
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
def test_promises_hold_when_processes_are_killed_or_frozen(script: Script, tmp_path: Path) -> None:
    result = processes.carry_out(script, tmp_path)
    assert result.violations == ()
    assert result.processes > len(script.processes)


def test_a_seed_always_draws_the_same_script() -> None:
    assert draw(11) == draw(11)
    assert draw(11) != draw(12)


def test_the_scripts_of_a_campaign_have_every_fault_and_signal() -> None:
    """The other faults of the sandbox are in the simulated runs, or made by the proxy."""
    scripts = [draw(seed) for seed in range(1, 501)]
    assert {name for script in scripts for name in script.link_faults} == set(RATES) == set(FAULTS)
    assert {name for script in scripts for name in script.faults} == set(SANDBOX_RATES)
    assert set(SANDBOX_FAULTS) - set(SANDBOX_RATES) <= {"malformed", *FAULTS}
    all_processes = [process for script in scripts for process in script.processes]
    assert {process.command for process in all_processes} == set(Command)
    assert any(process.isolated and process.killed_after for process in all_processes)
    assert any(process.isolated and process.after_fault == "pause" for process in all_processes)
    assert any(process.reader_stalls for process in all_processes)


def test_the_json_that_a_process_prints_is_parsed() -> None:
    line = '{"operation": "op-1", "window": "w", "servers": [{"id": "A", "state": "verified"}]}'
    assert printed_states(f"{line}\n") == {"op-1": {"A": State.VERIFIED}}
    assert (
        printed_states("")
        == printed_states('{"operation": null, "servers": []}')
        == printed_states("no JSON")
        == {}
    )
