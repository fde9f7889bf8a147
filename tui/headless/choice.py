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
from tui.model.plan import Plan, PlanContext, make_plan
from tui.model.text import clean, counted, named
from tui.model.ticket import find_servers

_SEPARATORS = re.compile(r"[\s,;\ufeff]+")
"""Windows puts a byte order mark (U+FEFF) before the first id of a file."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of `pitstop start`, `pitstop stop`, `pitstop power` or `pitstop retry`."""

    verb: str = ""
    """The ``Action.verb``; empty for a retry."""
    ids: tuple[str, ...] = ()
    """As given; ``-`` stands for standard input."""
    query: str | None = None
    reason: str = ""
    wave: str = ""
    """Servers in a wave, as a number or a share like ``10%``; empty for all."""
    max_failed: int | None = None
    yes: bool = False
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


async def plan_for(request: Request, engine: HeadlessEngine, ids: Sequence[str]) -> Plan:
    """Plan the request, for the fleet as last read. ``ids`` are those of ``read_ids``.

    Raises:
        Stop: the servers cannot be determined for certain, or there are none.
    """
    fleet = engine.service.inventory.fleet
    if request.query is not None:
        server_ids = _matching(request.query, engine)
    else:
        server_ids = _known(ids, fleet, engine.narrator, skip_unknown=request.skip_unknown)
    return await plan_servers(request.action, server_ids, request.wave, engine)


async def plan_servers(action: Action, server_ids: Sequence[str], wave: str, engine: HeadlessEngine) -> Plan:
    """Plan an action on servers, for the fleet as last read. ``wave`` is as for ``wave_size``.

    Raises:
        Stop: the journal cannot be read.
    """
    try:
        held = frozenset(await engine.service.held_in_maintenance())
        context = PlanContext(time.time(), await engine.service.prior_targets(), held)
    except JournalError as error:
        raise Stop(Exit.FAILED, f"nothing was sent: {error}") from None

    def plan(size: int | None) -> Plan:
        return make_plan(
            action,
            server_ids,
            engine.service.inventory.fleet,
            roles=engine.roles,
            context=context,
            batch_size=engine.config.settings.batch_size,
            wave_size=size,
        )

    whole = plan(None)
    size = wave_size(wave, len(whole.server_ids))
    return whole if size is None else plan(size)


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


def report_plan(plan: Plan, narrator: Narrator) -> None:
    """Report what the plan will send, and which servers it skips and why."""
    requests = counted(len(plan.batches), "request")
    waves = f", {counted(plan.waves, 'wave')}" if plan.waves > 1 else ""
    what = f"{counted(len(plan.server_ids), 'server')} in {requests}{waves}"
    narrator.say(f"{plan.action.label}: {what if plan.server_ids else 'nothing to send'}")
    for reason, ids in plan.skipped_by_reason().items():
        narrator.say(f"  left alone, {reason}: {named(ids, MAX_IDS)}")
    for remark in plan.remarks:
        narrator.say(f"  note: {remark}")
    if plan.server_ids and plan.action.unverifiable:
        narrator.say(f"  note: {plan.action.unverifiable}")
    if any(skip.reason.startswith("still under way") for skip in plan.skipped):
        narrator.say("  `pitstop resume` follows what is under way")


def confirm(plan: Plan, engine: HeadlessEngine, *, stdin_used: bool) -> None:
    """Ask the operator to confirm the plan.

    Raises:
        Stop: the answer is no, or there is no terminal to ask on.
    """
    count = len(plan.server_ids)
    if stdin_used or not can_ask():
        raise Stop(
            Exit.USAGE,
            f"{plan.action.label} on {counted(count, 'server')} needs a yes, and there is no terminal to ask "
            "on; nothing was sent; say --yes",
        )
    if not is_confirmed({plan.action: plan.server_ids}, engine):
        raise Stop(Exit.USAGE, "not confirmed; nothing was sent")


def is_confirmed(wanted: Mapping[Action, Sequence[str]], engine: HeadlessEngine) -> bool:
    """Ask whether to go on, after the warning of each action.

    Above ``confirm_above`` servers, and for a drastic action on any number, the answer is their number.
    """
    what = " and ".join(
        f"{action.label} on {counted(len(ids), 'server')} ({named(ids, 3)})" for action, ids in wanted.items()
    )
    question, count = f"{what} at {engine.location}", sum(map(len, wanted.values()))
    for action in wanted:
        if action.warning:
            engine.narrator.say(f"  {action.label}: {action.warning}")
    engine.narrator.flush()
    drastic = any(action.drastic for action in wanted)
    if drastic or count > engine.config.settings.confirm_above:
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
