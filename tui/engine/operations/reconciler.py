"""Settles the servers of batches that were sent: by the answer, by the job, and by reading the servers.

Only the servers themselves show their outcome; the end of a job is a reason to read them.
"""

import asyncio
from collections.abc import Collection, Coroutine, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from tui.engine.operations.context import RunContext
from tui.engine.operations.recorder import StateRecorder
from tui.model.duration import expected, similar
from tui.model.job import JobOutcome, is_waiting, job_outcome
from tui.model.operation import Operation, State
from tui.model.plan import Batch
from tui.model.server import Server

if TYPE_CHECKING:
    from tui.api.endpoints import Answer

REFUSED_SILENTLY = (
    "refused without a reason; usually the server already is in the requested state, or may not be changed"
)
READING = "; reading the server to see whether it changed"
UNREAD = "the server is gone or cannot be read, so nothing is known of it: look there"
_ORDINARY_STATUSES = frozenset({"executing", "running"})


class Reconciler:
    """Follows the batches of one operation until every server is settled."""

    def __init__(
        self,
        context: RunContext,
        operation: Operation,
        recorder: StateRecorder,
        *,
        submitted: Mapping[int, float],
        ages: Mapping[int, float],
    ) -> None:
        """Follow nothing yet.

        Args:
            context: The shared parts of the engine.
            operation: As in the journal.
            recorder: Of that operation.
            submitted: Batch -> when an earlier process sent it, in seconds since the epoch.
            ages: Batch -> seconds that have passed since then at least.
        """
        self._context = context
        self._operation = operation
        self._recorder = recorder
        self._submitted = dict(submitted)
        self._started = context.clock.monotonic()
        self._posted = {index: self._started - age for index, age in ages.items()}
        self._modified: dict[int, dict[str, str | None]] = {}
        """Batch -> server -> its date of change before this process sent the batch."""

    def sending(self, batch: Batch) -> None:
        """Note that the request of a batch is about to be sent."""
        # When a batch is sent again, the dates before its first request count.
        changes = {id_: self._last_change(id_) for id_ in batch.server_ids}
        self._modified[batch.index] = changes | self._modified.get(batch.index, {})
        self._submitted[batch.index] = self._context.clock.now()
        self._posted[batch.index] = self._context.clock.monotonic()

    async def follow_answers(self, batch: Batch, answers: "Sequence[Answer]") -> None:
        """Record the endpoint's answers to a batch, and follow it until every server is settled."""
        jobs: dict[str, list[str]] = {}
        refused: dict[str, list[str]] = {}
        unanswered = dict.fromkeys(batch.server_ids)
        jobless = []
        for answer in answers:
            id_ = answer.server_id.upper()
            if id_ not in unanswered:
                continue
            del unanswered[id_]
            if not answer.queued:
                refused.setdefault(answer.message or REFUSED_SILENTLY, []).append(id_)
            elif answer.job_id:
                jobs.setdefault(answer.job_id, []).append(id_)
            else:
                jobless.append(id_)
        targets = self._recorder.targets
        changes = [targets(ids, State.QUEUED, job_id=job_id) for job_id, ids in jobs.items()]
        changes += [targets(ids, State.REFUSED, message=message) for message, ids in refused.items()]
        changes.append(targets(jobless, State.UNSURE, message="taken, but no job was named to follow"))
        changes.append(targets(unanswered, State.UNSURE, message="the endpoint's answer does not mention it"))
        self._recorder.record([target for change in changes for target in change])
        await run_all([self.follow(batch), self._check_refused(refused)])

    async def follow(self, batch: Batch) -> None:
        """Follow a batch that was sent, each server from its current state, until every server is settled."""
        targets = self._operation.targets
        lost = [id_ for id_ in batch.server_ids if targets[id_].state is State.SUBMITTING]
        self._recorder.set(lost, State.UNSURE, message="Pitstop was interrupted before the answer came")
        jobs: dict[str, list[str]] = {}
        unsure, unverified, unread = [], [], []
        for id_ in batch.server_ids:
            match targets[id_].state:
                case State.QUEUED | State.EXECUTING:
                    jobs.setdefault(targets[id_].job_id, []).append(id_)
                case State.UNSURE:
                    unsure.append(id_)
                case State.SUCCEEDED:
                    unverified.append(id_)
                case State.LOOKING:
                    unread.append(id_)
                case _:
                    pass
        following = [self._follow_job(job_id, ids, batch) for job_id, ids in jobs.items()]
        if unsure:
            following.append(self._reconcile(unsure, batch))
        if unverified:
            following.append(self._verify(unverified))
        if unread:
            following.append(self._read_after_failure(unread))
        await run_all(following)

    async def _follow_job(self, job_id: str, ids: list[str], batch: Batch) -> None:
        action = self._operation.action
        since = self._submitted.get(batch.index, self._operation.started)
        watching = asyncio.create_task(self._watch(job_id, ids)) if action.leaves_trace else None
        try:
            outcome = await self._context.tracker.wait(
                job_id, action, len(ids), since, on_status=partial(self._record_status, ids)
            )
        finally:
            if watching is not None:
                watching.cancel()
        match outcome:
            case JobOutcome.SUCCEEDED:
                self._recorder.set(ids, State.SUCCEEDED)
                await self._verify(ids)
            case JobOutcome.FAILED:
                self.refused(ids, "the job failed")
                if action.leaves_trace:
                    await self._read_after_failure(ids)
            case _:
                doubt = "the platform does not tell what became of the job; reading the server instead"
                self._recorder.set(ids, State.UNSURE, message=doubt)
                await self._reconcile(ids, batch)

    def _record_status(self, ids: Sequence[str], status: str) -> None:
        """Record that a job runs, and its status when that is not an ordinary one."""
        if is_waiting(status) or job_outcome(status) is not None:
            return
        message = "" if status.strip().casefold() in _ORDINARY_STATUSES else status.strip()
        self._recorder.set(ids, State.EXECUTING, message=message)

    async def _watch(self, job_id: str, ids: list[str]) -> None:
        """Confirm a job to the tracker when all its servers were read in the requested state."""
        await self._context.verifier.watch(self._operation.action, ids)
        self._context.tracker.confirm(job_id)

    def refused(self, ids: Sequence[str], reason: str) -> None:
        """Record that a request was refused as a whole; servers that can show their state are read first."""
        if self._operation.action.leaves_trace:
            self._recorder.set(ids, State.LOOKING, message=reason.rstrip(".") + READING)
        else:
            self._recorder.set(ids, State.FAILED, message=reason)

    async def untouched(self, batch: Batch, reason: str) -> Batch:
        """Return the unchanged part of a refused batch, which may be sent again; settle the rest."""
        action = self._operation.action
        if not action.leaves_trace:
            return batch
        settled = f"settled by reading the server: it is {action.result}"
        contrary, unread = _split(await self._settle(batch.server_ids, 0.0, settled))
        self._recorder.set(unread, State.UNSURE, message=f"{reason.rstrip('.')}; {UNREAD}")
        keep = set(contrary)
        ids = tuple(id_ for id_ in batch.server_ids if id_ in keep)
        return msgspec.structs.replace(batch, server_ids=ids)

    async def _read_after_failure(self, ids: list[str]) -> None:
        """Find the servers that changed although their request was refused or their job failed."""
        result = self._operation.action.result
        by_reason: dict[str, list[str]] = {}
        for id_ in ids:
            reason = self._operation.targets[id_].message.removesuffix(READING)
            by_reason.setdefault(reason, []).append(id_)

        async def settle(reason: str, ids: list[str]) -> None:
            limit = self._context.options.failed_limit
            contrary, unread = _split(await self._settle(ids, limit, f"{reason}, but this server changed"))
            self._recorder.set(contrary, State.FAILED, message=f"{reason}; the server is not {result}")
            self._recorder.set(unread, State.UNSURE, message=f"{reason}; {UNREAD}")

        await run_all([settle(reason, ids) for reason, ids in by_reason.items()])

    async def _verify(self, ids: list[str]) -> None:
        action, limit = self._operation.action, self._context.options.verify_limit
        if not action.leaves_trace:
            self._recorder.set(
                ids, State.SUCCEEDED, message="done; a server does not show it, so nothing can verify it"
            )
            return
        contrary, unread = _split(await self._settle(ids, limit, ""))
        message = f"the job succeeded, but after {limit:.0f} s the server is not {action.result}"
        self._recorder.set(contrary, State.SUCCEEDED, message=message)
        self._recorder.set(unread, State.SUCCEEDED, message=f"the job succeeded; {UNREAD}")

    async def _reconcile(self, ids: list[str], batch: Batch) -> None:
        """Watch servers for as long as their job could take, had the request been carried out."""
        action, options = self._operation.action, self._context.options
        if not action.leaves_trace:
            doubt = "it is not known whether it was carried out, and a server does not show it: look there"
            self._recorder.set(ids, State.UNSURE, message=doubt)
            return
        longest = max(options.unsure_least, await self._longest(len(batch.server_ids)))
        limit = max(longest - self._age(batch), options.failed_limit)
        ends = {
            "untouched": f"untouched: the server is not {action.result}, so it may be asked for again",
            "moved": f"the server is not {action.result}, but it was changed since: look there",
            "unread": UNREAD,
            "watched": "still being watched",
        }
        reasons = {id_: self._operation.targets[id_].message for id_ in ids}
        for end in ends.values():  # Appended by an earlier process.
            reasons = {id_: message.removesuffix(f"; {end}") for id_, message in reasons.items()}

        def record(ids: Sequence[str], end: str) -> None:
            self._recorder.set_each({id_: f"{reasons[id_]}; {ends[end]}" for id_ in ids}, State.UNSURE)

        record(ids, "watched")
        settled = f"settled by reading the server: it is {action.result}"
        contrary, unread = _split(await self._settle(ids, limit, settled))
        moved = {id_ for id_ in contrary if self._changed_since(id_, batch)}
        record([id_ for id_ in contrary if id_ not in moved], "untouched")
        record([id_ for id_ in contrary if id_ in moved], "moved")
        record(unread, "unread")

    def _changed_since(self, server_id: str, batch: Batch) -> bool:
        """Whether a server's date of change is known to differ from the one before its batch was sent."""
        before = self._modified.get(batch.index, {}).get(server_id)
        return before is not None and self._last_change(server_id) != before

    def _last_change(self, server_id: str) -> str | None:
        server = self._context.inventory.fleet.servers.get(server_id)
        return server.modified if server is not None else None

    async def _check_refused(self, refused: Mapping[str, list[str]]) -> None:
        """Say so in the message of refused servers that already are in the requested state."""
        action = self._operation.action
        reasons = {id_: message for message, ids in refused.items() for id_ in ids}
        if not reasons or not action.leaves_trace:
            return
        already: list[str] = []

        def on_server(server: Server) -> None:
            already.append(server.id)

        await self._context.verifier.settle(action, reasons, limit=0.0, on_server=on_server)
        note = f"already {action.result}, so there was nothing to do"
        self._recorder.set_each({id_: f"{note} ({reasons[id_]})" for id_ in already}, State.REFUSED)

    async def _settle(self, ids: Collection[str], limit: float, message: str) -> Mapping[str, bool]:
        """Read servers, record those in the requested state as VERIFIED, and return the others.

        Args:
            ids: The servers.
            limit: Seconds until the last reading.
            message: Of the verified servers.

        Returns:
            As ``Verifier.settle``.
        """
        verified: list[str] = []

        def flush() -> None:
            self._recorder.set(verified, State.VERIFIED, message=message)
            verified.clear()

        def on_server(server: Server) -> None:
            # One reading shows many servers: one transaction for all of them.
            if not verified:
                asyncio.get_running_loop().call_soon(flush)
            verified.append(server.id)

        pending = await self._context.verifier.settle(
            self._operation.action, ids, limit=limit, on_server=on_server
        )
        flush()
        return pending

    def _age(self, batch: Batch) -> float:
        """Seconds since a batch was sent at least. Not by the wall clock, which may have been set since."""
        return self._context.clock.monotonic() - self._posted.get(batch.index, self._started)

    async def _longest(self, servers: int) -> float:
        """Seconds that a job of that size takes at most: three times the longest known duration."""
        action = self._operation.action
        known = await self._context.journal.do(lambda journal: journal.durations(action, similar(servers)))
        return 3 * max(known, default=expected(action, servers))


def _split(pending: Mapping[str, bool]) -> tuple[list[str], list[str]]:
    """The servers that were read in another state than requested, and those whose state could not be read."""
    return [id_ for id_ in pending if pending[id_]], [id_ for id_ in pending if not pending[id_]]


async def run_all(work: Sequence[Coroutine[None, None, None]]) -> None:
    """Run coroutines concurrently to their end; an error of one is raised when all are done."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
