"""Find the objects and secrets that an object refers to, directly or through others."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from tui.api.secret import Secret

SEARCHED = ("tui.", "httpx.")


def objects_below(start: object) -> Iterator[object]:
    """``start``, and all objects of the client and of httpx that it refers to, with their containers."""
    waiting, seen = [start], set()
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        match found:
            case dict():
                waiting += [*found.keys(), *found.values()]
            case list() | tuple() | set() | deque():
                waiting += found
            case Secret():
                pass  # its content is the secret itself
            case _ if f"{type(found).__module__}.".startswith(SEARCHED):
                slots = [name for kind in type(found).__mro__ for name in getattr(kind, "__slots__", ())]
                waiting += [getattr(found, name) for name in slots if hasattr(found, name)]
                waiting.append(getattr(found, "__dict__", {}))


def secrets_held(start: object) -> set[str]:
    """The values of all secrets that ``start`` refers to, except empty ones."""
    return {found.reveal() for found in objects_below(start) if isinstance(found, Secret)} - {""}
