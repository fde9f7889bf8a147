"""The filter language in one table, from which the parser and the help are made."""

import re
from typing import NamedTuple

from tui.model.listing.columns import COLUMNS, Column, find_column


class Rule(NamedTuple):
    """One form of the language."""

    form: str
    meaning: str
    examples: tuple[str, ...]
    """Filters of this form, as they would be typed."""


GRAMMAR: tuple[Rule, ...] = (
    Rule("word", "the word stands somewhere in a column of text, whatever the case; all words must",
         ("web prod",)),
    Rule('"quoted words"', "as they are, spaces and all", ('"mail relay"',)),
    Rule("w*rd  w?rd", "* is any text, ? any character; the pattern covers the whole value", ("wa1*web??",)),
    Rule("!term", "not", ("!web", "!power:started", "!(web or db)")),
    Rule("a or b", "either; words side by side bind closer", ("web or db", "web prod or db")),
    Rule("( )", "what belongs together", ("(web or db) maint:on",)),
    Rule("field:text", "the column holds the text: id, name, os, ip, description",
         ("name:web", 'os:"red hat"')),
    Rule("field:word", "the column is just that: dc, power, status; * and ? as above",
         ("dc:wa1", "status:act*")),
    Rule("maint:on|off|unknown", "in maintenance mode or not", ("maint:on",)),
    Rule("group:name/name", "in the group of that name, or path, or below it",
         ("group:web", "group:web/prod")),
    Rule("cpu:8  cpu:2..8", "a number, or from one to another; > >= < <= = as well", ("cpu:>=8", "cpu:2..8")),
    Rule("mem:<4g", "memory, in GB unless it says m, g or t", ("mem:<4g", "mem:512m", "mem:8..16")),
    Rule("changed:2026-11", "last change on that date or in that month; > >= < <= as well",
         ("changed:>=2026-11-01",)),
    Rule("marked:yes|no", "marked or not", ("marked:yes",)),
    Rule("mine:yes|no", "in maintenance by one of your windows, as this journal knows them, or not",
         ("mine:yes", "maint:on mine:no")),
    Rule("window:name", "held in maintenance by the window of that id or reason; * and ? as above",
         ("window:CHG-1234",)),
    Rule("reason:text", "the reason of the window that holds it has the text in it",
         ("reason:kernel", 'reason:"disk swap"')),
    Rule("op:state", "where the newest operation stands: op:failed, op:running; op:* for any",
         ("op:failed", "!op:*")),
    Rule("@name", "the filter that the settings keep under that name", ()),
    Rule('field:""', "the column is empty", ('ip:""',)),
    Rule("re:/pattern/", "a regular expression, in any column of text or in the one named",
         ("re:/web[0-4]$/", "name:/^wa1/")),
)  # fmt: skip
"""Every form of the language, in the order of the help."""

MARKED, MINE, WINDOW, REASON, REGEX = "marked", "mine", "window", "reason", "re"
"""Names of fields that are no columns."""

_NO_COLUMNS = (MARKED, MINE, WINDOW, REASON, REGEX)

FILTER_NAME = r"[\w.-]+"
"""The pattern of the name of a filter, which follows an @."""


def is_filter_name(name: str) -> bool:
    """Whether ``name`` is valid as the name of a filter."""
    return re.fullmatch(FILTER_NAME, name) is not None


def field_names() -> list[str]:
    """The names that may precede a colon."""
    return [*COLUMNS, *_NO_COLUMNS]


def find_field(name: str) -> Column | str | None:
    """Find a field by name: a column, or one of those that are none; None where there is no such field."""
    wanted = name.casefold()
    return wanted if wanted in _NO_COLUMNS else find_column(wanted)
