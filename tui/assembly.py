"""Puts the program together: settings, endpoint, transport, and the console or a command.

Only this module knows both the engine and the sandbox: it passes an endpoint to the engine, on the network
or in this process. Heavy modules are imported when they are needed.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tui.settings.credentials import ask_on_terminal, credentials_at_hand, find_credentials
from tui.settings.endpoint import ChosenEndpoint, EndpointError, choose_endpoint
from tui.settings.loader import Loaded, SettingsError, load, save
from tui.settings.log import log_level, start_log
from tui.settings.paths import Paths, find_paths
from tui.settings.schema import Profile, Settings
from tui.settings.scratch import scratch

if TYPE_CHECKING:
    from tui.engine.endpoint import Endpoint
    from tui.engine.engine import Engine
    from tui.engine.options import Options
    from tui.headless.engine import HeadlessConfig
    from tui.headless.narration import Narrator
    from tui.headless.report import JournalScope
    from tui.headless.windows import Windows
    from tui.sandbox.config import SandboxConfig
    from tui.sandbox.inside import Inside

SANDBOX_USER, SANDBOX_PASSWORD = "demo", "pitstop"


class EndpointOptions(NamedTuple):
    """The flags of the command line that choose an endpoint; None for a flag that is not given."""

    profile: str | None = None
    api_url: str | None = None
    account: str | None = None
    readonly: bool | None = None

    def over(self, other: "EndpointOptions") -> "EndpointOptions":
        """Return these options, with those of ``other`` where a flag is not given.

        A profile and a URL exclude each other, so one that is given here replaces both of ``other``.
        """
        profile, api_url = self.profile, self.api_url
        if profile is None and api_url is None:
            profile, api_url = other.profile, other.api_url
        return EndpointOptions(
            profile, api_url, self.account or other.account, self.readonly or other.readonly
        )


class LoadedConfig(NamedTuple):
    """The paths, settings and endpoint of a command."""

    paths: Paths
    loaded: Loaded
    endpoint: ChosenEndpoint | None
    """The endpoint to work on, if one is named."""


def journal_trouble(paths: Paths) -> str:
    """Return why the journal cannot be used at its path; empty when it can."""
    from tui.engine.errors import JournalNotLocal
    from tui.engine.journal.mounts import check_local

    try:
        check_local(paths.journal.parent)
    except JournalNotLocal as error:
        return str(error)
    return ""


def read_config(
    options: EndpointOptions, flags: Mapping[str, object] | None = None, *, sandbox: bool = False
) -> LoadedConfig:
    """Load the settings and choose the endpoint, none for a sandbox. Starts the log.

    Raises:
        SettingsError: a setting is invalid.
        EndpointError: the endpoint cannot be determined.
        UnsafePathError: other users could change a file or directory.
        OSError: a directory cannot be created.
    """
    paths = find_paths(os.environ)
    start_log(paths.log, log_level(os.environ))
    loaded = load(paths, os.environ, {"readonly": options.readonly, **(flags or {})})
    if problems := _protected_problems(loaded):
        raise SettingsError("\n".join(problems))
    if sandbox:
        return LoadedConfig(paths, loaded, None)
    from tui.model.url import normalise_url

    endpoint = choose_endpoint(
        loaded,
        os.environ,
        normalise_url,
        profile=options.profile,
        api_url=options.api_url,
        account=options.account,
    )
    return LoadedConfig(paths, loaded, endpoint)


def windows_of(config: LoadedConfig, options: EndpointOptions) -> "Windows":
    """Return the windows in the journal: at the endpoint and account that flags name, else everywhere."""
    from tui.headless.windows import Windows

    chosen = config.endpoint
    if chosen is None or not (options.profile or options.api_url or options.account):
        return Windows(config.paths.journal, "", (options.account or "").upper())
    endpoint, account = network_endpoint(chosen.name, chosen.profile), chosen.profile.account
    return Windows(config.paths.journal, endpoint.key, account.upper())


def _protected_problems(loaded: Loaded) -> list[str]:
    """What is wrong with the filters ``protected`` of the profiles: file, profile, place and reason."""
    settings, problems = loaded.settings, []
    for name, profile in settings.profiles.items():
        if profile.protected.strip():
            from tui.model.filter.query import QueryError, parse

            try:
                parse(profile.protected, settings.filters)
            except QueryError as error:
                setting = f"profiles.{name}.protected"
                pointer = f"\n  {profile.protected}\n  {' ' * error.position}^"
                place = f"at character {error.position + 1}"
                problems.append(
                    f"{loaded.origins[setting]}: {setting}: does not parse {place}: {error.message}{pointer}"
                )
    return problems


def run_headless(
    command: "Callable[[HeadlessConfig, Narrator], Awaitable[int]]",
    config: LoadedConfig,
    sandbox: "SandboxConfig | None",
) -> int:
    """Run a command of ``tui.headless`` on the endpoint, or on a sandbox in this process.

    Returns the exit code.

    Raises:
        Stop: the command ended early; it has the exit code.
        ScratchError: no temporary directory can be created for the sandbox.
        EndpointError: no endpoint is configured, or credentials are missing.
    """
    import asyncio

    from tui.headless.narration import Narrator

    async def run(headless: "HeadlessConfig") -> int:
        with Narrator() as narrator:
            return int(await command(headless, narrator))

    if sandbox is None:
        return asyncio.run(run(_on_network(config)))
    with scratch() as directory:
        return asyncio.run(run(_on_sandbox(config, sandbox, directory)))


def run_on_journal(
    command: "Callable[[JournalScope, Narrator], int]", config: LoadedConfig, sandbox: bool
) -> int:
    """Run a command of ``tui.headless`` that reads the journal alone: no login, no network.

    A sandbox has a journal of its own, which is empty. Returns the exit code; raises as ``run_headless``.
    """
    from tui.headless.narration import Narrator
    from tui.headless.report import JournalScope

    with Narrator() as narrator:
        if sandbox:
            with scratch() as directory:
                journal = directory / config.paths.journal.name
                return command(JournalScope(journal, sandbox_endpoint(), None), narrator)
        chosen = _chosen(config)
        endpoint = network_endpoint(chosen.name, chosen.profile)
        account = chosen.profile.account.upper() or None
        return command(JournalScope(config.paths.journal, endpoint, account), narrator)


def _on_sandbox(config: LoadedConfig, sandbox: "SandboxConfig", directory: Path) -> "HeadlessConfig":
    from tui.headless.engine import HeadlessConfig

    settings, journal = config.loaded.settings, directory / config.paths.journal.name
    endpoint, options = sandbox_endpoint(sandbox), engine_options(settings)
    return HeadlessConfig(endpoint, SANDBOX_USER, SANDBOX_PASSWORD, "", journal, settings, options)


def _on_network(config: LoadedConfig) -> "HeadlessConfig":
    from tui.headless.engine import HeadlessConfig

    paths, settings, chosen = config.paths, config.loaded.settings, _chosen(config)
    user, password = find_credentials(chosen.profile, os.environ, ask_on_terminal)
    endpoint, account = network_endpoint(chosen.name, chosen.profile), chosen.profile.account
    options = engine_options(settings)
    return HeadlessConfig(
        endpoint,
        user,
        password,
        account,
        paths.journal,
        chosen.limit(settings),
        options,
        protected=chosen.profile.protected,
    )


def _chosen(config: LoadedConfig) -> ChosenEndpoint:
    if config.endpoint is None:
        raise EndpointError(
            "no endpoint is configured: name one with --api-url or PITSTOP_API_URL, or in "
            f"{config.paths.config}; or try it on a sandbox with --sandbox"
        )
    return config.endpoint


def open_console(config: LoadedConfig, demo: "SandboxConfig | None") -> int:
    """Open the console on the configured endpoints and a sandbox.

    With ``demo``, it has only a sandbox of this configuration, and is logged in. Returns the exit code.

    Raises:
        ScratchError: no temporary directory can be created for the demo.
        EndpointError: the password command failed.
    """
    from tui.console.options import StartOptions
    from tui.console.start import run_console

    paths, settings, chosen = config.paths, config.loaded.settings, config.endpoint
    endpoints = [network_endpoint(name, profile) for name, profile in _profiles(settings, chosen)]
    endpoints.append(sandbox_endpoint())
    start = StartOptions(log_file=str(paths.log))
    if chosen is not None and demo is None:
        found = credentials_at_hand(chosen.profile, os.environ)
        start = StartOptions(
            endpoint=chosen.name,
            user=chosen.profile.user,
            password=found.password if found else "",
            account=chosen.profile.account,
            readonly=chosen.profile.readonly,
            log_file=str(paths.log),
        )

    with ExitStack() as stack:
        journal = paths.journal
        if demo is not None:
            journal = stack.enter_context(scratch()) / journal.name
            endpoints = [sandbox_endpoint(demo)]
            start = StartOptions(user=SANDBOX_USER, password=SANDBOX_PASSWORD, log_file=str(paths.log))

        def make_engine() -> "Engine":
            """Import and make the engine, after the first screen is drawn."""
            from tui.engine.engine import Engine

            return Engine(journal, options=engine_options(settings, live=True))

        return run_console(
            engine_factory=make_engine,
            endpoints=endpoints,
            settings=settings,
            start=start,
            save=partial(save, paths),
        )


def _profiles(settings: Settings, chosen: ChosenEndpoint | None) -> list[tuple[str, Profile]]:
    """Name and profile of every endpoint, the chosen one with the values of flags and variables."""
    return list((settings.profiles | ({chosen.name: chosen.profile} if chosen else {})).items())


def engine_options(settings: Settings, *, live: bool = False) -> "Options":
    """Return the engine's options. A failed job's servers are watched no longer than a successful one's.

    ``live`` is for a screen: servers are also read while their jobs run.
    """
    from tui.engine.options import Options

    limit = settings.verify_limit
    failed_limit = min(limit, Options().failed_limit)
    return Options(batch_size=settings.batch_size, verify_limit=limit, failed_limit=failed_limit, live=live)


def network_endpoint(name: str, profile: Profile) -> "Endpoint":
    """Return an endpoint on the network."""
    from tui.engine.endpoint import Endpoint

    return Endpoint(
        name,
        profile.url,
        allow_http=profile.allow_http,
        requests_per_second=profile.requests_per_second,
        burst=profile.burst,
    )


def sandbox_endpoint(config: "SandboxConfig | None" = None) -> "Endpoint":
    """Return a sandbox in this process, which is imported and made for its first request.

    Each sandbox has a URL of its own, because the journal distinguishes endpoints by their URLs.
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
