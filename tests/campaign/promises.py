"""Compares what processes did and printed with the records of the sandbox and the proxy: pure functions.

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
"""Seconds by which the times of the sandbox and of the journal may differ: an answer takes time."""

READ_FOR = 55.0
"""Seconds, about, for which servers are read before a refusal is believed."""

POSTS = 6
"""POSTs of one batch at most: the endpoint may request a few pauses, and the token may expire."""


class Promise(StrEnum):
    """What is promised; the values are the rows of the table at the end of a campaign."""

    ONCE = "carried out at most once per intent"
    FEW_POSTS = "few POSTs per intent"
    INTENT_FIRST = "nothing sent without an intent"
    NOT_UNDER_WAY = "no server sent while it is under way"
    NO_SERVER_LOST = "no server without an outcome"
    VERIFIED = "no server falsely verified"
    OUTCOME_TRUE = "no other false outcome or message"
    REPORT_CURRENT = "no stale state printed"
    ENDS = "every operation and process ends"
    NO_BUG = "no bug, no refused login"


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


class History(NamedTuple):
    """One operation as it is in the journal at the end."""

    id: str
    action: Action
    started: float
    ended: float | None
    final: Mapping[str, State]
    transitions: Sequence[Transition]
    """In the order written."""

    def intended(self, server: str) -> Iterator[float]:
        """The times of its intents for a server."""
        return (one.at for one in self.transitions if one.server == server and one.state is State.SUBMITTING)


class Report(NamedTuple):
    """What one process did; ``code`` is its exit code, None where it was killed or never ended."""

    command: str
    code: int | None
    printed: Mapping[str, Mapping[str, State]]
    """Operation -> server -> state, as it printed them at its end."""
    output: str = ""
    """Its stderr."""
    in_time: bool = True
    read_since: float | None = None
    """When the reader of its output started to read, where it had stalled."""


class Records(msgspec.Struct, frozen=True):
    """Everything about one run."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    """The sandbox's own records."""
    since: float
    """When the sandbox was started; its times count from then."""
    histories: Sequence[History]
    exchanges: Sequence[Exchange]
    reports: Sequence[Report]
    undisturbed: bool = False
    """Whether nothing happened that could delay an operation."""


def judge(records: Records) -> list[Violation]:
    """Return every promise that was broken."""
    return [
        *_check_posts(records),
        *_check_outcomes(records),
        *_check_ends(records),
        *_check_reports(records),
    ]


class Sent(NamedTuple):
    """Numbers of POSTs and of their effects, by operation and server."""

    posts: Counter[tuple[str, str]]
    carried_out: Counter[tuple[str, str]]
    without_intent: Counter[tuple[str, str]]
    """By action and server: carried out without an earlier intent in the journal."""


def attributed(records: Records) -> Sent:
    """Attribute each POST to the operation whose intent for that server was the newest when it arrived."""
    intents: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for history in records.histories:
        for one in history.transitions:
            if one.state is State.SUBMITTING:
                intents.setdefault((history.action.lower(), one.server), []).append((one.at, history.id))
    sent = Sent(Counter(), Counter(), Counter())
    for exchange in records.exchanges:
        action = exchange.path.rpartition("/")[2].lower()
        for server in exchange.ids:
            before = [intent for intent in intents.get((action, server), ()) if intent[0] <= exchange.at]
            if before:
                operation_id = max(before)[1]
                sent.posts[operation_id, server] += 1
                sent.carried_out[operation_id, server] += exchange.carried_out
            elif exchange.carried_out:
                sent.without_intent[action, server] += 1
    return sent


def _check_posts(records: Records) -> Iterator[Violation]:
    sent = attributed(records)
    for (id_, server), times in sent.carried_out.items():
        if times > 1:
            yield Violation(Promise.ONCE, f"{id_}: {server} was carried out {times} times")
    for (id_, server), times in sent.posts.items():
        if times > POSTS:
            yield Violation(Promise.FEW_POSTS, f"{id_}: {server} was POSTed {times} times")
    yield from _check_under_way(records.histories)
    for action, server in sent.without_intent:
        yield Violation(
            Promise.INTENT_FIRST, f"{action} of {server} was carried out, and the journal has no such intent"
        )


def _check_under_way(histories: Sequence[History]) -> Iterator[Violation]:
    """Find servers that one operation sent while another one had them under way."""
    for history in histories:
        for other in histories:
            for server in history.final.keys() & other.final.keys() if other is not history else ():
                for at in history.intended(server):
                    before = [one for one in other.transitions if one.server == server and one.at <= at]
                    if before and before[-1].state in UNDER_WAY:
                        yield Violation(
                            Promise.NOT_UNDER_WAY,
                            f"{history.id}: {server} was sent while {other.id} had it {before[-1].state}",
                        )


def _check_outcomes(records: Records) -> Iterator[Violation]:
    """Compare each server's state in the journal with its history in the sandbox."""
    jobs = sorted(records.after["jobs"].values(), key=lambda job: job["created"])
    for history in records.histories:
        wanted = {Action.START_MAINTENANCE: True, Action.STOP_MAINTENANCE: False}.get(history.action)
        for server, state in history.final.items():
            jobs_of_it = _jobs_of(history, server, jobs, records)
            changed = [job for job in jobs_of_it if server in job["changed"]]
            last = next((one for one in reversed(history.transitions) if one.server == server), None)
            if last is None:
                continue
            claim = f"{history.id}: {server} is {state}"
            match state:
                case State.VERIFIED if wanted is not None and wanted not in _maintenance_between(
                    records, server, history.started, last.at + SLACK
                ):
                    yield Violation(Promise.VERIFIED, f"{claim}, and its maintenance was never {wanted}")
                case State.FAILED if changed and _job_outlasted_the_reading(history, last, changed, records):
                    pass  # It was true when it was recorded.
                case State.FAILED | State.REFUSED | State.CANCELLED if changed:
                    yield Violation(Promise.OUTCOME_TRUE, f"{claim} ({last.message}), and its job changed it")
                case State.REFUSED | State.CANCELLED if jobs_of_it:
                    yield Violation(Promise.OUTCOME_TRUE, f"{claim} ({last.message}), and it was queued")
                case _:
                    pass
        for one in history.transitions:
            if one.state is State.UNSURE and "may be asked for again" in one.message:
                late = [
                    job
                    for job in _jobs_of(history, one.server, jobs, records)
                    if _end(job, records) > one.at + SLACK
                ]
                if late:
                    yield Violation(
                        Promise.OUTCOME_TRUE,
                        f"{history.id}: {one.server} was called untouched before its job ended",
                    )


def _job_outlasted_the_reading(
    history: History, last: Transition, changed: Sequence[Mapping[str, Any]], records: Records
) -> bool:
    """Whether a server was read for long enough, but its job, which a gateway refused, took longer still."""
    read_for = last.at - max(history.intended(last.server), default=last.at)
    shown = (_end(job, records) + SETTLE_SECONDS[1] for job in changed)
    return read_for >= READ_FOR and all(at > last.at for at in shown)


def _jobs_of(
    history: History, server: str, jobs: Sequence[Mapping[str, Any]], records: Records
) -> list[Mapping[str, Any]]:
    """The jobs that an operation caused for a server: from its intent to the next operation's intent."""
    intended = list(history.intended(server))
    if not intended:
        return []
    later = [
        at
        for other in records.histories
        if other.id != history.id and other.action is history.action
        for at in other.intended(server)
        if at > intended[0]
    ]
    until = min(later, default=float("inf"))
    return [
        job
        for job in jobs
        if job["operation"].lower() == history.action.lower()
        and server in job["servers"]
        and intended[0] - SLACK <= records.since + job["created"] < until
    ]


def _end(job: Mapping[str, Any], records: Records) -> float:
    return records.since + float(job["ends"])


def _maintenance_between(records: Records, server: str, start: float, end: float) -> set[bool]:
    """Every value that a server's maintenance flag had between two times."""
    value = bool(records.before["servers"][server]["maintenance"])
    changes = sorted(
        (records.since + float(job["changed"][server]), job["operation"] == Action.START_MAINTENANCE.value)
        for job in records.after["jobs"].values()
        if server in job["changed"]
    )
    seen = {value} if not changes or changes[0][0] > start else set()
    for position, (at, value) in enumerate(changes):
        following = changes[position + 1][0] if position + 1 < len(changes) else float("inf")
        if at <= end and following > start:
            seen.add(value)
    return seen


def _check_ends(records: Records) -> Iterator[Violation]:
    for history in records.histories:
        if history.ended is None:
            yield Violation(Promise.ENDS, f"{history.id} has not ended in the journal")
        lost = [server for server, state in history.final.items() if state in UNDER_WAY]
        lost += [server for server, state in history.final.items() if state is State.PLANNED]
        if lost:
            names = ", ".join(f"{server} {history.final[server]}" for server in lost[:3])
            yield Violation(Promise.NO_SERVER_LOST, f"{history.id}: {len(lost)} without an outcome: {names}")
    for report in records.reports:
        if not report.in_time:
            yield Violation(Promise.ENDS, f"{report.command} did not end: {report.output[-300:]!r}")
        if records.undisturbed and report.read_since is not None and max(_ends(records)) > report.read_since:
            yield Violation(Promise.ENDS, f"{report.command} stalled while its reader did")


def _ends(records: Records) -> list[float]:
    return [float("inf") if history.ended is None else history.ended for history in records.histories]


def _check_reports(records: Records) -> Iterator[Violation]:
    final = {history.id: history.final for history in records.histories}
    for report in records.reports:
        if "a bug in Pitstop" in report.output or "Traceback" in report.output:
            yield Violation(Promise.NO_BUG, f"{report.command}: {report.output[-300:]!r}")
        if report.code == 3:
            yield Violation(
                Promise.NO_BUG, f"{report.command}: the login was refused: {report.output[-300:]!r}"
            )
        if report.code not in (0, 1, 5):
            continue
        for id_, printed in report.printed.items():
            stale = [
                f"{server} is {state}, in the journal {final[id_][server]}"
                for server, state in printed.items()
                if state in UNDER_WAY or (state in ENDED and state is not final[id_][server])
            ]
            if stale:
                what = f"{report.command} ended with {report.code} and printed for {id_}: {stale[0]}"
                yield Violation(Promise.REPORT_CURRENT, f"{what}; {len(stale)} such servers")
        # Servers already in the requested state are cancelled, which is no failure.
        rest = {state for printed in report.printed.values() for state in printed.values()} - {
            State.VERIFIED,
            State.CANCELLED,
        }
        if report.code == 0 and rest:
            yield Violation(
                Promise.REPORT_CURRENT, f"{report.command} ended with 0 and printed {sorted(rest)}"
            )
