"""The reference pages of `pitstop help TOPIC`, made from the tables that the program itself uses.

Each page imports its table when it is shown: listing the topics loads nothing heavy, and `pitstop help exits`
loads no Textual.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from textwrap import fill
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tui.model.operation import Action
    from tui.settings.schema import SettingInfo

WIDTH = 80
"""Cells of a line, at most: the narrowest terminal that the console supports."""

Row = tuple[str, str]
"""A term and what it means."""


class Section(NamedTuple):
    """Rows that belong together, with an introduction above them."""

    intro: str
    rows: Sequence[Row]


class Topic(NamedTuple):
    """One page of reference."""

    title: str
    sections: Callable[[], Iterator[Section]]


def _columns() -> Iterator[Section]:
    from tui.model.listing.columns import COLUMNS

    yield Section(
        "For the settings columns (NAME or NAME:WIDTH) and sort (-NAME reverses), and as field:value in "
        "filters. Other names of a column are in parentheses.",
        [
            (
                column.name,
                column.help + (f" ({', '.join(column.aliases)})" if column.aliases else ""),
            )
            for column in COLUMNS.values()
        ],
    )


def _environment() -> Iterator[Section]:
    from tui.settings.schema import VARIABLES, Settings, setting_infos

    yield Section("Where to work, as whom, and with which files:", [*VARIABLES.items()])
    yield Section(
        "Settings; each wins over the configuration file, and a flag wins over it:",
        [
            (f"PITSTOP_{field.name.upper()}", f"the setting {field.name}, {field.kind}")
            for field in setting_infos(Settings)
            if field.simple
        ],
    )


def _exits() -> Iterator[Section]:
    from tui.headless.exits import Exit

    yield Section(
        "How a command ended. When several apply, an unknown outcome counts more than a failure.",
        [(str(exit_.value), exit_.meaning) for exit_ in Exit],
    )


def _faults() -> Iterator[Section]:
    from tui.sandbox.config import FAULTS

    yield Section(
        "For --fault NAME=RATE of `pitstop sandbox`, `pitstop demo` and --sandbox; RATE is from 0 to 1.",
        [*FAULTS.items()],
    )


def _filters() -> Iterator[Section]:
    from tui.model.filter.grammar import GRAMMAR

    yield Section(
        "The same language behind / in the console, in `pitstop servers QUERY` and in --filter. Words side "
        "by side must all match.",
        [
            (
                rule.form,
                rule.meaning + (f"\ne.g. {'   '.join(rule.examples)}" if rule.examples else ""),
            )
            for rule in GRAMMAR
        ],
    )


def _keys() -> Iterator[Section]:
    from tui.console.commands import COMMANDS, keys_of
    from tui.console.footer import PANE_KEYS
    from tui.console.screens.help import MOVING

    yield Section(
        "The table [keys] of the configuration file gives a command, by the name in parentheses, other keys. "
        "Commands without a key are in the palette, ctrl+p.",
        [],
    )
    for section, commands in groupby(COMMANDS, key=lambda command: command.section):
        yield Section(
            section,
            [
                (" ".join(keys_of(command)) or "palette", f"{command.label} ({command.name}): {command.help}")
                for command in commands
            ],
        )
    yield Section(
        "In one pane only", [(" ".join(keys_of(key)), f"{key.label}: {key.help}") for key in PANE_KEYS]
    )
    yield Section("Moving, in every list", MOVING)


def _operations() -> Iterator[Section]:
    from tui.model.operation import Action

    yield Section(
        "Each asks first, or needs --yes, and leaves alone what already is so, templates, and servers that "
        "are not active.",
        [(f"pitstop {action.verb}", _operation(action)) for action in Action],
    )
    yield Section(
        "`pitstop retry` tries again what did not end well. There is no archive and no delete, on purpose: "
        "Pitstop is for servers that come back.",
        [],
    )


def _operation(action: "Action") -> str:
    needs = f" Only of servers that are {' or '.join(action.only_from)}." if action.only_from else ""
    count = " Its question wants the number of servers, however few they are." if action.drastic else ""
    shown = action.unverifiable or f"verified when a server, read again, is {action.result}"
    lines = [f"{action.label}.{needs}", f"{action.warning}{count}", f"{shown[0].upper()}{shown[1:]}."]
    return "\n".join(line.strip() for line in lines if line)


def _settings() -> Iterator[Section]:
    from tui.settings.schema import Profile, Settings, setting_infos

    yield Section(
        "In the configuration file; `pitstop where` says where it is, and every value in force.",
        [_setting(field) for field in setting_infos(Settings) if field.name != "profiles"],
    )
    yield Section("In each [profiles.NAME]:", [_setting(field) for field in setting_infos(Profile)])


def _setting(field: "SettingInfo") -> Row:
    from tui.settings.report import shown

    default = f", {shown(field.default)} by default" if field.default not in ("", [], {}) else ""
    return field.name, f"{field.description}\n{field.kind}{default}"


def _signs() -> Iterator[Section]:
    from tui.model.operation import DONE, STATE_STYLES, State

    yield Section(
        "How a server stands in an operation: the sign, its form in ASCII, the word, and the name in JSON "
        "where it is another.",
        [
            (
                f"{style.sign} {style.ascii} {style.word}",
                style.meaning + ("" if state.value == style.word else f" ({state.value})"),
            )
            for state, style in (*STATE_STYLES.items(), (State.SUCCEEDED, DONE))
        ],
    )


def _windows() -> Iterator[Section]:
    from tui.model.planned_end import FORMS
    from tui.model.window import QUIET

    yield Section(
        "A window is a piece of maintenance work: who, why, and which servers it put into maintenance. The "
        "first operation with a reason opens it, the next with the same reason goes on with it, and several "
        f"may be open. Without a reason a run goes on with the one of the last {QUIET / 3600:.0f} hours, or "
        "opens a new one.",
        [],
    )
    yield Section(
        "Its planned end, for `pitstop start --until`:", [(form.form, form.meaning) for form in FORMS]
    )
    yield Section(
        "It ends by itself once none of its servers is held in maintenance and its planned end has passed, "
        "or when you close it. A window is named by its id or its reason; of several with one reason an open "
        "one goes first, and where two are open the id is needed.",
        [
            ("pitstop windows", "those of the last week, every open one, and what each holds"),
            ("pitstop windows WINDOW", "one, with its operations, what it holds, and its notes"),
            ("pitstop windows --check", "exit 1 and a line each while one past its end holds servers"),
            ("pitstop windows --close WINDOW", "close it; --leave REASON leaves its servers in maintenance"),
            ("pitstop windows --note WINDOW TEXT", "add a line to its log, with the time"),
            ("pitstop stop --window WINDOW", "end maintenance on what it holds; --mine on what all hold"),
            ("pitstop servers mine:yes", "the servers that your windows hold; also window: and reason:"),
        ],
    )


TOPICS: dict[str, Topic] = {
    "columns": Topic("Columns of the list of servers", _columns),
    "environment": Topic("Environment variables", _environment),
    "exits": Topic("Exit codes", _exits),
    "faults": Topic("Faults of the sandbox", _faults),
    "filters": Topic("The filter language", _filters),
    "keys": Topic("Keys and commands of the console", _keys),
    "operations": Topic("Operations on servers", _operations),
    "settings": Topic("Settings", _settings),
    "signs": Topic("States and their signs", _signs),
    "windows": Topic("Maintenance windows", _windows),
}
"""Every page, by the name that `pitstop help` takes."""


def overview() -> str:
    """The list of topics, for `pitstop help` alone."""
    rows = [(name, topic.title) for name, topic in TOPICS.items()]
    intro = "`pitstop help TOPIC` shows one of these pages; `pitstop COMMAND --help` the flags of a command."
    return _text([Section(intro, rows)])


def page(name: str) -> str:
    """The page of a topic, no line wider than ``WIDTH``.

    Raises:
        KeyError: there is no such topic.
    """
    topic = TOPICS[name]
    return f"{topic.title}\n\n{_text(topic.sections())}"


def _text(sections: Iterable[Section]) -> str:
    parts = []
    for intro, rows in sections:
        parts.append(fill(intro, WIDTH))
        column = 4 + max((len(term) for term, _ in rows), default=0)
        lines = []
        for term, meaning in rows:
            indent = f"  {term:<{column - 2}}"
            for line in meaning.split("\n"):
                lines.append(fill(line, WIDTH, initial_indent=indent, subsequent_indent=" " * column))
                indent = " " * column
        parts += ["\n".join(lines)] if lines else []
    return "\n\n".join(parts) + "\n"
