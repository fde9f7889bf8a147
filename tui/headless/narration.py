"""Progress on stderr: a live progress line on a terminal, plain lines elsewhere."""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Self, TextIO

from tui.headless.output import columns, sign
from tui.headless.writer import Writer
from tui.model.operation import BAD_OUTCOMES, ENDED, Operation, State, Target, style_of
from tui.model.text import clean, counted, named

PLAIN_EVERY = 10.0
"""Seconds between two progress lines where they cannot be rewritten."""
MAX_IDS = 20
"""A message names up to this many servers and counts the others."""

_REPORTED = (*BAD_OUTCOMES, State.LOOKING)
"""States whose servers are named one by one."""


class Narrator:
    """Reports progress. Only ``flush`` and leaving the ``with`` block wait for the reader."""

    def __init__(self, stream: TextIO | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._monotonic = monotonic
        self.live = self._stream.isatty() and os.environ.get("TERM", "") not in {"", "dumb"}
        """Whether a line can be rewritten in place."""
        self._started = monotonic()
        self._reported = float("-inf")
        self._writer = Writer(self._stream)
        self._states: dict[str, State] = {}
        self._wait_until = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def flush(self) -> None:
        """Wait until everything is written; see ``Writer.flush``."""
        self._writer.flush()

    def say(self, text: str) -> None:
        """Write one line."""
        self._writer.line(text)

    def wait_until(self, at: float) -> None:
        """Report a pause that the endpoint requests, now and in the progress line while it lasts.

        ``at`` is in seconds since the epoch.
        """
        self._wait_until = at
        self.say(f"the endpoint asks us to {self._waiting()}")

    def _waiting(self) -> str:
        return time.strftime("wait until %H:%M:%S", time.localtime(self._wait_until))

    def begin(self, operation: Operation, *, resumed: bool) -> None:
        """Report that an operation starts, or is resumed."""
        self._started = self._monotonic()
        self._states = {target.server_id: target.state for target in operation.targets.values()}
        servers = counted(len(operation.targets), "server")
        notes = [operation.reason, f"a retry of {operation.retry_of}" if operation.retry_of else ""]
        what = ", ".join([f"{operation.action.label}: {servers}", *filter(None, notes)])
        self.say(clean(f"{'Going on with ' if resumed else ''}{what}"))

    def targets(self, operation: Operation, targets: tuple[Target, ...]) -> None:
        """Report changed targets: new jobs and bad outcomes at once, the others by their counts."""
        news = [target for target in targets if self._states.get(target.server_id) is not target.state]
        self._states.update((target.server_id, target.state) for target in news)
        if not self.live:
            queued = Counter(target.job_id for target in news if target.state is State.QUEUED)
            for job_id, servers in queued.items():
                self.say(clean(f"{counted(servers, 'server')} queued as {job_id}"))
        by_state: dict[tuple[State, str], list[str]] = {}
        for target in news:
            if target.state in _REPORTED:
                by_state.setdefault((target.state, target.message), []).append(target.server_id)
        for (state, message), ids in by_state.items():
            style = style_of(operation.action, state)
            who = f"{sign(style, self._stream)} {named(ids, MAX_IDS)}"
            self.say(clean(f"{who}  {style.word}  {message}".rstrip()))
        self.progress(operation)

    def progress(self, operation: Operation) -> None:
        """Report the progress: in place on a terminal, every ``PLAIN_EVERY`` seconds elsewhere."""
        now = self._monotonic()
        text = progress_text(operation, now - self._started)
        if time.time() < self._wait_until:
            text += f", asked to {self._waiting()}"
        if self.live:
            self._writer.progress(text[: columns(self._stream) - 1], rewritten=True)
        elif now - self._reported >= PLAIN_EVERY:
            self._reported = now
            self._writer.progress(text, rewritten=False)

    def end(self, operation: Operation) -> None:
        """Report the outcome."""
        self.say(progress_text(operation, self._monotonic() - self._started))


def progress_text(operation: Operation, elapsed: float) -> str:
    """The counts of an operation, e.g. "24 of 37 verified, 2 failed, 11 running, 1:23".

    Of an action that cannot be verified, "24 of 37 done". ``elapsed`` is in seconds.
    """
    total, action = len(operation.targets), operation.action
    well = State.VERIFIED if action.leaves_trace else State.SUCCEEDED
    parts = [f"{operation.count(*{State.VERIFIED, well})} of {total} {style_of(action, well).word}"]
    running = (state for state in State if state not in {*ENDED, State.UNSURE, well})
    parts += [
        f"{operation.count(state)} {style_of(action, state).word}"
        for state in (*BAD_OUTCOMES, State.CANCELLED, *running)
        if operation.count(state)
    ]
    minutes, seconds = divmod(int(elapsed), 60)
    return f"{', '.join(parts)}, {minutes}:{seconds:02}"
