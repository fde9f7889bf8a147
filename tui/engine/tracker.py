"""One poller for all jobs: asks for the status of each distinct job when it is worth asking.

The maths of when that is are in ``tui.model.pacing``; here are the requests and the waiting.
"""

import random
from collections.abc import Awaitable, Callable, Sequence

from tui.engine.clock import Clock
from tui.model.job import JobOutcome
from tui.model.operation import Action


class Tracker:
    """Follows jobs to their end. One per session; used from the engine's event loop only.

    Usage::

        tracker = Tracker(lambda job_id: api.job_status(account, job_id), clock=clock,
                          budget=0.75 * endpoint.requests_per_second,
                          history=journal.durations, on_duration=journal.record_duration,
                          on_word=...)
        outcome = await tracker.wait(job_id, Action.START_MAINTENANCE, servers=100, since=posted)

    There is nothing to start and nothing to close: it works while somebody waits, and a job whose
    last waiter is cancelled is dropped.
    """

    def __init__(
        self,
        status: Callable[[str], Awaitable[str]],
        *,
        clock: Clock,
        budget: float = 20.0,
        connections: int = 8,
        history: Callable[[Action, int], Sequence[float]] | None = None,
        on_word: Callable[[str, str], None] | None = None,
        on_duration: Callable[[Action, int, float], None] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Make a tracker.

        Args:
            status: Reads the platform's word for a job. Any ``ApiError`` it raises is dealt with here.
            clock: The engine's clock.
            budget: Status requests a second at most. Leave some of the endpoint's budget to others.
            connections: Status requests in flight at once at most.
            history: ``history(action, servers)`` gives the durations, in seconds, of earlier jobs of
                the same action with a similar number of servers (``pacing.similar(servers)`` says
                from how many to how many that is). Asked once per action and such range.
            on_word: Told ``(job_id, word)`` when a job's word changes, the last word included; with
                the platform's spelling.
            on_duration: Told ``(action, servers, seconds)`` for each job whose end was witnessed (not
                for one that had ended before it was taken up): what ``history`` is to give next time.
            jitter: Random numbers from 0 up to 1, replaced in tests.
        """
        raise NotImplementedError

    async def wait(self, job_id: str, action: Action, servers: int, since: float) -> JobOutcome:
        """Wait until the job ends.

        Any number of callers may wait for the same job; it is asked for once. A link that is down, a
        server that fails, a token that expired or a pause asked for is never raised: it goes on, backed off
        with jitter, for as long as it takes.

        Args:
            job_id: The platform's id of the job.
            action: What the job does.
            servers: How many servers it does it to.
            since: ``clock.now()`` when it was POSTed. May lie far back when a run is resumed.

        Returns:
            How it ended. ``UNKNOWN`` also when it does not end within the bound (20 times what such a job
            takes, and at least an hour, watched by this process) or the platform says for some
            minutes that there is no such job: the servers themselves are to be read then.
        """
        raise NotImplementedError

    def nudge(self) -> None:
        """Ask again at once instead of sitting out a pause, e.g. after the operator logged in again."""
        raise NotImplementedError
