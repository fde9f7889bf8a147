"""The command line: every command and flag, and the guard around them.

Only click is imported here. Each command imports what it needs, so that `--help` and completion are fast.
"""

import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tui import __version__
from tui.topics import TOPICS, overview, page

if TYPE_CHECKING:
    from tui.assembly import EndpointOptions
    from tui.headless.choice import Request
    from tui.headless.engine import HeadlessConfig
    from tui.headless.narration import Narrator
    from tui.headless.report import JournalScope
    from tui.sandbox.config import SandboxConfig

BUG, USAGE, INTERRUPTED = 1, 2, 130
WINDOW_OPTIONS = ("until", "mine", "window", "not_mine")
"""Options of `start` and `stop` that name a window or its planned end."""
"""Exit codes that no command returns: see ``tui.headless.exits`` for the others."""

Flags = dict[str, Any]
"""Flags by name, as click passes them."""

POWER = ("on", "off", "pause", "reset", "reboot", "shutdown")
"""What `pitstop power` takes; see ``Action.verb``."""

_ENDPOINT_FLAGS = ("profile", "api_url", "account", "readonly")
_SANDBOX_FLAGS = ("servers", "seed", "time_scale", "job_seconds", "faults")

F = TypeVar("F", bound=Callable[..., Any])


def _options(*options: Callable[[F], F]) -> Callable[[F], F]:
    def add(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


endpoint_options = _options(
    click.option("--profile", metavar="NAME", help="The endpoint, by its name in the configuration file."),
    click.option("--api-url", metavar="URL", help="The endpoint, by its URL, with or without /v2."),
    click.option("--account", metavar="ALIAS", help="The account to work on instead of the user's own."),
    click.option("--readonly", is_flag=True, default=None, help="Change no server, whatever else is said."),
)
fleet_options = _options(
    click.option("--servers", type=int, metavar="N", help="How many servers the sandbox has (240)."),
    click.option("--seed", type=int, metavar="S", help="What the sandbox's fleet is made from (7)."),
    click.option("--time-scale", type=float, metavar="X", help="Multiplies the time that jobs take (1.0)."),
    click.option("--job-seconds", metavar="LOW-HIGH", help="Jobs take a time from this range instead."),
    click.option(
        "--fault",
        "faults",
        multiple=True,
        metavar="NAME=RATE",
        help="Something that goes wrong, e.g. slow=0.1; an unknown NAME lists all.",
    ),
)
sandbox_options = _options(
    click.option(
        "--sandbox",
        is_flag=True,
        help="Work on a sandbox inside the program; nothing real is touched.",
    ),
    fleet_options,
)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pitstop")
@endpoint_options
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
@click.pass_context
def cli(context: click.Context, /, no_mouse: bool, **endpoint: Any) -> int:
    """The console for maintenance windows on CenturyLink Cloud v2 servers.

    Without a command it opens on the screen. Passwords are never given as flags: Pitstop asks, or takes
    PITSTOP_USERNAME and PITSTOP_PASSWORD, or a password_command from the configuration file.
    """
    context.obj = endpoint
    if context.invoked_subcommand is not None:
        return 0
    return _console({"mouse": False} if no_mouse else {}, endpoint)


@cli.command()
@fleet_options
def demo(**fleet: Any) -> int:
    """Open the console on a sandbox, logged in.

    It is inside the program: no endpoint and no account are needed, and nothing real is touched.
    """
    return _console({}, {}, _sandbox_config(fleet))


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8765, show_default=True, type=int, help="0 takes a free one.")
@click.option("--allow-remote", is_flag=True, help="Allow an address that other machines can reach.")
@click.option("--openapi", is_flag=True, help="Print the contract as an OpenAPI document, and end.")
@click.option("--strict-case", is_flag=True, help="Maintenance operations refuse ids in lower case.")
@click.option("--refusals-as-400", is_flag=True, help="Answer 400, not 200, where no server was queued.")
@fleet_options
def sandbox(host: str, port: int, allow_remote: bool, openapi: bool, **fleet: Any) -> int:
    """Serve a sandbox over HTTP.

    For Pitstop or any other client of the API. Users demo (may do everything) and viewer (may only read),
    password pitstop for both, account ACME.
    """
    if openapi:
        from tui.contract.openapi import encoded

        click.echo(encoded(), nl=False)
        return 0
    from tui.sandbox.serve import serve

    return serve(_sandbox_config(fleet), host, port, allow_remote)


@cli.command()
@click.argument("query", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="An array of objects.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values with a header.")
@endpoint_options
@sandbox_options
@click.pass_obj
def servers(group: Flags, /, query: tuple[str, ...], as_json: bool, as_csv: bool, **options: Any) -> int:
    """List the servers.

    All of them, or those that match QUERY, e.g. 'group:web maint:on'. Aligned columns on a terminal; in a
    pipe tab-separated text without a header.
    """
    from tui.headless.servers import list_servers

    if as_json and as_csv:
        raise click.UsageError("--json and --csv are two forms; say only one")
    form = "json" if as_json else "csv" if as_csv else ""
    return _headless(
        group, options, lambda config, narrator: list_servers(config, narrator, " ".join(query), form)
    )


run_options: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--reason", default="", metavar="TEXT", help="Why, or the ticket; it goes into the journal."
    ),
    click.option("--batch-size", type=click.IntRange(1, 1000), metavar="N", help="Servers in one request."),
    click.option("--wave", default="", metavar="N|P%", help="So many at once; the next when these are done."),
    click.option(
        "--max-failed", type=click.IntRange(0), metavar="N", help="No further wave after more failures."
    ),
    click.option("--dry-run", is_flag=True, help="Say what would be done, and send nothing."),
    click.option("--yes", is_flag=True, help="Do not ask."),
    click.option(
        "--protected", is_flag=True, help="With --yes: also servers that the profile's `protected` matches."
    ),
    click.option("--no-wait", is_flag=True, help="Leave when everything is sent; see pitstop resume."),
    click.option("--json", "as_json", is_flag=True, help="One object with every server's state."),
    endpoint_options,
    sandbox_options,
)
operate_options = _options(
    click.argument("ids", nargs=-1, metavar="[SERVER_ID...|-]"),
    click.option("--filter", "query", metavar="QUERY", help="The servers that a filter asks for."),
    click.option("--skip-unknown", is_flag=True, help="Go on without ids that do not exist."),
    *run_options,
)


@cli.command()
@operate_options
@click.option(
    "--until", metavar="END", help="When the window is to end: 2h, 90m, 22:30; see pitstop help windows."
)
@click.pass_obj
def start(group: Flags, /, **options: Any) -> int:
    """Put servers into maintenance mode.

    Each is followed to its end. Servers are named by id, as arguments or with - on standard input (one a
    line, or separated by spaces or commas, in any case), or chosen by --filter.
    """
    return _operate(group, options, "start")


@cli.command()
@operate_options
@click.option("--mine", is_flag=True, help="Exactly the servers that your windows hold in maintenance.")
@click.option("--window", metavar="WINDOW", help="Exactly those that one window holds; its id or reason.")
@click.option("--not-mine", is_flag=True, help="With --yes: also those that others put into maintenance.")
@click.pass_obj
def stop(group: Flags, /, **options: Any) -> int:
    """Take servers out of maintenance mode.

    Each is followed to its end. Servers are named as for `pitstop start`, or chosen by --mine or --window.
    With --yes, maintenance that none of your windows began ends only with --not-mine.
    """
    return _operate(group, options, "stop")


@cli.command()
@click.argument("change", type=click.Choice(POWER))
@operate_options
@click.pass_obj
def power(group: Flags, /, change: str, **options: Any) -> int:
    """Power servers on or off, pause, reset, reboot or shut them down.

    off and reset cut the power at once; shutdown and reboot ask the operating system. Each server is
    followed to its end. Servers are named as for `pitstop start`. `pitstop help operations` says which
    servers each takes, and what shows that it took place.

    There is no archive and no delete, on purpose: Pitstop is for servers that come back.
    """
    return _operate(group, options, f"power {change}")


@cli.command()
@click.argument("operation", required=False, default="", metavar="[OPERATION]")
@_options(*run_options)
@click.pass_obj
def retry(group: Flags, /, operation: str, **options: Any) -> int:
    """Try again what did not end well.

    Servers of OPERATION that failed, were refused, are unsure or were not sent; without OPERATION of the
    newest operation here that has any. It becomes a new operation that refers to the old one. Unsure servers
    are read first, and left out where they are as requested.
    """
    from tui.headless.retry import retry

    request = _request(options)
    return _headless(group, options, lambda config, narrator: retry(config, narrator, request, operation))


@cli.command()
@click.option("--send-rest", is_flag=True, help="Also send what was planned and never sent.")
@click.option("--json", "as_json", is_flag=True, help="One object a line for every operation.")
@endpoint_options
@sandbox_options
@click.pass_obj
def resume(group: Flags, /, send_rest: bool, as_json: bool, **options: Any) -> int:
    """Resume what an earlier run left unfinished.

    It is followed to its end, and nothing is sent twice. What was never sent is sent only with --send-rest,
    or when you say so on the terminal.
    """
    from tui.headless.operate import resume

    return _headless(
        group,
        options,
        lambda config, narrator: resume(config, narrator, send_rest=send_rest, as_json=as_json),
    )


@cli.command()
@click.argument("window", required=False, default="")
@click.option(
    "--format",
    "form",
    type=click.Choice(["md", "csv", "json", "html"]),
    help="How it is written; md unless the name of FILE says another.",
)
@click.option(
    "--output", metavar="FILE", help="Write it to a file that only you can read, instead of stdout."
)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of --format json, and end.")
@endpoint_options
@sandbox_options
@click.pass_obj
def report(
    group: Flags, /, window: str, form: str | None, output: str | None, schema: bool, **options: Any
) -> int:
    """Report on a maintenance window.

    Who, why and when, what was requested, what became of every server, and what is still in maintenance.
    WINDOW is its id, its reason, or the ticket in the reason; without it the newest one at the endpoint, of
    any account unless --account says which. It comes from the journal of this machine: no login, no request.
    """
    from tui.headless.report import print_schema, report

    if schema:
        return print_schema()
    return _on_journal(group, options, lambda scope, narrator: report(scope, narrator, window, form, output))


@cli.command()
@click.argument("window", required=False)
@click.argument("text", nargs=-1)
@click.option("--check", is_flag=True, help="Exit 1 while a window past its planned end holds servers.")
@click.option("--close", is_flag=True, help="Close WINDOW; refused while it holds servers.")
@click.option("--leave", metavar="REASON", help="With --close: leave them in maintenance, and why.")
@click.option("--note", is_flag=True, help="Add TEXT to the log of WINDOW, with the time.")
@click.option("--json", "as_json", is_flag=True, help="An array of objects, or the object of WINDOW.")
@endpoint_options
@click.pass_obj
def windows(
    group: Flags,
    /,
    window: str | None,
    text: tuple[str, ...],
    check: bool,
    close: bool,
    leave: str | None,
    note: bool,
    as_json: bool,
    **endpoint: Any,
) -> int:
    """List the maintenance windows, or show WINDOW.

    Those of the last week and every open one, from the journal: nobody is logged in. WINDOW is its id or its
    reason. See `pitstop help windows`.
    """
    if sum([check, close, note]) > 1:
        raise click.UsageError("--check, --close and --note exclude each other")
    if leave is not None and not close:
        raise click.UsageError("--leave says why servers stay in maintenance; say --close as well")
    if as_json and (check or close or note):
        raise click.UsageError("--json is for the list and for one window")
    if check and window is not None:
        raise click.UsageError("--check looks at every window; name none")
    if (close or note) and window is None:
        raise click.UsageError("name the window; `pitstop windows` lists them")
    if text and not note:
        raise click.UsageError("one window at a time; a text goes with --note")
    from tui.assembly import EndpointOptions, read_config, windows_of
    from tui.headless.exits import Stop

    options = EndpointOptions(**endpoint).over(EndpointOptions(**group))
    known = windows_of(read_config(options), options)
    try:
        if check:
            return known.check()
        if window is None:
            return known.show_all(as_json=as_json)
        if close:
            return known.close(window, leave=leave)
        if note:
            return known.note(window, " ".join(text))
        return known.show(window, as_json=as_json)
    except Stop as end:
        _complain(str(end))
        return int(end.exit_code)


@cli.command()
@endpoint_options
@click.pass_obj
def where(group: Flags, /, **endpoint: Any) -> int:
    """Show files and settings, each with its origin."""
    from tui.assembly import EndpointOptions, journal_trouble, read_config
    from tui.settings.report import describe

    config = read_config(EndpointOptions(**endpoint).over(EndpointOptions(**group)))
    click.echo(describe(*config, journal_trouble(config.paths)), nl=False)
    return 0


@cli.command("help")
@click.argument("topic", required=False, metavar="[TOPIC]", type=click.Choice(list(TOPICS)))
def help_(topic: str | None) -> int:
    """Show a page of reference.

    Without TOPIC it lists them: filters, settings, keys, exit codes and more.
    """
    text = page(topic) if topic else overview()
    click.echo(text.encode(sys.stdout.encoding or "ascii", "replace"), nl=False)
    return 0


def _operate(group: Flags, options: Flags, verb: str) -> int:
    from tui.headless.operate import operate

    if options["ids"] and options["query"] is not None:
        raise click.UsageError("name servers or give --filter, not both")
    ways = [options["ids"], options.get("mine"), options["query"] is not None]
    if sum(map(bool, [*ways, options.get("window") is not None])) > 1:
        raise click.UsageError("name servers, or give one of --filter, --mine and --window, not two of them")
    request = _request(options, verb, "ids", "query", "skip_unknown", *WINDOW_OPTIONS)
    return _headless(group, options, lambda config, narrator: operate(config, narrator, request))


def _request(options: Flags, verb: str = "", *more: str) -> "Request":
    """The request that the options of a command make; ``more`` are options that not all commands have."""
    from tui.headless.choice import Request

    if options["max_failed"] is not None and not options["wave"]:
        raise click.UsageError("--max-failed stops between waves; say --wave as well")
    if options["wave"] and options["no_wait"]:
        raise click.UsageError("a wave waits for the one before it; --no-wait and --wave exclude each other")
    same_name = ("reason", "wave", "max_failed", "yes", "protected", "dry_run", *more)
    return Request(
        verb=verb,
        wait=not options["no_wait"],
        json=options["as_json"],
        **{name: options[name] for name in same_name if name in options},
    )


def _headless(
    group: Flags, options: Flags, command: "Callable[[HeadlessConfig, Narrator], Awaitable[int]]"
) -> int:
    """Run a headless command and return its exit code. ``options`` win over the flags of the ``group``."""
    from tui.assembly import read_config, run_headless

    endpoint, sandbox = _where(group, options)
    flags = {"batch_size": options.get("batch_size")}
    config = read_config(endpoint, flags, sandbox=options["sandbox"])
    return _stoppable(lambda: run_headless(command, config, sandbox))


def _on_journal(group: Flags, options: Flags, command: "Callable[[JournalScope, Narrator], int]") -> int:
    """Run a command that reads the journal alone; arguments as for ``_headless``."""
    from tui.assembly import read_config, run_on_journal

    endpoint, sandbox = _where(group, options)
    config = read_config(endpoint, sandbox=options["sandbox"])
    return _stoppable(lambda: run_on_journal(command, config, sandbox is not None))


def _where(group: Flags, options: Flags) -> "tuple[EndpointOptions, SandboxConfig | None]":
    """The endpoint that the flags choose, or the sandbox.

    Raises:
        click.UsageError: they contradict each other.
    """
    from tui.assembly import EndpointOptions

    endpoint = EndpointOptions(*(options[name] for name in _ENDPOINT_FLAGS)).over(EndpointOptions(**group))
    fleet = {name: options[name] for name in _SANDBOX_FLAGS if options[name] not in (None, ())}
    if fleet and not options["sandbox"]:
        raise click.UsageError("how the sandbox is to be makes sense only with --sandbox")
    if options["sandbox"] and (endpoint.profile or endpoint.api_url or endpoint.account):
        raise click.UsageError("--sandbox is an endpoint of its own; it goes with no other")
    return endpoint, _sandbox_config(fleet) if options["sandbox"] else None


def _stoppable(run: Callable[[], int]) -> int:
    """Run a command; the reason for which it ended early goes to stderr."""
    from tui.headless.exits import Stop

    try:
        return run()
    except Stop as end:
        _complain(str(end))
        return int(end.exit_code)


def _console(flags: Flags, endpoint: Flags, demo: "SandboxConfig | None" = None) -> int:
    from tui.assembly import EndpointOptions, open_console, read_config

    return open_console(read_config(EndpointOptions(**endpoint), flags, sandbox=demo is not None), demo)


def _sandbox_config(fleet: Flags) -> "SandboxConfig":
    """The sandbox that the flags describe.

    Raises:
        click.UsageError: a value is out of range, or there is no such fault.
    """
    from tui.sandbox.config import SandboxConfig, parse_fault, parse_job_seconds

    try:
        given = {name: value for name, value in fleet.items() if value not in (None, ())}
        if "faults" in given:
            given["faults"] = dict(map(parse_fault, given["faults"]))
        if "job_seconds" in given:
            given["job_seconds"] = parse_job_seconds(given["job_seconds"])
        return SandboxConfig(**given)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code. An error reaches the operator as one sentence."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - for the rest of the process
    try:
        return int(cli.main(args=argv, prog_name="pitstop", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _explain(error)


def _explain(error: Exception) -> int:
    """Report an error that no command handled in one sentence; a bug's traceback goes to the log file."""
    import logging

    from tui.settings.endpoint import EndpointError
    from tui.settings.loader import SettingsError
    from tui.settings.paths import UnsafePathError, find_paths
    from tui.settings.scratch import ScratchError

    if isinstance(error, ScratchError | SettingsError | EndpointError | UnsafePathError):
        _complain(str(error))
        return USAGE
    if isinstance(error, OSError) and error.filename is not None:
        _complain(f"{error.filename}: {error.strerror}")
        return USAGE
    logging.getLogger("pitstop").critical("unhandled error", exc_info=error)
    _complain(
        f"a bug in Pitstop ({type(error).__name__}); the details are in {find_paths(os.environ).log}. "
        "What was sent is in the journal: `pitstop resume` follows it up"
    )
    return BUG


def _complain(message: str) -> None:
    click.echo(f"pitstop: {message}", err=True)
