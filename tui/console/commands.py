"""The table of commands.

Key bindings, the footer, the palette, the help screen, read-only mode and the keymap of the settings are
all made from it, so that they agree.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from textual.binding import Binding, Keymap

from tui.console.terminal.textual_private import key_name


class Pane(Enum):
    """A part of the servers screen; commands act on the one with the focus."""

    GROUPS = "groups"
    LIST = "list"
    DETAILS = "details"
    RESULTS = "results"
    FILTER = "filter"
    """Where letters are typed. For commands it is the list; only the footer treats it apart."""


@dataclass(frozen=True, slots=True)
class CommandContext:
    """The facts that decide which commands can be used now."""

    pane: Pane = Pane.LIST
    readonly: bool = False
    may_operate: bool = True
    """Whether the user's roles allow operations."""
    chosen: int = 0
    """How many servers a command acts on: the marked ones, else the one under the cursor."""
    marked: int = 0
    undo: bool = False
    """Whether a change of the marks can be undone."""
    shown: int = 0
    operations: int = 0
    unsent: int = 0
    """Unsent servers of the operation in the results."""
    interrupted_unsent: int = 0
    """Unsent servers of interrupted operations."""
    details: bool = False
    """Whether the details of a server are shown."""
    loading: bool = False
    still_in_maintenance: int = 0
    """Servers that this operator's windows put into maintenance and that are still in it."""
    filtered: bool = False
    """Whether a filter is typed."""
    filters: tuple[tuple[str, str], ...] = ()
    """Named filters: (name, text)."""


class Scope(Enum):
    """Where a command's keys work."""

    APP = "Everywhere"
    SERVERS = "Servers"


class Command(NamedTuple):
    """One thing the operator can do."""

    name: str
    """The name in the settings' keymap, e.g. ``sort.reverse``."""
    keys: str
    """Textual's names of keys, separated by commas; empty for a command of the palette only."""
    label: str
    """The name in the palette and the help."""
    help: str
    """One sentence."""
    section: str
    action: str
    """In Textual's notation: of the application (``app.help``), of the servers screen (``follow``), or of an
    object in ``tui.console.actions`` (``columns.choose`` is ``action_choose`` in ``columns.py``)."""
    scope: Scope = Scope.SERVERS
    hint: str = ""
    """The word in the footer; without one it is not shown there."""
    weight: int = 0
    """A narrow footer drops the lightest first; 100 and more is never dropped."""
    dangerous: bool = False
    """Whether it changes servers: hidden in read-only mode, always confirmed."""
    disabled_reason: Callable[[CommandContext], str | None] = lambda _: None
    """Why it cannot be used now; None when it can."""
    pane: Pane | None = None
    """The pane it belongs to: first in the footer there, elsewhere only with a weight."""


def _nothing_chosen(now: CommandContext) -> str | None:
    if not now.may_operate:
        return "your role does not allow operations"
    return _nothing_to_copy(now)


def _nothing_shown(now: CommandContext) -> str | None:
    if now.shown:
        return None
    return "the servers are being read" if now.loading else "no server is shown"


def _no_list(now: CommandContext) -> str | None:
    if now.pane is not Pane.LIST:
        return "ranges are drawn in the list of servers: go there first"
    return _nothing_shown(now)


def _nothing_marked(now: CommandContext) -> str | None:
    return None if now.marked else "no server is marked"


def _nothing_to_undo(now: CommandContext) -> str | None:
    return None if now.undo else "no change of the marks is left to take back"


def _no_results(now: CommandContext) -> str | None:
    return None if now.operations else "there are no results yet"


def _no_other_operation(now: CommandContext) -> str | None:
    return None if now.operations > 1 else "there is no other operation"


def _nothing_to_copy(now: CommandContext) -> str | None:
    if now.chosen:
        return None
    if now.pane is Pane.GROUPS:
        return "no server is marked, and under the cursor is a group: space marks its servers"
    if now.pane is Pane.RESULTS:
        return (
            "no server is marked, and the results, where the focus is, name none: shift+tab goes to the list"
        )
    return "the servers are being read" if now.loading else "no server is marked or under the cursor"


def _nothing_unsent(now: CommandContext) -> str | None:
    return None if now.unsent else "everything has been sent already"


def _nothing_interrupted(now: CommandContext) -> str | None:
    return None if now.interrupted_unsent else "nothing was left unsent"


def _no_details(now: CommandContext) -> str | None:
    return None if now.details else "no details are shown"


def _none_to_bring_back(now: CommandContext) -> str | None:
    if not now.may_operate:
        return "your role does not allow operations"
    return None if now.still_in_maintenance else "none of yours is in maintenance"


def _no_filter(now: CommandContext) -> str | None:
    return None if now.filtered else "no filter is typed"


def _loading(now: CommandContext) -> str | None:
    return "the servers are being read already" if now.loading else None


def _power(name: str, label: str, help_: str, action: str) -> Command:
    return Command(
        f"power.{name}",
        "",
        label,
        help_,
        "Power",
        f"operations.operate('{action}')",
        dangerous=True,
        disabled_reason=_nothing_chosen,
    )


def _interval(name: str, seconds: int, help_: str) -> Command:
    return Command(f"refresh.{name}", "", f"Refresh {name}", help_, "List", f"refresh.every({seconds})")


COMMANDS: tuple[Command, ...] = (
    Command("mark", "space", "Mark", "Mark or unmark this server, go to the next.",
            "Marks", "marks.mark", hint="mark", weight=90, disabled_reason=_nothing_shown),
    Command("mark.all", "a", "Mark all shown", "Mark every server that is shown.",
            "Marks", "marks.mark_all", hint="all", weight=35, disabled_reason=_nothing_shown),
    Command("mark.invert", "i", "Invert marks", "Mark what is shown and unmarked, unmark the rest of it.",
            "Marks", "marks.invert", disabled_reason=_nothing_shown),
    Command("mark.none", "u", "Unmark all", "Take all marks off, also where they are hidden.",
            "Marks", "marks.unmark", hint="unmark", weight=30, disabled_reason=_nothing_marked),
    Command("mark.range", "V", "Mark a range", "Begin a range here; moving extends it, V ends it.",
            "Marks", "marks.range", disabled_reason=_no_list),
    Command("mark.span", "ctrl+@", "Mark up to here", "Mark everything from the last mark to the cursor.",
            "Marks", "marks.span", disabled_reason=_no_list),
    Command("mark.undo", "U", "Undo marks", "Take back the last change of the marks.",
            "Marks", "marks.undo", disabled_reason=_nothing_to_undo),
    Command("ticket", "t", "Open a ticket", "Find a file's servers and mark them; or paste it here.",
            "Marks", "import_export.ticket"),
    Command("copy", "c", "Copy ids", "Copy the ids of the marked servers, else of this one.",
            "Marks", "import_export.copy", disabled_reason=_nothing_to_copy),
    Command("maintenance.start", "s", "Start maintenance", "Put servers into maintenance, after confirming.",
            "Maintenance", "operations.operate('startMaintenance')", hint="start", weight=85, dangerous=True,
            disabled_reason=_nothing_chosen),
    Command("maintenance.end", "e", "End maintenance", "Bring servers back, after confirming.",
            "Maintenance", "operations.operate('stopMaintenance')", hint="end", weight=84, dangerous=True,
            disabled_reason=_nothing_chosen),
    Command("maintenance.back", "b", "Bring back", "End maintenance on just those that you left in it.",
            "Maintenance", "operations.bring_back", dangerous=True, disabled_reason=_none_to_bring_back),
    Command("operation.cancel", "X", "Cancel the rest", "Send no more of the operation in the results.",
            "Maintenance", "operations.cancel", disabled_reason=_nothing_unsent),
    Command("operation.rest", "", "Send the rest", "Send what an interrupted operation left unsent.",
            "Maintenance", "operations.send_rest", dangerous=True, disabled_reason=_nothing_interrupted),
    Command("filter", "slash", "Filter", "Show only the servers that match what is typed.",
            "List", "filters.open", hint="filter", weight=88),
    Command("filter.keep", "", "Keep this filter", "Give it a name; Filter: NAME then brings it back.",
            "List", "filters.keep", disabled_reason=_no_filter),
    Command("details", "enter", "Details", "Show everything about this server.",
            "List", "details.toggle", hint="details", weight=40, disabled_reason=_nothing_shown),
    Command("details.raw", "j", "Raw details", "The server as the platform gave it, or its fields.",
            "List", "details.raw", hint="raw", disabled_reason=_no_details, pane=Pane.DETAILS),
    Command("refresh", "r", "Refresh", "Read all servers again; marks and cursor stay.",
            "List", "refresh.now", hint="refresh", weight=50, disabled_reason=_loading),
    Command("sort.next", "greater_than_sign", "Sort by next", "Order by the column to the right.",
            "List", "columns.sort_next", disabled_reason=_nothing_shown),
    Command("sort.previous", "less_than_sign", "Sort by previous", "Order by the column to the left.",
            "List", "columns.sort_previous", disabled_reason=_nothing_shown),
    Command("sort.reverse", "equals_sign", "Reverse sort", "The same column in the other direction.",
            "List", "columns.sort_reverse", disabled_reason=_nothing_shown),
    Command("columns", "C", "Columns", "Choose columns, their order and their widths.",
            "List", "columns.choose"),
    Command("export.shown", "x", "Export shown", "Write the servers shown to a CSV or JSON file.",
            "List", "import_export.export('shown')", disabled_reason=_nothing_shown),
    Command("export.marked", "", "Export marked", "Write the marked servers to a CSV or JSON file.",
            "List", "import_export.export('marked')", disabled_reason=_nothing_marked),
    _interval("off", 0, "Read the servers again only when asked."),
    _interval("30s", 30, "Read the servers again every 30 seconds."),
    _interval("1m", 60, "Read the servers again every minute."),
    _interval("5m", 300, "Read the servers again every 5 minutes."),
    Command("groups", "g", "Groups", "Show or hide the tree of groups.",
            "List", "toggle_groups", hint="groups", weight=25),
    Command("results.failures", "f", "Failures first", "What needs a look on top, or as it happened.",
            "Results", "failures_first", hint="failures", weight=32, disabled_reason=_no_results,
            pane=Pane.RESULTS),
    Command("results.follow", "l", "Follow", "Follow what happens, or stay where you read.",
            "Results", "follow", hint="follow", disabled_reason=_no_results, pane=Pane.RESULTS),
    Command("results.next", "o", "Other operation", "Show another operation of this session.",
            "Results", "next_operation", hint="other", disabled_reason=_no_other_operation,
            pane=Pane.RESULTS),
    Command("results.zoom", "z", "Larger results", "Give them most of the screen, or a third again.",
            "Results", "zoom_results", hint="larger", disabled_reason=_no_results, pane=Pane.RESULTS),
    _power("on", "Power on", "Start servers that are stopped or paused.", "powerOn"),
    _power("off", "Power off", "Cut the power without shutting down.", "powerOff"),
    _power("shutdown", "Shut down", "Ask the operating systems to shut down.", "shutDown"),
    _power("reboot", "Reboot", "Ask the operating systems to start again.", "reboot"),
    _power("reset", "Reset", "Cut the power and switch it on again.", "reset"),
    _power("pause", "Pause", "Pause servers, keeping their memory.", "pause"),
    Command("pane.next", "tab", "Next pane", "Go to the next pane.",
            "Program", "app.focus_next", Scope.APP, hint="pane", weight=20),
    Command("pane.previous", "shift+tab", "Previous pane", "Go back one pane.",
            "Program", "app.focus_previous", Scope.APP),
    Command("palette", "ctrl+p", "Commands", "Find a command by its name and run it.",
            "Program", "app.palette", Scope.APP, hint="commands", weight=60),
    Command("redraw", "ctrl+l", "Redraw", "Draw the whole screen again.",
            "Program", "app.redraw", Scope.APP),
    Command("suspend", "ctrl+z", "Suspend", "Stop pitstop and what it follows, until fg in the shell.",
            "Program", "app.suspend", Scope.APP),
    Command("help", "question_mark,f1", "Help", "Keys, the filter language and the signs.",
            "Program", "app.help", Scope.APP, hint="help", weight=100),
    Command("quit", "q,ctrl+q", "Quit", "Leave; asks when work is under way or left behind.",
            "Program", "app.quit", Scope.APP, hint="quit", weight=101),
)  # fmt: skip

ALWAYS: Mapping[str, str] = {
    "ctrl+q": "quit",
    "ctrl+c": "interrupt",
    "ctrl+l": "redraw",
    "ctrl+z": "suspend",
}
"""Key -> command, for keys that no dialog and no keymap takes away."""

BY_NAME: Mapping[str, Command] = {command.name: command for command in COMMANDS}
_BY_ACTION: Mapping[str, Command] = {command.action.removeprefix("app."): command for command in COMMANDS}


def disabled_reason(command: Command, now: CommandContext) -> str | None:
    """Why ``command`` cannot be used now, for the operator; None if it can."""
    if now.readonly and command.dangerous:
        return "this console is read-only"
    return command.disabled_reason(now)


def offered(now: CommandContext, scopes: Iterable[Scope] = Scope) -> list[Command]:
    """The commands to show in this context, whether they can be used now or not."""
    wanted = set(scopes)
    return [
        command
        for command in COMMANDS
        if command.scope in wanted and not (now.readonly and command.dangerous)
    ]


def filter_commands(now: CommandContext) -> list[Command]:
    """Commands that use and forget each named filter, for the palette."""
    return [
        Command(f"{word}.{name}", "", f"{word}: {name}", text, "List", f"{action}({name!r})")
        for word, action in (("Filter", "filters.use"), ("Forget filter", "filters.forget"))
        for name, text in now.filters
    ]


def of_action(action: str) -> Command | None:
    """The command with this action, e.g. ``marks.mark_all``; None if no command has it."""
    return _BY_ACTION.get(action.removeprefix("app."))


def bindings(scope: Scope) -> list[Binding]:
    """Textual's bindings for the commands of ``scope``, each with the command's name as its id."""
    return [
        Binding(command.keys, command.action, command.label, id=command.name, show=False)
        for command in COMMANDS
        if command.scope is scope and command.keys
    ]


def keys_of(command: Command, keymap: Keymap | None = None) -> list[str]:
    """The command's keys as people write them: those of the keymap, else its own."""
    keys = (keymap or {}).get(command.name) or command.keys
    return [display(key.strip()) for key in keys.split(",") if key.strip()]


_DISPLAY = {"question_mark": "?", "slash": "/", "comma": ",", "less_than_sign": "<", "greater_than_sign": ">",
            "equals_sign": "=", "ctrl+@": "ctrl+space", "escape": "esc"}  # fmt: skip


def display(key: str) -> str:
    """A key as people write it, e.g. "?" for Textual's ``question_mark``."""
    return _DISPLAY.get(key, key.upper() if key[:1] == "f" and key[1:].isdigit() else key)


def keymap_problems(keymap: Mapping[str, str]) -> list[str]:
    """Find what is wrong with a keymap (command -> keys): unknown commands, and keys of two commands."""
    problems = [f"keys: there is no command {name!r}" for name in keymap if name not in BY_NAME]
    owner = dict(ALWAYS)
    for command in COMMANDS:
        for key in (keymap.get(command.name) or command.keys).split(","):
            name = key.strip()
            name = key_name(name) if len(name) == 1 else name
            if name and owner.setdefault(name, command.name) != command.name:
                problems.append(f"keys: {display(name)!r} is both {owner[name]!r} and {command.name!r}")
    return problems
