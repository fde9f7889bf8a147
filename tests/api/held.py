"""What an object holds, however deep: for tests of what is in memory and what its reprs show."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from tui.api.secret import Secret

OURS = ("tui.", "httpx.")


def objects_below(start: object) -> Iterator[object]:
    """``start`` and all objects of the client and of httpx that it leads to, with their containers."""
    waiting, seen = [start], set()
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        yield thing
        match thing:
            case dict():
                waiting += [*thing.keys(), *thing.values()]
            case list() | tuple() | set() | deque():
                waiting += thing
            case Secret():
                pass  # what is in it is the secret
            case _ if f"{type(thing).__module__}.".startswith(OURS):
                slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
                waiting += [getattr(thing, name) for name in slots if hasattr(thing, name)]
                waiting.append(getattr(thing, "__dict__", {}))


def secrets_held(start: object) -> set[str]:
    """The values of all secrets that ``start`` leads to, but for those that are empty."""
    return {thing.reveal() for thing in objects_below(start) if isinstance(thing, Secret)} - {""}
