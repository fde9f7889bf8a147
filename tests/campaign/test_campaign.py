"""A short simulated campaign, and engines with a defect: the campaign must detect each."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import pytest

from tests.campaign import run
from tests.campaign.run import Result, carry_out
from tests.campaign.scenario import CALM, HIGHEST_RATES, Kill, Moment, Outage, Scenario, draw
from tui.engine.journal.writer import JournalWriter
from tui.engine.options import Options
from tui.engine.polling.verifier import Verifier
from tui.model.operation import Action
from tui.sandbox.config import FAULTS


def variant(**changes: Any) -> Scenario:
    return msgspec.structs.replace(CALM, **changes)


def at(moment: Moment, number: int, downtime: float = 10.0) -> tuple[Kill, ...]:
    return (Kill(moment, number, downtime),)


def test_the_campaign_knows_every_fault_of_the_sandbox() -> None:
    assert set(HIGHEST_RATES) == set(FAULTS)


def test_a_seed_always_draws_the_same_scenario() -> None:
    assert draw(11) == draw(11)
    assert draw(11) != draw(12)


@pytest.mark.parametrize("seed", range(1_000, 1_008))
def test_promises_hold_in_random_scenarios(seed: int, tmp_path: Path) -> None:
    scenario = msgspec.structs.replace(draw(seed), servers=80)
    assert carry_out(scenario, tmp_path).violations == ()


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("number", [1, 3])
def test_promises_hold_after_a_kill_at_each_moment(moment: Moment, number: int, tmp_path: Path) -> None:
    result = carry_out(variant(kills=at(moment, number * (100 if moment is Moment.STEP else 1))), tmp_path)
    assert result.struck == {"kill": 1}
    assert result.violations == ()
    assert result.states.keys() <= {"verified", "unsure", "refused"}


def test_a_clock_set_forward_does_not_shorten_the_reading_of_unsure_servers(tmp_path: Path) -> None:
    """The next process starts with a clock an hour fast, while the job of the lost answer still runs."""
    kill = at(Moment.IN_POST, 1, downtime=0.5)
    # One large batch in a data center: its job takes longer than the least time for which servers are read.
    result = carry_out(variant(servers=200, batch_size=100, kills=kill, clock_jump=3_600.0), tmp_path)
    assert result.violations == ()
    assert result.states.keys() == {"verified", "unsure"}, "some POSTs had not left yet"


def test_a_job_of_unknown_outcome_is_not_recorded_as_a_duration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise servers of the next such job are called untouched before it can have ended."""
    # By default servers are read for longer than any of these jobs takes, whatever the durations are.
    monkeypatch.setattr(run, "Options", partial(Options, unsure_least=60.0))
    scenario = variant(batch_size=7, actions=(Action.POWER_OFF,), wave_size=24, faults={"job-unknown": 0.5})
    result = carry_out(scenario, tmp_path)
    assert result.violations == ()
    assert result.struck["job-unknown"] > 1


def test_a_calm_run_verifies_every_server(tmp_path: Path) -> None:
    result = carry_out(CALM, tmp_path)
    assert result.violations == ()
    assert result.states.keys() == {"verified"}
    assert result.posts > 5


def test_runs_of_the_same_seed_are_equal(tmp_path: Path) -> None:
    scenario = msgspec.structs.replace(draw(12), servers=40)
    assert carry_out(scenario, tmp_path / "first") == carry_out(scenario, tmp_path / "second")


def test_a_full_disk_holds_back_unsent_servers_and_nothing_else(tmp_path: Path) -> None:
    full = (Outage(2.0, 40.0),)
    result = carry_out(variant(batch_size=1, wave_size=10, disk_full=full), tmp_path)
    assert result.violations == ()
    assert result.struck == {"disk full": 1}
    assert result.states.keys() == {"verified"}, "the resume sent what the full disk held back"


UNREADABLE_STATUS = variant(servers=20, batch_size=100, faults={"status-500": 1.0})


def test_operations_end_although_no_job_status_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PATIENCE", 6 * 3_600.0)
    result = carry_out(UNREADABLE_STATUS, tmp_path)
    assert result.violations == ()
    assert result.states.keys() == {"verified"}


def test_operations_end_although_the_endpoint_requests_a_week_of_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PATIENCE", 6 * 3_600.0)
    result = carry_out(variant(week_pauses=0.05), tmp_path)
    assert result.struck["pause of a week"] > 0
    assert result.violations == ()


def test_a_refusal_of_a_request_that_was_carried_out_is_not_believed(tmp_path: Path) -> None:
    result = carry_out(variant(refused_after=1.0), tmp_path)
    assert result.struck["refused after"] == result.posts
    assert result.violations == ()
    assert result.states.keys() == {"verified"}


def test_no_server_is_called_untouched_while_its_job_may_still_run(tmp_path: Path) -> None:
    """The answers are lost, and the jobs take longer than any in the history."""
    scenario = variant(faults={"drop-after": 1.0}, job_seconds=(600.0, 600.0))
    assert carry_out(scenario, tmp_path).violations == ()


# Engines with a defect


class Repeating(httpx.AsyncBaseTransport):
    """Repeats every request that failed, as many clients do."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._inner.handle_async_request(request)
        except httpx.TransportError:
            return await self._inner.handle_async_request(request)


def without_intents(journal: JournalWriter) -> JournalWriter:
    """A journal whose intents never reach the disk."""

    class WithoutIntents:
        def __getattr__(self, name: str) -> Any:
            return (lambda *_: None) if name == "record_intent" else getattr(journal, name)

    return cast(JournalWriter, WithoutIntents())


def broken(result: Result, message: str) -> bool:
    return any(message in violation.what for violation in result.violations)


def test_a_client_that_repeats_posts_blindly_is_detected(tmp_path: Path) -> None:
    scenario = variant(faults={"drop-after": 0.5})
    assert carry_out(scenario, tmp_path / "right").violations == ()
    assert broken(carry_out(scenario, tmp_path / "wrong", wrap=Repeating), "was POSTed 2 times")


def test_an_engine_that_writes_no_intents_is_detected(tmp_path: Path) -> None:
    scenario = variant(kills=at(Moment.IN_POST, 1))
    assert carry_out(scenario, tmp_path / "right").violations == ()
    assert broken(carry_out(scenario, tmp_path / "wrong", wrap_journal=without_intents), "was POSTed 2 times")


def test_an_engine_that_believes_the_job_is_detected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing_changed(_: Verifier, __: Action, ids: "Callable[..., object]", **___: object) -> object:
        return dict.fromkeys(cast(Any, ids), True)

    scenario = variant(faults={"job-fails": 1.0})
    assert carry_out(scenario, tmp_path / "right").violations == ()
    monkeypatch.setattr(Verifier, "settle", nothing_changed)
    assert broken(carry_out(scenario, tmp_path / "wrong"), "is failed, and its maintenance is True")


def test_a_verifier_that_settles_servers_unread_is_detected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_read(self: Verifier, action: Action, ids: Any, **_: object) -> Any:
        async def settle() -> dict[str, bool]:
            return {}

        return settle()

    monkeypatch.setattr(Verifier, "settle", only_read)
    result = carry_out(variant(faults={"job-fails": 1.0}), tmp_path)
    assert broken(result, "is still looking")
