"""Defects that earlier versions had, each with the trouble that shows it: the campaign must see every one.

A defect is put back into a process before anything of the program has been used: see
`tests.campaign.hurried`.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from tests.campaign.promises import Promise
from tests.campaign.proxy import Choose, Message
from tests.campaign.script import Script


class Defect(NamedTuple):
    """One defect, and what it takes to see it."""

    script: Script
    trouble: Callable[[], Choose]
    """Makes what says which fault strikes which request."""
    breaks: Promise
    put_back: Callable[[], None]


def put_back(name: str) -> None:
    """Make the program as it was before that defect was mended."""
    DEFECTS[name].put_back()


def first(number: int, fault: str, which: Callable[[Message], bool]) -> Callable[[], Choose]:
    """A fault strikes the first so many requests of a kind."""

    def trouble() -> Choose:
        struck: list[Message] = []

        def choose(request: Message) -> str:
            if len(struck) < number and which(request):
                struck.append(request)
                return fault
            return ""

        return choose

    return trouble


def calm() -> Choose:
    """Nothing strikes."""
    return lambda _: ""


def _operations(request: Message) -> bool:
    return request.operation


def _statuses(request: Message) -> bool:
    return "/status/" in request.path


def _take_what_comes_next() -> None:
    """A connection with bytes left after an answer is used again, for POSTs as well."""
    from tui.api.connections import Connections

    @asynccontextmanager
    async def exchange(
        self: Any, method: str, url: str, content: bytes | None, headers: Mapping[str, str], *, alone: bool
    ) -> AsyncIterator[Any]:
        async with self._kept.stream(method, url, content=content, headers=headers) as response:
            yield response

    Connections.exchange = exchange  # type: ignore[method-assign]


def _wait_as_long_as_asked() -> None:
    """A Retry-After is waited for, however long it is."""
    from tui.api import limits

    limits.DEFAULT = limits.Limits(longest_wait=float("inf"))


DEFECTS: Mapping[str, Defect] = {
    "an answer that came twice is the next one's": Defect(
        Script(seed=3), first(1, "pause-twice", _operations), Promise.ONCE, _take_what_comes_next
    ),
    "a refusal that came twice ends the login": Defect(
        Script(seed=3, job_seconds="100"),
        first(2, "deny-twice", _statuses),
        Promise.SOUND,
        _take_what_comes_next,
    ),
    "a pause is as long as it is asked for": Defect(
        Script(seed=3), first(1, "long-pause", _statuses), Promise.ENDS, _wait_as_long_as_asked
    ),
}
"""By what it does."""
