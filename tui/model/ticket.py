"""Finding servers in pasted text, such as a ticket, a mail or a table."""

import re
from collections.abc import Container, Iterable

import msgspec

from tui.model.fleet import Fleet
from tui.model.ranges import NotExpandable, alternatives, ends, expand, numbered

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_TOKEN = re.compile(r"\w(?:[\w.-]*\w)?")
"""A word that can be an id, a name, or a host name with its domain."""
_JOINTS = re.compile("[._-]+")
_BRACKETS = re.compile(r"([._-]*)(?:\[([\d\s,.-]+)\]|\{([\d\s,.-]+)\})(\w*)")
"""After a word: alternatives, as in web0[1-5]a or web{01,02}."""
_SLASHES = re.compile(r"(?:/\d+)+(?!\w|[.:-]\w)")
"""After a word: more numbers, as in web01/02/03."""
_DASH = re.compile(r"[\u2010-\u2015\u2026~](?=\w)")
"""Directly after a word: a dash or an ellipsis as word processors write them."""
_COMMA = re.compile(r"\s*[,;&+]\s*(?=\d)")
"""After a word: a separator before more numbers, or before the next column of a table."""
_LINK = re.compile(r"\s+(?:-{1,2}|[\u2010-\u2015\u2026]|\.{2,}|to|through|thru|until|and)\s+")
"""After a word: a link to the end of a range, or to something else."""
MAX_EXPANDED = 50_000
"""The number of names to which the ranges of one text may expand."""
MAX_ID_LENGTH = 128
"""Characters; a longer word is no id, and is not tested, as that would take long."""


class Found(msgspec.Struct, frozen=True):
    """The servers that a text names, each once, in the order of the text."""

    ids: tuple[str, ...] = ()
    """Ids in the fleet that are not marked yet."""
    marked: tuple[str, ...] = ()
    """Ids in the fleet that are marked already."""
    unknown: tuple[str, ...] = ()
    """Words that look like an id but are none in the fleet, as written."""
    ambiguous: tuple[str, ...] = ()
    """Names that several servers have, as written. None of those servers is in ``ids``."""
    unclear: tuple[str, ...] = ()
    """What looks like a range or a list of servers, but is not certain, as written."""
    ranges: int = 0
    """The number of ranges that were expanded."""

    def __bool__(self) -> bool:
        return bool(self.ids or self.marked or self.unknown or self.ambiguous or self.unclear)


def find_servers(text: str, fleet: Fleet, marked: Container[str] = ()) -> Found:
    """Find the servers that ``text`` names by id or by name, in any case.

    An id precedes a name, and both precede a range. Of a host name with a domain, the first part counts where
    the whole is no name. An id also counts where dots, hyphens or underscores join it to other text.

    A word that no server has is unknown if it starts like an id of this account (a data center and the
    account alias), or starts with a data center and ends in digits. A range is expanded if both ends have
    the same stem and numbers of the same width. Anything else that looks like a range is unclear.
    """
    reader = _Reader(fleet)
    reader.read(_INVISIBLE.sub("", text))
    return Found(
        ids=tuple(id_ for id_ in reader.found if id_ not in marked),
        marked=tuple(id_ for id_ in reader.found if id_ in marked),
        unknown=tuple(reader.unknown.values()),
        ambiguous=tuple(reader.ambiguous.values()),
        unclear=tuple(reader.unclear),
        ranges=reader.ranges,
    )


class _Reader:
    """Reads one text and collects what it names, each once, in the order of the text."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.names = _names(fleet)
        self.id_pattern = _id_pattern(fleet)
        self.found: dict[str, None] = {}
        self.unknown: dict[str, str] = {}
        self.ambiguous: dict[str, str] = {}
        self.unclear: dict[str, None] = {}
        self.ranges = 0
        self.expandable = MAX_EXPANDED
        """The number of names to which further ranges may expand."""

    def read(self, text: str) -> None:
        """Read the text word by word, each with the numbers after it that belong to it."""
        at = 0
        while (match := _TOKEN.search(text, at)) is not None:
            at = match.end()
            word = match[0].lstrip("_")
            follows = self.brackets(word, text, at) or self.slashes(word.rstrip("_"), text, at)
            if follows:
                at = follows
            elif word := word.rstrip("_"):
                self.word(word)
                self.link(word, text, at)

    # -- one word and what follows it

    def brackets(self, word: str, text: str, at: int) -> int:
        """Read ``word`` with the alternatives in brackets after it. Returns their end, 0 for none."""
        match = _BRACKETS.match(text, at)
        if match is None or not word:
            return 0
        written, stem = word + match[0], word + match[1]
        try:
            numbers = alternatives(match[2] or match[3])
            names = [stem + number + match[4] for number in numbers or ()]
            if names and self.take_range(names, written):
                return match.end()
        except NotExpandable:
            if self.is_server(word) or self.looks_like_id(stem):
                self.unclear[written] = None
                return match.end()
        return 0

    def slashes(self, word: str, text: str, at: int) -> int:
        """Read ``word`` with the numbers after it, as in web01/02. Returns their end, 0 for none."""
        parts = numbered(word)
        if parts is None or not self.is_server(word) or (match := _SLASHES.match(text, at)) is None:
            return 0
        stem, number = parts
        numbers = match[0].split("/")[1:]
        if any(len(one) > len(number) for one in numbers):
            return 0  # A port, or the prefix of a network.
        if any(len(one) < len(number) for one in numbers) or self.meaning(word) is None:
            self.unclear[word + match[0]] = None
            return match.end()
        return (
            match.end() if self.take_range([word, *(stem + one for one in numbers)], word + match[0]) else 0
        )

    def link(self, word: str, text: str, at: int) -> None:
        """Check whether the word just read starts a range with spaces or a typographic dash in it."""
        parts = numbered(word)
        if parts is None or not self.is_server(word):
            return
        dash = _DASH.match(text, at)
        comma = _COMMA.match(text, at)
        link = dash or comma or _LINK.match(text, at)
        target = _TOKEN.match(text, link.end()) if link else None
        if link is None or target is None or (comma and len(target[0]) != len(parts[1])):
            return
        try:
            names = expand(word, "-", target[0])
        except NotExpandable:
            names = []
        ended = target[0].isdecimal() and re.match(r"[:%/]", text[target.end() :])
        if names is None or ended or (names and len(names) <= 2 and not target[0].isdecimal()):
            return  # There is no name between the two, or it is a time.
        written = word + text[at : target.end()]
        if not (dash and names and self.take_range(names, written)):
            self.unclear[written] = None

    def word(self, word: str) -> None:
        """Read one word: found, unknown, ambiguous, unclear, or no server."""
        if self.take(word) or self.range(word):
            return
        parts = _JOINTS.split(word)
        certain = [part for part in parts if part.upper() in self.fleet.servers]
        if not certain and all(map(self.is_server, parts)):
            certain = [part for part in parts if self.meaning(part) is not None]
        if certain:
            for part in parts:
                if part not in certain or not self.take(part):
                    self.take_unknown(part)
        elif self.take(word.partition(".")[0]):
            for part in filter(self.looks_like_id, parts[1:]):
                self.take_unknown(part)
        else:
            for part in [word] if self.looks_like_id(word) else parts:
                self.take_unknown(part)

    def range(self, word: str) -> bool:
        """Read ``word`` as a range, if it is one."""
        for left, separator, right in ends(word):
            if self.meaning(left) is None and any(
                part.upper() in self.fleet.servers for part in _JOINTS.split(left)
            ):
                continue  # An id with other text joined to it.
            try:
                names = expand(left, separator, right)
            except NotExpandable:
                if self.is_server(left):
                    self.unclear[word] = None
                    return True
                continue
            if names is not None and self.take_range(names, word):
                return True
        return False

    # -- names in the fleet

    def meaning(self, name: str) -> str | None:
        """The id of the server with this id or name; "" where several have the name, None where none has."""
        upper = name.upper()
        return upper if upper in self.fleet.servers else self.names.get(name.casefold())

    def looks_like_id(self, name: str) -> bool:
        """Whether ``name`` could be an id in this account."""
        pattern = self.id_pattern
        return pattern is not None and len(name) <= MAX_ID_LENGTH and pattern.fullmatch(name) is not None

    def is_server(self, name: str) -> bool:
        """Whether ``name`` is, or could be, a server."""
        return self.meaning(name) is not None or self.looks_like_id(name)

    # -- collecting the names

    def take(self, name: str) -> bool:
        """Note the server ``name``, or that the name is ambiguous. Returns whether the fleet has it."""
        id_ = self.meaning(name)
        if id_:
            self.found[id_] = None
        elif id_ is not None:
            self.ambiguous.setdefault(name.casefold(), name)
        return id_ is not None

    def take_unknown(self, name: str) -> None:
        """Note that no server has ``name``, if it looks like an id."""
        if self.looks_like_id(name):
            self.unknown.setdefault(name.upper(), name)

    def take_range(self, names: Iterable[str], written: str) -> bool:
        """Note all of ``names``. Returns whether any of them is, or could be, a server."""
        names = list(names)
        if not any(self.is_server(name) for name in names):
            return False
        self.expandable -= len(names)
        if self.expandable < 0:
            self.unclear[written] = None
            return True
        self.ranges += 1
        for name in names:
            if not self.take(name):
                self.unknown.setdefault(name.upper(), name)
        return True


def _names(fleet: Fleet) -> dict[str, str]:
    """Casefolded name -> id; "" for a name that several servers have."""
    names: dict[str, str] = {}
    for server in fleet.servers.values():
        name = server.name.casefold()
        if name:
            names[name] = "" if names.get(name, server.id) != server.id else server.id
    return names


def _id_pattern(fleet: Fleet) -> re.Pattern[str] | None:
    """The pattern of server ids in this account; None where no data center is known."""
    places = {server.data_center for server in fleet.servers.values() if server.data_center}
    places = places.union(fleet.expected) if places else places.union(fleet.data_centers, fleet.expected)
    if not places:
        return None
    place, account = "|".join(map(re.escape, sorted(places))), re.escape(fleet.account)
    with_account = rf"(?:{place}){account}[\w-]+" if account else ""
    with_digits = rf"(?:{place})[\w-]*[a-z][\w-]*[0-9]{{2}}"
    return re.compile("|".join(filter(None, (with_account, with_digits))), re.IGNORECASE)
