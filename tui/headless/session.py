"""One engine for one command: logged in, the fleet read, and what it tells passed on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
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
from tui.settings.schema import Settings

PATIENCE = 3.0
"""Seconds of silence before it is said what is waited for."""


class HeadlessConfig(msgspec.Struct, frozen=True):
    """Where a headless command works, as whom, and with which settings."""

    endpoint: Endpoint
    user: str
    password: str
    account: str
    journal: Path
    settings: Settings
    options: Options

    def __repr__(self) -> str:
        return f"HeadlessConfig({self.endpoint.name!r}, user={self.user!r})"


class Session:
    """A core that is logged in. Problems end the command with one sentence (``Stop``)."""

    def __init__(self, work: HeadlessConfig, core: EngineService, narrator: Narrator) -> None:
        self.work = work
        self.core = core
        self.narrator = narrator
        self.roles: tuple[str, ...] = ()
        self.listener: Callable[[Event], None] = lambda event: None
        """Told every event."""
        self.leave = asyncio.Event()
        """Set when there is no use in waiting any longer."""
        self.why: Exit | None = None
        """Why not, or that the engine could not do its work."""
        self._login_failed: LoginFailed | None = None
        self._fleet_failed = ""

    async def log_in(self) -> None:
        """One attempt. Raises Stop."""
        work = self.work
        async with self._patience("to answer the login"):
            await self.core.login(work.endpoint, work.user, work.password, work.account)
        if (failed := self._login_failed) is not None:
            if failed.refused:
                advice = "nothing is tried again by itself: a user is locked after a few wrong attempts"
                raise Stop(
                    Exit.LOGIN_REFUSED, f"the login as {work.user} was refused: {failed.message} ({advice})"
                )
            raise Stop(Exit.UNREACHABLE, self._located(failed.message))

    async def read_fleet(self) -> Fleet:
        """All servers of the account, or of those data centers that can be read. Raises Stop for none."""
        async with self._patience("to list the servers"):
            await self.until_left(self.core.inventory.refresh())
        if self.why is not None:
            raise Stop(self.why, "the servers could not be read")
        if self._fleet_failed:
            raise Stop(Exit.UNREACHABLE, self._located(self._fleet_failed))
        if self.core.inventory.fleet.problems and not self.core.inventory.fleet.read_at:
            raise Stop(Exit.UNREACHABLE, "no data center could be read")
        return self.core.inventory.fleet

    @contextlib.asynccontextmanager
    async def _patience(self, what: str) -> AsyncIterator[None]:
        """Say what is waited for when it takes long: silence looks like a program that hangs."""
        told = asyncio.get_running_loop().call_later(
            PATIENCE, self.narrator.say, f"waiting for {self.work.endpoint.name} {what}; Ctrl-C leaves"
        )
        try:
            yield
        finally:
            told.cancel()

    async def tell_unfinished(self, *, here: bool) -> None:
        """Say what waits for `pitstop resume`: at other endpoints and accounts, and ``here`` if so asked."""
        with contextlib.suppress(JournalError):  # told when something is to be written
            for (endpoint, account), count in (await self.core.unfinished()).items():
                is_here = (endpoint, account) == (self.core.session.endpoint_key, self.core.session.account)
                if here or not is_here:
                    where = "" if is_here else f" --api-url {endpoint} --account {account}"
                    said = f"{counted(count, 'operation')} {'is' if count == 1 else 'are'} unfinished"
                    advice = f"`pitstop resume{where}` goes on"
                    self.narrator.say(clean(f"{said} at {endpoint} (account {account}): {advice}"))

    @property
    def named(self) -> str:
        """Where and as whom it works, e.g. "night (cloud.example.net), account ACME, as ops"."""
        endpoint = self.work.endpoint
        host = urlsplit(endpoint.url).netloc
        where = endpoint.name if endpoint.sandbox or endpoint.name == host else f"{endpoint.name} ({host})"
        return clean(f"{where}, account {self.core.session.account}, as {self.core.session.user}")

    def _located(self, message: str) -> str:
        """What went wrong, and where unless it says so itself."""
        host = urlsplit(self.work.endpoint.url).netloc
        return message if host in message else f"{host}: {message}"

    def choose(self, query: str) -> list[Server]:
        """The servers that a filter asks for; ``@NAME`` in it is one from the settings. Raises Stop."""
        return chosen(self.core.inventory.fleet, query, self.work.settings)

    async def until_left(
        self, work: Coroutine[Any, Any, None], look: Callable[[], None] | None = None
    ) -> None:
        """Wait for ``work`` of the engine, or for a reason to leave; ``look`` about once a second."""
        task = asyncio.ensure_future(work)
        leave = asyncio.ensure_future(self.leave.wait())
        try:
            while not task.done() and not leave.done():
                await asyncio.wait({task, leave}, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
                if look is not None:
                    look()
        finally:
            leave.cancel()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def told(self, event: Event) -> None:
        """Take in what the engine tells."""
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
                self.why = Exit.LOGIN_REFUSED
                self.leave.set()
            case JournalChanged(message=message):
                self.narrator.say(f"the journal: {message or 'it can be written again'}")
                if self.why in {None, Exit.UNSURE}:
                    self.why = Exit.UNSURE if message else None
            case JournalPruned(message=message):
                self.narrator.say(message)
            case EngineFailed(message=message):
                self.narrator.say(message)
                self.why = Exit.UNSURE
        self.listener(event)


@contextlib.asynccontextmanager
async def opened(work: HeadlessConfig, narrator: Narrator) -> AsyncIterator[Session]:
    """A session that is logged in, closed at the end. Raises Stop."""
    told: list[Callable[[Event], None]] = []
    journal = JournalWriter(work.journal)
    core = EngineService(journal=journal, emit=lambda event: told[0](event), options=work.options)
    session = Session(work, core, narrator)
    told.append(session.told)
    try:
        await session.log_in()
        yield session
    except JournalError as error:
        raise Stop(Exit.FAILED, str(error)) from error
    finally:
        await core.close()
        narrator.flush()


def chosen(fleet: Fleet, query: str, settings: Settings) -> list[Server]:
    """The servers of a fleet that a filter asks for; of none, whether it can be understood. Raises Stop."""
    try:
        return select(fleet, query, settings.filters)
    except QueryError as error:
        pointer = f"\n  {query}\n  {' ' * error.position}^"
        raise Stop(Exit.USAGE, f"the filter does not parse: {error}{pointer}") from None
