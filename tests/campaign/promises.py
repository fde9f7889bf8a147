"""What many processes did and said, held against what the sandbox and the proxy know: pure questions.

All times are hurried seconds since the epoch (`tests.campaign.hurried.now`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from tests.campaign.proxy import Exchange
from tui.model.operation import ENDED, IN_FLIGHT, Action, State
from tui.sandbox.queue import SETTLE_SECONDS

UNDER_WAY = IN_FLIGHT - {State.SUCCEEDED}

SLACK = 3.0
"""Seconds by which the sandbox's times and the journal's may differ: an answer takes time."""

LOOK = 55.0
"""Seconds for which servers are looked at, about, before a refusal is believed."""
POSTS = 6
"""So often at most may one batch leave: the endpoint may ask for a few pauses, and the login may run out."""


class Promise(StrEnum):
    """What is promised, in the words of the table at the end of a campaign."""

    ONCE = "carried out at most once per intent"
    FEW = "few POSTs per intent"
    KNOWN = "nothing without an intent in the journal"
    ALONE = "nothing under way is sent again"
    LOST = "no server lost"
    VERIFIED = "no false verified"
    TRUE = "no other false word"
    STALE = "no stale report"
    ENDS = "everything ends"
    SOUND = "no bug, no login refused"


class Violation(NamedTuple):
    """One promise that was broken."""

    promise: Promise
    what: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.what}"


class Transition(NamedTuple):
    """One row of the journal."""

    at: float
    server: str
    state: State
    message: str


class Story(NamedTuple):
    """One operation as the journal has it at the end."""

    id: str
    action: Action
    started: float
    ended: float | None
    final: Mapping[str, State]
    transitions: Sequence[Transition]
    """In the order written."""

    def intended(self, server: str) -> Iterator[float]:
        """When it was about to be sent."""
        return (one.at for one in self.transitions if one.server == server and one.state is State.SUBMITTING)


class Report(NamedTuple):
    """What one process did; ``code`` is None where it was killed or never ended."""

    command: str
    code: int | None
    said: Mapping[str, Mapping[str, State]]
    """Operation -> server -> state, as it printed them at its end."""
    output: str = ""
    in_time: bool = True
    heard: float | None = None
    """When somebody began to read what it said, where nobody had."""


class Records(msgspec.Struct, frozen=True):
    """Everything about one run."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    """Truths of the sandbox."""
    since: float
    """When the sandbox was started: its own times count from there."""
    stories: Sequence[Story]
    exchanges: Sequence[Exchange]
    reports: Sequence[Report]
    calm: bool = False
    """Whether nothing happened that could hold anything up."""


def judge(records: Records) -> list[Violation]:
    """Every promise that was broken."""
    return [*_sent(records), *_true(records), *_ended(records), *_told(records)]


class Sent(NamedTuple):
    """What left, by operation and server."""

    posts: Counter[tuple[str, str]]
    carried_out: Counter[tuple[str, str]]
    astray: Counter[tuple[str, str]]
    """By action and server: carried out with no intent in the journal before it."""


def attributed(records: Records) -> Sent:
    """Whose each POST was: of the operation whose intent for that server was the newest when it came."""
    intents: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for story in records.stories:
        for one in story.transitions:
            if one.state is State.SUBMITTING:
                intents.setdefault((story.action.lower(), one.server), []).append((one.at, story.id))
    sent = Sent(Counter(), Counter(), Counter())
    for exchange in records.exchanges:
        action = exchange.path.rpartition("/")[2].lower()
        for server in exchange.ids:
            before = [intent for intent in intents.get((action, server), ()) if intent[0] <= exchange.at]
            if before:
                whose = max(before)[1]
                sent.posts[whose, server] += 1
                sent.carried_out[whose, server] += exchange.carried_out
            elif exchange.carried_out:
                sent.astray[action, server] += 1
    return sent


def _sent(records: Records) -> Iterator[Violation]:
    sent = attributed(records)
    for (id_, server), times in sent.carried_out.items():
        if times > 1:
            yield Violation(Promise.ONCE, f"{id_}: {server} was carried out {times} times")
    for (id_, server), times in sent.posts.items():
        if times > POSTS:
            yield Violation(Promise.FEW, f"{id_}: {server} was POSTed {times} times")
    yield from _sent_beside(records.stories)
    for action, server in sent.astray:
        yield Violation(
            Promise.KNOWN, f"{action} of {server} was carried out, and the journal has no such intent"
        )


def _sent_beside(stories: Sequence[Story]) -> Iterator[Violation]:
    """Servers that one operation sent while another one had them under way."""
    for story in stories:
        for other in stories:
            for server in story.final.keys() & other.final.keys() if other is not story else ():
                for at in story.intended(server):
                    before = [one for one in other.transitions if one.server == server and one.at <= at]
                    if before and before[-1].state in UNDER_WAY:
                        yield Violation(
                            Promise.ALONE,
                            f"{story.id}: {server} was sent while {other.id} had it {before[-1].state}",
                        )


def _true(records: Records) -> Iterator[Violation]:
    """What the journal says of each server, against the server's own history."""
    jobs = sorted(records.after["jobs"].values(), key=lambda job: job["created"])
    for story in records.stories:
        wanted = {Action.START_MAINTENANCE: True, Action.STOP_MAINTENANCE: False}.get(story.action)
        for server, state in story.final.items():
            mine = _jobs_of(story, server, jobs, records)
            changed = [job for job in mine if server in job["changed"]]
            last = next((one for one in reversed(story.transitions) if one.server == server), None)
            if last is None:
                continue
            words = f"{story.id}: {server} is {state}"
            match state:
                case State.VERIFIED if wanted is not None and wanted not in _was(
                    records, server, story.started, last.at + SLACK
                ):
                    yield Violation(Promise.VERIFIED, f"{words}, and its maintenance was never {wanted}")
                case State.FAILED if changed and _too_long_to_see(story, last, changed, records):
                    pass  # It was true when it was said.
                case State.FAILED | State.REFUSED | State.CANCELLED if changed:
                    yield Violation(Promise.TRUE, f"{words} ({last.message}), and its job changed it")
                case State.REFUSED | State.CANCELLED if mine:
                    yield Violation(Promise.TRUE, f"{words} ({last.message}), and it was queued")
                case _:
                    pass
        for one in story.transitions:
            if one.state is State.UNSURE and "may be asked for again" in one.message:
                late = [
                    job
                    for job in _jobs_of(story, one.server, jobs, records)
                    if _end(job, records) > one.at + SLACK
                ]
                if late:
                    yield Violation(
                        Promise.TRUE,
                        f"{story.id}: {one.server} was said to be untouched before its job ended",
                    )


def _too_long_to_see(
    story: Story, last: Transition, changed: Sequence[Mapping[str, Any]], records: Records
) -> bool:
    """Whether a server was looked at for long, and its job, behind a refusal, went on for longer."""
    looked = last.at - max(story.intended(last.server), default=last.at)
    shown = (_end(job, records) + SETTLE_SECONDS[1] for job in changed)
    return looked >= LOOK and all(at > last.at for at in shown)


def _jobs_of(
    story: Story, server: str, jobs: Sequence[Mapping[str, Any]], records: Records
) -> list[Mapping[str, Any]]:
    """The jobs that an operation brought about for a server: those since its intent, up to the next one's."""
    intended = list(story.intended(server))
    if not intended:
        return []
    later = [
        at
        for other in records.stories
        if other.id != story.id and other.action is story.action
        for at in other.intended(server)
        if at > intended[0]
    ]
    until = min(later, default=float("inf"))
    return [
        job
        for job in jobs
        if job["operation"].lower() == story.action.lower()
        and server in job["servers"]
        and intended[0] - SLACK <= records.since + job["created"] < until
    ]


def _end(job: Mapping[str, Any], records: Records) -> float:
    return records.since + float(job["ends"])


def _was(records: Records, server: str, begin: float, end: float) -> set[bool]:
    """Every value that a server's maintenance had from one moment to another."""
    value = bool(records.before["servers"][server]["maintenance"])
    changes = sorted(
        (_end(job, records), job["operation"] == Action.START_MAINTENANCE.value)
        for job in records.after["jobs"].values()
        if server in job["changed"]
    )
    seen = {value} if not changes or changes[0][0] > begin else set()
    for position, (at, value) in enumerate(changes):
        following = changes[position + 1][0] if position + 1 < len(changes) else float("inf")
        if at <= end and following > begin:
            seen.add(value)
    return seen


def _ended(records: Records) -> Iterator[Violation]:
    for story in records.stories:
        if story.ended is None:
            yield Violation(Promise.ENDS, f"{story.id} has not ended in the journal")
        lost = [server for server, state in story.final.items() if state in UNDER_WAY]
        lost += [server for server, state in story.final.items() if state is State.PLANNED]
        if lost:
            names = ", ".join(f"{server} {story.final[server]}" for server in lost[:3])
            yield Violation(Promise.LOST, f"{story.id}: {len(lost)} never came to an end: {names}")
    for report in records.reports:
        if not report.in_time:
            yield Violation(Promise.ENDS, f"{report.command} did not end: {report.output[-300:]!r}")
        if records.calm and report.heard is not None and max(_ends(records)) > report.heard:
            yield Violation(Promise.ENDS, f"{report.command} stood still while nobody read what it said")


def _ends(records: Records) -> list[float]:
    return [float("inf") if story.ended is None else story.ended for story in records.stories]


def _told(records: Records) -> Iterator[Violation]:
    final = {story.id: story.final for story in records.stories}
    for report in records.reports:
        if "a bug in Pitstop" in report.output or "Traceback" in report.output:
            yield Violation(Promise.SOUND, f"{report.command}: {report.output[-300:]!r}")
        if report.code == 3:
            yield Violation(
                Promise.SOUND, f"{report.command}: the login was refused: {report.output[-300:]!r}"
            )
        if report.code not in (0, 1, 5):
            continue
        for id_, said in report.said.items():
            stale = [
                f"{server} is {state}, in the end {final[id_][server]}"
                for server, state in said.items()
                if state in UNDER_WAY or (state in ENDED and state is not final[id_][server])
            ]
            if stale:
                told = f"{report.command} ended with {report.code} and said of {id_}: {stale[0]}"
                yield Violation(Promise.STALE, f"{told}; {len(stale)} such servers")
        # What is as asked already is left out by name, and is no failure.
        rest = {state for said in report.said.values() for state in said.values()} - {
            State.VERIFIED,
            State.CANCELLED,
        }
        if report.code == 0 and rest:
            yield Violation(Promise.STALE, f"{report.command} ended with 0 and said {sorted(rest)}")
