"""What every call of the contract consists of: an authorized request, its answer, its row in the table."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import msgspec

from tui.contract import shapes
from tui.contract.accounts import Account, User
from tui.contract.bodies import Invalid
from tui.contract.protocol import ControlPlane
from tui.contract.server_entity import KeptServers
from tui.contract.views import DataCenterView, GroupView, ServerView

JSON = "application/json; charset=utf-8"


class Answer(NamedTuple):
    """An answer; without a body for None. `cached` tells the client that it may keep it for 5 minutes."""

    status: int
    body: bytes | None = None
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    cached: bool = False


class Missing(Exception):
    """There is no such thing: 404, without a body."""


class Call(NamedTuple):
    """An authorized request; the names of its query parameters are in lower case."""

    plane: ControlPlane
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    content_type: str
    user: User
    account: Account
    kept: KeptServers

    @property
    def alias(self) -> str:
        """The account's alias in upper case."""
        return self.account.alias

    def has_query(self, name: str, value: str = "true") -> bool:
        """Whether a query parameter has this value, both in any case."""
        return self.query.get(name, "").lower() == value

    async def data_center(self) -> DataCenterView:
        """The data center of the path.

        Raises:
            Missing: there is none.
        """
        return _found(await self.plane.data_center(self.alias, self.path["datacenter"]))

    async def group(self) -> GroupView:
        """The group of the path.

        Raises:
            Missing: there is none.
        """
        return _found(await self.plane.group(self.alias, self.path["id"]))

    async def server(self) -> ServerView:
        """The server of the path, by either id.

        Raises:
            Missing: there is none.
        """
        return _found(await self.plane.server(self.alias, self.path["id"]))


T = TypeVar("T")


def _found(value: T | None) -> T:
    if value is None:
        raise Missing
    return value


AT_ONCE = 500
"""Servers are worked on in pieces of so many."""


async def in_pieces(things: Iterable[T]) -> AsyncIterator[list[T]]:
    """Part things into pieces; other requests are answered in between, as a large fleet takes seconds."""
    rest = iter(things)
    while piece := list(islice(rest, AT_ONCE)):
        yield piece
        await asyncio.sleep(0)


Handler = Callable[[Call], Awaitable[Answer]]


class Route(NamedTuple):
    """One call of the contract. `path` is as the documents spell it; requests may spell it in any case."""

    method: str
    path: str
    handler: Handler | None
    """None for the login, which has no user yet."""
    summary: str
    answers: Any = None
    """The type of the JSON of its good answer; None for an answer without a body."""
    body: Any = None
    """The type of the JSON that it takes."""
    query: tuple[str, ...] = ()
    status: int = 200
    """The status of its good answer."""
    form: bool = False
    """Whether it takes a form as well as JSON."""
    changes: bool = False
    """Whether it changes servers and so needs an operating role."""

    @property
    def label(self) -> str:
        """Its name in records and documents."""
        return f"{self.method} {self.path}"


def answer(status: int, value: object) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, msgspec.json.encode(value))


def problem(status: int, message: str, *headers: tuple[str, str]) -> Answer:
    """An answer of the platform's error shape."""
    return answer(status, shapes.Problem(message=message))._replace(headers=headers)


def invalid(error: Invalid) -> Answer:
    """The platform's 400 for a body of the wrong shape."""
    state = {error.field: [str(error)]}
    return answer(400, shapes.Problem(message="The request is invalid.", model_state=state))


NOT_FOUND = Answer(404)
DENIED = problem(401, "Authorization has been denied for this request.")
BROKEN = problem(500, "An error has occurred.")
