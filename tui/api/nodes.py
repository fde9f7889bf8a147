"""Group trees, first step: bytes to groups, whose servers are still bytes.

A Python object takes many times the memory of the few bytes that it is decoded from. So objects are counted
while they are made, and no list is decoded before its length is known to be within bounds.
"""

from collections.abc import Sequence

import msgspec

from tui.api.errors import Malformed, Oversized
from tui.api.lenient_json import TEXT_LIMIT, Body, decode_json, decoder_message, repair_json, to_text
from tui.api.limits import Limits
from tui.api.memory import Allowance

LONG_LIST = 2 * 2**20
"""Bytes. The items of a shorter list take little memory, whatever they are."""
MAX_PASSES = 8
"""How often all bytes of a tree may be decoded when it is decoded level by level."""

_NOTHING = msgspec.Raw()
_TOO_DEEP = "The group tree is nested too deeply."
_objects = Allowance(0, "")
"""How many objects the current decoding may make. Decoding does not await, so there is one at a time."""


class Group(msgspec.Struct, gc=False):
    """A group of the documented shape; its servers are still bytes."""

    id: str
    name: str | None = None
    kind: str | None = msgspec.field(name="type", default=None)
    description: str | None = None
    groups: "list[Group] | None" = None
    servers: msgspec.Raw = _NOTHING

    def __post_init__(self) -> None:
        _objects.take()


class _Item(msgspec.Struct, gc=False):
    """Any object in a list; counted, not kept."""

    def __post_init__(self) -> None:
        _objects.take()


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
"""The raw fields of a group, in the usual spellings of their names."""

_group_decoder = msgspec.json.Decoder(Group, strict=False)
_pieces_decoder = msgspec.json.Decoder(_Pieces)
_count_decoder = msgspec.json.Decoder(list[_Item])
_items_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def root_group(body: Body, limits: Limits) -> "Group | LenientGroup":
    """Decode the root of a tree. A tree of another shape than documented is decoded leniently.

    Raises:
        Malformed: it is not a tree.
        Oversized: it has too many groups, or is nested too deeply.
    """
    global _objects
    _objects = Allowance(limits.groups, f"The group tree has more than {limits.groups:,} groups.")
    try:
        return _group_decoder.decode(body)
    except RecursionError:
        raise Oversized(_TOO_DEEP) from None
    except (msgspec.ValidationError, UnicodeDecodeError):
        pass
    except msgspec.DecodeError:
        body = repair_json(body)
    passes = Allowance(MAX_PASSES * len(body), "The group tree is too large for what is wrong with it.")
    return LenientGroup(body, limits, passes)


class LenientGroup:
    """A group decoded field by field, for trees that do not fit `Group`."""

    def __init__(self, body: Body | msgspec.Raw, limits: Limits, passes: Allowance) -> None:
        passes.take(size_of(body))
        try:
            pieces = _pieces_decoder.decode(body)
        except RecursionError:
            raise Oversized(_TOO_DEEP) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Malformed(
                f"The group tree is not what the API documents ({decoder_message(error)})."
            ) from None
        found = {field: _first(pieces, field) for field in _FIELDS}
        self.id = _text(found["id"])
        self.name = _text(found["name"])
        self.kind = _text(found["type"])
        self.description = _text(found["description"])
        self.servers = found["servers"]
        self._groups = found["groups"]
        self._limits = limits
        self._passes = passes

    @property
    def groups(self) -> "Sequence[LenientGroup]":
        """The groups below it.

        Raises:
            Oversized: there are too many, or they are nested too deeply.
        """
        found = []
        strays = stray_allowance(self._limits)
        for raw in items(self._groups, self._limits.groups):
            try:
                found.append(LenientGroup(raw, self._limits, self._passes))
            except Oversized:
                raise
            except Malformed:
                strays.take()
        return found


def items(raw: msgspec.Raw, most: int) -> list[msgspec.Raw]:
    """The raw items of a list; empty for anything else.

    Raises:
        Malformed: a long list has items that are not objects.
        Oversized: a long list has more than ``most``.
    """
    global _objects
    try:
        if size_of(raw) > LONG_LIST and bytes(memoryview(raw)[:1]) == b"[":
            _objects = Allowance(most, f"The group tree has a list of more than {most:,} things.")
            try:
                _count_decoder.decode(raw)
            except msgspec.ValidationError:
                raise Malformed("The group tree has a long list of what is no server and no group.") from None
        return _items_decoder.decode(raw)
    except RecursionError:
        raise Oversized(_TOO_DEEP) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []


def stray_allowance(limits: Limits) -> Allowance:
    """How many entries in lists may be neither servers nor groups."""
    return Allowance(limits.strays, f"The group tree has more than {limits.strays:,} entries that are none.")


def size_of(raw: Body | msgspec.Raw) -> int:
    """The size in bytes, without a copy."""
    return memoryview(raw).nbytes


def _first(pieces: object, field: str) -> msgspec.Raw:
    spellings = (getattr(pieces, f"{spelt}_") for spelt in (field, field.title(), field.upper()))
    return next((raw for raw in spellings if size_of(raw)), _NOTHING)


def _text(raw: msgspec.Raw) -> str:
    if not 0 < size_of(raw) <= 16 * TEXT_LIMIT:
        return ""
    try:
        return to_text(decode_json(bytes(raw)))
    except Malformed:
        return ""
