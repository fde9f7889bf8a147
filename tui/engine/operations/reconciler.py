"""What becomes of servers once their batch was sent: answers, jobs, and what the servers themselves show.

Only the servers say what became of them; a job's end is a reason to look.
"""

import asyncio
from collections.abc import Collection, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from tui.engine.operations.context import RunContext
from tui.engine.operations.recorder import StateRecorder
from tui.engine.polling.schedule import expected, similar
from tui.model.job import JobOutcome, is_waiting, job_outcome
from tui.model.operation import Operation, State
from tui.model.plan import Batch
from tui.model.server import Server

if TYPE_CHECKING:
    from tui.api.endpoints import Answer

REFUSED_SILENTLY = (
    "refused without a reason; the platform does so when a server already is as asked, or may not be changed"
)
LOOKING = "; reading the server to see whether it changed"
UNSEEN = "the server is gone or cannot be read, so nothing is known of it: look there"
_ORDINARY_WORDS = frozenset({"executing", "running"})


class Reconciler:
    """Follows the batches of one operation to their end."""

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
            context: What to work with.
            operation: As the journal has it.
            recorder: Of that operation.
            submitted: Batch -> when it was sent by an earlier process.
            ages: Batch -> seconds that have passed since then, for certain.
        """
        self._context = context
        self._operation = operation
        self._recorder = recorder
        self._submitted = dict(submitted)
        self._begun = context.clock.monotonic()
        self._posted = {index: self._begun - age for index, age in ages.items()}
        self._modified: dict[int, dict[str, str | None]] = {}
        """Batch -> when its servers had been changed last, before it was sent from here."""
        self._jobs: dict[tuple[str, int], list[str]] = {}
        """Job and batch -> the servers waiting for the job's end."""

    def sent(self, batch: Batch) -> None:
        """The request of a batch is about to leave."""
        # The date before the first request counts, should it be sent again.
        changes = {id_: self._last_change(id_) for id_ in batch.server_ids}
        self._modified[batch.index] = changes | self._modified.get(batch.index, {})
        self._submitted[batch.index] = self._context.clock.now()
        self._posted[batch.index] = self._context.clock.monotonic()

    def on_word(self, job_id: str, word: str) -> None:
        """The platform has a new word for a job."""
        if is_waiting(word) or job_outcome(word) is not None:
            return
        message = "" if word.strip().casefold() in _ORDINARY_WORDS else word.strip()
        ids = [id_ for (job, _), ids in self._jobs.items() if job == job_id for id_ in ids]
        self._recorder.set(ids, State.EXECUTING, message=message)

    async def follow_answers(self, batch: Batch, answers: "Sequence[Answer]") -> None:
        """Follow a batch from the endpoint's answer to its end."""
        jobs: dict[str, list[str]] = {}
        refused: dict[str, list[str]] = {}
        asked = dict.fromkeys(batch.server_ids)
        unnamed = []
        for answer in answers:
            id_ = answer.server_id.upper()
            if id_ not in asked:
                continue
            del asked[id_]
            if not answer.queued:
                refused.setdefault(answer.message or REFUSED_SILENTLY, []).append(id_)
            elif answer.job_id:
                jobs.setdefault(answer.job_id, []).append(id_)
            else:
                unnamed.append(id_)
        targets = self._recorder.targets
        changes = [targets(ids, State.QUEUED, job_id=job_id) for job_id, ids in jobs.items()]
        changes += [targets(ids, State.REFUSED, message=message) for message, ids in refused.items()]
        changes.append(targets(unnamed, State.UNSURE, message="taken, but no job was named to follow"))
        changes.append(targets(asked, State.UNSURE, message="the endpoint's answer does not mention it"))
        self._recorder.record([target for change in changes for target in change])
        await together([self.take_up(batch), self._look_at_refused(refused)])

    async def take_up(self, batch: Batch) -> None:
        """Follow a batch that was sent, from wherever its servers stand."""
        targets = self._operation.targets
        lost = [id_ for id_ in batch.server_ids if targets[id_].state is State.SUBMITTING]
        self._recorder.set(lost, State.UNSURE, message="Pitstop was interrupted before the answer came")
        jobs: dict[str, list[str]] = {}
        unsure, unverified, unseen = [], [], []
        for id_ in batch.server_ids:
            match targets[id_].state:
                case State.QUEUED | State.EXECUTING:
                    jobs.setdefault(targets[id_].job_id, []).append(id_)
                case State.UNSURE:
                    unsure.append(id_)
                case State.SUCCEEDED:
                    unverified.append(id_)
                case State.LOOKING:
                    unseen.append(id_)
                case _:
                    pass
        following = [self._follow_job(job_id, ids, batch) for job_id, ids in jobs.items()]
        if unsure:
            following.append(self._reconcile(unsure, batch))
        if unverified:
            following.append(self._verify(unverified))
        if unseen:
            following.append(self._look_after_failure(unseen))
        await together(following)

    async def _follow_job(self, job_id: str, ids: list[str], batch: Batch) -> None:
        action = self._operation.action
        since = self._submitted.get(batch.index, self._operation.started)
        self._jobs[job_id, batch.index] = ids
        watching = asyncio.create_task(self._watch(job_id, ids)) if action.leaves_trace else None
        try:
            outcome = await self._context.tracker.wait(job_id, action, len(ids), since)
        finally:
            if watching is not None:
                watching.cancel()
            del self._jobs[job_id, batch.index]
        match outcome:
            case JobOutcome.SUCCEEDED:
                self._recorder.set(ids, State.SUCCEEDED)
                await self._verify(ids)
            case JobOutcome.FAILED:
                self.refused(ids, "the job failed")
                if action.leaves_trace:
                    await self._look_after_failure(ids)
            case _:
                doubt = "the platform does not tell what became of the job; reading the server instead"
                self._recorder.set(ids, State.UNSURE, message=doubt)
                await self._reconcile(ids, batch)

    async def _watch(self, job_id: str, ids: list[str]) -> None:
        """Tell the tracker when all servers of a job are seen to be as asked."""
        await self._context.verifier.watch(self._operation.action, ids)
        self._context.tracker.seen(job_id)

    def refused(self, ids: Sequence[str], reason: str) -> None:
        """A request was refused as a whole. Where a server can show it, it is believed after a look only."""
        if self._operation.action.leaves_trace:
            self._recorder.set(ids, State.LOOKING, message=reason.rstrip(".") + LOOKING)
        else:
            self._recorder.set(ids, State.FAILED, message=reason)

    async def untouched(self, batch: Batch, reason: str) -> Batch:
        """What of a refused batch shows no trace of it: that may be sent again. The rest is settled."""
        action = self._operation.action
        if not action.leaves_trace:
            return batch
        settled = f"settled by reading the server: it is {action.result}"
        left, unseen = _shown(await self._settle(batch.server_ids, 0.0, settled))
        self._recorder.set(unseen, State.UNSURE, message=f"{reason.rstrip('.')}; {UNSEEN}")
        keep = set(left)
        ids = tuple(id_ for id_ in batch.server_ids if id_ in keep)
        return msgspec.structs.replace(batch, server_ids=ids)

    async def _look_after_failure(self, ids: list[str]) -> None:
        """What was refused, or a job that failed, may have changed some servers all the same: see which."""
        result = self._operation.action.result
        alike: dict[str, list[str]] = {}
        for id_ in ids:
            alike.setdefault(self._operation.targets[id_].message.removesuffix(LOOKING), []).append(id_)

        async def look(reason: str, ids: list[str]) -> None:
            left = await self._settle(
                ids, self._context.options.failed_limit, f"{reason}, but this server changed"
            )
            contrary, unseen = _shown(left)
            self._recorder.set(contrary, State.FAILED, message=f"{reason}; the server is not {result}")
            self._recorder.set(unseen, State.UNSURE, message=f"{reason}; {UNSEEN}")

        await together([look(reason, ids) for reason, ids in alike.items()])

    async def _verify(self, ids: list[str]) -> None:
        action, limit = self._operation.action, self._context.options.verify_limit
        if not action.leaves_trace:
            self._recorder.set(
                ids, State.SUCCEEDED, message="done; a server does not show it, so nothing can verify it"
            )
            return
        left = await self._settle(ids, limit, "")
        contrary, unseen = _shown(left)
        message = f"the job succeeded, but after {limit:.0f} s the server is not {action.result}"
        self._recorder.set(contrary, State.SUCCEEDED, message=message)
        self._recorder.set(unseen, State.SUCCEEDED, message=f"the job succeeded; {UNSEEN}")

    async def _reconcile(self, ids: list[str], batch: Batch) -> None:
        """Watch servers for as long as the request, had it been carried out, could take to show."""
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
            "unseen": UNSEEN,
            "watched": "still being watched",
        }
        why = {id_: self._operation.targets[id_].message for id_ in ids}
        for end in ends.values():  # of an earlier process
            why = {id_: message.removesuffix(f"; {end}") for id_, message in why.items()}

        def tell(ids: Sequence[str], end: str) -> None:
            self._recorder.set_each({id_: f"{why[id_]}; {ends[end]}" for id_ in ids}, State.UNSURE)

        tell(ids, "watched")
        left = await self._settle(ids, limit, f"settled by reading the server: it is {action.result}")
        contrary, unseen = _shown(left)
        moved = {id_ for id_ in contrary if self._changed_since(id_, batch)}
        tell([id_ for id_ in contrary if id_ not in moved], "untouched")
        tell([id_ for id_ in contrary if id_ in moved], "moved")
        tell(unseen, "unseen")

    def _changed_since(self, server_id: str, batch: Batch) -> bool:
        """Whether a server's date of change is another than before its batch was sent; False if not known."""
        before = self._modified.get(batch.index, {}).get(server_id)
        return before is not None and self._last_change(server_id) != before

    def _last_change(self, server_id: str) -> str | None:
        server = self._context.inventory.fleet.servers.get(server_id)
        return server.modified if server is not None else None

    async def _look_at_refused(self, refused: Mapping[str, list[str]]) -> None:
        """A refusal often means that there was nothing to do: say so where the servers show it."""
        action = self._operation.action
        reasons = {id_: message for message, ids in refused.items() for id_ in ids}
        if not reasons or not action.leaves_trace:
            return
        already: list[str] = []

        def on_server(server: Server) -> None:
            already.append(server.id)

        await self._context.verifier.settle(action, reasons, limit=0.0, on_server=on_server)
        words = f"already {action.result}, so there was nothing to do"
        self._recorder.set_each({id_: f"{words} ({reasons[id_]})" for id_ in already}, State.REFUSED)

    async def _settle(self, ids: Collection[str], limit: float, message: str) -> Mapping[str, bool]:
        """Read servers until they are as asked and call those verified; returns the others (see Verifier)."""
        seen: list[str] = []

        def flush() -> None:
            self._recorder.set(seen, State.VERIFIED, message=message)
            seen.clear()

        def on_server(server: Server) -> None:
            # A reading brings many servers at once: one transaction for all of them.
            if not seen:
                asyncio.get_running_loop().call_soon(flush)
            seen.append(server.id)

        left = await self._context.verifier.settle(
            self._operation.action, ids, limit=limit, on_server=on_server
        )
        flush()
        return left

    def _age(self, batch: Batch) -> float:
        """Seconds since a batch was sent, at least. Never by the wall clock: it can be set meanwhile."""
        return self._context.clock.monotonic() - self._posted.get(batch.index, self._begun)

    async def _longest(self, servers: int) -> float:
        """The longest that a job of that size is thought to take: what is known of such jobs, three times."""
        action = self._operation.action
        known = await self._context.journal.do(lambda journal: journal.durations(action, similar(servers)))
        return 3 * max(known, default=expected(action, servers))


def _shown(left: Mapping[str, bool]) -> tuple[list[str], list[str]]:
    """The servers that were seen not to be as asked, and those of which nothing could be seen."""
    return [id_ for id_ in left if left[id_]], [id_ for id_ in left if not left[id_]]


async def together(work: Sequence[Coroutine[None, None, None]]) -> None:
    """Do things at once. One that breaks does not break the others; its error comes when all are done."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
