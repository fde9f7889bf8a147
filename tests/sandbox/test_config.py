"""Which options of the sandbox are accepted, and how invalid ones are explained."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from tui.cli import cli
from tui.sandbox.config import FAULTS, SandboxConfig, parse_fault, parse_job_seconds


def test_a_fault_is_a_name_and_a_rate() -> None:
    assert parse_fault("drop-after=0.25") == ("drop-after", 0.25)
    assert parse_fault(" Slow =1") == ("slow", 1.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("slow", "there is no rate"),
        ("slow=", "not a number"),
        ("slow=often", "'often' is not a number"),
        ("slow=1.5", "from 0 to 1"),
        ("slow=-0.1", "from 0 to 1"),
        ("slow=nan", "from 0 to 1"),
        ("quick=1", "known faults: slow, status-500"),
        ("=1", "known faults"),
    ],
)
def test_an_invalid_fault_is_explained(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_fault(text)


def test_job_seconds_are_a_range_or_one_number() -> None:
    assert parse_job_seconds("30-90") == (30.0, 90.0)
    assert parse_job_seconds("0.5-1.5") == (0.5, 1.5)
    assert parse_job_seconds("2") == (2.0, 2.0)


@pytest.mark.parametrize("text", ["", "a-b", "90-30", "-5", "5-", "1-inf", "nan", "1-2-3"])
def test_invalid_job_seconds_are_explained(text: str) -> None:
    with pytest.raises(ValueError, match="LOW-HIGH"):
        parse_job_seconds(text)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"servers": -1}, "number of servers"),
        ({"servers": 10_000_000}, "250,000"),
        ({"time_scale": -1.0}, "time scale"),
        ({"time_scale": float("nan")}, "time scale"),
        ({"token_seconds": 0.0}, "token"),
        ({"job_seconds": (3.0, 1.0)}, "job seconds"),
        ({"faults": {"nonsense": 0.5}}, "known faults"),
        ({"faults": {"slow": 2}}, "from 0 to 1"),
    ],
)
def test_an_invalid_configuration_is_refused(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SandboxConfig(**setting)


def test_the_faults_are_those_of_the_documentation() -> None:
    assert set(FAULTS) == {
        "slow",
        "status-500",
        "group-500",
        "rate-limit",
        "expire-token",
        "drop-before",
        "drop-after",
        "job-fails",
        "job-unknown",
        "settle",
        "malformed",
        "answer-twice",
    }


def test_the_switches_of_the_command_reach_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[SandboxConfig] = []

    def serve(config: SandboxConfig, host: str, port: int, allow_remote: bool) -> int:
        served.append(config)
        return 0

    monkeypatch.setattr("tui.sandbox.serve.serve", serve)
    for flags in ([], ["--strict-case"], ["--refusals-as-400", "--servers", "40"]):
        assert CliRunner().invoke(cli, ["sandbox", *flags], standalone_mode=False).exception is None
    assert served == [
        SandboxConfig(),
        SandboxConfig(strict_case=True),
        SandboxConfig(refusals_as_400=True, servers=40),
    ]
