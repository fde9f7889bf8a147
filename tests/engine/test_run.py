"""An operation from its plan to the final state of every server."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.engine.clock import VirtualClock, run
from tests.engine.cloud import ENDPOINT, PASSWORD, Cloud, Job
from tests.engine.console import Console, memory_directory, until
from tui.api.errors import (
    ApiError,
    BadRequest,
    NotAllowed,
    NotFound,
    OutcomeUnsure,
    RateLimited,
    TokenRenewed,
    Unreachable,
)
from tui.api.wire import Answer
from tui.engine.errors import JournalError
from tui.engine.events import (
    EngineFailed,
    Event,
    OperationEnded,
    OperationNotStarted,
    OperationStarted,
    Progress,
)
from tui.engine.operations.reconciler import REFUSED_SILENTLY
from tui.model.operation import Action, State
from tui.report.servers import operation_json


async def test_every_server_is_sent_tracked_and_verified(console: Console, cloud: Cloud) -> None:
    operation = await console.run(console.plan())
    assert operation.summary() == {"verified": 6}
    assert all(server.maintenance for server in cloud.now().values())
    assert cloud.requests["operate"] == 1
    started, ended = console.emitted(OperationStarted)[0], console.emitted(OperationEnded)[0]
    assert [target.state for target in started.targets] == [State.PLANNED] * 6
    assert ended.summary == {"verified": 6}
    states = [p.targets[0].state for p in console.emitted(Progress)]
    assert states == [State.SUBMITTING, State.QUEUED, State.EXECUTING, State.SUCCEEDED, State.VERIFIED]
    assert {target.message for p in console.emitted(Progress) for target in p.targets} == {""}


async def test_a_bug_in_the_journal_is_reported_and_the_operation_stays_unfinished(
    console: Console, cloud: Cloud
) -> None:
    def broken(changes: object) -> NoReturn:
        raise ZeroDivisionError("a bug")

    console.journal.record_all = broken  # type: ignore[method-assign]
    operation = await console.run(console.plan())
    assert operation.summary() == {"submitting": 6}, "only what is on disk is shown"
    assert [event.message for event in console.emitted(EngineFailed)] == [
        "op-1 can no longer be followed here (ZeroDivisionError('a bug')); resume it"
    ]
    assert console.emitted(OperationEnded) == []
    assert console.journal.unfinished("https://cloud.example", "ACME") == ["op-1"]
    assert not console.service.operations.running


async def test_the_journal_agrees_with_the_events(console: Console) -> None:
    shown = await console.run(console.plan(batch_size=2))
    stored = console.journal.load("op-1")
    assert stored.operation.targets == shown.targets
    assert stored.operation.ended is not None
    assert [batch.server_ids for batch in stored.plan.batches] == [
        batch.server_ids for batch in console.plan(action=Action.STOP_MAINTENANCE, batch_size=2).batches
    ]
    assert operation_json(stored.operation)["summary"] == {"verified": 6}


async def test_progress_is_reported_after_it_is_on_disk(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    reader = Console(clock, cloud, tmp_path / "journal.db").journal
    on_disk = []

    def compare(event: Event) -> None:
        if isinstance(event, Progress):
            stored = reader.load(event.operation_id).operation.targets
            on_disk.append(all(stored[target.server_id] == target for target in event.targets))

    console.on_event = compare
    await console.run(console.plan(batch_size=2))
    assert len(on_disk) >= 5
    assert all(on_disk)
    reader.close()


async def test_the_intent_is_on_disk_before_the_request_leaves(
    console: Console, clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    reader = Console(clock, cloud, tmp_path / "journal.db").journal
    counts = []

    def count_intents(call: str) -> None:
        if call == "operate":
            counts.append(reader.load("op-1").operation.count(State.SUBMITTING))

    cloud.on_call = count_intents
    await console.run(console.plan())
    assert counts == [6]
    reader.close()


async def test_in_a_backlog_of_polls_servers_that_changed_settle_their_job(
    clock: VirtualClock, tmp_path: Path
) -> None:
    cloud = Cloud(clock, servers=20)
    console = Console(clock, cloud, tmp_path / "journal.db")
    await console.service.login(replace(ENDPOINT, requests_per_second=0.01), "op", PASSWORD)
    await console.service.inventory.refresh()
    operation = await console.run(console.plan(batch_size=1))
    assert operation.summary() == {"verified": 20}
    assert cloud.requests["job_status"] < 20
    assert clock.monotonic() < 60
    await console.service.close()


async def test_in_a_backlog_of_polls_no_server_is_read_for_an_action_that_it_does_not_show(
    clock: VirtualClock, tmp_path: Path
) -> None:
    cloud = Cloud(clock, servers=20)
    console = Console(clock, cloud, tmp_path / "journal.db")
    await console.service.login(replace(ENDPOINT, requests_per_second=0.1), "op", PASSWORD)
    await console.service.inventory.refresh()
    reads = cloud.requests["group_tree"]
    operation = await console.run(console.plan(action=Action.REBOOT, batch_size=1))
    assert operation.summary() == {"succeeded": 20}
    assert (cloud.requests["group_tree"], cloud.requests["server"]) == (reads, 0)
    await console.service.close()


async def test_answers_are_matched_in_any_case_and_order(console: Console, cloud: Cloud) -> None:
    cloud.answer = lambda number, answers: [
        Answer(a.server_id.lower(), queued=a.queued, job_id=a.job_id) for a in reversed(answers)
    ]
    operation = await console.run(console.plan())
    assert operation.summary() == {"verified": 6}


async def test_a_server_missing_from_the_answer_is_settled_by_reading_it(
    console: Console, cloud: Cloud
) -> None:
    cloud.answer = lambda number, answers: answers[1:]
    operation = await console.run(console.plan())
    assert operation.summary() == {"verified": 6}
    assert cloud.requests["operate"] == 1


async def test_answers_without_a_job_and_foreign_or_repeated_ones_are_settled_by_reading(
    console: Console, cloud: Cloud, clock: VirtualClock
) -> None:
    first, second, third, fourth, *_ = cloud.servers
    cloud.answer = lambda number, answers: [
        Answer("FOREIGN", queued=True, job_id="wa1-9"),
        Answer(first, queued=True),
        Answer(first, queued=False, message="again"),
        Answer(second, queued=False, message="no"),
        Answer(third, queued=False, message="no"),
        *(answer for answer in answers if answer.server_id > fourth),
    ]
    operation = await console.run(console.plan())
    assert operation.summary() == {"verified": 4, "refused": 2}
    told = messages(console, State.UNSURE)
    assert told[first] == [
        "taken, but no job was named to follow",
        "taken, but no job was named to follow; still being watched",
    ]
    assert told[fourth] == [
        "the endpoint's answer does not mention it",
        "the endpoint's answer does not mention it; still being watched",
    ]
    assert set(told) == {first, fourth}
    settled = "settled by reading the server: it is in maintenance"
    assert [operation.targets[id_].message for id_ in (first, second, third, fourth)] == [
        settled,
        "no",
        "no",
        settled,
    ]
    assert clock.monotonic() < 60


def messages(console: Console, state: State) -> dict[str, list[str]]:
    """Server -> the messages that it had in a state."""
    found: dict[str, list[str]] = {}
    for progress in console.emitted(Progress):
        for target in progress.targets:
            if target.state is state:
                found.setdefault(target.server_id, []).append(target.message)
    return found


async def test_refusals_are_reported_with_the_platforms_message_or_our_own(
    console: Console, cloud: Cloud
) -> None:
    first, second, third, *_ = cloud.servers
    cloud.refuse = {first: "It cannot be queued because.", second: ""}
    plan = console.plan()
    cloud.refuse[third] = ""
    cloud.servers[third] = console.service.inventory.fleet.servers[third]
    cloud.change(third, Action.START_MAINTENANCE)  # Somebody else was faster.
    operation = await console.run(plan)
    assert operation.summary() == {"verified": 3, "refused": 3}
    assert operation.targets[first].message == "It cannot be queued because."
    assert "without a reason" in operation.targets[second].message
    assert operation.targets[third].message.startswith("already in maintenance, so there was nothing to do")
    assert not operation.succeeded


async def test_refused_servers_are_read_once(console: Console, cloud: Cloud) -> None:
    cloud.refuse = dict.fromkeys(cloud.servers, "no")
    read = cloud.requests["group_tree"]
    operation = await console.run(console.plan())
    assert operation.summary() == {"refused": 6}
    assert {target.message for target in operation.targets.values()} == {"no"}
    assert (cloud.requests["group_tree"], cloud.requests["server"]) == (read + 1, 0)


async def test_a_request_refused_as_a_whole_fails_with_that_message(console: Console, cloud: Cloud) -> None:
    def forbid(call: str) -> None:
        if call == "operate":
            raise NotAllowed("your role may not")

    cloud.on_call = forbid
    operation = await console.run(console.plan(batch_size=3))
    assert operation.summary() == {"failed": 6}
    assert {target.message for target in operation.targets.values()} == {
        "your role may not; the server is not in maintenance"
    }


REFUSALS = [NotAllowed("no"), NotFound("no"), BadRequest("no"), RateLimited("no"), TokenRenewed("no")]


@pytest.mark.parametrize("refusal", REFUSALS, ids=repr)
async def test_a_refusal_of_a_request_that_was_carried_out_is_not_believed(
    console: Console, cloud: Cloud, refusal: ApiError
) -> None:
    """A gateway refused the request after the platform had carried it out."""
    cloud.job_seconds = 3.0
    cloud.on_post = lambda number: refusal
    operation = await console.run(console.plan(batch_size=3))
    assert operation.summary() == {"verified": 6}
    assert cloud.requests["operate"] == 2


@pytest.mark.parametrize("refusal", REFUSALS[3:], ids=repr)
async def test_a_batch_that_is_always_refused_fails_after_four_requests(
    console: Console, cloud: Cloud, refusal: ApiError
) -> None:
    def refuse(call: str) -> None:
        if call == "operate":
            raise refusal

    cloud.on_call = refuse
    operation = await console.run(console.plan())
    assert operation.summary() == {"failed": 6}
    assert cloud.requests["operate"] == 4
    (message,) = {target.message for target in operation.targets.values()}
    assert message == "not taken by the endpoint: no; the server is not in maintenance"


@pytest.mark.parametrize("refusal", [RateLimited("Ask in PHX."), BadRequest("Ask in PHX.")], ids=repr)
async def test_after_a_refusal_servers_that_cannot_be_read_are_not_sent_again(
    console: Console, cloud: Cloud, refusal: ApiError
) -> None:
    def fail(call: str) -> None:
        if call == "operate":
            raise refusal
        if call in {"group_tree", "server"} and cloud.requests["operate"]:
            raise NotAllowed("not with this role")

    cloud.on_call = fail
    operation = await console.run(console.plan())
    assert operation.summary() == {"unsure": 6}
    message = "Ask in PHX; the server is gone or cannot be read, so nothing is known of it: look there"
    assert {target.message for target in operation.targets.values()} == {message}
    assert cloud.requests["operate"] == 1
    if isinstance(refusal, BadRequest):
        looking = messages(console, State.LOOKING)[operation.ids(State.UNSURE)[0]]
        assert looking == ["Ask in PHX; reading the server to see whether it changed"]


async def test_after_a_refusal_only_servers_that_did_not_change_are_sent_again(
    console: Console, cloud: Cloud
) -> None:
    """A gateway refused the batch after the platform had carried out half of it."""
    plan = console.plan()
    (batch,) = plan.batches
    half = batch.server_ids[:3]
    cloud.job_seconds = 3.0
    cloud.refuse = dict.fromkeys(batch.server_ids[3:], "not now")
    errors: list[ApiError] = [RateLimited("slow down")]

    def refuse(number: int) -> ApiError | None:
        cloud.refuse = {}
        return errors.pop() if errors else None

    cloud.on_post = refuse
    operation = await console.run(plan)
    assert operation.summary() == {"verified": 6}
    assert cloud.posts == [batch.server_ids, batch.server_ids[3:]]
    assert {operation.targets[id_].message for id_ in half} == {
        "settled by reading the server: it is in maintenance"
    }


async def test_a_request_that_provably_never_left_ends_as_cancelled(console: Console, cloud: Cloud) -> None:
    def unplug(call: str) -> None:
        if call == "operate":
            raise Unreachable("connection refused")

    cloud.on_call = unplug
    operation = await console.run(console.plan())
    assert operation.summary() == {"cancelled": 6}
    assert operation.targets[next(iter(cloud.servers))].message == "not sent: connection refused"


@pytest.mark.parametrize("carried_out", [True, False])
async def test_a_lost_answer_is_settled_by_reading_and_never_sent_again(
    console: Console, cloud: Cloud, *, carried_out: bool
) -> None:
    error = OutcomeUnsure("the connection was lost")

    def drop(call: str) -> None:
        if call == "operate":
            raise error

    if carried_out:
        cloud.on_post = lambda number: error
    else:
        cloud.on_call = drop
    operation = await console.run(console.plan())
    assert cloud.requests["operate"] == 1
    if carried_out:
        assert operation.summary() == {"verified": 6}
        return
    assert operation.summary() == {"unsure": 6}
    assert operation.doubtful
    assert all(
        t.message == "the connection was lost; untouched: the server is not in maintenance,"
        " so it may be asked for again"
        for t in operation.targets.values()
    )
    cloud.on_call = lambda call: None
    again = await console.run(console.plan(operation.ids(State.UNSURE)), "op-2")
    assert again.summary() == {"verified": 6}


@pytest.mark.parametrize("error", [NotAllowed("not with this role"), NotFound("there is no such group")])
async def test_servers_that_cannot_be_read_are_not_called_untouched(
    console: Console, cloud: Cloud, error: ApiError
) -> None:
    def fail(call: str) -> None:
        if call in {"group_tree", "server"}:
            raise error

    plan = console.plan()
    cloud.on_post = lambda number: OutcomeUnsure("lost")
    cloud.on_call = fail
    operation = await console.run(plan)
    assert operation.summary() == {"unsure": 6}
    message = "lost; the server is gone or cannot be read, so nothing is known of it: look there"
    assert {t.message for t in operation.targets.values()} == {message}


@pytest.mark.parametrize(("status", "state"), [("failed", State.UNSURE), ("succeeded", State.SUCCEEDED)])
async def test_the_end_of_a_job_verifies_no_server_that_cannot_be_read(
    console: Console, cloud: Cloud, status: str, state: State
) -> None:
    def end(job: Job) -> Job:
        job.final_status = status
        return job

    def fail(call: str) -> None:
        if call in {"group_tree", "server"}:
            raise NotAllowed("not with this role")

    plan = console.plan()
    cloud.make_job, cloud.on_call = end, fail
    operation = await console.run(plan)
    assert operation.summary() == {state: 6}
    assert operation.doubtful
    message = f"the job {status}; the server is gone or cannot be read, so nothing is known of it: look there"
    assert {t.message for t in operation.targets.values()} == {message}


async def test_an_untouched_server_is_watched_as_long_as_its_job_could_take(
    console: Console, cloud: Cloud, clock: VirtualClock
) -> None:
    cloud.job_seconds = 3_500
    cloud.on_post = lambda number: OutcomeUnsure("lost")
    operation = await console.run(console.plan())
    assert operation.summary() == {"verified": 6}
    assert clock.monotonic() > 290


async def test_servers_that_a_failed_job_changed_are_verified(console: Console, cloud: Cloud) -> None:
    changed = frozenset(list(cloud.servers)[:2])

    def fail(job: Job) -> Job:
        job.final_status, job.changes = "failed", changed
        return job

    cloud.make_job = fail
    operation = await console.run(console.plan())
    assert operation.summary() == {"verified": 2, "failed": 4}
    assert set(operation.ids(State.VERIFIED)) == changed
    assert {operation.targets[id_].message for id_ in changed} == {"the job failed, but this server changed"}
    looking = [t for p in console.emitted(Progress) for t in p.targets if t.state is State.LOOKING]
    assert {t.server_id for t in looking} == set(cloud.servers), "not called running while they are read"
    assert {t.message for t in looking} == {"the job failed; reading the server to see whether it changed"}


async def test_a_job_of_unknown_outcome_is_settled_by_reading(console: Console, cloud: Cloud) -> None:
    changed = frozenset(list(cloud.servers)[:2])

    def lose(job: Job) -> Job:
        job.final_status = job.running_status = "unknown"
        job.changes = changed
        return job

    cloud.make_job = lose
    operation = await console.run(console.plan())
    assert operation.summary() == {"verified": 2, "unsure": 4}
    doubt = "the platform does not tell what became of the job; reading the server instead"
    for id_ in cloud.servers:
        assert messages(console, State.UNSURE)[id_][:2] == [doubt, f"{doubt}; still being watched"]


async def test_the_duration_of_a_job_counts_from_its_own_request(console: Console, cloud: Cloud) -> None:
    await console.run(console.plan(wave_size=2))
    durations = console.journal.durations(Action.START_MAINTENANCE, range(2, 4))
    assert durations == pytest.approx([30, 30, 30], abs=3)
    assert console.journal.durations(Action.START_MAINTENANCE, range(4, 100)) == []


async def test_a_late_server_is_waited_for_up_to_the_limit_and_then_reported(
    console: Console, cloud: Cloud
) -> None:
    cloud.settle_seconds = 100
    assert (await console.run(console.plan())).summary() == {"verified": 6}
    cloud.settle_seconds = 10_000
    late = await console.run(console.plan(action=Action.STOP_MAINTENANCE), "op-2")
    assert late.summary() == {"succeeded": 6}
    assert late.doubtful
    assert not late.succeeded
    message = "the job succeeded, but after 300 s the server is not out of maintenance"
    assert {target.message for target in late.targets.values()} == {message}


DOUBT = "it is not known whether it was carried out, and a server does not show it: look there"


async def test_a_reboot_succeeds_without_being_verified(console: Console) -> None:
    operation = await console.run(console.plan(action=Action.REBOOT))
    assert operation.summary() == {"succeeded": 6}
    assert operation.succeeded
    assert not operation.doubtful


@pytest.mark.parametrize(
    ("status", "error", "state", "message"),
    [
        ("succeeded", None, State.SUCCEEDED, "done; a server does not show it, so nothing can verify it"),
        ("failed", None, State.FAILED, "the job failed"),
        ("unknown", None, State.UNSURE, DOUBT),
        ("succeeded", OutcomeUnsure("lost"), State.UNSURE, DOUBT),
        ("succeeded", NotAllowed("your role may not."), State.FAILED, "your role may not."),
        ("succeeded", RateLimited("no"), State.FAILED, "not taken by the endpoint: no"),
    ],
)
async def test_a_reboot_ends_without_reading_what_servers_do_not_show(
    console: Console, cloud: Cloud, status: str, error: ApiError | None, state: State, message: str
) -> None:
    def end(job: Job) -> Job:
        job.final_status = status
        job.running_status = "unknown" if status == "unknown" else "executing"
        return job

    cloud.make_job, cloud.on_post = end, lambda number: error
    read = cloud.requests["group_tree"]
    operation = await console.run(console.plan(action=Action.REBOOT))
    assert operation.summary() == {state: 6}
    assert {target.message for target in operation.targets.values()} == {message}
    assert (cloud.requests["group_tree"], cloud.requests["server"]) == (read, 0)
    assert len(cloud.posts) == (4 if isinstance(error, RateLimited) else 1)


async def test_refused_servers_of_a_reboot_are_not_read(console: Console, cloud: Cloud) -> None:
    cloud.refuse = dict.fromkeys(cloud.servers, "")
    read = cloud.requests["group_tree"]
    operation = await console.run(console.plan(action=Action.REBOOT))
    assert operation.summary() == {"refused": 6}
    assert {target.message for target in operation.targets.values()} == {REFUSED_SILENTLY}
    assert cloud.requests["group_tree"] == read


async def test_waves_wait_for_the_previous_one_and_stop_after_too_many_failures(
    console: Console, cloud: Cloud
) -> None:
    cloud.refuse = {list(cloud.servers)[2]: "no", list(cloud.servers)[3]: "no"}
    operation = await console.run(console.plan(wave_size=2), max_failed=1)
    assert operation.summary() == {"verified": 2, "refused": 2, "cancelled": 2}
    assert len(cloud.posts) == 2
    message = operation.targets[list(cloud.servers)[4]].message
    assert message == "not sent: 2 servers before it did not end well, more than 1"


async def test_servers_that_are_not_verified_count_as_failures_and_the_limit_itself_is_allowed(
    console: Console, cloud: Cloud
) -> None:
    ids = list(cloud.servers)
    cloud.refuse = {ids[0]: "no"}
    cloud.make_job = lambda job: replace(job, changes=frozenset(set(job.servers) - {ids[1]}))
    operation = await console.run(console.plan(wave_size=1), max_failed=1)
    assert operation.summary() == {"refused": 1, "succeeded": 1, "cancelled": 4}
    message = "not sent: 2 servers before it did not end well, more than 1"
    assert {operation.targets[id_].message for id_ in ids[2:]} == {message}
    assert cloud.posts == [(ids[0],), (ids[1],)]
    cloud.refuse = {}
    reboot = await console.run(console.plan(action=Action.REBOOT, wave_size=1), "op-2", max_failed=0)
    assert reboot.summary() == {"succeeded": 6}, "how a reboot ends well"


async def test_a_refused_batch_is_sent_again_after_a_growing_pause_or_the_one_that_is_asked_for(
    console: Console, cloud: Cloud, clock: VirtualClock
) -> None:
    errors: list[ApiError] = []
    times: list[float] = []

    def refuse(call: str) -> None:
        if call == "operate":
            times.append(clock.monotonic())
            if errors:
                raise errors.pop(0)

    cloud.on_call = refuse
    refusals: list[list[ApiError]] = [
        [RateLimited("no", 1.0), RateLimited("no", 60.0), RateLimited("no", 7.0)],
        [RateLimited("no"), TokenRenewed("no"), RateLimited("no")],
    ]
    pauses = []
    for number, some in enumerate(refusals):
        errors += some
        times.clear()
        operation = await console.run(console.plan(action=Action.REBOOT), f"op-{number}")
        assert operation.summary() == {"succeeded": 6}
        pauses.append([round(later - earlier) for earlier, later in pairwise(times)])
    assert pauses == [[5, 60, 7], [5, 5, 5]]


async def test_a_rate_limit_pause_is_kept_and_the_batch_sent_afterwards(
    console: Console, cloud: Cloud, clock: VirtualClock
) -> None:
    def busy(call: str) -> None:
        if call == "operate" and cloud.requests["operate"] < 3:
            raise RateLimited("slow down", 60)

    cloud.on_call = busy
    operation = await console.run(console.plan())
    assert operation.summary() == {"verified": 6}
    assert clock.monotonic() > 120
    assert len(cloud.posts) == 1


async def test_cancelling_drops_unsent_servers_and_tracks_sent_ones(console: Console, cloud: Cloud) -> None:
    stopping: list[asyncio.Task[None]] = []

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.targets[0].state is State.QUEUED:
            stopping.append(asyncio.create_task(console.service.operations.cancel("op-1")))

    console.on_event = stop
    operation = await console.run(console.plan(wave_size=2))
    assert operation.summary() == {"verified": 2, "cancelled": 4}
    assert len(cloud.posts) == 1


async def test_concurrent_posts_are_bounded_and_a_batch_is_one_post(console: Console, cloud: Cloud) -> None:
    at_once, most = 0, 0

    async def count(call: str) -> None:
        nonlocal at_once, most
        if call == "operate":
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(1)
            at_once -= 1

    cloud.on_call = lambda call: count(call)
    operation = await console.run(console.plan(batch_size=1))
    assert operation.summary() == {"verified": 6}
    assert (len(cloud.posts), most) == (6, 4)


async def test_unrecognised_job_statuses_are_shown(console: Console, cloud: Cloud) -> None:
    def resumed(job: Job) -> Job:
        job.running_status = "resumed"
        return job

    cloud.make_job = resumed
    await console.run(console.plan())
    executing = [t for p in console.emitted(Progress) for t in p.targets if t.state is State.EXECUTING]
    assert {target.message for target in executing} == {"resumed"}


@pytest.mark.parametrize(
    ("status", "message"), [(" Executing ", ""), ("RUNNING", ""), (" Waiting for you ", "Waiting for you")]
)
async def test_only_statuses_that_say_more_than_running_become_a_message(
    console: Console, cloud: Cloud, status: str, message: str
) -> None:
    def shape(job: Job) -> Job:
        job.running_status = status
        return job

    cloud.make_job = shape
    operation = await console.run(console.plan())
    assert operation.summary() == {"verified": 6}
    assert messages(console, State.EXECUTING) == {id_: [message] for id_ in cloud.servers}
    assert {target.message for target in operation.targets.values()} == {""}


async def test_servers_that_somebody_changed_since_are_not_called_untouched(
    console: Console, cloud: Cloud, clock: VirtualClock
) -> None:
    changed, rebooted, gone, *others = cloud.servers
    cloud.servers = {id_: replace(server, modified="then") for id_, server in cloud.servers.items()}
    await console.service.inventory.refresh()
    error = OutcomeUnsure("lost")

    def drop(call: str) -> None:
        if call == "operate":
            raise error

    cloud.on_call = drop
    work = asyncio.create_task(console.run(console.plan()))
    await clock.sleep(100)
    cloud.change(changed, Action.START_MAINTENANCE)
    cloud.servers[rebooted] = replace(cloud.servers[rebooted], modified="now")
    del cloud.servers[gone]
    operation = await work
    assert 3_600 <= clock.monotonic() < 3_700, "as long as the platform lets a job take"
    told = {id_: target.message for id_, target in operation.targets.items()}
    assert told == {
        changed: "settled by reading the server: it is in maintenance",
        rebooted: "lost; the server is not in maintenance, but it was changed since: look there",
        gone: "lost; the server is gone or cannot be read, so nothing is known of it: look there",
        **dict.fromkeys(
            others, "lost; untouched: the server is not in maintenance, so it may be asked for again"
        ),
    }
    assert operation.summary() == {"verified": 1, "unsure": 5}
    assert messages(console, State.UNSURE)[changed] == ["lost", "lost; still being watched"]
    assert operation.targets[changed].at < clock.epoch + 200, "shown as soon as it is read"


async def test_when_a_batch_is_sent_again_the_changes_since_its_first_request_count(
    console: Console, cloud: Cloud
) -> None:
    cloud.servers = {id_: replace(server, modified="then") for id_, server in cloud.servers.items()}
    await console.service.inventory.refresh()
    errors = [OutcomeUnsure("lost"), RateLimited("no")]
    changed = next(iter(cloud.servers))

    def refuse(call: str) -> None:
        if call == "operate":
            cloud.servers[changed] = replace(cloud.servers[changed], modified="now")
            raise errors.pop()

    cloud.on_call = refuse
    operation = await console.run(console.plan())
    assert operation.summary() == {"unsure": 6}
    moved = "lost; the server is not in maintenance, but it was changed since: look there"
    assert [id_ for id_, target in operation.targets.items() if target.message == moved] == [changed]
    assert cloud.requests["operate"] == 2


async def test_a_server_deleted_before_its_wave_is_left_to_the_endpoint(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    gone = list(cloud.servers)[5]
    work = asyncio.create_task(console.run(console.plan(wave_size=5)))
    await until(lambda: cloud.posts, clock)
    del cloud.servers[gone]
    cloud.refuse = {gone: "there is no such server"}
    await console.service.inventory.refresh()
    operation = await work
    assert operation.summary() == {"verified": 5, "refused": 1}
    assert operation.targets[gone].message == "there is no such server"
    assert console.emitted(EngineFailed) == []


async def test_a_server_in_doubt_is_watched_three_times_as_long_as_the_longest_job(
    console: Console, cloud: Cloud, clock: VirtualClock
) -> None:
    for servers, seconds in ((4, 1_000.0), (7, 2_000.0), (8, 9_000.0)):
        console.journal.record_duration(Action.START_MAINTENANCE, servers, seconds)
    console.journal.record_duration(Action.STOP_MAINTENANCE, 6, 9_000.0)

    def drop(call: str) -> None:
        if call == "operate":
            raise OutcomeUnsure("lost")

    cloud.on_call = drop
    assert (await console.run(console.plan())).summary() == {"unsure": 6}
    assert 6_000 <= clock.monotonic() < 6_100


async def test_servers_of_a_large_batch_in_doubt_are_watched_as_long_as_such_a_job_could_take(
    clock: VirtualClock, tmp_path: Path
) -> None:
    cloud = Cloud(clock, 100)
    cloud.job_seconds = float("inf")
    cloud.on_post = lambda number: OutcomeUnsure("lost")
    console = await Console(clock, cloud, tmp_path / "journal.db").login()
    operation = await console.run(console.plan(action=Action.POWER_OFF))
    assert operation.summary() == {"unsure": 100}
    assert 5_403 <= clock.monotonic() < 5_440, "three times what the recorded times suggest: 1,801 s"
    await console.service.close()


async def test_two_batches_may_share_a_job(console: Console, cloud: Cloud) -> None:
    cloud.answer = lambda number, answers: [
        Answer(answer.server_id, queued=True, job_id="wa1-1") for answer in answers
    ]
    operation = await console.run(console.plan(batch_size=3))
    assert operation.summary() == {"verified": 6}
    assert {target.job_id for target in operation.targets.values()} == {"wa1-1"}
    assert console.emitted(EngineFailed) == []


async def test_servers_under_way_are_not_sent_in_a_second_operation(console: Console, cloud: Cloud) -> None:
    plan = console.plan()
    await asyncio.gather(console.run(plan), console.service.operations.run(plan, operation_id="op-2"))
    assert len(cloud.posts) == 1
    assert "still under way in another operation" in console.emitted(OperationNotStarted)[0].message


async def test_nothing_is_sent_without_a_login_or_a_server(
    clock: VirtualClock, cloud: Cloud, tmp_path: Path, console: Console
) -> None:
    plan = console.plan()
    stranger = Console(clock, cloud, tmp_path / "other.db")
    await stranger.service.operations.run(plan, operation_id="op-1")
    assert stranger.emitted(OperationNotStarted)[0].message == "nothing was sent: log in first"
    await console.service.operations.run(console.plan([]), operation_id="op-2")
    assert console.emitted(OperationNotStarted)[0].message == "nothing was sent: no server is eligible"
    assert not cloud.posts


async def test_a_bug_in_one_batch_is_reported_after_the_others_are_settled(
    console: Console, cloud: Cloud
) -> None:
    errors = [ZeroDivisionError("a bug")]

    def fail(call: str) -> None:
        if call == "operate" and errors:
            raise errors.pop()

    cloud.on_call = fail
    operation = await console.run(console.plan(batch_size=3))
    assert operation.summary() == {"submitting": 3, "verified": 3}
    assert "ZeroDivisionError('a bug')" in console.emitted(EngineFailed)[0].message


async def test_a_batch_refused_by_the_endpoint_does_not_stop_the_others(
    console: Console, cloud: Cloud
) -> None:
    errors = [BadRequest("what is this")]

    def refuse(call: str) -> None:
        if call == "operate" and errors:
            raise errors.pop()

    cloud.on_call = refuse
    operation = await console.run(console.plan(batch_size=3))
    assert operation.summary() == {"verified": 3, "failed": 3}


async def test_ten_thousand_servers_cost_few_requests_and_writes(clock: VirtualClock, tmp_path: Path) -> None:
    cloud = Cloud(clock, 10_000, ("WA1", "DE1", "VA1"))
    console = await Console(clock, cloud, tmp_path / "journal.db").login()
    assert cloud.requests == {"login": 1, "data_centers": 1, "group_tree": 3}
    plan = console.plan()
    writes = console.count_writes()
    operation = await console.run(plan)
    assert operation.summary() == {"verified": 10_000}
    assert writes() < 5.2 * len(plan.batches), "one for each step of a batch, not of a server"
    assert cloud.requests["operate"] == len(plan.batches) == 102
    assert cloud.requests["server"] == 0
    await console.service.close()


async def test_a_full_disk_stops_new_requests_and_never_the_tracking(
    console: Console, clock: VirtualClock, cloud: Cloud
) -> None:
    work = asyncio.create_task(console.run(console.plan(wave_size=2)))
    await until(lambda: console.emitted(Progress), clock)
    database = console.journal.database

    def full() -> NoReturn:
        raise JournalError("the disk is full; make room")

    connect, database.connect = database.connect, full  # type: ignore[method-assign]
    operation = await work
    assert operation.summary() == {"verified": 2, "planned": 4}, "as in the journal, for a later resume"
    assert len(cloud.posts) == 1
    assert (
        operation.targets[operation.ids(State.PLANNED)[0]].message == "not sent: the disk is full; make room"
    )
    await console.service.operations.run(console.plan(), operation_id="op-2")
    assert console.emitted(OperationNotStarted)[0].message == "nothing was sent: the disk is full; make room"
    database.connect = connect  # type: ignore[method-assign]
    again = await console.run(console.plan(), "op-3")
    assert again.summary() == {"verified": 4}
    assert console.journal.load("op-1").operation.targets == operation.targets


async def test_an_intent_that_cannot_be_written_stops_the_rest_of_its_wave(
    console: Console, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_once(*args: object) -> NoReturn:
        monkeypatch.undo()
        raise JournalError("the disk is full")

    monkeypatch.setattr(console.journal, "record_intent", fail_once)
    operation = await console.run(console.plan(batch_size=1))
    assert operation.summary() == {"planned": 6}
    assert cloud.posts == []


ODD_ANSWERS = st.lists(
    st.tuples(
        st.sampled_from(["WA1ACME00000", "wa1acme00001", "Wa1Acme00002", "WA1ACME00003", "FOREIGN"]),
        st.booleans(),
        st.sampled_from(["", "wa1-1", "wa1-2", "de1-7"]),
        st.sampled_from(["", "no"]),
    ),
    max_size=8,
)


@given(ODD_ANSWERS, st.sampled_from(["succeeded", "failed", "unknown"]), st.integers(0, 4))
@settings(max_examples=40)
def test_whatever_the_answer_every_server_is_settled_and_sent_once(
    odd: list[tuple[str, bool, str, str]], status: str, changed: int
) -> None:
    async def scenario(clock: VirtualClock) -> None:
        cloud = Cloud(clock, 4)

        def shape(job: Job) -> Job:
            job.final_status, job.changes = status, frozenset(job.servers[:changed])
            return job

        cloud.make_job = shape
        cloud.answer = lambda number, answers: [
            Answer(id_, queued=queued, job_id=job_id, message=message) for id_, queued, job_id, message in odd
        ]
        with memory_directory() as directory:
            console = await Console(clock, cloud, Path(directory) / "journal.db").login()
            operation = await console.run(console.plan())
            await console.service.close()
        assert [sorted(post) for post in cloud.posts] == [sorted(cloud.servers)]
        under_way = {State.PLANNED, State.SUBMITTING, State.QUEUED, State.EXECUTING}
        assert operation.count(*under_way) == 0
        truth = cloud.now()
        for target in operation.targets.values():
            assert target.state is not State.VERIFIED or truth[target.server_id].maintenance
            assert target.state is not State.FAILED or not truth[target.server_id].maintenance
            assert target.state is State.VERIFIED or target.message

    run(scenario)


async def test_many_operations_leak_no_tasks_and_no_claims(
    clock: VirtualClock, cloud: Cloud, tmp_path: Path
) -> None:
    console = await Console(clock, cloud, tmp_path / "journal.db").login()
    service, sizes = console.service, []
    for number in range(80):
        action = (Action.START_MAINTENANCE, Action.STOP_MAINTENANCE)[number % 2]
        await service.operations.run(console.plan(action=action), operation_id=f"op-{number}")
        assert console.emitted(OperationEnded)[-1].summary == {"verified": 6}
        console.events.clear()
        await clock.sleep(400)
        operations, tasks = service.operations, len(asyncio.all_tasks())
        sizes.append((len(operations.recent), operations.running, tasks, len(console.journal.claims)))
    assert sizes[30:] == [(20, False, 1, 0)] * 50, "nothing is polled that nobody waits for"
    assert await service.holds() == {}
    await service.close()
