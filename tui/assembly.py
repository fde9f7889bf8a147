"""Where the program is put together: the settings, the endpoint, the way to it, and what works on it.

The engine is handed its endpoint and its transport here, the network or a sandbox in this process; nothing
else knows of both. Everything heavy is imported when it is needed.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tui.settings.loader import Loaded, load, save
from tui.settings.log import log_level, start_log
from tui.settings.paths import Paths, find_paths
from tui.settings.schema import Profile, Settings
from tui.settings.scratch import scratch
from tui.settings.target import (
    Target,
    TargetError,
    ask_on_terminal,
    choose_target,
    credentials_at_hand,
    find_credentials,
)

if TYPE_CHECKING:
    from tui.engine.endpoint import Endpoint
    from tui.engine.engine import Engine
    from tui.engine.options import Options
    from tui.headless.narration import Narrator
    from tui.headless.session import HeadlessConfig
    from tui.sandbox.config import SandboxConfig
    from tui.sandbox.inside import Inside

SANDBOX_USER, SANDBOX_PASSWORD = "demo", "pitstop"


class EndpointOptions(NamedTuple):
    """What the command line says about where to work."""

    profile: str | None = None
    api_url: str | None = None
    account: str | None = None
    readonly: bool | None = None

    def over(self, other: "EndpointOptions") -> "EndpointOptions":
        """The same, with what ``other`` says where nothing is said here.

        An endpoint that is named here is the one meant, however the other one names its own.
        """
        profile, api_url = self.profile, self.api_url
        if profile is None and api_url is None:
            profile, api_url = other.profile, other.api_url
        return EndpointOptions(
            profile, api_url, self.account or other.account, self.readonly or other.readonly
        )


class LoadedConfig(NamedTuple):
    """What a command stands on."""

    paths: Paths
    loaded: Loaded
    target: Target | None
    """The endpoint that is meant, if any is."""


def journal_trouble(paths: Paths) -> str:
    """Why the journal cannot be where the settings have it; empty when it can."""
    from tui.engine.errors import JournalNotLocal
    from tui.engine.journal.mounts import check_local

    try:
        check_local(paths.journal.parent)
    except JournalNotLocal as error:
        return str(error)
    return ""


def read_config(
    place: EndpointOptions, flags: Mapping[str, object] | None = None, *, sandbox: bool = False
) -> LoadedConfig:
    """Read the settings; from now on, what goes wrong is logged. For a sandbox, no endpoint is looked for.

    Raises:
        SettingsError, TargetError, UnsafePathError: what is wrong with them, for the operator.
    """
    paths = find_paths(os.environ)
    start_log(paths.log, log_level(os.environ))
    loaded = load(paths, os.environ, {"readonly": place.readonly, **(flags or {})})
    if sandbox:
        return LoadedConfig(paths, loaded, None)
    target = choose_target(
        loaded, os.environ, profile=place.profile, api_url=place.api_url, account=place.account
    )
    return LoadedConfig(paths, loaded, target)


def run_headless(
    command: "Callable[[HeadlessConfig, Narrator], Awaitable[int]]",
    loaded_config: LoadedConfig,
    sandbox: "SandboxConfig | None",
) -> int:
    """Run a command of ``tui.headless`` where ``loaded_config`` says, or on a sandbox in this process.

    Raises:
        Stop: the command ended early; it holds the exit code.
        ScratchError: the sandbox has no room for its journal.
        TargetError: no endpoint is configured, or there is nothing to log in with.
    """
    import asyncio

    from tui.headless.narration import Narrator

    async def run(work: "HeadlessConfig") -> int:
        with Narrator() as narrator:
            return int(await command(work, narrator))

    if sandbox is None:
        return asyncio.run(run(_work(loaded_config)))
    with scratch() as directory:
        return asyncio.run(run(_work_on_sandbox(loaded_config, sandbox, directory)))


def _work_on_sandbox(
    loaded_config: LoadedConfig, sandbox: "SandboxConfig", directory: Path
) -> "HeadlessConfig":
    from tui.headless.session import HeadlessConfig

    settings, journal = loaded_config.loaded.settings, directory / loaded_config.paths.journal.name
    endpoint, options = sandbox_endpoint(sandbox), engine_options(settings)
    return HeadlessConfig(endpoint, SANDBOX_USER, SANDBOX_PASSWORD, "", journal, settings, options)


def _work(loaded_config: LoadedConfig) -> "HeadlessConfig":
    from tui.headless.session import HeadlessConfig

    paths, settings, target = loaded_config.paths, loaded_config.loaded.settings, loaded_config.target
    if target is None:
        raise TargetError(
            "no endpoint is configured: name one with --api-url or PITSTOP_API_URL, or in "
            f"{paths.config}; or try it on a sandbox with --sandbox"
        )
    user, password = find_credentials(target.profile, os.environ, ask_on_terminal)
    endpoint, account = network_endpoint(target.name, target.profile), target.profile.account
    options = engine_options(settings)
    return HeadlessConfig(endpoint, user, password, account, paths.journal, target.limit(settings), options)


def open_console(loaded_config: LoadedConfig, demo: "SandboxConfig | None") -> int:
    """The console on what is configured and a sandbox to try; with ``demo`` on that only, logged in."""
    from tui.console.options import StartOptions
    from tui.console.start import run_console

    paths, settings, target = loaded_config.paths, loaded_config.loaded.settings, loaded_config.target
    endpoints = [network_endpoint(name, profile) for name, profile in _profiles(settings, target)]
    endpoints.append(sandbox_endpoint())
    start = StartOptions(log_file=str(paths.log))
    if target is not None and demo is None:
        found = credentials_at_hand(target.profile, os.environ)
        start = StartOptions(
            endpoint=target.name,
            user=target.profile.user,
            password=found.password if found else "",
            account=target.profile.account,
            readonly=target.profile.readonly,
            log_file=str(paths.log),
        )

    with ExitStack() as stack:
        journal = paths.journal
        if demo is not None:
            journal = stack.enter_context(scratch()) / journal.name
            endpoints = [sandbox_endpoint(demo)]
            start = StartOptions(user=SANDBOX_USER, password=SANDBOX_PASSWORD, log_file=str(paths.log))

        def make_engine() -> "Engine":
            """Called when the first screen is there: the engine's modules are no part of the way to it."""
            from tui.engine.engine import Engine

            return Engine(journal, options=engine_options(settings))

        return run_console(
            engine_factory=make_engine,
            endpoints=endpoints,
            settings=settings,
            start=start,
            save=partial(save, paths),
        )


def _profiles(settings: Settings, target: Target | None) -> list[tuple[str, Profile]]:
    """Every endpoint to choose from, the one that is meant as the flags and variables have it."""
    return list((settings.profiles | ({target.name: target.profile} if target else {})).items())


def engine_options(settings: Settings) -> "Options":
    """How the engine is to work. A failed job's servers are not watched longer than a successful one's."""
    from tui.engine.options import Options

    limit = settings.verify_limit
    failed_limit = min(limit, Options().failed_limit)
    return Options(batch_size=settings.batch_size, verify_limit=limit, failed_limit=failed_limit)


def network_endpoint(name: str, profile: Profile) -> "Endpoint":
    """An endpoint on the network."""
    from tui.engine.endpoint import Endpoint

    return Endpoint(
        name,
        profile.url,
        allow_http=profile.allow_http,
        requests_per_second=profile.requests_per_second,
        burst=profile.burst,
    )


def sandbox_endpoint(config: "SandboxConfig | None" = None) -> "Endpoint":
    """A sandbox in this process, loaded and made when it is first spoken to.

    Its address is its own: what the journal says of one sandbox must not be taken for another's.
    """
    from secrets import token_hex

    from tui.engine.endpoint import Endpoint

    @cache
    def inside() -> "Inside":
        from tui.sandbox.config import SandboxConfig
        from tui.sandbox.inside import Inside

        return Inside(config or SandboxConfig())

    return Endpoint(
        "sandbox",
        f"http://{token_hex(4)}.sandbox.localhost",
        sandbox=True,
        transport=lambda: inside()(),
        requests_per_second=1000.0,
        burst=1000,
    )
