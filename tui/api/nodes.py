"""Group trees, first step: bytes to groups, whose servers are still bytes.

Each object that is made of a few bytes takes many times as much memory. So they are counted while they are
made, and no list is taken apart before it is known not to be too long.
"""

from collections.abc import Sequence

import msgspec

from tui.api.errors import Malformed, Oversized
from tui.api.lenient_json import TEXT_LIMIT, Body, loose_value, repair, text_of, why
from tui.api.limits import Limits
from tui.api.memory import Allowance

LONG_LIST = 2 * 2**20
"""Bytes. The items of a shorter list, whatever they are, do not take much memory."""
REPEATED = 8
"""Times the bytes of a tree that may be gone through when it is taken apart level by level."""

_NOTHING = msgspec.Raw()
_TOO_DEEP = "The group tree is nested too deeply."
_making = Allowance(0, "")
"""What the decoder at work may make. There is one at a time: decoding takes no break."""


class Group(msgspec.Struct, gc=False):
    """A group as documented."""

    id: str
    name: str | None = None
    kind: str | None = msgspec.field(name="type", default=None)
    description: str | None = None
    groups: "list[Group] | None" = None
    servers: msgspec.Raw = _NOTHING

    def __post_init__(self) -> None:
        _making.take()


class _Item(msgspec.Struct, gc=False):
    """Any object in a list; nothing of it is kept."""

    def __post_init__(self) -> None:
        _making.take()


_FIELDS = ("id", "name", "type", "description", "groups", "servers")
_Pieces = msgspec.defstruct(
    "_Pieces",
    [
        (f"{spelt}_", msgspec.Raw, msgspec.field(name=spelt, default=_NOTHING))
        for field in _FIELDS
        for spelt in (field, field.title(), field.upper())
    ],
    gc=False,
)
"""An object's fields as they are, of those that a group has, in the usual spellings."""

_group_decoder = msgspec.json.Decoder(Group, strict=False)
_pieces_decoder = msgspec.json.Decoder(_Pieces)
_count_decoder = msgspec.json.Decoder(list[_Item])
_items_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def root_group(body: Body, limits: Limits) -> "Group | LooseGroup":
    """The root of a tree. One that is not as documented is taken apart piece by piece.

    Raises:
        Malformed: it is no tree.
        Oversized: it has too many groups, or is nested too deeply.
    """
    global _making
    _making = Allowance(limits.groups, f"The group tree has more than {limits.groups:,} groups.")
    try:
        return _group_decoder.decode(body)
    except RecursionError:
        raise Oversized(_TOO_DEEP) from None
    except (msgspec.ValidationError, UnicodeDecodeError):
        pass
    except msgspec.DecodeError:
        body = repair(body)
    work = Allowance(REPEATED * len(body), "The group tree is too large for what is wrong with it.")
    return LooseGroup(body, limits, work)


class LooseGroup:
    """A group taken apart piece by piece, for trees that do not fit `Group`."""

    def __init__(self, body: Body | msgspec.Raw, limits: Limits, work: Allowance) -> None:
        work.take(size_of(body))
        try:
            pieces = _pieces_decoder.decode(body)
        except RecursionError:
            raise Oversized(_TOO_DEEP) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Malformed(f"The group tree is not what the API documents ({why(error)}).") from None
        found = {field: _first(pieces, field) for field in _FIELDS}
        self.id = _text(found["id"])
        self.name = _text(found["name"])
        self.kind = _text(found["type"])
        self.description = _text(found["description"])
        self.servers = found["servers"]
        self._groups = found["groups"]
        self._limits = limits
        self._work = work

    @property
    def groups(self) -> "Sequence[LooseGroup]":
        """The groups below it."""
        found = []
        strays = stray_items(self._limits)
        for raw in items(self._groups, self._limits.groups):
            try:
                found.append(LooseGroup(raw, self._limits, self._work))
            except Oversized:
                raise
            except Malformed:
                strays.take()
        return found


def items(raw: msgspec.Raw, most: int) -> list[msgspec.Raw]:
    """The items of a list; none for anything else.

    Raises:
        Malformed: a long list is not one of objects only.
        Oversized: a long list has more than ``most``.
    """
    global _making
    try:
        if size_of(raw) > LONG_LIST and bytes(memoryview(raw)[:1]) == b"[":
            _making = Allowance(most, f"The group tree has a list of more than {most:,} things.")
            try:
                _count_decoder.decode(raw)
            except msgspec.ValidationError:
                raise Malformed("The group tree has a long list of what is no server and no group.") from None
        return _items_decoder.decode(raw)
    except RecursionError:
        raise Oversized(_TOO_DEEP) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []


def stray_items(limits: Limits) -> Allowance:
    """How much may stand in lists that does not belong there."""
    return Allowance(limits.strays, f"The group tree has more than {limits.strays:,} entries that are none.")


def size_of(raw: Body | msgspec.Raw) -> int:
    """Bytes of a piece, without a copy."""
    return memoryview(raw).nbytes


def _first(pieces: object, field: str) -> msgspec.Raw:
    spellings = (getattr(pieces, f"{spelt}_") for spelt in (field, field.title(), field.upper()))
    return next((raw for raw in spellings if size_of(raw)), _NOTHING)


def _text(raw: msgspec.Raw) -> str:
    if not 0 < size_of(raw) <= 16 * TEXT_LIMIT:
        return ""
    try:
        return text_of(loose_value(bytes(raw)))
    except Malformed:
        return ""
