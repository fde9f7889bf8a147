"""The verdicts: each promise, broken in the smallest record that breaks it, and kept in others."""

from typing import Any

import msgspec
import pytest

from tests.campaign.promises import POSTS, Promise, Records, Report, Story, Transition, attributed, judge
from tests.campaign.proxy import Exchange
from tui.model.operation import Action, State

START = Action.START_MAINTENANCE
PATH = "/v2/operations/ACME/servers/startMaintenance"
SINCE = 1_000.0
"""When the sandbox was started; everything else is told from there."""


def at(seconds: float, state: State, message: str = "") -> Transition:
    return Transition(SINCE + seconds, "A", state, message)


SENT = [at(10, State.SUBMITTING), at(11, State.QUEUED)]
WELL = [*SENT, at(40, State.SUCCEEDED), at(41, State.VERIFIED)]


def story(*transitions: Transition, id_: str = "op", ended: float | None = 50.0) -> Story:
    final = {"A": transitions[-1].state if transitions else State.PLANNED}
    return Story(id_, START, SINCE + 5, None if ended is None else SINCE + ended, final, transitions)


def post(seconds: float, *, carried_out: bool = True) -> Exchange:
    return Exchange(SINCE + seconds, "POST", PATH, ("A",), carried_out=carried_out)


def job(created: float = 10.5, ends: float = 40.0, *, changed: bool = True) -> dict[str, Any]:
    changes = ["A"] if changed else []
    return {"operation": START.value, "servers": ["A"], "changed": changes, "created": created, "ends": ends}


def records(
    *stories: Story,
    exchanges: tuple[Exchange, ...] = (post(10.4),),
    jobs: tuple[dict[str, Any], ...] = (job(),),
    reports: tuple[Report, ...] = (),
) -> Records:
    before = {"servers": {"A": {"maintenance": False}}}
    after = {"jobs": {str(number): one for number, one in enumerate(jobs)}}
    return Records(before, after, SINCE, stories, exchanges, reports)


def report(code: int, state: State, **more: Any) -> Report:
    return Report("start", code, {"op": {"A": state}}, **more)


KEPT = {
    "all went well": records(story(*WELL), reports=(report(0, State.VERIFIED),)),
    "nothing was begun": records(exchanges=(), jobs=()),
    "it never left": records(story(at(9, State.CANCELLED)), exchanges=(), jobs=()),
    "a pause came first": records(story(*WELL), exchanges=(post(10.1, carried_out=False), post(10.4))),
    "doubt is no falsehood": records(story(*SENT, at(12, State.UNSURE, "who knows"))),
    "untouched, and it is so": records(
        story(at(10, State.SUBMITTING), at(400, State.UNSURE, "so it may be asked for again")), jobs=()
    ),
    "a second intent is a second time": records(
        story(*WELL),
        story(at(100, State.SUBMITTING), at(101, State.REFUSED), id_="again"),
        exchanges=(post(10.4), post(100.5)),
    ),
    "a killed process says nothing": records(story(*WELL), reports=(Report("start", None, {}),)),
    "what is left in doubt may yet be found out": records(story(*WELL), reports=(report(5, State.UNSURE),)),
    "nobody listened, and it went on": msgspec.structs.replace(
        records(story(*WELL), reports=(report(0, State.VERIFIED, heard=SINCE + 60),)), calm=True
    ),
}

BROKEN = {
    "twice": (records(story(*WELL), exchanges=(post(10.4), post(12))), Promise.ONCE),
    "often": (
        records(story(*WELL), exchanges=(post(10.4), *[post(12, carried_out=False)] * POSTS)),
        Promise.FEW,
    ),
    "not in the journal": (records(), Promise.KNOWN),
    "before its intent": (records(story(*WELL), exchanges=(post(9),)), Promise.KNOWN),
    "beside another": (
        records(
            story(*WELL),
            story(at(20, State.SUBMITTING), at(21, State.REFUSED), id_="beside"),
            exchanges=(post(10.4), post(20.5)),
        ),
        Promise.ALONE,
    ),
    "verified, and never so": (records(story(*WELL), jobs=(job(changed=False),)), Promise.VERIFIED),
    "verified before it was so": (records(story(*WELL), jobs=(job(ends=90),)), Promise.VERIFIED),
    "failed, and it changed": (records(story(*SENT, at(30, State.FAILED))), Promise.TRUE),
    "refused, and it was queued": (
        records(story(*SENT, at(30, State.REFUSED)), jobs=(job(changed=False),)),
        Promise.TRUE,
    ),
    "untouched too early": (
        records(
            story(at(10, State.SUBMITTING), at(400, State.UNSURE, "so it may be asked for again")),
            jobs=(job(ends=600),),
        ),
        Promise.TRUE,
    ),
    "lost on the way": (records(story(*SENT)), Promise.LOST),
    "never sent": (records(story(), exchanges=(), jobs=()), Promise.LOST),
    "never ending": (records(story(*WELL, ended=None)), Promise.ENDS),
    "a process that hangs": (
        records(story(*WELL), reports=(Report("resume", None, {}, in_time=False),)),
        Promise.ENDS,
    ),
    "waited for a reader": (
        msgspec.structs.replace(
            records(story(*WELL), reports=(report(0, State.VERIFIED, heard=SINCE + 45),)), calm=True
        ),
        Promise.ENDS,
    ),
    "left in the middle": (
        records(story(*WELL), reports=(report(5, State.QUEUED),)),
        Promise.STALE,
    ),
    "said something else": (records(story(*WELL), reports=(report(1, State.FAILED),)), Promise.STALE),
    "all is well, it said": (records(story(*WELL), reports=(report(0, State.UNSURE),)), Promise.STALE),
    "a bug": (
        records(story(*WELL), reports=(report(1, State.VERIFIED, output="a bug in Pitstop (X)"),)),
        Promise.SOUND,
    ),
    "logged out": (records(story(*WELL), reports=(report(3, State.VERIFIED),)), Promise.SOUND),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept_is_no_violation(name: str) -> None:
    assert judge(KEPT[name]) == []


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_told(name: str) -> None:
    broken, promise = BROKEN[name]
    assert {violation.promise for violation in judge(broken)} == {promise}


def test_every_promise_can_be_broken() -> None:
    assert {promise for _, promise in BROKEN.values()} == set(Promise)


def test_a_post_is_that_of_the_newest_intent() -> None:
    sent = attributed(
        records(
            story(at(10, State.SUBMITTING)),
            story(at(100, State.SUBMITTING), id_="again"),
            exchanges=(post(99), post(101), post(102)),
        )
    )
    assert sent.carried_out == {("op", "A"): 1, ("again", "A"): 2}
