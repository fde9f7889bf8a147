"""Before the first request: choosing the servers, planning, and asking the operator to confirm."""

import math
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from tui.engine.errors import JournalError
from tui.headless.engine import HeadlessEngine, select_servers
from tui.headless.exits import Exit, Stop
from tui.headless.narration import MAX_IDS, Narrator
from tui.model.fleet import Fleet
from tui.model.operation import Action
from tui.model.outlook import Outlook, Protection, facts, look_ahead
from tui.model.plan import Plan, PlanContext, make_plan
from tui.model.text import clean, counted, named
from tui.model.ticket import find_servers

_SEPARATORS = re.compile(r"[\s,;\ufeff]+")
"""Windows puts a byte order mark (U+FEFF) before the first id of a file."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of `pitstop start` or `pitstop stop`."""

    start: bool
    """Whether servers go into maintenance mode, or out of it."""
    ids: tuple[str, ...] = ()
    """As given; ``-`` stands for standard input."""
    query: str | None = None
    reason: str = ""
    wave: str = ""
    """Servers in a wave, as a number or a share like ``10%``; empty for all."""
    max_failed: int | None = None
    yes: bool = False
    protected: bool = False
    """Whether servers may be changed without a question that the profile protects."""
    wait: bool = True
    dry_run: bool = False
    skip_unknown: bool = False
    json: bool = False

    @property
    def action(self) -> Action:
        """The action of the plan."""
        return Action.START_MAINTENANCE if self.start else Action.STOP_MAINTENANCE


def read_ids(arguments: Sequence[str], read_stdin: Callable[[], str]) -> list[str]:
    """The ids in the arguments, and in standard input where one of them is ``-``.

    Raises:
        Stop: there are none.
    """
    found: list[str] = []
    for argument in arguments:
        found += [id_ for id_ in _SEPARATORS.split(read_stdin() if argument == "-" else argument) if id_]
    if not found:
        where = "standard input names no servers" if "-" in arguments else "no servers are named"
        raise Stop(Exit.USAGE, f"{where}; give ids, - to read them from standard input, or --filter")
    return found


def wave_size(text: str, servers: int) -> int | None:
    """Servers in a wave: ``20``, or ``10%`` of ``servers``, rounded up; None for all.

    Raises:
        Stop: ``text`` is neither.
    """
    if not text:
        return None
    number, percent = text.removesuffix("%"), text.endswith("%")
    if not number.isascii() or not number.isdigit() or int(number) < 1 or (percent and int(number) > 100):
        raise Stop(
            Exit.USAGE, f"a wave is a number of servers or a share from 1% to 100%, not {clean(text)!r}"
        )
    return max(1, math.ceil(servers * int(number) / 100)) if percent else int(number)


async def plan_for(request: Request, engine: HeadlessEngine, ids: Sequence[str]) -> tuple[Plan, Outlook]:
    """Plan the request, for the fleet as last read, and look ahead. ``ids`` are those of ``read_ids``.

    Raises:
        Stop: the servers cannot be determined for certain, or there are none.
    """
    fleet = engine.service.inventory.fleet
    if request.query is not None:
        server_ids = _matching(request.query, engine)
    else:
        server_ids = _known(ids, fleet, engine.narrator, skip_unknown=request.skip_unknown)
    try:
        held = frozenset(await engine.service.held_in_maintenance())
        context = PlanContext(time.time(), await engine.service.prior_targets(), held)
        history = await engine.service.job_durations()
    except JournalError as error:
        raise Stop(Exit.FAILED, f"nothing was sent: {error}") from None

    def plan(size: int | None) -> Plan:
        return make_plan(
            request.action,
            server_ids,
            fleet,
            roles=engine.roles,
            context=context,
            batch_size=engine.config.settings.batch_size,
            wave_size=size,
        )

    made = plan(None)
    if (size := wave_size(request.wave, len(made.server_ids))) is not None:
        made = plan(size)
    protection = Protection(engine.config.protected, engine.config.settings.filters)
    return made, look_ahead(made, fleet, context=context, history=history, protection=protection)


def _matching(query: str, engine: HeadlessEngine) -> list[str]:
    """The servers that a query matches. Raises Stop where a data center is missing, or none matches."""
    fleet = engine.service.inventory.fleet
    if fleet.problems:
        failed = ", ".join(fleet.problems)
        raise Stop(
            Exit.UNREACHABLE, f"{failed} could not be read, so the filter cannot be trusted; nothing was sent"
        )
    ids = [server.id for server in select_servers(fleet, query, engine.config.settings)]
    if not ids:
        raise Stop(Exit.USAGE, f"the filter {clean(query)!r} matches no server; nothing was sent")
    return ids


def _known(ids: Sequence[str], fleet: Fleet, narrator: Narrator, *, skip_unknown: bool) -> list[str]:
    """Those of ``ids`` that exist. Raises Stop for the others unless they are to be skipped."""
    servers, unknown = fleet.resolve(ids)
    if unknown:
        read = find_servers("\n".join(unknown), fleet)
        if read.ranges or read.unclear:
            joined = named([clean(name, 60) for name in unknown if not name.isalnum()], MAX_IDS)
            raise Stop(
                Exit.USAGE, f"not an id but a range, it seems: {joined}; nothing was sent; give each id"
            )
        names = f"unknown: {named([clean(name, 60) for name in unknown], MAX_IDS)}"
        if fleet.problems:
            failed = ", ".join(fleet.problems)
            raise Stop(Exit.UNREACHABLE, f"{names}; {failed} could not be read; nothing was sent")
        if not skip_unknown:
            advice = "--skip-unknown goes on without them"
            raise Stop(Exit.USAGE, f"{counted(len(unknown), 'server')} {names}; nothing was sent; {advice}")
        narrator.say(f"left out, {names}")
        if not servers:
            raise Stop(Exit.USAGE, "none of the servers exists; nothing was sent")
    return [server.id for server in servers]


def report_plan(plan: Plan, outlook: Outlook, narrator: Narrator) -> None:
    """Report what the plan will send and what that means, and which servers it skips and why."""
    requests = counted(len(plan.batches), "request")
    waves = f", {counted(plan.waves, 'wave')}" if plan.waves > 1 else ""
    what = f"{counted(len(plan.server_ids), 'server')} in {requests}{waves}"
    narrator.say(f"{plan.action.label}: {what if plan.server_ids else 'nothing to send'}")
    for label, text in facts(outlook):
        narrator.say(f"  {label.lower()}: {text}")
    for reason, ids in plan.skipped_by_reason().items():
        narrator.say(f"  left alone, {reason}: {named(ids, MAX_IDS)}")
    for warning in outlook.warnings:
        narrator.say(f"  warning: {warning.text}")
    if plan.server_ids and plan.action.warning:
        narrator.say(f"  note: {plan.action.warning}")
    if any(skip.open for skip in plan.skipped):
        narrator.say("  `pitstop resume` follows what is under way")


def check_protected(outlook: Outlook, engine: HeadlessEngine) -> None:
    """Refuse to change protected servers without a question.

    Raises:
        Stop: there are some.
    """
    if ids := outlook.protected:
        what = f"{counted(len(ids), 'server')} {'is' if len(ids) == 1 else 'are'} protected"
        where = f"at {engine.config.endpoint.name} ({clean(engine.config.protected, 60)})"
        raise Stop(
            Exit.USAGE,
            f"{what} {where}: {named(ids, MAX_IDS)}; nothing was sent; say --protected beside --yes, or "
            "leave --yes out and type how many servers go",
        )


def confirm(plan: Plan, outlook: Outlook, engine: HeadlessEngine, *, stdin_used: bool) -> None:
    """Ask the operator to confirm the plan; with protected servers in it, by typing how many it has.

    Raises:
        Stop: the answer is no, or there is no terminal to ask on.
    """
    count = len(plan.server_ids)
    if stdin_used or not can_ask():
        raise Stop(
            Exit.USAGE,
            f"{plan.action.label} on {counted(count, 'server')} needs a yes, and there is no terminal to ask "
            f"on; nothing was sent; say --yes{' and --protected' if outlook.protected else ''}",
        )
    if not is_confirmed({plan.action: plan.server_ids}, engine, must_count=bool(outlook.protected)):
        raise Stop(Exit.USAGE, "not confirmed; nothing was sent")


def is_confirmed(
    wanted: Mapping[Action, Sequence[str]], engine: HeadlessEngine, *, must_count: bool = False
) -> bool:
    """Ask whether to go on.

    With ``must_count``, or above ``confirm_above`` servers, the answer is their number.
    """
    what = " and ".join(
        f"{action.label} on {counted(len(ids), 'server')} ({named(ids, 3)})" for action, ids in wanted.items()
    )
    question, count = f"{what} at {engine.location}", sum(map(len, wanted.values()))
    engine.narrator.flush()
    if must_count or count > engine.config.settings.confirm_above:
        return ask(f"{question}? Type {count} to go on: ").strip() == str(count)
    return ask(f"{question}? [y/N] ").strip().casefold() in {"y", "yes"}


def can_ask() -> bool:
    """Whether there is a terminal to ask on."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> str:
    """Read a line from the terminal.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed; a running event loop does not see it.
    """
    sys.stderr.write(question)
    sys.stderr.flush()
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return sys.stdin.readline()
    finally:
        signal.signal(signal.SIGINT, previous)
