"""Before the first request: choosing the servers, planning, and asking the operator to confirm."""

import math
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from tui.engine.errors import JournalError
from tui.headless.engine import HeadlessEngine, select_servers
from tui.headless.exits import Exit, Stop
from tui.headless.narration import MAX_IDS, Narrator
from tui.model.fleet import Fleet
from tui.model.operation import Action
from tui.model.outlook import Outlook, Protection, facts, look_ahead
from tui.model.plan import Plan, PlanContext, make_plan
from tui.model.planned_end import PlannedEndError, duration, local_time, parse_planned_end
from tui.model.text import clean, counted, named
from tui.model.ticket import find_servers
from tui.model.window import Hold, WindowNameError, find_status

_SEPARATORS = re.compile(r"[\s,;\ufeff]+")
"""Windows puts a byte order mark (U+FEFF) before the first id of a file."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of `pitstop start`, `pitstop stop`, `pitstop power` or `pitstop retry`."""

    verb: str = ""
    """The ``Action.verb``; empty for a retry."""
    ids: tuple[str, ...] = ()
    """As given; ``-`` stands for standard input."""
    query: str | None = None
    mine: bool = False
    """Stop exactly what the operator's windows hold in maintenance."""
    window: str | None = None
    """Stop exactly what this window holds; its id or reason."""
    not_mine: bool = False
    """Also end, without a question, maintenance that none of the operator's windows began."""
    reason: str = ""
    until: str | None = None
    """The planned end of the window, as given."""
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
        return next(action for action in Action if action.verb == self.verb)


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


class Choice(NamedTuple):
    """The servers that a request chooses."""

    server_ids: Sequence[str]
    holds: Mapping[str, Hold]
    """What the operator's windows hold in maintenance."""
    window_id: str = ""
    """The window that was named."""
    named: bool = True
    """Whether each server is meant, not just those of many for which it makes sense."""


async def choose(request: Request, engine: HeadlessEngine, ids: Sequence[str]) -> Choice:
    """Choose the servers of a request, in the fleet as last read. ``ids`` are those of ``read_ids``.

    Raises:
        Stop: the servers cannot be determined for certain, or there are none.
    """
    fleet = engine.service.inventory.fleet
    try:
        holds = await engine.service.holds()
        windows = await engine.service.windows() if request.window is not None else []
    except JournalError as error:
        raise Stop(Exit.FAILED, f"nothing was sent: {error}") from None
    if request.window is not None:
        try:
            window_id = find_status(windows, request.window, time.time()).window.id
        except WindowNameError as error:
            raise Stop(Exit.USAGE, f"{error}; nothing was sent") from None
        held = [id_ for id_, hold in holds.items() if hold.window_id == window_id]
        return Choice(_held(held, fleet, engine.narrator), holds, window_id)
    if request.mine:
        return Choice(_held(list(holds), fleet, engine.narrator), holds)
    if request.query is not None:
        return Choice(_matching(request.query, engine, holds), holds, named=False)
    return Choice(_known(ids, fleet, engine.narrator, skip_unknown=request.skip_unknown), holds)


def planned_end_of(request: Request, narrator: Narrator) -> float | None:
    """The planned end that the request gives the window, in seconds since the epoch; reports it.

    Raises:
        Stop: it cannot be read, or is in the past.
    """
    if request.until is None:
        return None
    now = time.time()
    try:
        end = parse_planned_end(request.until, now)
    except PlannedEndError as error:
        raise Stop(Exit.USAGE, f"--until: {error}; nothing was sent") from None
    narrator.say(f"The window is planned to end at {local_time(end)}, in {duration(end - now)}")
    return end


async def plan_servers(
    action: Action,
    server_ids: Sequence[str],
    wave: str,
    engine: HeadlessEngine,
    holds: Mapping[str, Hold] | None = None,
) -> tuple[Plan, Outlook]:
    """Plan an action on servers, for the fleet as last read, and look ahead.

    Args:
        action: What is requested.
        server_ids: Of which servers.
        wave: As for ``wave_size``.
        engine: Logged in, with the fleet read.
        holds: What the operator's windows hold in maintenance; read from the journal when None.

    Raises:
        Stop: the journal cannot be read, or the wave has no size.
    """
    fleet = engine.service.inventory.fleet
    try:
        if holds is None:
            holds = await engine.service.holds()
        context = PlanContext(time.time(), await engine.service.prior_targets(), holds)
        history = await engine.service.job_durations()
    except JournalError as error:
        raise Stop(Exit.FAILED, f"nothing was sent: {error}") from None

    def plan(size: int | None) -> Plan:
        return make_plan(
            action,
            server_ids,
            fleet,
            roles=engine.roles,
            context=context,
            batch_size=engine.config.settings.batch_size,
            wave_size=size,
        )

    made = plan(None)
    if (size := wave_size(wave, len(made.server_ids))) is not None:
        made = plan(size)
    protection = Protection(engine.config.protected, engine.config.settings.filters)
    return made, look_ahead(made, fleet, context=context, history=history, protection=protection)


def _matching(query: str, engine: HeadlessEngine, holds: Mapping[str, Hold]) -> list[str]:
    """The servers that a query matches. Raises Stop where a data center is missing, or none matches."""
    fleet = engine.service.inventory.fleet
    if fleet.problems:
        failed = ", ".join(fleet.problems)
        raise Stop(
            Exit.UNREACHABLE, f"{failed} could not be read, so the filter cannot be trusted; nothing was sent"
        )
    ids = [server.id for server in select_servers(fleet, query, engine.config.settings, holds)]
    if not ids:
        raise Stop(Exit.USAGE, f"the filter {clean(query)!r} matches no server; nothing was sent")
    return ids


def _held(ids: Sequence[str], fleet: Fleet, narrator: Narrator) -> list[str]:
    """Those of ``ids``, which windows hold, that exist. Raises Stop where some could not be read."""
    gone = [id_ for id_ in ids if id_ not in fleet.servers]
    if gone and fleet.problems:
        failed = ", ".join(fleet.problems)
        raise Stop(
            Exit.UNREACHABLE,
            f"{failed} could not be read, where {named(gone, MAX_IDS)} may be; nothing was sent",
        )
    if gone:
        narrator.say(f"left out, no longer in the account: {named(gone, MAX_IDS)}")
    return sorted(id_ for id_ in ids if id_ in fleet.servers)


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
    if plan.server_ids and plan.action.unverifiable:
        narrator.say(f"  note: {plan.action.unverifiable}")
    if any(skip.open for skip in plan.skipped):
        narrator.say("  `pitstop resume` follows what is under way")


def check_mine(plan: Plan, request: Request) -> None:
    """Check that without a question only maintenance ends which the operator's own windows began.

    Raises:
        Stop: it would end that of others too, and the request does not say that this is meant.
    """
    if plan.not_mine and request.yes and not request.not_mine:
        number = len(plan.not_mine)
        raise Stop(
            Exit.USAGE,
            f"{counted(number)} {'is' if number == 1 else 'are'} not yours, put into maintenance by others "
            f"or not from here: {named(plan.not_mine, MAX_IDS)}; nothing was sent; --not-mine ends that too, "
            "--mine only what is yours",
        )


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
    must_count = bool(outlook.protected)
    if not is_confirmed({plan.action: plan.server_ids}, engine, plan.not_mine, must_count=must_count):
        raise Stop(Exit.USAGE, "not confirmed; nothing was sent")


def is_confirmed(
    wanted: Mapping[Action, Sequence[str]],
    engine: HeadlessEngine,
    not_mine: Sequence[str] = (),
    *,
    must_count: bool = False,
) -> bool:
    """Ask whether to go on; the question names the servers that are ``not_mine``.

    With ``must_count``, above ``confirm_above`` servers, and for a drastic action on any number, the answer
    is their number.
    """
    what = " and ".join(
        f"{action.label} on {counted(len(ids), 'server')} ({named(ids, 3)})" for action, ids in wanted.items()
    )
    others = f", {len(not_mine):,} of them NOT YOURS ({named(not_mine)})" if not_mine else ""
    question, count = f"{what}{others} at {engine.location}", sum(map(len, wanted.values()))
    engine.narrator.flush()
    drastic = any(action.drastic for action in wanted)
    if must_count or drastic or count > engine.config.settings.confirm_above:
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
