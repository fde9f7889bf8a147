"""What is told on stderr: one line that keeps up on a terminal, plain lines elsewhere."""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Self, TextIO

from tui.headless.output import columns, sign
from tui.headless.writer import Writer
from tui.model.operation import BAD_OUTCOMES, ENDED, STATE_STYLES, Operation, State, Target
from tui.model.text import clean, counted, named

PLAIN_EVERY = 10.0
"""Seconds between two lines of progress where lines cannot be rewritten."""
MAX_IDS = 20
"""A message names up to this many servers and counts the others."""

_REPORTED = (*BAD_OUTCOMES, State.LOOKING)
"""States of which each server is named."""


class Narrator:
    """Tells the operator what goes on, and never waits for the reader but in ``flush`` and at the end."""

    def __init__(self, stream: TextIO | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._monotonic = monotonic
        self.live = self._stream.isatty() and os.environ.get("TERM", "") not in {"", "dumb"}
        """Whether one line can be written again and again."""
        self._begun = monotonic()
        self._told = float("-inf")
        self._writer = Writer(self._stream)
        self._states: dict[str, State] = {}
        self._wait_until = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def flush(self) -> None:
        """Wait until all is told, or nobody has listened for a while."""
        self._writer.flush()

    def say(self, text: str) -> None:
        """One line."""
        self._writer.line(text)

    def wait_until(self, at: float) -> None:
        """The endpoint asks for a pause: said now, and with the progress while it lasts."""
        self._wait_until = at
        self.say(f"the endpoint asks us to {self._waiting()}")

    def _waiting(self) -> str:
        return time.strftime("wait until %H:%M:%S", time.localtime(self._wait_until))

    def begin(self, operation: Operation, *, resumed: bool) -> None:
        """An operation starts, or is taken up again."""
        self._begun = self._monotonic()
        self._states = {target.server_id: target.state for target in operation.targets.values()}
        servers = counted(len(operation.targets), "server")
        what = f"{operation.action.label}: {servers}" + (f", {operation.reason}" if operation.reason else "")
        self.say(clean(f"{'Going on with ' if resumed else ''}{what}"))

    def targets(self, operation: Operation, targets: tuple[Target, ...]) -> None:
        """Servers changed: new jobs and what went wrong are said at once, the rest is counted."""
        news = [target for target in targets if self._states.get(target.server_id) is not target.state]
        self._states.update((target.server_id, target.state) for target in news)
        if not self.live:
            queued = Counter(target.job_id for target in news if target.state is State.QUEUED)
            for job_id, servers in queued.items():
                self.say(clean(f"{counted(servers, 'server')} queued as {job_id}"))
        alike: dict[tuple[State, str], list[str]] = {}
        for target in news:
            if target.state in _REPORTED:
                alike.setdefault((target.state, target.message), []).append(target.server_id)
        for (state, message), ids in alike.items():
            look = STATE_STYLES[state]
            who = f"{sign(look, self._stream)} {named(ids, MAX_IDS)}"
            self.say(clean(f"{who}  {look.word}  {message}".rstrip()))
        self.progress(operation)

    def progress(self, operation: Operation) -> None:
        """How far it is: rewritten in place on a terminal, a line now and then elsewhere."""
        now = self._monotonic()
        text = progress_text(operation, now - self._begun)
        if time.time() < self._wait_until:
            text += f", asked to {self._waiting()}"
        if self.live:
            self._writer.progress(text[: columns(self._stream) - 1], rewritten=True)
        elif now - self._told >= PLAIN_EVERY:
            self._told = now
            self._writer.progress(text, rewritten=False)

    def end(self, operation: Operation) -> None:
        """How it ended."""
        self.say(progress_text(operation, self._monotonic() - self._begun))


def progress_text(operation: Operation, elapsed: float) -> str:
    """Counts in the words of the states, e.g. "24 of 37 verified, 2 failed, 11 running, 1:23"."""
    total = len(operation.targets)
    parts = [f"{operation.count(State.VERIFIED)} of {total} verified"]
    parts += [
        f"{operation.count(state)} {STATE_STYLES[state].word}"
        for state in (*BAD_OUTCOMES, State.CANCELLED)
        if operation.count(state)
    ]
    running = [state for state in State if state not in ENDED and state is not State.UNSURE]
    parts += [
        f"{operation.count(state)} {STATE_STYLES[state].word}" for state in running if operation.count(state)
    ]
    minutes, seconds = divmod(int(elapsed), 60)
    return f"{', '.join(parts)}, {minutes}:{seconds:02}"
