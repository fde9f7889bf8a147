"""The judgement of a run: each promise is broken in a minimal record, and kept in others."""

from typing import Any

import msgspec
import pytest

from tests.campaign.promises import POSTS, History, Promise, Records, Report, Transition, attributed, judge
from tests.campaign.proxy import Exchange
from tui.model.operation import Action, State

START = Action.START_MAINTENANCE
PATH = "/v2/operations/ACME/servers/startMaintenance"
SINCE = 1_000.0
"""When the sandbox was started; all other times count from then."""


def at(seconds: float, state: State, message: str = "") -> Transition:
    return Transition(SINCE + seconds, "A", state, message)


QUEUED = [at(10, State.SUBMITTING), at(11, State.QUEUED)]
VERIFIED = [*QUEUED, at(40, State.SUCCEEDED), at(41, State.VERIFIED)]


def history(*transitions: Transition, id_: str = "op", ended: float | None = 50.0) -> History:
    final = {"A": transitions[-1].state if transitions else State.PLANNED}
    return History(id_, START, SINCE + 5, None if ended is None else SINCE + ended, final, transitions)


def post(seconds: float, *, carried_out: bool = True) -> Exchange:
    return Exchange(SINCE + seconds, "POST", PATH, ("A",), carried_out=carried_out)


def job(created: float = 10.5, ends: float = 40.0, *, changed: bool = True) -> dict[str, Any]:
    changes = {"A": ends} if changed else {}
    return {"operation": START.value, "servers": ["A"], "changed": changes, "created": created, "ends": ends}


def records(
    *histories: History,
    exchanges: tuple[Exchange, ...] = (post(10.4),),
    jobs: tuple[dict[str, Any], ...] = (job(),),
    reports: tuple[Report, ...] = (),
) -> Records:
    before = {"servers": {"A": {"maintenance": False}}}
    after = {"jobs": {str(number): one for number, one in enumerate(jobs)}}
    return Records(before, after, SINCE, histories, exchanges, reports)


def report(code: int, state: State, **more: Any) -> Report:
    return Report("start", code, {"op": {"A": state}}, **more)


KEPT = {
    "verified without trouble": records(history(*VERIFIED), reports=(report(0, State.VERIFIED),)),
    "no operation at all": records(exchanges=(), jobs=()),
    "cancelled before it was sent": records(history(at(9, State.CANCELLED)), exchanges=(), jobs=()),
    "sent again after a rate limit": records(
        history(*VERIFIED), exchanges=(post(10.1, carried_out=False), post(10.4))
    ),
    "unsure although the job succeeded": records(history(*QUEUED, at(12, State.UNSURE, "who knows"))),
    "called untouched, and it was": records(
        history(at(10, State.SUBMITTING), at(400, State.UNSURE, "so it may be asked for again")), jobs=()
    ),
    "sent twice for two intents": records(
        history(*VERIFIED),
        history(at(100, State.SUBMITTING), at(101, State.REFUSED), id_="again"),
        exchanges=(post(10.4), post(100.5)),
    ),
    "a killed process prints nothing": records(history(*VERIFIED), reports=(Report("start", None, {}),)),
    "printed unsure, verified later": records(history(*VERIFIED), reports=(report(5, State.UNSURE),)),
    "ended while its reader stalled": msgspec.structs.replace(
        records(history(*VERIFIED), reports=(report(0, State.VERIFIED, read_since=SINCE + 60),)),
        undisturbed=True,
    ),
}

BROKEN = {
    "carried out twice for one intent": (
        records(history(*VERIFIED), exchanges=(post(10.4), post(12))),
        Promise.ONCE,
    ),
    "too many POSTs for one intent": (
        records(history(*VERIFIED), exchanges=(post(10.4), *[post(12, carried_out=False)] * POSTS)),
        Promise.FEW_POSTS,
    ),
    "carried out without an operation in the journal": (records(), Promise.INTENT_FIRST),
    "carried out before its intent": (
        records(history(*VERIFIED), exchanges=(post(9),)),
        Promise.INTENT_FIRST,
    ),
    "sent while under way in another operation": (
        records(
            history(*VERIFIED),
            history(at(20, State.SUBMITTING), at(21, State.REFUSED), id_="beside"),
            exchanges=(post(10.4), post(20.5)),
        ),
        Promise.NOT_UNDER_WAY,
    ),
    "verified, but never in maintenance": (
        records(history(*VERIFIED), jobs=(job(changed=False),)),
        Promise.VERIFIED,
    ),
    "verified before it was in maintenance": (
        records(history(*VERIFIED), jobs=(job(ends=90),)),
        Promise.VERIFIED,
    ),
    "failed, but its job changed it": (records(history(*QUEUED, at(30, State.FAILED))), Promise.OUTCOME_TRUE),
    "refused, but it was queued": (
        records(history(*QUEUED, at(30, State.REFUSED)), jobs=(job(changed=False),)),
        Promise.OUTCOME_TRUE,
    ),
    "called untouched before its job ended": (
        records(
            history(at(10, State.SUBMITTING), at(400, State.UNSURE, "so it may be asked for again")),
            jobs=(job(ends=600),),
        ),
        Promise.OUTCOME_TRUE,
    ),
    "queued for ever": (records(history(*QUEUED)), Promise.NO_SERVER_LOST),
    "planned for ever": (records(history(), exchanges=(), jobs=()), Promise.NO_SERVER_LOST),
    "never ended in the journal": (records(history(*VERIFIED, ended=None)), Promise.ENDS),
    "a process that hangs": (
        records(history(*VERIFIED), reports=(Report("resume", None, {}, in_time=False),)),
        Promise.ENDS,
    ),
    "ended only after its reader went on": (
        msgspec.structs.replace(
            records(history(*VERIFIED), reports=(report(0, State.VERIFIED, read_since=SINCE + 45),)),
            undisturbed=True,
        ),
        Promise.ENDS,
    ),
    "exited while a server was queued": (
        records(history(*VERIFIED), reports=(report(5, State.QUEUED),)),
        Promise.REPORT_CURRENT,
    ),
    "printed another state than the journal has": (
        records(history(*VERIFIED), reports=(report(1, State.FAILED),)),
        Promise.REPORT_CURRENT,
    ),
    "exit code 0 with an unsure server": (
        records(history(*VERIFIED), reports=(report(0, State.UNSURE),)),
        Promise.REPORT_CURRENT,
    ),
    "reported a bug": (
        records(history(*VERIFIED), reports=(report(1, State.VERIFIED, output="a bug in Pitstop (X)"),)),
        Promise.NO_BUG,
    ),
    "login refused": (records(history(*VERIFIED), reports=(report(3, State.VERIFIED),)), Promise.NO_BUG),
}


@pytest.mark.parametrize("name", KEPT)
def test_a_run_that_keeps_every_promise_has_no_violation(name: str) -> None:
    assert judge(KEPT[name]) == []


@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_promise_is_reported(name: str) -> None:
    broken, promise = BROKEN[name]
    assert {violation.promise for violation in judge(broken)} == {promise}


def test_every_promise_is_broken_by_a_record() -> None:
    assert {promise for _, promise in BROKEN.values()} == set(Promise)


def test_a_post_is_attributed_to_the_newest_intent() -> None:
    sent = attributed(
        records(
            history(at(10, State.SUBMITTING)),
            history(at(100, State.SUBMITTING), id_="again"),
            exchanges=(post(99), post(101), post(102)),
        )
    )
    assert sent.carried_out == {("op", "A"): 1, ("again", "A"): 2}
