"""Server ids and names out of pasted text: a ticket, a mail, a table, whatever surrounds them."""

import re
from collections.abc import Container, Iterator

import msgspec

from tui.model.fleet import Fleet

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_TOKEN = re.compile(r"\w(?:[\w.-]*\w)?")
"""What can be an id, a name, or a host name with its domain."""
_JOINTS = re.compile("[._-]+")
_UNKNOWN_MOST = 1000
_ID_LONGEST = 128
"""Characters; a longer word is no id, and looking whether it might be one takes its time."""


class Found(msgspec.Struct, frozen=True):
    """What a text names, each once, in the order of the text."""

    ids: tuple[str, ...] = ()
    """Servers of the fleet that are not marked yet."""
    marked: tuple[str, ...] = ()
    """Servers of the fleet that are marked already."""
    unknown: tuple[str, ...] = ()
    """Words that look like a server's id but are none of the fleet, as written. At most 1,000."""
    ambiguous: tuple[str, ...] = ()
    """Names that several servers bear, as written. None of them is taken: only the id tells them apart."""

    def __bool__(self) -> bool:
        return bool(self.ids or self.marked or self.unknown or self.ambiguous)


def find_servers(text: str, fleet: Fleet, marked: Container[str] = ()) -> Found:
    """Find the servers that ``text`` names by id or by name, in any case.

    An id counts before a name. Of a host name with a domain the first part counts when the whole is
    no name; an id also counts where dots, hyphens or underscores join it to something. Words that start
    as this account's ids do (a data center and the account alias), or as an id of one of its data
    centers and end in digits, are told as unknown when nothing bears them.
    """
    names = _names(fleet)
    looks_like_id = _id_pattern(fleet)
    found: dict[str, None] = {}
    unknown: dict[str, str] = {}
    ambiguous: dict[str, str] = {}
    for token in _tokens(text):
        meant = _meaning(token, fleet, names)
        if meant is None:
            if (
                looks_like_id is not None
                and len(token) <= _ID_LONGEST
                and looks_like_id.fullmatch(token)
                and len(unknown) < _UNKNOWN_MOST
            ):
                unknown.setdefault(token.upper(), token)
        elif meant:
            found[meant] = None
        else:
            ambiguous.setdefault(token.casefold(), token)
    return Found(
        ids=tuple(id_ for id_ in found if id_ not in marked),
        marked=tuple(id_ for id_ in found if id_ in marked),
        unknown=tuple(unknown.values()),
        ambiguous=tuple(ambiguous.values()),
    )


def _tokens(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(_INVISIBLE.sub("", text)):
        if token := match[0].strip("_"):
            yield token


def _meaning(token: str, fleet: Fleet, names: dict[str, str]) -> str | None:
    """The id ``token`` means; "" if several servers bear it as their name, None if none does."""
    if token.upper() in fleet.servers:
        return token.upper()
    if (id_ := names.get(token.casefold())) is not None:
        return id_
    parts = _JOINTS.split(token)
    for part in parts if len(parts) > 1 else ():
        if part.upper() in fleet.servers:
            return part.upper()
    return names.get(token.partition(".")[0].casefold())


def _names(fleet: Fleet) -> dict[str, str]:
    """Name, casefolded -> id; "" for a name that several servers bear."""
    names: dict[str, str] = {}
    for server in fleet.servers.values():
        name = server.name.casefold()
        if name:
            names[name] = "" if names.get(name, server.id) != server.id else server.id
    return names


def _id_pattern(fleet: Fleet) -> re.Pattern[str] | None:
    """What a server id of this account looks like; None where nothing is known of it."""
    places = sorted({server.data_center for server in fleet.servers.values() if server.data_center})
    places = places or sorted(fleet.data_centers)
    if not places:
        return None
    place, account = "|".join(map(re.escape, places)), re.escape(fleet.account)
    with_account = rf"(?:{place}){account}[\w-]+" if account else ""
    with_digits = rf"(?:{place})[\w-]*[a-z][\w-]*[0-9]{{2}}"
    return re.compile("|".join(filter(None, (with_account, with_digits))), re.IGNORECASE)
