"""The engine of one headless command: logged in, the fleet read, its events reported."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tui.engine.endpoint import Endpoint
from tui.engine.errors import JournalError
from tui.engine.events import (
    DataCenterFailed,
    EngineFailed,
    Event,
    FleetFailed,
    JournalChanged,
    JournalPruned,
    LinkChanged,
    LoggedIn,
    LoginFailed,
    LoginNeeded,
    PauseRequested,
)
from tui.engine.journal.writer import JournalWriter
from tui.engine.options import Options
from tui.engine.service import EngineService
from tui.headless.exits import Exit, Stop
from tui.headless.narration import Narrator
from tui.model.filter.query import QueryError, select
from tui.model.fleet import Fleet
from tui.model.server import Server
from tui.model.text import clean, counted
from tui.model.window import Hold
from tui.settings.schema import Settings

PATIENCE = 3.0
"""Seconds of silence after which the command prints what it waits for."""


class HeadlessConfig(msgspec.Struct, frozen=True):
    """The endpoint, the login, the journal and the settings of a headless command."""

    endpoint: Endpoint
    user: str
    password: str
    account: str
    journal: Path
    settings: Settings
    options: Options
    protected: str = ""
    """The filter of the servers to be most careful with."""

    def __repr__(self) -> str:
        return f"HeadlessConfig({self.endpoint.name!r}, user={self.user!r})"


class HeadlessEngine:
    """An ``EngineService`` on the command's own event loop. Errors that end the command raise ``Stop``."""

    def __init__(self, config: HeadlessConfig, service: EngineService, narrator: Narrator) -> None:
        self.config = config
        self.service = service
        self.narrator = narrator
        self.roles: tuple[str, ...] = ()
        self.listener: Callable[[Event], None] = lambda event: None
        """Called with every event."""
        self.leave = asyncio.Event()
        """Set when the command is to end without waiting any longer."""
        self.early_exit: Exit | None = None
        """The exit code of a command that ends early, or whose engine could not do all its work."""
        self._login_failed: LoginFailed | None = None
        self._fleet_failed = ""

    async def log_in(self) -> None:
        """Log in, with one attempt.

        Raises:
            Stop: the login was refused, or the endpoint cannot be reached.
        """
        config = self.config
        async with self._patience("to answer the login"):
            await self.service.login(config.endpoint, config.user, config.password, config.account)
        if (failed := self._login_failed) is not None:
            if failed.refused:
                advice = "nothing is tried again by itself: a user is locked after a few wrong attempts"
                raise Stop(
                    Exit.LOGIN_REFUSED, f"the login as {config.user} was refused: {failed.message} ({advice})"
                )
            raise Stop(Exit.UNREACHABLE, self._located(failed.message))

    async def read_fleet(self) -> Fleet:
        """Read all servers of the account, or those of the data centers that can be read.

        Raises:
            Stop: no data center can be read, or the operator pressed Ctrl-C.
        """
        async with self._patience("to list the servers"):
            await self.run(self.service.inventory.refresh())
        if self.early_exit is not None:
            raise Stop(self.early_exit, "the servers could not be read")
        if self._fleet_failed:
            raise Stop(Exit.UNREACHABLE, self._located(self._fleet_failed))
        fleet = self.service.inventory.fleet
        if fleet.problems and not fleet.read_at:
            raise Stop(Exit.UNREACHABLE, "no data center could be read")
        return fleet

    @contextlib.asynccontextmanager
    async def _patience(self, what: str) -> AsyncIterator[None]:
        """Report what is waited for when it takes long: silence would look like a hang."""
        notice = asyncio.get_running_loop().call_later(
            PATIENCE, self.narrator.say, f"waiting for {self.config.endpoint.name} {what}; Ctrl-C leaves"
        )
        try:
            yield
        finally:
            notice.cancel()

    async def report_unfinished(self, *, here: bool) -> None:
        """Report the operations that `pitstop resume` continues, at this endpoint only if ``here``."""
        with contextlib.suppress(JournalError):  # reported when something is to be written
            for (endpoint, account), count in (await self.service.unfinished()).items():
                session = self.service.session
                is_here = (endpoint, account) == (session.endpoint_key, session.account)
                if here or not is_here:
                    where = "" if is_here else f" --api-url {endpoint} --account {account}"
                    said = f"{counted(count, 'operation')} {'is' if count == 1 else 'are'} unfinished"
                    advice = f"`pitstop resume{where}` goes on"
                    self.narrator.say(clean(f"{said} at {endpoint} (account {account}): {advice}"))

    @property
    def location(self) -> str:
        """Endpoint, account and user as a phrase, e.g. "night (cloud.example.net), account ACME, as ops"."""
        endpoint = self.config.endpoint
        host = urlsplit(endpoint.url).netloc
        where = endpoint.name if endpoint.sandbox or endpoint.name == host else f"{endpoint.name} ({host})"
        return clean(f"{where}, account {self.service.session.account}, as {self.service.session.user}")

    def _located(self, message: str) -> str:
        """The message, after the host unless it names it itself."""
        host = urlsplit(self.config.endpoint.url).netloc
        return message if host in message else f"{host}: {message}"

    async def run(self, work: Coroutine[Any, Any, None], redraw: Callable[[], None] | None = None) -> None:
        """Wait for ``work`` of the engine, or until ``leave`` is set; call ``redraw`` about once a second."""
        task = asyncio.ensure_future(work)
        leave = asyncio.ensure_future(self.leave.wait())
        try:
            while not task.done() and not leave.done():
                await asyncio.wait({task, leave}, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
                if redraw is not None:
                    redraw()
        finally:
            leave.cancel()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def handle(self, event: Event) -> None:
        """Report an event of the engine and pass it to the listener."""
        match event:
            case LoginFailed():
                self._login_failed = event
            case LoggedIn(roles=roles):
                self._login_failed, self.roles = None, roles
            case FleetFailed(message=message):
                self._fleet_failed = message
            case DataCenterFailed():
                self.narrator.say(f"{event.data_center} could not be read: {event.message}")
            case LinkChanged():
                trouble = event.link.trouble
                self.narrator.say(f"{trouble}: {event.message}" if trouble else event.message)
            case PauseRequested(until=until):
                self.narrator.wait_until(until)
            case LoginNeeded(message=message):
                self.narrator.say(f"the endpoint does not accept the login any more: {message}")
                self.early_exit = Exit.LOGIN_REFUSED
                self.leave.set()
            case JournalChanged(message=message):
                self.narrator.say(f"the journal: {message or 'it can be written again'}")
                if self.early_exit in {None, Exit.UNSURE}:
                    self.early_exit = Exit.UNSURE if message else None
            case JournalPruned(message=message):
                self.narrator.say(message)
            case EngineFailed(message=message):
                self.narrator.say(message)
                self.early_exit = Exit.UNSURE
        self.listener(event)


@contextlib.asynccontextmanager
async def logged_in(config: HeadlessConfig, narrator: Narrator) -> AsyncIterator[HeadlessEngine]:
    """An engine that is logged in, and closed at the end.

    Raises:
        Stop: the login failed, or the journal cannot be used.
    """

    def emit(event: Event) -> None:
        engine.handle(event)

    service = EngineService(journal=JournalWriter(config.journal), emit=emit, options=config.options)
    engine = HeadlessEngine(config, service, narrator)
    try:
        await engine.log_in()
        yield engine
    except JournalError as error:
        raise Stop(Exit.FAILED, str(error)) from error
    finally:
        await service.close()
        narrator.flush()


def select_servers(
    fleet: Fleet, query: str, settings: Settings, holds: Mapping[str, Hold] | None = None
) -> list[Server]:
    """The servers that a query matches; ``@NAME`` in it is a filter of the settings.

    With an empty fleet it only checks the query. ``holds`` is server id -> the window that holds it.

    Raises:
        Stop: the query cannot be parsed.
    """
    try:
        return select(fleet, query, settings.filters, holds)
    except QueryError as error:
        pointer = f"\n  {query}\n  {' ' * error.position}^"
        raise Stop(Exit.USAGE, f"the filter does not parse: {error}{pointer}") from None
